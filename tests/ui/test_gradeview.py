"""Curves and gauges come from a job's events alone."""

from __future__ import annotations

from studio.events import Event
from studio.ui import gradeview

EVENTS = [
    Event(metrics={"score": 0.1, "loss": 2.0, "image_text": 1.0}, done=1),
    Event(note="Loading"),
    Event(metrics={"score": 0.6, "loss": 1.0, "held_out": 0.5}, done=2),
]


def test_curves_hold_what_was_measured_and_nothing_else() -> None:
    table = gradeview.curves(EVENTS, gradeview.SCORES)
    assert table.dropna().to_dict("records") == [
        {"step": 1, "value": 0.1, "curve": "training photographs"},
        {"step": 2, "value": 0.5, "curve": "held-out photographs"},
        {"step": 2, "value": 0.6, "curve": "training photographs"},
    ]


def test_a_long_run_is_thinned_but_keeps_its_rare_measurements() -> None:
    events = [Event(done=step, metrics={"score": 0.5, **({"held_out": 0.4} if step % 500 == 1 else {})})
              for step in range(5000)]  # fmt: skip
    table = gradeview.curves(events, gradeview.SCORES)
    counts = table.dropna()["curve"].value_counts()
    assert counts["training photographs"] <= gradeview.POINTS + 1
    assert counts["held-out photographs"] == 10


def test_the_end_does_not_bend_the_curve() -> None:
    events = [Event(1, 2, metrics={"held_out": 0.5}), Event(2, 2, metrics={"held_out": 0.9})]
    table = gradeview.curves([*events, Event(2, 2, metrics={"held_out": 0.7})], gradeview.SCORES)
    assert table["value"].dropna().tolist() == [0.5, 0.9]


def test_no_events_no_curves() -> None:
    table = gradeview.curves([], gradeview.LOSSES)
    assert table.empty and list(table.columns) == ["step", "value", "curve"]
    assert gradeview.legend("Losses", table) == ""


def test_every_curve_has_a_colour_of_its_own() -> None:
    for names in (gradeview.SCORES, gradeview.LOSSES):
        colours = [gradeview.COLOURS[name] for name in names.values()]
        assert len(set(colours)) == len(colours)


def test_a_legend_names_the_curves_that_have_values() -> None:
    drawn = gradeview.legend("Scores", gradeview.curves(EVENTS, gradeview.SCORES))
    assert "held-out photographs" in drawn and "second judge" not in drawn


def test_a_plot_begins_with_every_curve_it_may_come_to_show() -> None:
    table = gradeview.curves(EVENTS, gradeview.SCORES)
    begun = list(table[table["value"].isna()]["curve"])
    assert begun == list(gradeview.SCORES.values())[:-2]  # colours of a picture or palette only where they are aimed at
    for target, title in (("reference", "colours of the picture"), ("palette", "colours of the palette")):
        told = [Event(1, 2, metrics={target: 0.1, f"{target}_match": 0.2})]
        begun = list(gradeview.curves(told, gradeview.SCORES)["curve"])[:5]
        assert begun == [*list(gradeview.SCORES.values())[:-2], title]


def test_a_judge_alone_in_its_belief_is_doubted() -> None:
    assert "disagree" in gradeview.gauges({"held_out": 0.9, "second_opinion": 0.8, "analytic": 0.1}, "x", "")
    assert "disagree" not in gradeview.gauges({"held_out": 0.9, "second_opinion": 0.8, "analytic": 0.7}, "x", "")
    assert "disagree" not in gradeview.gauges({"held_out": 0.9}, "x", "")


def test_gauges_say_who_believes_what() -> None:
    newest = gradeview.newest(EVENTS)
    assert newest == {"score": 0.6, "loss": 1.0, "image_text": 1.0, "held_out": 0.5}
    drawn = gradeview.gauges(newest | {"second_opinion": 0.25, "analytic": 0.75}, "the <judge>", "Measured well.")
    for words in ("50 %", "held out from training", "25 %", "75 %", "the &lt;judge&gt;", "Measured well."):
        assert words in drawn
    assert "second judge" not in gradeview.gauges({"score": 0.1}, "x", "")
    assert "on the training photographs" in gradeview.gauges({"score": 0.1}, "x", "")
    assert gradeview.gauges({}, "x", "y") == ""


def test_a_run_after_a_picture_speaks_of_its_colours_and_of_no_judge() -> None:
    drawn = gradeview.gauges({"loss": 0.1, "reference_match": 0.84}, "the embedded judge", "It measured well.")
    assert "84 %" in drawn and "Colours of the picture" in drawn and "judge" not in drawn
    both = gradeview.gauges({"held_out": 0.9, "reference_match": 0.5}, "the embedded judge", "")
    assert "90 %" in both and "50 %" in both and "Answered by the embedded judge" in both
    assert "Colours of the palette" in gradeview.gauges({"palette_match": 0.5}, "", "")
