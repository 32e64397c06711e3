"""One answer: what is written, a probability for each choice, and what a reader should know about it."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from torch import Tensor

from studio.models import ModelManager
from studio.scienceqa.answering.generation import Decoder, Said, Sampling, room, stream
from studio.scienceqa.answering.reasoning import take_apart
from studio.scienceqa.model import choosing, prompts
from studio.scienceqa.model.bundle import BundleInfo
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.prompts import Form, Prompt
from studio.scienceqa.model.views import Grid
from studio.scienceqa.questions.record import LETTERS, Question
from studio.scienceqa.scoring import families

T = TypeVar("T")

_SPEAKS_OF_A_PICTURE = re.compile(
    r"\b(picture|image|diagram|figure|drawing|illustration|photo(graph)?)s?\b|\bshown\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Asked:
    """A question put to a model.

    Attributes:
        question: With or without choices.
        grid: Of its picture's views; None without a picture.
        features: Of those views, or of those in `before`; None without a picture.
        before: The conversation so far, ended; None for its first question, whose picture it is.
    """

    question: Question
    grid: Grid | None = None
    features: Tensor | None = None
    before: Prompt | None = None

    @property
    def pictured(self) -> bool:
        """Whether the model sees a picture."""
        return self.features is not None

    def prompt(self, model: GemmaClip, form: Form) -> Prompt:
        """Lay it out, up to where the model's turn begins.

        Raises:
            StudioError: A text contains a control token, or there are too many choices.
        """
        tokenizer, template = model.tokenizer, model.info.template
        if self.before is not None:
            return self.before + prompts.follow_up(tokenizer, self.question, form, template)
        return prompts.ask(tokenizer, self.question, self.grid, form, template)


@dataclass(frozen=True)
class Answer:
    """A whole answer.

    Attributes:
        said: What was written.
        choices: What could be chosen; none for a free question.
        probabilities: Of each choice, 0..1; none for a free question.
        chosen: Index of the likeliest choice.
        reasoned: Index of the choice that the writing ends on, where it ends on one.
        warnings: What a reader should know, one sentence each.
    """

    said: Said
    choices: tuple[str, ...]
    probabilities: tuple[float, ...]
    chosen: int | None
    reasoned: int | None
    warnings: tuple[str, ...]

    @property
    def agree(self) -> bool | None:
        """Whether the writing ends on the likeliest choice; None where it ends on none."""
        return None if self.reasoned is None else self.reasoned == self.chosen

    @property
    def lines(self) -> list[str]:
        """The answer for a person: warnings, and each choice with its probability; of a free question the text."""
        if not self.choices:
            return [*self.warnings, self.said.text.strip()]
        rows = zip(LETTERS, self.choices, self.probabilities, strict=False)
        told = [f"({letter}) {choice}: {chance:.1%}" for letter, choice, chance in rows]
        return [*self.warnings, f"Answer: {_named(self.chosen, self.choices)}", *told]

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "text": self.said.text.strip(),
            "letter": _letter(self.chosen),
            "choice": None if self.chosen is None else self.choices[self.chosen],
            "choices": list(self.choices),
            "probabilities": [round(chance, 6) for chance in self.probabilities],
            "reasoning_letter": _letter(self.reasoned),
            "agree": self.agree,
            "finished": self.said.finished,
            "tokens": len(self.said.ids),
            "warning": " ".join(self.warnings),
            "lines": self.lines,
        }


def reply(
    model: GemmaClip, asked: Asked, sampling: Sampling, decoder: Decoder | None = None
) -> Generator[Said | Answer]:
    """Answer a question; closing the stream stops it.

    Yields:
        What has been written so far, at least once, and last the `Answer`.

    Raises:
        StudioError: The question cannot be laid out, or is longer than the model reads.
    """
    prompt = asked.prompt(model, written_form(model.info))
    sampling = replace(sampling, longest=room(model, prompt, sampling.longest))
    said = Said()
    for said in stream(model, prompt, asked.features, sampling, decoder):
        yield said
    choices = asked.question.choices
    chances: tuple[float, ...] = ()
    if choices:
        written = [said] if model.info.answering == "reasoning" else None
        (chances,) = probabilities(model, [asked], written)
    chosen = chances.index(max(chances)) if chances else None
    reasoned = take_apart(said.text, choices, model.info.template).choice
    warnings = (*foreseen(model.info, asked.question, asked.pictured), *_seen(said, choices, chosen, reasoned))
    yield Answer(said, choices, chances, chosen, reasoned, warnings)


def probabilities(model: GemmaClip, asked: Sequence[Asked], written: Sequence[Said] | None) -> list[tuple[float, ...]]:
    """Return the probability of every choice of every question, by one padded forward pass.

    Args:
        model: Which model.
        asked: The questions, with choices.
        written: What was written for each; its reasoning then stands before the letter. None asks for it at once.

    Raises:
        StudioError: As for `choosing.score`.
    """
    form: Form = "letter" if written is None else "reasoning"
    reasoning = None
    if written is not None:
        texts = (take_apart(said.text, one.question.choices, model.info.template).reasoning
                 for one, said in zip(asked, written, strict=True))  # fmt: skip
        reasoning = [model.tokenizer.encode(text, add_special_tokens=False) for text in texts]
    return choosing.score(
        model,
        [one.prompt(model, form) for one in asked],
        [one.features for one in asked],
        [one.question.choices for one in asked],
        reasoning=reasoning,
    )


def written_form(info: BundleInfo) -> Form:
    """Return what is asked for when an answer is written: reasoning, save of a model that was taught letters alone."""
    return "letter" if info.training.get("answer_form") == "letter" else "reasoning"


def foreseen(info: BundleInfo, question: Question, pictured: bool) -> tuple[str, ...]:
    """Return what is to be known before an answer: where it comes from, and whether the model can read the picture.

    Args:
        info: Of the model.
        question: What is asked.
        pictured: Whether there is a picture.
    """
    found = []
    if info.embedded:
        found.append("The answer comes from a small model, trained on drawn diagrams alone.")
    if not pictured and _SPEAKS_OF_A_PICTURE.search(f"{question.question} {question.hint}"):
        found.append("The question speaks of a picture, and none was given.")
    family = families.recognise(question.question, question.choices) if pictured else ""
    if pictured and info.families and family not in info.families:
        known = ", ".join(families.title(name) for name in info.families)
        kind = "none of these" if family == families.OTHER else families.title(family)
        found.append(f"The model can read pictures of these kinds: {known}; this is {kind}, so do not rely on it.")
    return tuple(found)


def locked(models: ModelManager, steps: Generator[T]) -> Generator[T]:
    """Yield from a generator, holding the device for each of its steps and never between them."""
    with closing(steps):
        while True:
            with models.device_lock():
                step = next(steps, None)
            if step is None:
                return
            yield step


def _seen(said: Said, choices: Sequence[str], chosen: int | None, reasoned: int | None) -> list[str]:
    found = []
    if not said.finished:
        found.append(f"The writing was cut off after {len(said.ids)} tokens.")
    if chosen is not None and reasoned is not None and chosen != reasoned:
        found.append(
            f"The reasoning ends on {_named(reasoned, choices)}, the probabilities say {_named(chosen, choices)}: "
            "rely on neither."
        )
    return found


def _letter(index: int | None) -> str | None:
    return None if index is None else LETTERS[index]


def _named(index: int | None, choices: Sequence[str]) -> str:
    return "none" if index is None else f"({LETTERS[index]}) {choices[index]}"
