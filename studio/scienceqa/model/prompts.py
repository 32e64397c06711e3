"""The words around a question: token layouts with places for views; loads nothing heavy.

No token is added to the vocabulary: a view is a place between token ids, filled with soft tokens later. Text between
two places is tokenised as one, since newlines and words merge with their neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from studio.errors import StudioError
from studio.gemma.prompts import refuse_control
from studio.scienceqa.model.views import Grid
from studio.scienceqa.questions.record import LETTERS, Question

Template = Literal["studio", "seed"]
"""``studio`` is this module's own; ``seed`` that of gemmaclip's script, so that what it trained works."""
Form = Literal["reasoning", "letter"]
"""What is answered: reasoning and then the letter, or the letter at once."""

_ASK: dict[Form, str] = {
    "letter": "Answer with the letter.",
    "reasoning": "Explain, then answer with the letter.",
}
_ASK_FREELY = "Answer the question."
_CONCLUSION = "\nThe answer is ("
_USER, _MODEL, _END = "<start_of_turn>user\n", "<start_of_turn>model\n", "<end_of_turn>"
_SEED_REASONING = "**Step-by-step reasoning:**\n"
_SEED_CONCLUSION = "\n\n**Final Answer:**\n"


@dataclass(frozen=True)
class View:
    """The place of a view among tokens: `index` into the views of the question's picture."""

    index: int


@dataclass(frozen=True)
class Prompt:
    """What the model reads, in order: runs of token ids, and the places of views."""

    pieces: tuple[tuple[int, ...] | View, ...]

    @property
    def views(self) -> int:
        """How many places of views there are."""
        return sum(isinstance(piece, View) for piece in self.pieces)

    def length(self, tokens_per_view: int) -> int:
        """Return how many tokens it takes, soft ones included."""
        return sum(tokens_per_view if isinstance(piece, View) else len(piece) for piece in self.pieces)

    def then(self, ids: Sequence[int]) -> Prompt:
        """Return the prompt with more token ids behind it."""
        return Prompt((*self.pieces, tuple(ids)))

    def __add__(self, other: Prompt) -> Prompt:
        """Return a prompt and what follows it."""
        return Prompt((*self.pieces, *other.pieces))


def ask(
    tokenizer: Any, question: Question, grid: Grid | None, form: Form = "reasoning", template: Template = "studio"
) -> Prompt:
    """Lay out a question up to where the model's turn begins.

    Args:
        tokenizer: Gemma 3's.
        question: With or without choices; its answer and solution are not looked at.
        grid: Of its picture's views, or None without a picture.
        form: What to ask for; a question without choices asks for no letter, and the seed's template knows one form.
        template: Whose words.

    Raises:
        StudioError: A text contains a control token, or there are more choices than letters.
    """
    return _turn(tokenizer, "<bos>" + _USER, grid, _rest(tokenizer, question, form, template))


def follow_up(tokenizer: Any, question: Question, form: Form = "reasoning", template: Template = "studio") -> Prompt:
    """Lay out another question of a conversation, behind a model's turn that ended with ``<end_of_turn>``.

    Raises:
        StudioError: As for `ask`.
    """
    gap = "\n" if template == "studio" else ""  # the seed's template has none between turns
    return Prompt((_ids(tokenizer, gap + _USER + _rest(tokenizer, question, form, template)),))


def answer(tokenizer: Any, question: Question, form: Form, template: Template = "studio") -> tuple[int, ...]:
    """Return the model's whole turn that is to be learnt, with the end of turn.

    The letter is a token of its own whatever stands around it, since `choosing` scores it as one.

    Raises:
        StudioError: The question has no known answer, or a text contains a control token.
    """
    if question.answer is None and (question.choices or not question.solution.strip()):
        raise StudioError(f"The right answer of question {question.pid} is not known.")
    refuse_control(tokenizer, [question.solution, *question.choices])
    solution = question.solution.strip()
    if template == "seed":
        text = question.choices[question.answer] if question.answer is not None and question.choices else solution
        return _ids(tokenizer, f"{_SEED_REASONING}{solution}{_SEED_CONCLUSION}{text}{_END}")
    if question.answer is None or not question.choices:
        return _ids(tokenizer, solution + _END)
    letter = letters(tokenizer, len(question.choices))[question.answer]
    if form == "letter":
        return (*opening(tokenizer), letter, *_ids(tokenizer, f"){_END}"))
    said = conclusion(tokenizer) if solution else _ids(tokenizer, _CONCLUSION.lstrip())
    return (*_ids(tokenizer, solution), *said, letter, *_ids(tokenizer, f").{_END}"))


