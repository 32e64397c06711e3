"""The family of a question: the template it is made from, which decides what has to be seen in its picture.

Drawn questions carry theirs. Those of ScienceQA do not; half of its questions with a picture come from two dozen
templates, and each template says some words that no other says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from studio.scienceqa.questions.record import Question


@dataclass(frozen=True)
class Family:
    """One template.

    Attributes:
        name: As in `studio.scienceqa.config.FAMILIES` for those that the studio draws.
        title: For people.
        question: What its question says.
        choices: What one of its choices says; None where the question is enough.
    """

    name: str
    title: str
    question: re.Pattern[str]
    choices: re.Pattern[str] | None = None


def _family(name: str, title: str, question: str, choices: str | None = None) -> Family:
    flags = re.IGNORECASE | re.DOTALL
    return Family(name, title, re.compile(question, flags), None if choices is None else re.compile(choices, flags))


FAMILIES = (
    _family("force", "magnetic force of two pairs", r"magnetic force", r"\bpair\b"),
    _family("attract", "magnets attract or repel", r"\bmagnets?\b.*\b(attract|repel)"),
    _family("concentration", "concentration of a solution", r"\bsolution\b.*\bhigher concentration\b"),
    _family("temperature", "temperature of a gas", r"\bsample\b.*\bhigher temperature\b|average kinetic energ"),
    _family("punnett", "Punnett square", r"ratio of offspring|probability that .*\bcross\b"),
    _family("membrane", "diffusion through a membrane", r"", r"to the (left|right) than to the (left|right)"),
    _family("layers", "fossils in layers of rock", r"\bfossils?\b.*\b(older|younger)\b"),
    _family("grid", "letter-number grid", r"\b(in|which) (row|column)\b"),
    _family("bars", "bars of precipitation", r"average (monthly )?precipitation"),
    _family("heat", "heat in a table of temperatures", r"thermal energy was transferred"),
    _family("capital", "capital of a state", r"\bcapital of\b"),
    _family("highlighted", "highlighted on a map", r"^which (country|continent|ocean|state) is highlighted"),
    _family("colony", "colony shown on a map", r"\bname of the colony\b"),
    _family("farthest", "farthest on a map", r"\bfarthest (north|south|east|west)\b"),
    _family("marked", "city marked on a map", r"\b(city|cities)\b.*\bmarked\b"),
    _family("latitude", "equator and meridian", r"\b(equator|prime meridian)\b"),
    _family("molecule", "balls and sticks of a molecule", r"^complete the statement", r"elementary substance|compound"),
    _family("web", "food web", r"food web|\barrows\b.*\b(organism|living thing)|matter that was once part of"),
    _family("push", "push or pull", r"\bforce\b", r"^(a )?(push|pull)$"),
)
"""In the order they are tried in."""
TITLES = {family.name: family.title for family in FAMILIES}
OTHER = "other"


def family_of(question: Question) -> str:
    """Return the name of a question's family, `OTHER` for one of none.

    A question's own word counts where it has one. Wordings are compared for questions with a picture only, whose
    templates these are.
    """
    if question.family:
        return question.family
    if question.image is None:
        return OTHER
    return recognise(question.question, question.choices)


def recognise(question: str, choices: tuple[str, ...]) -> str:
    """Return the name of the family that such words belong to, `OTHER` for none."""
    for family in FAMILIES:
        chosen = family.choices is None or any(family.choices.search(choice.strip()) for choice in choices)
        if chosen and family.question.search(question.strip()):
            return family.name
    return OTHER


def title(name: str) -> str:
    """Return a family's name for people."""
    return TITLES.get(name, name)
