"""Putting a LUT on a picture against every other way at hand, in the same run, as a ratio.

    python -m benchmarks.apply [--size 33] [--width 3840] [--height 2160] [--rounds 5] [--threads 0]

A trained-like LUT on a picture like a photograph (upscaled, with a little noise), as pixels of 8 and of 16 bits that
lie packed in memory and come back so; reading files is timed apart. OpenColorIO works on the whole picture in one
call, in the pixels' own depth; ffmpeg through lut3d, tetrahedral, in its own process, whose time for the same frames
without the filter is taken off, in floating-point planes (with its way there and back) and in packed pixels, which it
cuts off instead of rounding; Pillow takes 8 bits only, trilinear; colour-science a quarter of the rows, times four.
Rounds alternate, so that other load hits all. Prints one line of JSON: MPix/s of each (medians), and ours / fastest.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import colour
import numpy as np
import PyOpenColorIO as ocio
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from studio.grading import lutexport
from studio.grading.lut import ResidualLUT
from studio.grading.lutfiles import LUT
from studio.grading.pixels import CORES, grader

Pixels = NDArray[Any]
Way = Callable[[], float]
"""Does it once and returns the seconds it took."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=33)
    parser.add_argument("--width", type=int, default=3840)
    parser.add_argument("--height", type=int, default=2160)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0 is every core, for ours and for ffmpeg")
    arguments = parser.parse_args()
    report: dict[str, Any] = {"benchmark": "apply", **vars(arguments), "cores": CORES}
    for bits in (8, 16):
        report[f"bits_{bits}"] = compare(bits, arguments)
    print(json.dumps(report))


def compare(bits: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return MPix/s by way, and what part of the fastest other way ours is."""
    pixels = picture(arguments.width, arguments.height, bits)
    megapixels = arguments.width * arguments.height / 1e6
    with tempfile.TemporaryDirectory() as folder:
        times = measure(ways(pixels, table(arguments.size), arguments.threads, Path(folder)), arguments.rounds)
    rates = {name: round(megapixels / statistics.median(taken), 1) for name, taken in times.items()}
    others = {name: rate for name, rate in rates.items() if name not in ("ours", "reading a PNG", "writing a PNG")}
    return {"mpix_per_second": rates, "ours_of_fastest": round(rates["ours"] / max(others.values()), 2)}


def table(size: int) -> torch.Tensor:
    torch.manual_seed(0)
    lut = ResidualLUT(size)
    for grid in lut.grids:
        torch.nn.init.normal_(grid, std=0.05)
    return lut.table().detach()


def picture(width: int, height: int, bits: int) -> Pixels:
    """Smooth shapes with a grain of three levels, [H, W, 3]."""
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (9, 16, 3)).astype(np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    noisy = (smooth + random.integers(-3, 4, smooth.shape, np.int8)).clip(0, 255)
    return noisy.astype(np.uint8) if bits == 8 else (noisy * 257).astype(np.uint16)


def ways(pixels: Pixels, lattice: torch.Tensor, threads: int, folder: Path) -> dict[str, Way]:
    lut, height, width = LUT.of(lattice), *pixels.shape[:2]
    ours = grader(lut, threads=threads or CORES)
    processor = lut.processor(pixels=pixels.dtype.name)
    result: dict[str, Way] = {
        "ours": timed(lambda: ours(pixels)),
        "OpenColorIO": timed(lambda: bare(processor, pixels)),
        "colour": quarter(lattice, pixels),
    }
    if pixels.dtype == np.uint8:
        image, flat = Image.fromarray(pixels), lattice.permute(1, 2, 3, 0).reshape(-1).tolist()
        look = ImageFilter.Color3DLUT(lattice.shape[-1], flat)
        result["Pillow"] = timed(lambda: image.filter(look))
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=1)
        result["reading a PNG"] = timed(lambda: np.asarray(Image.open(buffer)))
        result["writing a PNG"] = timed(lambda: image.save(io.BytesIO(), "PNG", compress_level=1))
    if shutil.which("ffmpeg"):
        lutexport.write(folder / "look.cube", lattice, "look")
        name = "rgb24" if pixels.dtype == np.uint8 else "rgb48le"
        (folder / "frames.raw").write_bytes(pixels.tobytes() * 4)
        for label, first in (("ffmpeg, float planes", "format=gbrpf32le,"), (f"ffmpeg, {name}", f"format={name},")):
            filters = f"{first}lut3d=look.cube:interp=tetrahedral,format={name}"
            result[label] = by_ffmpeg(folder, name, width, height, threads, filters)
    return result


def timed(work: Callable[[], Any]) -> Way:
    def once() -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return once


def bare(processor: Any, pixels: Pixels) -> Pixels:
    height, width, _ = pixels.shape
    step = pixels.itemsize
    depth = ocio.BIT_DEPTH_UINT8 if step == 1 else ocio.BIT_DEPTH_UINT16
    after = np.empty_like(pixels)
    shape = (width, height, 3, depth, step, 3 * step, 3 * step * width)
    processor.apply(ocio.PackedImageDesc(pixels, *shape), ocio.PackedImageDesc(after, *shape))
    return after


def quarter(lattice: torch.Tensor, pixels: Pixels) -> Way:
    lut, top = colour.LUT3D(lattice.permute(3, 2, 1, 0).double().numpy()), np.iinfo(pixels.dtype).max
    rows = pixels[: max(1, len(pixels) // 4)]

    def work() -> Pixels:
        after = lut.apply(rows / top, interpolator=colour.algebra.table_interpolation_tetrahedral)
        return np.rint(after.clip(0, 1) * top).astype(pixels.dtype)

    once = timed(work)
    return lambda: once() * len(pixels) / len(rows)


def by_ffmpeg(folder: Path, pixels: str, width: int, height: int, threads: int, filters: str) -> Way:
    """Time four frames with the filters, and take off the time of those frames without."""

    def seconds(chain: str) -> float:
        command = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{width}x{height}"]
        command += ["-i", "frames.raw", "-vf", chain, "-filter_threads", str(threads), "-f", "null", "-"]
        begun = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True)
        return time.perf_counter() - begun

    return lambda: max(1e-6, seconds(filters) - seconds("null")) / 4


def measure(each: dict[str, Way], rounds: int) -> dict[str, list[float]]:
    """Time the ways in turn, after once to warm up."""
    for way in each.values():
        way()
    times: dict[str, list[float]] = {name: [] for name in each}
    for _ in range(rounds):
        for name, way in each.items():
            times[name].append(way())
    return times


if __name__ == "__main__":
    main()
