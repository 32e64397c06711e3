"""From facts to a question: its subject, its choices in random order, and words that families share."""

from __future__ import annotations

from collections.abc import Sequence

from studio.scienceqa.diagrams.chance import Chance
from studio.scienceqa.questions.record import Question

_ABOUT = {
    "attract": ("physics", "Magnets", "Tell whether magnets attract or repel", "grade3"),
    "force": ("physics", "Magnets", "Compare magnetic forces", "grade7"),
    "temperature": ("chemistry", "Particles and heat", "Compare the temperatures of gases", "grade8"),
    "heat": ("physics", "Particles and heat", "Tell which way thermal energy flows", "grade7"),
    "concentration": ("chemistry", "Solutions", "Compare the concentrations of solutions", "grade6"),
    "membrane": ("biology", "Cells", "Describe diffusion through a membrane", "grade7"),
    "punnett": ("biology", "Heredity", "Use a Punnett square", "grade8"),
    "layers": ("earth-science", "Rocks and fossils", "Compare the ages of fossils", "grade6"),
    "bars": ("earth-science", "Weather and climate", "Read a chart of precipitation", "grade5"),
    "grid": ("geography", "Maps", "Find places in a grid", "grade3"),
}  # topic, category, skill, grade


def ask(
    chance: Chance, family: str, question: str, choices: Sequence[str], right: int, solution: str, hint: str = ""
) -> Question:
    """Make a question without id, split and image; the choices come in random order.

    Args:
        chance: Gives the order.
        family: One of `studio.scienceqa.config.FAMILIES`.
        question: Its text.
        choices: All different.
        right: Index of the right one.
        solution: The reasoning.
        hint: The context.
    """
    topic, category, skill, grade = _ABOUT[family]
    order = chance.shuffled(range(len(choices)))
    return Question(
        pid="", split="", question=question, choices=tuple(choices[i] for i in order), answer=order.index(right),
        hint=hint, solution=solution, subject="social science" if topic == "geography" else "natural science",
        topic=topic, category=category, skill=skill, task="closed choice", grade=grade, family=family,
    )  # fmt: skip


def capital(text: str) -> str:
    """Return a sentence with its first letter in upper case."""
    return text[:1].upper() + text[1:]
