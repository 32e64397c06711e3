"""Judges of grades. The first: a vision-language model asked whether one picture is another, graded as the words say.

The model reads [picture, graded picture, question] and its belief is the margin

    m = logit(Yes) - logit(No) = h · (w_Yes - w_No),      P(Yes | Yes or No) = sigmoid(m)

where h is the last position's hidden state and w are two rows of the head, all in float32. The other rows of the
vocabulary cancel in m, so they are never computed. With K phrasings m is their mean. Several looks are several
questions about the same two pictures, each with its own m.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from studio.gemma.clip import Clip
from studio.gemma.loading import Gemma3
from studio.gemma.pixels import Preprocessing
from studio.gemma.prefix import PrefixBank
from studio.gemma.prompts import IMAGE, Layout, lay_out, shared_length, single_token
from studio.grading.clipjudge import ClipJudge
from studio.grading.config import ClipForm
from studio.grading.questions import QUESTIONS


class Session(Protocol):
    """Grades of some photographs, judged against prompts."""

    def __len__(self) -> int:
        """Return how many photographs are open."""

    def extend(self, before: Tensor) -> range:
        """Add photographs ``[N, 3, H, W]``, code values in 0..1, and return their indices."""

    def margin(self, after: Tensor, index: Tensor | Sequence[int], exact: bool = False) -> Tensor:
        """Return ``[B, P]`` float32 margins of graded pictures ``[B, 3, H, W]``, one for each prompt, in nats.

        Args:
            after: Graded pictures, code values in 0..1; gradients flow into it.
            index: ``[B]``, which photograph each of them was made from.
            exact: Preprocess with the processor's 8-bit rounding, for scores that are reported.
        """


class Judge(Protocol):
    """Any judge: P(yes) is the sigmoid of the margins its sessions return."""

    @property
    def size(self) -> int:
        """Edge of the square image the model sees, in pixels."""

    def open(self, before: Tensor, prompts: Sequence[str]) -> Session:
        """Start judging grades of photographs ``[N, 3, H, W]``, code values in 0..1, against one or more prompts.

        Raises:
            StudioError: The model cannot be asked one of the prompts.
        """


def open_judge(bundle: Gemma3 | Clip, phrasings: int = 1, clip_form: ClipForm = "directional") -> Judge:
    """Return the judge that a loaded model is; of the options each kind takes its own."""
    return ClipJudge(bundle, clip_form) if isinstance(bundle, Clip) else Gemma3Judge(bundle, phrasings)


class Gemma3Judge:
    """A Gemma 3 that judges grades.

    Args:
        bundle: The loaded model.
        phrasings: How many of the questions are asked and averaged, 1..3.

    Attributes:
        size: Edge of the square image the model sees, in pixels.
    """

    def __init__(self, bundle: Gemma3, phrasings: int = 1) -> None:
        self.size = bundle.image_size
        self.bundle = bundle
        self.preprocessing = Preprocessing.of(bundle.processor.image_processor)
        self._questions = QUESTIONS[:phrasings]
        rows = bundle.model.lm_head.weight
        yes, no = (single_token(bundle.processor, word) for word in ("Yes", "No"))
        self._direction = rows[yes].float() - rows[no].float()

    def open(self, before: Tensor, prompts: Sequence[str]) -> JudgeSession:
        """Start judging grades of some photographs against one or more prompts.

        Args:
            before: ``[N, 3, H, W]`` photographs, sRGB code values in 0..1; N may be 0.
            prompts: The looks in words, at least one.

        Raises:
            StudioError: A prompt contains a control token of the model.
        """
        questions = [question.format(prompt=prompt) for prompt in prompts for question in self._questions]
        layouts = [lay_out(self.bundle.processor, (IMAGE, IMAGE, question)) for question in questions]
        session = JudgeSession(self, layouts, len(prompts))
        session.extend(before)
        return session

    def margin(self, hidden: Tensor) -> Tensor:
        """Return ``[B]`` margins from ``[B, D]`` last hidden states, float32."""
        return torch.mv(hidden.float(), self._direction)

    def prepare(self, pictures: Tensor, exact: bool) -> Tensor:
        """Return pictures ``[B, 3, H, W]`` as the vision tower takes them, on the model's device."""
        return self.preprocessing(pictures.to(self.bundle.device), exact=exact).to(self.bundle.dtype)


class JudgeSession:
    """Grades of some photographs, judged against prompts; made by `Gemma3Judge.open`.

    What the model read before the graded picture is computed once per photograph. A step computes the graded
    picture's tokens and the question on top of it; several questions share the graded picture's tokens.
    """

    def __init__(self, judge: Gemma3Judge, layouts: Sequence[Layout], prompts: int) -> None:
        device = judge.bundle.device
        self._judge, self._prompts = judge, prompts
        self._model = judge.bundle.model.model
        ids, types, graded = layouts[0].ids.to(device), layouts[0].types.to(device), layouts[0].images[1]
        end = shared_length(layouts) if len(layouts) > 1 else len(ids)
        self._bank = PrefixBank(self._model, ids[: graded.start], types[: graded.start])
        self._ids = ids[graded.start : end]
        self._types = types[:end]
        self._masks: dict[str, Tensor] = {}
        self._tails = [layout.ids[end:].to(device) for layout in layouts] if len(layouts) > 1 else []

    def __len__(self) -> int:
        """Return how many photographs are open."""
        return len(self._bank)

    def extend(self, before: Tensor) -> range:
        """Add photographs ``[N, 3, H, W]``, code values in 0..1, and return their indices."""
        return self._bank.extend(self._judge.prepare(before, exact=True)) if len(before) else range(0)

    def margin(self, after: Tensor, index: Tensor | Sequence[int], exact: bool = False) -> Tensor:
        """Return how much more the model says Yes than No.

        Args:
            after: ``[B, 3, H, W]`` graded pictures, code values in 0..1; gradients flow into it.
            index: ``[B]``, which photograph each of them was made from.
            exact: Preprocess with the processor's 8-bit rounding, for scores that are reported.

        Returns:
            ``[B, P]`` float32 margins logit(Yes) - logit(No), one for each prompt, meaned over the phrasings.
        """
        rows = [int(each) for each in index]
        cache = self._bank.fork(rows)
        self._masks = self._masks or self._bank.masks(self._types)
        hidden = self._model(
            input_ids=self._ids.expand(len(rows), -1),
            attention_mask=self._masks,
            pixel_values=self._judge.prepare(after, exact),
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        if not self._tails:
            return self._judge.margin(hidden[:, -1])[:, None]
        return self._ask(cache, len(rows))

    def _ask(self, cache: Any, batch: int) -> Tensor:
        """Ask every question after a cache that holds both pictures, ``[batch, prompts]`` margins."""
        count = len(self._tails)
        cache.batch_repeat_interleave(count)
        tails = pad_sequence(self._tails, batch_first=True)  # padding stands after the end: nothing real sees it
        hidden = self._model(input_ids=tails.repeat(batch, 1), past_key_values=cache, use_cache=True).last_hidden_state
        ends = torch.tensor([len(tail) - 1 for tail in self._tails], device=hidden.device).repeat(batch)
        last = hidden[torch.arange(len(hidden), device=hidden.device), ends]
        return self._judge.margin(last).view(batch, self._prompts, -1).mean(2)


def probability(margin: Tensor) -> Tensor:
    """Return P(Yes) against No, in 0..1."""
    return torch.sigmoid(margin)
