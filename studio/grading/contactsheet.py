"""Photographs in rows, LUTs in columns: one labelled picture to compare them on."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from studio.grading.apply import Pixels, grade

WIDTH, GAP, LABEL = 360, 12, 34
"""Of a picture, between pictures, and the height of the labels; pixels."""
SURROUND, INK = (30, 30, 30), (203, 203, 203)
"""Greys without tint, since a tinted surround changes how colour is seen."""


def thumbnail(picture: Pixels) -> Pixels:
    """Return a picture, uint8 [H, W, 3], `WIDTH` wide, but no taller than that."""
    image = Image.fromarray(picture)
    scale = WIDTH / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))


def contact_sheet(pictures: Sequence[Pixels], luts: Mapping[str, Tensor]) -> bytes:
    """Draw pictures through LUTs.

    Args:
        pictures: uint8 [H, W, 3], each as `thumbnail` returns it.
        luts: Tables [3, N, N, N] by what stands above their column.

    Returns:
        A JPEG: a row for each picture and a column for each LUT.
    """
    heights = [len(picture) for picture in pictures]
    size = GAP + len(luts) * (WIDTH + GAP), LABEL + sum(heights) + GAP * len(heights)
    sheet = Image.new("RGB", size, SURROUND)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for column, (name, table) in enumerate(luts.items()):
        left, top = GAP + column * (WIDTH + GAP), LABEL
        pen.text((left + WIDTH / 2, LABEL / 2), _fit(name, font), INK, font, anchor="mm")
        for picture in pictures:
            sheet.paste(Image.fromarray(grade(picture, table)), (left + (WIDTH - picture.shape[1]) // 2, top))
            top += len(picture) + GAP
    data = io.BytesIO()
    sheet.save(data, "JPEG", quality=90, subsampling=0)
    return data.getvalue()


def _fit(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    if font.getlength(name) <= WIDTH:
        return name
    while font.getlength(name + "…") > WIDTH:
        name = name[:-1]
    return name + "…"
