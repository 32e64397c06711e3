"""The numbers of a step: how fast it was and what memory it took."""

from __future__ import annotations

import time

import psutil  # type: ignore[import-untyped]
import torch

_GIB = 2**30


class Meter:
    """Measures steps.

    Args:
        device: On which they run.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._peak = 0
        self._begun = 0.0
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    def start(self) -> None:
        """Begin a step."""
        self._begun = time.perf_counter()

    def stop(self, tokens: int) -> dict[str, float]:
        """End a step that read so many tokens.

        Returns:
            ``tokens_per_second``, and ``memory``, the most so far in GiB: of the GPU's, or of this process.
        """
        seconds = time.perf_counter() - self._begun
        if self._device.type == "cuda":
            self._peak = torch.cuda.max_memory_allocated(self._device)
        else:
            self._peak = max(self._peak, psutil.Process().memory_info().rss)
        return {"tokens_per_second": tokens / max(seconds, 1e-9), "memory": self._peak / _GIB}
