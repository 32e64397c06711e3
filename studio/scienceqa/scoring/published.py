"""Published accuracies on ScienceQA's own test (4,241 questions), in per cent: what a reader may compare with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One row of somebody's table.

    Attributes:
        name: Of the model.
        figures: Per cent by column; what was not published is left out.
        source: Where it is from.
        note: How it was trained, in a few words.
    """

    name: str
    figures: dict[str, float]
    source: str
    note: str


_NAMES = ("NAT", "SOC", "LAN", "TXT", "IMG", "NO", "G1-6", "G7-12", "Avg")


def _row(name: str, figures: str, source: str, note: str) -> Published:
    return Published(name, dict(zip(_NAMES, map(float, figures.split()), strict=True)), source, note)


ROWS = (
    _row(
        "LLaVA-13B",
        "90.36 95.95 88.00 89.49 88.00 90.66 90.93 90.90 90.92",
        "arXiv 2304.08485",
        "fine-tuned on ScienceQA's train split",
    ),
    _row(
        "MM-CoT large",
        "95.91 82.00 90.82 95.26 88.80 92.89 92.44 90.31 91.68",
        "arXiv 2302.00923",
        "fine-tuned on ScienceQA's train split, 738 M parameters",
    ),
    _row(
        "Human",
        "90.23 84.97 87.48 89.60 87.50 88.10 91.59 82.42 88.40",
        "lupantech/ScienceQA, arXiv 2209.09513",
        "people paid by the question",
    ),
    _row(
        "GPT-3 with chain of thought",
        "75.44 70.87 78.09 74.68 67.43 79.93 78.23 69.68 75.17",
        "lupantech/ScienceQA, arXiv 2209.09513",
        "two examples, the picture as a caption",
    ),
    Published(
        "LLaVA-1.5-13B",
        {"IMG": 71.64, "Avg": 74.39},
        "its authors' stored predictions, scored anew",
        "never trained on ScienceQA",
    ),
    Published(
        "gemmaclip",
        {"Avg": 51.03},
        "github.com/mAn-He/gemmaclip, README",
        "the script this feature grew from; trained on the questions with pictures",
    ),
)
