"""Plots are SVG that any viewer reads, and what they draw is what was measured."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from studio import charts
from studio.embeddings.probing import plots as probeplots
from studio.embeddings.probing.cells import Place, Scored
from studio.embeddings.probing.metrics import auroc

SVG = "{http://www.w3.org/2000/svg}"
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1])


def scored(scores: list[float], title: str, beats: bool = True, **more: Any) -> Scored:
    found = np.array(scores)
    value = {"value": auroc(LABELS, found), "low": 0.41, "high": 0.92}
    result = {"metrics": {"auroc": value}, "title": title, "beats": beats, "validation_auroc": value["value"], **more}
    return Scored(result, found, np.empty(0))


VISION, QUERY = Place("vision_representation", None), Place("query_token_representation", 12)
BAR = scored([0.2, 0.6, 0.2, 0.2, 0.6, 0.6, 0.2, 0.6], "a <b> baseline")
CELLS = {
    (VISION, "linear"): scored([0.9, 0.1, 0.5, 0.4, 0.8, 0.2, 0.3, 0.6], "vision", beats=False),
    (QUERY, "linear"): scored([0.1, 0.2, 0.3, 0.6, 0.5, 0.7, 0.8, 0.9], "query token at layer 12"),
}


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(svg).iter(SVG + "text")]


def curves(svg: str, colour: str) -> list[list[tuple[float, float]]]:
    paths = [each for each in ElementTree.fromstring(svg).iter(SVG + "path") if each.get("stroke") == colour]
    found = [re.findall(r"[ML]([\d.-]+) ([\d.-]+)", each.get("d", "")) for each in paths if each.get("fill") == "none"]
    return [[(float(x), float(y)) for x, y in points] for points in found]


def test_the_heat_map_has_each_cell_s_figure_and_hatches_what_does_not_beat_the_baseline() -> None:
    svg = probeplots.heat_map(CELLS, BAR)  # type: ignore[arg-type]
    words = texts(svg)
    assert {"0.50", "0.94", "0.41–0.92", "no layer", "layer 12", "vision", "query token"} <= set(words)
    assert "Hatched: does not beat the best baseline, a <b> baseline 0.75" in words
    groups = {each.find(SVG + "title").text: each.find(SVG + "rect").get("fill") for each in cells(svg)}  # type: ignore[union-attr]
    assert groups["vision: 0.500"] == "url(#hatch)" and str(groups["query token at layer 12: 0.938"]).startswith("rgba")


def cells(svg: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(SVG + "g"))


def test_the_area_under_the_curve_drawn_is_the_auroc() -> None:
    svg = probeplots.draw(LABELS, CELLS, BAR)["roc"]  # type: ignore[arg-type]
    for colour, one in (
        (charts.COLOURS[0], CELLS[VISION, "linear"]),
        (charts.COLOURS[1], CELLS[QUERY, "linear"]),
    ):
        points = np.array(max(curves(svg, colour), key=len))
        across = (points[:, 0] - points[0, 0]) / (points[-1, 0] - points[0, 0])
        up = (points[:, 1] - points[0, 1]) / (points[-1, 1] - points[0, 1])
        assert np.trapezoid(up, across) == pytest.approx(one.result["metrics"]["auroc"]["value"], abs=1e-3)
    assert any("query token at layer 12 (linear) 0.94" in each for each in texts(svg))


def test_calibration_and_coverage_draw_the_best_probe_and_the_baseline() -> None:
    plots = probeplots.draw(LABELS, CELLS, BAR)  # type: ignore[arg-type]
    circles = list(ElementTree.fromstring(plots["calibration"]).iter(SVG + "circle"))
    counts = [int(circle.find(SVG + "title").text.split()[0]) for circle in circles]  # type: ignore[union-attr]
    assert sum(counts) == 2 * len(LABELS)
    for name in ("calibration", "coverage"):
        assert {"query token at layer 12 (linear)", "a <b> baseline"} <= set(texts(plots[name]))
    (line,) = [each for each in curves(plots["coverage"], charts.COLOURS[0]) if len(each) > 2]
    assert len(line) == len(LABELS) and line[-1][0] == charts.WIDTH - charts.RIGHT
