"""Charts are SVG that any viewer reads, and bins count everything once."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from studio import charts

SVG = "{http://www.w3.org/2000/svg}"


def test_each_probability_is_counted_in_one_bin() -> None:
    scores = np.array([0.0, 0.05, 0.1, 0.55, 0.999, 1.0])
    bins = charts.calibration_bins(np.array([0, 1, 1, 0, 1, 1]), scores)
    assert [(one["count"], one["share"]) for one in bins] == [(2, 0.5), (1, 1), (1, 0), (2, 1)]
    assert bins[0]["score"] == pytest.approx(0.025) and charts.calibration_bins(scores[:0], scores[:0]) == []


def test_dots_stand_where_their_bin_says_and_words_are_escaped() -> None:
    bins = [{"score": 0.25, "share": 0.75, "count": 12}]
    drawing = charts.calibration("probability", "share right", {"ours & <theirs>": (bins, "#123456")})
    root = ElementTree.fromstring(drawing)
    (dot,) = root.iter(SVG + "circle")
    assert (float(dot.get("cx", "")), float(dot.get("cy", ""))) == (140.0, 107.5)  # a quarter right, three quarters up
    assert dot.find(SVG + "title").text == "12 questions"  # type: ignore[union-attr]
    assert {"ours & <theirs>", "probability", "↑ share right"} <= {each.text for each in root.iter(SVG + "text")}


def test_a_line_ends_at_the_edges_of_the_axes() -> None:
    drawing = charts.chart("Title", "across", "up", {"words": (((0, 1), (0, 0.5)), "#123456")}, high=0.5)
    (line,) = [one for one in ElementTree.fromstring(drawing).iter(SVG + "path") if one.get("stroke-width") == "1.8"]
    assert line.get("d") == f"M{charts.LEFT:.1f} 298.0L404.0 {charts.TOP:.1f}"
