"""A 3D LUT as training sees it: coarse residual grids on a base table, read by tetrahedral interpolation.

A table is a float tensor of shape [3, N, N, N]: output channel (R, G, B), then the lattice index of input blue, green
and red, so that red varies fastest as in a .cube file. Colours are code values in [0, 1].
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEVELS = (2, 3, 5, 9)
"""Lattice sizes whose grids add up to the residual: the coarse ones carry a change to colours no photograph held."""
KNOTS = 17
"""A lattice that holds every knot of every level, so that a LUT's shape can be judged on it whatever its size."""


def identity(size: int, device: torch.device | str = "cpu") -> Tensor:
    """Return the table that changes nothing, float32 [3, N, N, N]."""
    axis = torch.linspace(0, 1, size, dtype=torch.float64, device=device).float()
    blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
    return torch.stack((red, green, blue))


LUMA = (0.2126, 0.7152, 0.0722)
"""Rec.709's weights of red, green and blue."""


class ResidualLUT(nn.Module):
    """A trainable LUT: a base table, graded by the sum of `LEVELS` grids, kept inside [0, 1].

    The grids hold what the grade adds to a displayed colour. They are read at the base's colours, so that a grade is
    as smooth behind a log's conversion as without one. The untrained LUT is its base, for the identity exactly. What
    `table` returns is what a file written from it holds.

    Args:
        size: Points along each edge, N >= 2.
        base: [3, N, N, N], the table that adds no grade; None for the identity.
        monochrome: Give every colour's luma (`LUMA` of the code values) in all three channels.
    """

    def __init__(self, size: int, base: Tensor | None = None, *, monochrome: bool = False) -> None:
        super().__init__()
        levels = [level for level in LEVELS if level <= size]
        self.size, self.monochrome = size, monochrome
        self.grids = nn.ParameterList(nn.Parameter(torch.zeros(1, 3, level, level, level)) for level in levels)
        self.register_buffer("base", base, persistent=False)

    def shape(self, size: int) -> Tensor:
        """Return the grade alone on a lattice of displayed colours, before the range is enforced.

        Args:
            size: Points along each edge, M.

        Returns:
            [3, M, M, M], differentiable in the grids.
        """
        start = identity(size, self.grids[0].device)
        grids = [F.interpolate(grid, start.shape[1:], mode="trilinear", align_corners=True)[0] for grid in self.grids]
        return self._finish(start + torch.stack(grids).sum(0))

    def table(self) -> Tensor:
        """Return the table inside [0, 1], [3, N, N, N]; differentiable in the grids."""
        base: Any = self.base
        if base is None:
            return self.shape(self.size).clamp(0, 1)
        places = (2 * base - 1).permute(1, 2, 3, 0)[None]
        grids = [F.grid_sample(grid, places, padding_mode="border", align_corners=True)[0] for grid in self.grids]
        return self._finish(base + torch.stack(grids).sum(0)).clamp(0, 1)

    def _finish(self, table: Tensor) -> Tensor:
        if not self.monochrome:
            return table
        luma = (table * table.new_tensor(LUMA)[:, None, None, None]).sum(0)
        return luma.expand_as(table)


def apply(table: Tensor, rgb: Tensor) -> Tensor:
    """Send colours through a table by tetrahedral interpolation.

    The interpolation is that of OpenColorIO's and ffmpeg's ``tetrahedral`` (Kasson et al., 1995): inside a cell the
    path from its dark to its bright corner follows the axes in order of falling fraction. It is done on the
    difference from the identity, which makes the identity exact in floating point.

    Args:
        table: [3, N, N, N], see the module.
        rgb: [B, 3, H, W] code values; clamped to [0, 1].

    Returns:
        [B, 3, H, W], differentiable in the table.
    """
    size = table.shape[-1]
    rgb = rgb.clamp(0, 1)
    colours = rgb.permute(0, 2, 3, 1).reshape(-1, 3)
    residual = (table - identity(size, table.device)).reshape(3, -1).t()
    scaled = colours * (size - 1)
    cell = scaled.floor().clamp_max(size - 2)
    fraction, order = (scaled - cell).sort(dim=1, descending=True)
    strides = torch.tensor([1, size, size * size], device=rgb.device)
    steps = strides[order]
    corner = (cell.long() * strides).sum(1)
    corners = torch.stack((corner, corner + steps[:, 0], corner + steps[:, 0] + steps[:, 1], corner + strides.sum()))
    one, zero = torch.ones_like(fraction[:, :1]), torch.zeros_like(fraction[:, :1])
    weights = -torch.diff(torch.cat((one, fraction, zero), 1), dim=1).t()
    values = residual.index_select(0, corners.reshape(-1)).view(4, -1, 3)
    moved = colours + (weights[..., None] * values).sum(0)
    return moved.view(rgb.shape[0], *rgb.shape[2:], 3).permute(0, 3, 1, 2)


def resized(table: Tensor, size: int) -> Tensor:
    """Return a table [3, N, N, N] sampled on a lattice of M points, [3, M, M, M]; exact where N - 1 divides M - 1."""
    return table if table.shape[-1] == size else apply(table, identity(size).flatten(2)[None]).view(3, size, size, size)


def strengthen(table: Tensor, strength: float, base: Tensor | None = None) -> Tensor:
    """Return the table that does only a share of the change; interpolating it is mixing pixels, since both are linear.

    Args:
        table: [3, N, N, N].
        strength: Share of the change, 0 to 1; 1 gives the table itself.
        base: [3, N, N, N] that is no change: the identity when None, or the pure conversion of a declared encoding.
    """
    start = identity(table.shape[-1], table.device) if base is None else base
    return table if strength == 1 else start + strength * (table - start)
