"""Plots are SVG that any viewer reads, and what they draw is what was measured."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
import torch

from studio.grading import lutplots
from studio.grading.lut import identity
from tests.grading.faults import luts

SVG = "{http://www.w3.org/2000/svg}"


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", path)]


def drawn(svg: str, colour: str) -> list[tuple[float, float]]:
    found = [
        each.get("d", "") for each in ElementTree.fromstring(svg).iter(SVG + "path") if each.get("stroke") == colour
    ]
    return points(max(found, key=len))


def test_curves_are_the_table_on_greys() -> None:
    table = luts()["tinted"]
    found = lutplots.curves(table, identity(2), points=33)
    diagonal = table[:, range(33), range(33), range(33)]
    for name, row in zip(("red", "green", "blue"), diagonal, strict=True):
        assert found[name] == pytest.approx(row.tolist(), abs=1e-4)
    assert found["input"] == found["ungraded"] and found["lightness"][-1] == pytest.approx(100)
    assert min(found["b"]) < -5 and abs(found["b"][0]) < 0.1  # blue was added, to no black


def test_a_channel_is_drawn_where_it_goes() -> None:
    svg = lutplots.channels(lutplots.curves(luts()["lifted"], identity(2)))
    line = drawn(svg, lutplots.CHANNELS["red"])
    height = lutplots.HEIGHT - lutplots.TOP - lutplots.BOTTOM
    assert line[-1] == (lutplots.WIDTH - lutplots.RIGHT, lutplots.TOP)
    assert line[0] == (lutplots.LEFT, pytest.approx(lutplots.HEIGHT - lutplots.BOTTOM - 0.1 * height, abs=0.06))


def test_a_small_tint_does_not_fill_the_plot() -> None:
    ticks = re.findall(r">(-?[\d.]+)<", lutplots.tint(lutplots.curves(identity(3), identity(2))))
    assert "5" in ticks and "-5" in ticks
    ticks = re.findall(r">(-?[\d.]+)<", lutplots.tint(lutplots.curves(luts()["tinted"], identity(2))))
    assert "10" in ticks


def test_the_lattice_shows_every_point_in_its_colour() -> None:
    svg = lutplots.lattice(luts()["swapped"], identity(2))
    circles = list(ElementTree.fromstring(svg).iter(SVG + "circle"))
    assert len(circles) == 2 * lutplots.LATTICE**3
    assert {"#ff0000", "#0000ff", "#ffffff", "#000000"} <= {each.get("fill") for each in circles}


def test_a_wild_table_is_still_a_plot() -> None:
    table = 3 * torch.rand((3, 4, 4, 4), generator=torch.Generator().manual_seed(0)) - 1
    found = lutplots.curves(table, identity(2))
    for svg in (lutplots.channels(found), lutplots.tint(found), lutplots.lattice(table, identity(2))):
        ElementTree.fromstring(svg)
        assert "nan" not in svg and "inf" not in svg
