"""Put a LUT on pictures, through OpenColorIO."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.grading import cube
from studio.grading.config import ApplyConfig
from studio.images import admit, list_images

Pixels = NDArray[np.uint8]


def processor(table: Any, interpolation: str = "tetrahedral") -> Any:
    """Return OpenColorIO's CPU processor for a table [3, N, N, N] (a tensor on any device), float32 in and out."""
    import PyOpenColorIO as ocio

    lut = ocio.Lut3DTransform(table.shape[-1])
    lut.setInterpolation(ocio.INTERP_TETRAHEDRAL if interpolation == "tetrahedral" else ocio.INTERP_LINEAR)
    lut.setData(table.detach().cpu().permute(3, 2, 1, 0).contiguous().numpy().reshape(-1))
    return ocio.Config.CreateRaw().getProcessor(lut).getDefaultCPUProcessor()


def grade(pixels: Pixels, table: Any, strength: float = 1.0, interpolation: str = "tetrahedral") -> Pixels:
    """Grade 8-bit pixels.

    Args:
        pixels: [H, W, 3] sRGB code values.
        table: [3, N, N, N] in [0, 1].
        strength: Share of the change, 0 to 1.
        interpolation: ``tetrahedral``, as in training, or ``trilinear``.

    Returns:
        [H, W, 3] of the same kind, rounded.
    """
    import PyOpenColorIO as ocio

    before = pixels.astype(np.float32) / 255
    after = before.copy()
    height, width, _ = pixels.shape
    processor(table, interpolation).apply(ocio.PackedImageDesc(after, width, height, 3))
    mixed = before + strength * (after - before)
    return np.clip(np.rint(mixed * 255), 0, 255).astype(np.uint8)


def run(config: ApplyConfig, context: Context) -> Iterator[Event]:
    """Grade every picture; one that cannot be read is named and skipped.

    Raises:
        StudioError: The LUT is unreadable, there is no picture, or none could be graded.
    """
    table = cube.read(config.lut)
    paths = [path for name in config.images for path in _pictures(name, context)]
    config.output_path.mkdir(parents=True, exist_ok=True)
    graded: dict[str, str] = {}
    for done, path in enumerate(paths, 1):
        target = _free_name(config.output_path, path, set(graded.values()))
        try:
            result = grade(np.asarray(admit(path, context.settings)), table, config.strength, config.interpolation)
            Image.fromarray(result).save(target, quality=95)
            graded[path.name] = str(target.resolve())
            note = f"{path.name} → {target}"
        except StudioError as error:
            note = f"Skipped: {error}"
        yield Event(done, len(paths), note, artifacts=graded)
    if not graded:
        raise StudioError("No picture could be graded.", "The log names the reason for each.")


def _pictures(path: Path, context: Context) -> list[Path]:
    return list_images(path, context.settings) if path.is_dir() else [path]


def _free_name(folder: Path, source: Path, taken: set[str]) -> Path:
    """Keep the source's name; never write over the source or over another result of this run."""
    suffix = source.suffix.lower() if source.suffix.lower() in {".jpg", ".jpeg", ".png", ".tif", ".tiff"} else ".png"
    target, number = folder / (source.stem + suffix), 2
    while str(target.resolve()) in taken or target.resolve() == source.resolve():
        target, number = folder / f"{source.stem}-{number}{suffix}", number + 1
    return target
