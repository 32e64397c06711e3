"""One manager for every model: lease one under a memory budget, and give the bytes back.

Finding or loading a model, making room for it and counting its holder is one atomic step, so no model can vanish
between being found and being used. What nobody holds is evicted when room is needed, least recently used first.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.device import choose, collect, free_bytes, gib, is_out_of_memory
from studio.errors import StudioError
from studio.modelstate import ModelState, measure

if TYPE_CHECKING:
    import torch

_SHARE = 0.8  # of the device's free memory, when no budget is set
_SMALLER = "Choose a smaller model or 4 bits, unload others, or raise STUDIO_MEMORY_BUDGET."


@dataclass(frozen=True)
class ModelSpec:
    """Which model, and in what form; equal specs share one model.

    Attributes:
        kind: The loader's name, such as ``gemma3``.
        source: A local folder or a name on the Hub.
        dtype: ``auto``, ``float32`` or ``bfloat16``.
        quantization: ``none`` or ``nf4``.
    """

    kind: str
    source: str
    dtype: str = "auto"
    quantization: str = "none"

    def __str__(self) -> str:
        form = [each for each in (self.dtype, self.quantization) if each not in ("auto", "none")]
        return " ".join([self.kind, self.source, *form])


@dataclass(frozen=True)
class Resident:
    """A loaded model: its spec, bytes taken, leases now held, and when it was last used (seconds since the epoch)."""

    spec: ModelSpec
    bytes: int
    holders: int
    last_used: float


Loader = Callable[[ModelSpec, "torch.device"], Any]
"""Loads a model onto a device: an ``nn.Module``, or an object with modules as attributes or with ``nbytes``."""


@dataclass(eq=False)
class _Entry:
    spec: ModelSpec
    model: Any = None
    bytes: int = 0
    loading: bool = True
    exclusive: bool = False
    holders: list[int] = field(default_factory=list)  # thread idents, one for each lease
    last_used: float = 0.0


class ModelManager:
    """Loads, shares and evicts models on one device.

    Args:
        loaders: A loader for each kind of model.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        budget: Bytes that loaded models and their working memory may take; 0 means four fifths of what the device
            has free when first asked.
    """

    def __init__(self, loaders: Mapping[str, Loader], device: str = "auto", budget: int = 0) -> None:
        self._loaders = dict(loaders)
        self._wanted_device = device
        self._device: torch.device | None = None
        self._budget = budget
        self._entries: dict[ModelSpec, _Entry] = {}
        self._sizes: dict[ModelSpec, int] = {}
        self._working = 0
        self._changed = threading.Condition()
        self._device_lock = threading.RLock()

    @property
    def device(self) -> torch.device:
        """The device, chosen when first asked."""
        if self._device is None:
            self._device = choose(self._wanted_device)
        return self._device

    @property
    def budget(self) -> int:
        """Bytes that models and their working memory may take together."""
        if not self._budget:
            self._budget = int(_SHARE * free_bytes(self.device))
        return self._budget

    @property
    def used(self) -> int:
        """Bytes that loaded models take now."""
        with self._changed:
            return sum(entry.bytes for entry in self._entries.values())

    def loaded(self) -> list[Resident]:
        """Return the loaded models, most recently used first."""
        with self._changed:
            ready = [entry for entry in self._entries.values() if not entry.loading]
            ready.sort(key=lambda entry: entry.last_used, reverse=True)
            return [Resident(entry.spec, entry.bytes, len(entry.holders), entry.last_used) for entry in ready]

    def device_lock(self) -> AbstractContextManager[Any]:
        """Return the one lock of the device, which a thread may take again while it holds it."""
        return self._device_lock

    @contextmanager
    def lease(self, spec: ModelSpec, *, working_memory: int = 0, exclusive: bool = False) -> Iterator[Any]:
        """Hold a model: find or load it, make room, count the holder, all in one step.

        Args:
            spec: Which model.
            working_memory: Bytes the work will need beside the weights.
            exclusive: Wait until nobody else holds the model and keep others out, as training needs. What training
                left in it is undone: gradients and flags are restored, and a model with adapters or changed weights
                is dropped, so that the next lease loads it afresh.

        Raises:
            StudioError: The model does not fit, or the device ran out of memory here or in the work under the lease.
            RuntimeError: This thread already holds the model and would wait for itself.
        """
        thread = threading.get_ident()
        entry = self._acquire(spec, working_memory, exclusive, thread)
        clean = True
        try:
            state = ModelState(entry.model) if exclusive else None
            try:
                yield entry.model
            finally:
                clean = state is None or state.restore()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise self._out_of_memory(spec, working_memory) from None
        finally:
            self._release(entry, thread, working_memory, drop=not clean)

    def unload(self, spec: ModelSpec) -> int:
        """Drop a model and return its bytes; 0 when it is not loaded.

        Raises:
            StudioError: Somebody holds it.
        """
        with self._changed:
            entry = self._entries.get(spec)
            if entry is not None and entry.holders:
                raise StudioError(f"{spec} is in use.", "Stop the job that uses it, or wait for it, and try again.")
            freed = 0 if entry is None else self._drop(entry)
        entry = None
        collect()
        return freed

    def unload_all(self) -> int:
        """Drop every model that nobody holds and return the bytes they took."""
        with self._changed:
            freed = sum(self._drop(entry) for entry in self._idle())
        collect()
        return freed

    def close(self) -> None:
        """Drop every model that nobody holds; leases under way end undisturbed."""
        self.unload_all()

    def _acquire(self, spec: ModelSpec, working: int, exclusive: bool, thread: int) -> _Entry:
        needed = working + self._estimate(spec)
        with self._changed:
            while (entry := self._entries.get(spec)) is not None and not _joinable(entry, exclusive, thread):
                self._changed.wait()
            fresh = entry is None
            if entry is None:
                self._make_room(needed)
                entry = self._entries[spec] = _Entry(spec)
            entry.holders.append(thread)
            entry.exclusive = exclusive
            entry.last_used = time.time()
            self._working += working
        try:
            if fresh:
                self._fill(entry)
            self._fit(entry, working)
        except BaseException:
            self._release(entry, thread, working, drop=fresh)
            raise
        return entry

    def _fill(self, entry: _Entry) -> None:
        model = self._load(entry.spec)
        with self._changed:
            entry.model, entry.bytes, entry.loading = model, measure(model), False
            self._sizes[entry.spec] = entry.bytes
            self._changed.notify_all()

    def _load(self, spec: ModelSpec) -> Any:
        if spec.kind not in self._loaders:
            known = ", ".join(sorted(self._loaders))
            raise StudioError(f"There is no loader for models of kind '{spec.kind}'.", f"Known are {known}.")
        for _ in range(2):
            try:
                return self._loaders[spec.kind](spec, self.device)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            self.unload_all()  # outside the handler, where the failed load's frames hold nothing any more
        raise self._out_of_memory(spec, 0)

    def _fit(self, entry: _Entry, working: int) -> None:
        with self._changed:
            self._make_room(0)
            total = self.used + self._working
            if total <= self.budget:
                return
            others = total - entry.bytes - working
        what = f"{entry.spec} takes {gib(entry.bytes)} and its work {gib(working)}"
        beside = f" beside {gib(others)} in use" if others else ""
        raise StudioError(f"{what}{beside}, more than the budget of {gib(self.budget)}.", _SMALLER)

    def _make_room(self, needed: int) -> None:
        idle = self._idle()
        while idle and self.used + self._working + needed > self.budget:
            self._drop(idle.pop(0))
            collect()  # a model is full of reference cycles: without this its bytes stay

    def _idle(self) -> list[_Entry]:
        idle = [entry for entry in self._entries.values() if not entry.holders and not entry.loading]
        return sorted(idle, key=lambda entry: entry.last_used)

    def _drop(self, entry: _Entry) -> int:
        if self._entries.get(entry.spec) is entry:
            del self._entries[entry.spec]
        entry.model = None
        self._changed.notify_all()
        return entry.bytes

    def _release(self, entry: _Entry, thread: int, working: int, *, drop: bool) -> None:
        with self._changed:
            entry.holders.remove(thread)
            entry.exclusive = False
            entry.last_used = time.time()
            self._working -= working
            if drop and not entry.holders:
                self._drop(entry)
            self._changed.notify_all()
        if drop:
            collect()

    def _estimate(self, spec: ModelSpec) -> int:
        """Bytes a model will take, as far as known before loading: its last measure, or its weight files."""
        if spec in self._sizes:
            return self._sizes[spec]
        if not os.path.isdir(spec.source):  # unlike Path's, this takes any text
            return 0
        return sum(path.stat().st_size for path in Path(spec.source).glob("*.safetensors"))

    def _out_of_memory(self, spec: ModelSpec, working: int) -> StudioError:
        self.unload_all()
        free = free_bytes(self.device)
        numbers = f"models take {gib(self.used)}, the work asked for {gib(working)}, {gib(free)} are free"
        return StudioError(f"The device {self.device} ran out of memory with {spec}: {numbers}.", _SMALLER)


def _joinable(entry: _Entry, exclusive: bool, thread: int) -> bool:
    if not entry.loading and not entry.exclusive and not (exclusive and entry.holders):
        return True
    if thread in entry.holders:
        raise RuntimeError(f"this thread already holds {entry.spec} and would wait for itself")
    return False
