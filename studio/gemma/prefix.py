"""The constant prefix: prefilled once per picture, forked per step, gathered per batch.

Everything a conversation says before its last image does not change while that image is being optimised. Its keys
and values are computed once and reused; attention is causal across images, so the result equals the full forward.

Two rules of Gemma 3 make this exact. `token_type_ids` must cover the whole length, cached part included: the masks
index them by absolute position. And the cache must never be written in place: `DynamicCache` concatenates, so a fork
may share its tensors.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, Gemma3ForConditionalGeneration

_PREFILL_BATCH = 4  # pictures encoded at once: bounded working memory, near full speed


class PrefixBank:
    """Key-value caches of one prefix for many pictures.

    Args:
        model: A ``Gemma3Model`` (the one without head), in eval mode.
        ids: ``[P]`` token ids of the prefix, which holds exactly one image.
        types: ``[P]`` token types of the prefix.
    """

    def __init__(self, model: Any, ids: Tensor, types: Tensor) -> None:
        self._model = model
        self._ids = ids
        self._types = types
        self._template: Any = None
        self._pictures: list[list[tuple[Tensor, Tensor]]] = []

    def __len__(self) -> int:
        """Return how many pictures are held."""
        return len(self._pictures)

    @property
    def nbytes(self) -> int:
        """Bytes the held keys and values take."""
        return sum(keys.nbytes + values.nbytes for layers in self._pictures for keys, values in layers)

    @torch.no_grad()
    def extend(self, pixels: Tensor) -> range:
        """Prefill the prefix for more pictures.

        Args:
            pixels: ``[N, 3, S, S]``, preprocessed, on the model's device and in its dtype.

        Returns:
            The indices of the new pictures.
        """
        first = len(self)
        for batch in torch.split(pixels, _PREFILL_BATCH):
            cache = self._prefill(batch)
            for row in range(len(batch)):
                one = slice(row, row + 1)
                self._pictures.append([(layer.keys[one].clone(), layer.values[one].clone()) for layer in cache.layers])
        return range(first, len(self))

    def fork(self, index: Sequence[int]) -> DynamicCache:
        """Return a fresh cache whose row `b` is the prefix of picture ``index[b]``; the bank stays untouched."""
        rows = [self._pictures[each] for each in index]
        cache: DynamicCache = _shallow(self._template)
        layers: list[Any] = cache.layers
        for number, layer in enumerate(layers):
            layer.keys = torch.cat([row[number][0] for row in rows])
            layer.values = torch.cat([row[number][1] for row in rows])
        return cache

    def masks(self, types: Tensor) -> dict[str, Tensor]:
        """Return the attention masks of what follows the prefix.

        They are the same for every picture and every step, and making them anew would take a sixth of a small
        model's step; pass them as ``attention_mask``.

        Args:
            types: ``[L]`` token types of the whole length, prefix included.

        Returns:
            A mask for each kind of layer, ``[1, 1, L - P, keys]``.
        """
        following = torch.empty(1, len(types) - len(self._ids), 1, dtype=self._model.dtype, device=types.device)
        kinds: Any = Gemma3ForConditionalGeneration
        masks: dict[str, Tensor] = kinds.create_masks_for_generate(
            self._model.config, following, None, self.fork([0]), None, token_type_ids=types[None]
        )
        return masks

    def _prefill(self, pixels: Tensor) -> Any:
        cache = DynamicCache(config=self._model.config)
        self._model(
            input_ids=self._ids.expand(len(pixels), -1),
            token_type_ids=self._types.expand(len(pixels), -1),
            pixel_values=pixels,
            past_key_values=cache,
            use_cache=True,
        )
        if self._template is None:
            self._template = _emptied(cache)
        return cache


def _emptied(cache: DynamicCache) -> Any:
    """Return a cache of the same kind and length that holds no tensors."""
    template = _shallow(cache)
    for layer in template.layers:
        layer.keys = layer.values = None
    return template


def _shallow(cache: DynamicCache) -> Any:
    """Return a cache with layers of its own, whose tensors are shared."""
    new: Any = copy.copy(cache)
    new.layers = [copy.copy(layer) for layer in cache.layers]
    return new
