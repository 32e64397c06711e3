from __future__ import annotations

import pytest
import torch

from studio import device
from studio.errors import StudioError


def test_devices_by_name() -> None:
    assert device.choose("cpu") == torch.device("cpu")
    assert device.choose("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "cuda:99"])
def test_what_is_no_device_here(name: str) -> None:
    with pytest.raises(StudioError, match="STUDIO_DEVICE"):
        device.choose(name)


def test_free_memory_is_a_number_of_bytes() -> None:
    assert 2**20 < device.free_bytes(torch.device("cpu")) < 2**50


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"), True),
        (RuntimeError("shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_recognised(error: BaseException, told: bool) -> None:
    assert device.is_out_of_memory(error) is told


def test_a_real_allocation_beyond_all_memory_is_recognised() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50, dtype=torch.uint8)
    assert device.is_out_of_memory(caught.value)


def test_bytes_in_words() -> None:
    assert device.gib(3 * 2**29) == "1.50 GiB"