def opening(tokenizer: Any, template: Template = "studio") -> tuple[int, ...]:
    """Return what stands before a letter given at once; with the seed's template, before the answer's text."""
    return _ids(tokenizer, "(" if template == "studio" else _SEED_CONCLUSION.strip() + "\n")


def conclusion(tokenizer: Any, template: Template = "studio") -> tuple[int, ...]:
    """Return what stands between reasoning and the letter; with the seed's template, before the answer's text."""
    return _ids(tokenizer, _CONCLUSION if template == "studio" else _SEED_CONCLUSION)


def choice_ids(tokenizer: Any, choice: str) -> tuple[int, ...]:
    """Return a choice as the seed's model writes it out, with the end of turn.

    Raises:
        StudioError: It contains a control token.
    """
    refuse_control(tokenizer, [choice])
    return _ids(tokenizer, choice + _END)


def letters(tokenizer: Any, count: int) -> tuple[int, ...]:
    """Return the tokens of the first letters.

    Raises:
        StudioError: The tokenizer splits one of them, or there are too few.
    """
    found = [_ids(tokenizer, letter) for letter in LETTERS[:count]]
    if count > len(LETTERS) or any(len(ids) != 1 or ids[0] == tokenizer.unk_token_id for ids in found):
        raise StudioError(f"The model's tokenizer has no single tokens for {count} letters.", "Use a Gemma 3 model.")
    return tuple(ids[0] for ids in found)


def end_tokens(tokenizer: Any) -> tuple[int, ...]:
    """Return the tokens that end an answer: the end of turn, and the end of text.

    Raises:
        StudioError: The tokenizer does not know the end of turn.
    """
    turn = _ids(tokenizer, _END)
    if len(turn) != 1:
        raise StudioError("The model's tokenizer does not know '<end_of_turn>'.", "Use a Gemma 3 model.")
    return (turn[0], int(tokenizer.eos_token_id))


def _rest(tokenizer: Any, question: Question, form: Form, template: Template) -> str:
    """Return the words of a question, up to where the model's turn begins."""
    refuse_control(tokenizer, [question.question, question.hint, *question.choices])
    if len(question.choices) > len(LETTERS):
        raise StudioError(f"Question {question.pid} has {len(question.choices)} choices, and {len(LETTERS)} can be.")
    if template == "seed":
        choices = "\n".join(f"- {choice}" for choice in question.choices) or "(no options)"
        return f"{question.question}\nContext: {question.hint}\nOptions: {choices}{_END}{_MODEL}"
    body = [question.question.strip()]
    if question.hint.strip():
        body.append(f"Context: {question.hint.strip()}")
    if question.choices:
        lines = (f"({LETTERS[index]}) {choice.strip()}" for index, choice in enumerate(question.choices))
        body.append("\n".join(["Options:", *lines]))
    body.append(_ASK[form] if question.choices else _ASK_FREELY)
    return "\n".join(body) + f"{_END}\n{_MODEL}"


def _turn(tokenizer: Any, head: str, grid: Grid | None, body: str) -> Prompt:
    if grid is None:
        return Prompt((_ids(tokenizer, head + body),))
    rows, columns = grid
    pieces: list[tuple[int, ...] | View] = []
    for index in range(rows * columns):
        name = f"[{index // columns + 1},{index % columns + 1}]" if rows * columns > 1 else ""
        pieces += [_ids(tokenizer, head + name)] if head + name else []
        pieces.append(View(index))
        head = ""
    return Prompt((*pieces, _ids(tokenizer, "\n" + body)))


def _ids(tokenizer: Any, text: str) -> tuple[int, ...]:
    return tuple(tokenizer.encode(text, add_special_tokens=False))
