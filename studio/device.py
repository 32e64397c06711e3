"""The device: which one, what it has free, and when it has run out."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from studio.errors import StudioError

if TYPE_CHECKING:
    import torch

_SMALL = 64 * 2**20  # bytes


def choose(wanted: str) -> torch.device:
    """Return the device that ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` stands for.

    Raises:
        StudioError: It is not a device, or this computer does not have it.
    """
    import torch

    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise StudioError(f"'{wanted}' is not a device.", "Set STUDIO_DEVICE to auto, cpu, cuda or cuda:N.") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise StudioError(f"This computer has no device {wanted}.", "Set STUDIO_DEVICE to auto or cpu.")
    return device


def use_threads(wanted: int, model_bytes: int) -> None:
    """Set how many CPU threads PyTorch computes with.

    Args:
        wanted: The number, or 0 to choose: one for a model so small that threads would wait for one another more than
            they work (a step of the embedded judge takes nine times the CPU on two busy cores), else one per core.
        model_bytes: Bytes of the model that is about to run.
    """
    import psutil  # type: ignore[import-untyped]
    import torch

    cores = psutil.cpu_count(logical=False) or 1
    torch.set_num_threads(wanted or (1 if model_bytes < _SMALL else cores))


def free_bytes(device: torch.device) -> int:
    """Return the bytes the device has free: of the GPU's memory, or of the computer's."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception means that memory ran out, without importing PyTorch."""
    # PyTorch has a class of its own on a GPU, but on a CPU raises a RuntimeError that only its words give away.
    words = ("out of memory", "can't allocate memory", "not enough memory")
    told = isinstance(error, RuntimeError) and any(each in str(error).lower() for each in words)
    return told or isinstance(error, MemoryError)


def collect() -> None:
    """Give back the bytes of what nothing refers to any more."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def gib(count: int) -> str:
    """Return a count of bytes in words, ``1.50 GiB``."""
    return f"{count / 2**30:.2f} GiB"
