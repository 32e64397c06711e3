"""What a .cube written from a table is worth to others: read back, and through the other programs at hand."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from studio.grading import colourscience, lutexport, lutfiles
from studio.grading.cielab import Colours
from studio.grading.lut import apply
from studio.grading.lutfiles import LUT

PROBES = 4096
"""Random colours that every program is asked for."""
LARGEST = 1.0
"""Values a file is compared within: beyond the range 0 to 1 programs clip as they like."""


def round_trip(table: Tensor) -> dict[str, float]:
    """Write a table [3, N, N, N] as .cube and let every program at hand read it.

    Returns:
        Largest absolute differences in code values, 0 to 1: ``file``, of the table read back; ``opencolorio``,
        ``colour`` and, where it is installed, ``ffmpeg``, of random colours sent through the file by tetrahedral
        interpolation.
    """
    inside = table.clamp(0, LARGEST)
    probes = np.random.default_rng(0).random((PROBES, 3))
    wanted = through(inside, probes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "look.cube"
        lutexport.write(path, inside, "look")
        read = lutfiles.read(path).table()
        answers = {"opencolorio": _opencolorio(read, probes), "colour": _colour(read, probes)}
        ffmpeg = shutil.which("ffmpeg")
        if ffmpeg:
            answers["ffmpeg"] = _ffmpeg(ffmpeg, path, probes)
    differences = {name: float(np.abs(answer - wanted).max()) for name, answer in answers.items()}
    return {"file": float((read - inside).abs().max()), **differences}


def through(table: Tensor, rgb: Colours) -> Colours:
    """Send code values [n, 3] through a table [3, N, N, N] on the processor, in double precision, unclipped."""
    colours = torch.from_numpy(rgb).double().t()[None, :, None]
    return apply(table.detach().cpu().double(), colours)[0, :, 0].t().numpy()


def _opencolorio(table: Tensor, rgb: Colours) -> Colours:
    import PyOpenColorIO as ocio

    pixels = rgb.astype(np.float32)
    LUT.of(table).processor().apply(ocio.PackedImageDesc(pixels, len(pixels), 1, 3))
    return pixels.astype(np.float64)


def _colour(table: Tensor, rgb: Colours) -> Colours:
    colour = colourscience.load()

    lut = colour.LUT3D(table.double().permute(3, 2, 1, 0).numpy())
    return np.asarray(lut.apply(rgb, interpolator=colour.algebra.table_interpolation_tetrahedral), np.float64)


def _ffmpeg(program: str, path: Path, rgb: Colours) -> Colours:
    planes = rgb.T[[1, 2, 0]].astype("<f4")  # gbrpf32 stores green, blue, red
    raw = ["-f", "rawvideo", "-pix_fmt", "gbrpf32le"]
    command = [program, "-v", "error", "-nostdin", *raw, "-s", f"{len(rgb)}x1", "-i", "-"]
    command += ["-vf", "lut3d=file=look.cube:interp=tetrahedral", *raw, "-"]
    done = subprocess.run(command, input=planes.tobytes(), capture_output=True, check=True, cwd=path.parent)
    return np.frombuffer(done.stdout, "<f4").reshape(3, -1)[[2, 0, 1]].T.astype(np.float64)
