"""What the vision encoder sees of a picture: padded to a square or cut into tiles, never cropped; loads nothing heavy.

CLIP's own preparation keeps the middle square alone, which of a flat diagram is an eighth. Here the whole picture is
scaled to fit, centred on white, and cut where one square is not enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from studio.errors import StudioError

if TYPE_CHECKING:
    from PIL.Image import Image

Grid = tuple[int, int]
"""Rows and columns."""
_USUAL: tuple[Grid, ...] = ((1, 1), (1, 2), (2, 1), (1, 3), (3, 1))
_LONGEST = 64  # views of one picture


@dataclass(frozen=True)
class Views:
    """How pictures become views.

    Attributes:
        kind: ``pad`` scales the picture to one square; ``tiles`` cuts it along the one of `grids` that shows it
            largest.
        size: Edge of a view in pixels.
        grids: Of ``tiles``: the grids there are.
        enlarge: Of ``tiles``: a picture is enlarged by no more than this.
        border: Colour of what the picture leaves free, sRGB code values.
    """

    kind: Literal["pad", "tiles"]
    size: int
    grids: tuple[Grid, ...] = ((1, 1),)
    enlarge: float = 1.6
    border: tuple[int, int, int] = (255, 255, 255)

    def __post_init__(self) -> None:
        whole = [0 < rows * columns <= _LONGEST and rows > 0 for rows, columns in self.grids]
        if self.kind not in ("pad", "tiles") or self.size < 1 or not whole or not all(whole) or self.enlarge <= 0:
            raise StudioError(f"Pictures cannot be cut as {self.to_json()}.", "Take another bundle.")

    @property
    def count(self) -> int:
        """Views of one picture, at most."""
        return max(rows * columns for rows, columns in _grids(self))

    def to_json(self) -> dict[str, Any]:
        """Return plain data, ready for ``json.dumps``."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Views:
        """Read what `to_json` wrote.

        Raises:
            StudioError: It is something else.
        """
        try:
            grids = tuple((int(rows), int(columns)) for rows, columns in data["grids"])
            red, green, blue = (int(value) for value in data["border"])
            return cls(data["kind"], int(data["size"]), grids, float(data["enlarge"]), (red, green, blue))
        except (LookupError, TypeError, ValueError):
            raise StudioError("The bundle does not say how its pictures are cut.", "Take another bundle.") from None


@dataclass(frozen=True)
class Cut:
    """A picture as the encoder sees it.

    Attributes:
        tiles: RGB pictures of `Views.size`, row by row.
        grid: Rows and columns of them.
        place: Where the picture lies on the tiles put together: left, top, width and height in pixels.
    """

    tiles: tuple[Image, ...]
    grid: Grid
    place: tuple[int, int, int, int]


def usual(kind: Literal["pad", "tiles"], size: int) -> Views:
    """Return how a new model with views of `size` pixels sees: one square, or up to three in a row or a column."""
    return Views(kind, size, _USUAL if kind == "tiles" else ((1, 1),))


def cut(picture: Image, views: Views) -> Cut:
    """Cut an RGB picture of any size into views; the whole of it is on them."""
    from PIL import Image as pillow

    grid, (width, height) = _fit(picture.width, picture.height, views)
    rows, columns = grid
    canvas = pillow.new("RGB", (columns * views.size, rows * views.size), views.border)
    left, top = (canvas.width - width) // 2, (canvas.height - height) // 2
    canvas.paste(picture.convert("RGB").resize((width, height), pillow.Resampling.BICUBIC), (left, top))
    corners = [(column * views.size, row * views.size) for row in range(rows) for column in range(columns)]
    tiles = tuple(canvas.crop((x, y, x + views.size, y + views.size)) for x, y in corners)
    return Cut(tiles, grid, (left, top, width, height))


def preview(cut: Cut) -> Image:
    """Return the views put together again: the very pixels that the encoder is shown."""
    from PIL import Image as pillow

    (rows, columns), size = cut.grid, cut.tiles[0].width
    whole = pillow.new("RGB", (columns * size, rows * size))
    for index, tile in enumerate(cut.tiles):
        whole.paste(tile, (index % columns * size, index // columns * size))
    return whole


def _fit(width: int, height: int, views: Views) -> tuple[Grid, tuple[int, int]]:
    """Choose the grid that shows a picture largest, of those the one of fewest tiles, and the size it takes there."""
    room = {grid: min(grid[1] * views.size / width, grid[0] * views.size / height) for grid in _grids(views)}
    most = float("inf") if views.kind == "pad" else views.enlarge
    grid = max(room, key=lambda each: (min(room[each], most), -each[0] * each[1], room[each]))
    scale = min(room[grid], most)
    across, down = (max(1, round(edge * scale)) for edge in (width, height))
    return grid, (across, down)


def _grids(views: Views) -> tuple[Grid, ...]:
    return ((1, 1),) if views.kind == "pad" else views.grids
