"""A chat about one picture, or none: several questions, each answered with what was said before in mind."""

from __future__ import annotations

import weakref
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torch import Tensor

from studio.models import ModelManager, ModelSpec
from studio.scienceqa.answering.answer import Answer, Asked, locked, reply, written_form
from studio.scienceqa.answering.generation import Decoder, Said, Sampling, context_length
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.prompts import Prompt
from studio.scienceqa.model.views import Cut
from studio.scienceqa.questions.record import Question

if TYPE_CHECKING:
    from PIL.Image import Image

KEPT = 64 * 2**20
"""Bytes of the cache that may be kept between two questions; a larger one is made again, since nobody counts it."""
_ROOM = 128  # tokens that stay free for an answer, or as many as are wanted


@dataclass(frozen=True)
class Turn:
    """A question that was asked, and what was said.

    Attributes:
        question: As it was asked.
        said: What was said, which a stop may have cut short.
        prompt: The question's own tokens, and places of views in the first one.
    """

    question: Question
    said: Said
    prompt: Prompt


class Conversation:
    """A chat.

    Between questions it keeps what was said, the picture's features and a small cache, but not the model: the manager
    may drop that, and the next question finds or loads it again.

    Args:
        spec: Which model, as the manager leases it.
        picture: RGB; it stands in the first question and is kept.

    Attributes:
        turns: What was asked and said.
    """

    def __init__(self, spec: ModelSpec, picture: Image | None = None) -> None:
        self.turns: list[Turn] = []
        self._spec, self._picture = spec, picture
        self._model: weakref.ref[GemmaClip] | None = None
        self._cut: Cut | None = None
        self._features: Tensor | None = None
        self._decoder = Decoder()

    def reply(self, models: ModelManager, question: Question, sampling: Sampling) -> Generator[Said | Answer]:
        """Answer the next question; closing the stream stops it, and what was said until then is remembered.

        Yields:
            What has been written so far, and last the `Answer`.

        Raises:
            StudioError: The model cannot be loaded, or the question cannot be laid out or is too long.
        """
        said: Said | None = None
        with models.lease(self._spec) as model:
            with models.device_lock():
                self._look(model)
            turns, dropped = self._remembered(model, question, sampling)
            asked = self._asked(model, turns, question)
            prompt = asked.prompt(model, written_form(model.info))
            own = Prompt(prompt.pieces[len(asked.before.pieces) if asked.before else 0 :])
            try:
                with closing(locked(models, reply(model, asked, sampling, self._decoder))) as steps:
                    for step in steps:
                        said = said if isinstance(step, Answer) else step
                        yield replace(step, warnings=(*step.warnings, *dropped)) if isinstance(step, Answer) else step
            except Exception:
                self._decoder.forget()  # it may have been half way
                raise
            finally:
                if said is not None:
                    self.turns.append(Turn(question, said, own))
                if self._decoder.nbytes > KEPT:
                    self._decoder.forget()

    def _look(self, model: GemmaClip) -> None:
        """Look at the picture, once for each time the model was loaded."""
        if self._model is not None and self._model() is model:
            return
        self._model = weakref.ref(model)
        self._decoder.forget()
        if self._picture is not None:
            self._cut = model.cut(self._picture)
            self._features = model.features(self._cut.tiles)

    def _asked(self, model: GemmaClip, turns: list[Turn], question: Question) -> Asked:
        before: Prompt | None = None
        for turn in turns:
            before = turn.prompt if before is None else before + turn.prompt
            before = before.then((*turn.said.ids, model.end_tokens[0]))
        return Asked(question, None if self._cut is None else self._cut.grid, self._features, before)

    def _remembered(
        self, model: GemmaClip, question: Question, sampling: Sampling
    ) -> tuple[list[Turn], tuple[str, ...]]:
        """Return the turns that leave room for the question and its answer, and a sentence on those that do not.

        The first one always stays, since the picture stands in it.
        """
        turns = list(self.turns)
        limit = context_length(model) - min(sampling.longest, _ROOM)
        while len(turns) > 1 and self._length(model, turns, question) > limit:
            del turns[1]
        count = len(self.turns) - len(turns)
        if not count:
            return turns, ()
        which = "The second question was" if count == 1 else f"The questions 2 to {count + 1} were"
        return turns, (f"{which} left out of what the model remembers: it reads {limit:,} tokens at most.",)

    def _length(self, model: GemmaClip, turns: list[Turn], question: Question) -> int:
        prompt = self._asked(model, turns, question).prompt(model, written_form(model.info))
        return prompt.length(model.tokens_per_view)
