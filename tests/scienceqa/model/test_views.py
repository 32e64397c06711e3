from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.errors import StudioError
from studio.images import admit
from studio.scienceqa.model.views import Views, cut, preview, usual
from studio.settings import Settings

PAD, TILES = Views("pad", 96), usual("tiles", 96)
SIX = Views("tiles", 96, ((6, 1), (3, 2), (2, 3), (1, 6)))


def cornered(width: int, height: int) -> Image.Image:
    """A grey picture whose four corner blocks are of four colours."""
    picture = Image.new("RGB", (width, height), (128, 128, 128))
    block = max(1, min(width, height) // 4)
    for colour, x, y in [((255, 0, 0), 0, 0), ((0, 255, 0), 1, 0), ((0, 0, 255), 0, 1), ((255, 0, 255), 1, 1)]:
        corner = (x * (width - block), y * (height - block))
        picture.paste(colour, (*corner, corner[0] + block, corner[1] + block))
    return picture


@pytest.mark.parametrize("views", [PAD, TILES, SIX], ids=["pad", "tiles", "six"])
@pytest.mark.parametrize("size", [(579, 127), (451, 53), (53, 451), (96, 96), (40, 30), (1000, 999)])
def test_the_whole_picture_is_seen_and_nothing_is_cropped(views: Views, size: tuple[int, int]) -> None:
    seen = cut(cornered(*size), views)
    left, top, width, height = seen.place
    whole = np.asarray(preview(seen)).astype(int)
    inside = whole[top : top + height, left : left + width]
    for corner, colour in zip(
        [(0, 0), (0, -1), (-1, 0), (-1, -1)], [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 255)], strict=True
    ):
        assert np.abs(inside[corner] - colour).max() < 40
    assert width / height == pytest.approx(size[0] / size[1], rel=0.06)
    outside = whole.copy()
    outside[top : top + height, left : left + width] = 255
    assert (outside == 255).all()


@pytest.mark.parametrize(
    ("size", "views", "grid", "scale"),
    [
        ((579, 127), PAD, (1, 1), 96 / 579),
        ((579, 127), SIX, (1, 6), 96 / 127),
        ((451, 53), SIX, (1, 6), 576 / 451),
        ((53, 451), SIX, (6, 1), 576 / 451),
        ((450, 320), SIX, (2, 3), 192 / 320),
        ((451, 53), TILES, (1, 3), 288 / 451),
        ((50, 50), TILES, (1, 1), 1.6),
        ((50, 20), SIX, (2, 3), 1.6),
        ((50, 8), SIX, (1, 6), 1.6),
        ((10, 10), PAD, (1, 1), 9.6),
        ((1, 1), TILES, (1, 1), 1.6),
        ((9000, 1), TILES, (1, 3), 288 / 9000),
    ],
)
def test_the_grid_is_the_one_that_shows_the_picture_largest(
    size: tuple[int, int], views: Views, grid: tuple[int, int], scale: float
) -> None:
    seen = cut(Image.new("RGB", size), views)
    assert seen.grid == grid
    assert seen.place[2:] == tuple(max(1, round(edge * scale)) for edge in size)
    assert len(seen.tiles) == grid[0] * grid[1] <= views.count
    assert {tile.size for tile in seen.tiles} == {(96, 96)}


def test_the_preview_is_the_tiles_side_by_side() -> None:
    seen = cut(cornered(450, 320), SIX)
    whole = np.asarray(preview(seen))
    assert whole.shape == (192, 288, 3)
    for index, tile in enumerate(seen.tiles):
        row, column = divmod(index, 3)
        assert (whole[row * 96 : row * 96 + 96, column * 96 : column * 96 + 96] == np.asarray(tile)).all()


def test_a_picture_far_too_large_is_cut_as_any_other() -> None:
    seen = cut(Image.new("RGB", (6000, 4000), "red"), TILES)
    assert preview(seen).getpixel((seen.place[0] + 5, seen.place[1] + 5)) == (255, 0, 0)


def odd_files(folder: Path) -> list[Path]:
    """Pictures as people have them: grey, with alpha, for print, and lying on their side."""
    Image.new("L", (60, 20), 200).save(folder / "grey.png")
    Image.new("RGBA", (60, 20), (10, 20, 30, 0)).save(folder / "alpha.png")
    Image.new("CMYK", (60, 20), (0, 255, 255, 0)).save(folder / "print.jpg")
    lying = Image.new("RGB", (20, 60), "blue")
    exif = lying.getexif()
    exif[0x0112] = 6
    lying.save(folder / "lying.jpg", exif=exif)
    return sorted(folder.iterdir())


def test_pictures_of_every_kind_become_upright_rgb_views(tmp_path: Path, settings: Settings) -> None:
    for path in odd_files(tmp_path):
        seen = cut(admit(path, settings), TILES)
        assert seen.grid == (1, 1) and seen.place[2:] == (96, 32), path.name
        assert seen.tiles[0].mode == "RGB"


def test_views_survive_json() -> None:
    for views in (PAD, TILES, SIX, Views("pad", 30, border=(1, 2, 3))):
        assert Views.from_json(json.loads(json.dumps(views.to_json()))) == views


@pytest.mark.parametrize(
    "change",
    [{"kind": "crop"}, {"size": 0}, {"grids": []}, {"grids": [[0, 1]]}, {"grids": [[100, 100]]}, {"grids": 3},
     {"border": [1]}, {"enlarge": 0}],
)  # fmt: skip
def test_views_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(StudioError):
        Views.from_json({**TILES.to_json(), **change})
