"""What a model looks like from outside: how many bytes it takes, and whether training left something in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


def modules(model: Any) -> list[nn.Module]:
    """Return the modules of a model: itself, or those among its attributes."""
    from torch import nn

    if isinstance(model, nn.Module):
        return [model]
    return [each for each in getattr(model, "__dict__", {}).values() if isinstance(each, nn.Module)]


def measure(model: Any) -> int:
    """Return the bytes of a model's parameters and buffers, shared ones counted once, or its own ``nbytes``."""
    found = modules(model)
    if not found:
        return int(getattr(model, "nbytes", 0))
    tensors = [tensor for module in found for tensor in [*module.parameters(), *module.buffers()]]
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())


class ModelState:
    """A model's layers, weights and flags at one moment, to compare with and to return to.

    Taking one reads every weight once: a second or two for billions of parameters.

    Args:
        model: As a loader returns it.
    """

    def __init__(self, model: Any) -> None:
        self._modules = modules(model)
        self._flags = [(module, module.training) for module in self._all()]
        self._gradients = [(weight, weight.requires_grad) for weight in self._weights()]
        self._structure = self._describe()

    def restore(self) -> bool:
        """Undo what can be undone: gradients, ``requires_grad`` and training mode.

        Returns:
            False when something else changed, such as layers that were added or weights that were written, so that
            the model must not be used again.
        """
        if self._describe() != self._structure:
            return False
        for module, training in self._flags:
            module.training = training
        for weight, requires_grad in self._gradients:
            weight.requires_grad_(requires_grad)
            weight.grad = None
        return True

    def _all(self) -> Iterator[nn.Module]:
        for module in self._modules:
            yield from module.modules()

    def _weights(self) -> Iterator[nn.Parameter]:
        for module in self._modules:
            yield from module.parameters()

    def _describe(self) -> list[tuple[Any, ...]]:
        import torch

        # Sums and not version counters: merging an adapter writes through ``.data``, which counts nothing. Hooks are
        # counted, since some adapters work through them.
        layers = [
            (id(each), type(each).__name__, len(each._forward_hooks), len(each._forward_pre_hooks))
            for each in self._all()
        ]
        weights = [(id(each), each.shape, each.detach().sum(dtype=torch.float64).item()) for each in self._weights()]
        return [*layers, *weights]
