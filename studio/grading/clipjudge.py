"""CLIP as a judge: a picture and words are points on one sphere, and a cosine says how far they agree.

Two forms. The *single* one looks at the graded picture alone: how much nearer it is to the prompt than to a neutral
text. The *directional* one looks at the change: the cosine between the way the picture moved, E(after) - E(before), and
the way the words point, E(prompt) - E(neutral), as in StyleGAN-NADA (Gal et al., 2021). Only the directional form knows
the photograph, so only it can tell a grade from a photograph that was like that before.

A margin in nats is made of either by `Calibration`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import normalize

from studio.errors import StudioError
from studio.gemma.clip import Clip
from studio.gemma.pixels import Preprocessing
from studio.grading.config import ClipForm

FRAME = "a photo, {prompt}"
"""How a prompt is put to the model: CLIP has read captions, and any look can stand behind a comma."""
NEUTRAL = "a photo"
"""The text of a picture that has no look."""


@dataclass(frozen=True)
class Calibration:
    """From cosines to margins: ``margin = slope * cosine + offset``.

    Attributes:
        slope: Nats for a cosine of one.
        offset: The margin of a cosine of zero, such as that of an untouched picture in the directional form.
        floor: Length of a change, between embeddings of length one, under which it counts for less than its direction.
    """

    slope: float
    offset: float
    floor: float = 0.1

    @classmethod
    def of(cls, bundle: Clip, form: ClipForm) -> Calibration:
        """Return the calibration a checkpoint brings as ``judge_calibration`` in its config.json, or a default.

        The default of the single form is the model's own temperature: P(yes) is then its softmax over the prompt and
        the neutral text. Nothing like it exists for the directional form. Directions without relation have cosines of
        0 ± 0.04 in 512 dimensions, and descriptions of a change some 0.1 to 0.3; so 40 nats from a threshold of 0.1,
        which calls an untouched picture a No of P 0.02. The order of grades does not hang on these numbers.
        """
        own = getattr(bundle.model.config, "judge_calibration", None)
        if own is not None:
            slope, offset = own[form]
            return cls(slope, offset, own["floor"])
        return cls(40.0, -4.0) if form == "directional" else cls(bundle.model.logit_scale.exp().item(), 0.0)


class ClipJudge:
    """A CLIP that judges grades; what `studio.grading.judges.Judge` says of all judges holds.

    It sees the whole frame squeezed to a square, as the other judges do, where CLIP's own processor would cut out the
    centre: a grade is judged by the whole picture. Otherwise preprocessing is the processor's own.

    Args:
        bundle: The loaded model.
        form: What is judged, the direction of the change or the graded picture alone.

    Attributes:
        size: Edge of the square image the model sees, in pixels.
    """

    def __init__(self, bundle: Clip, form: ClipForm = "directional") -> None:
        self.size = bundle.image_size
        self.bundle = bundle
        self.form = form
        self.calibration = Calibration.of(bundle, form)
        self._preprocessing = replace(Preprocessing.of(bundle.processor.image_processor), shortest_edge=0)

    def open(self, before: Tensor, prompts: Sequence[str]) -> ClipSession:
        """Start judging grades of some photographs against prompts.

        Args:
            before: ``[N, 3, H, W]`` photographs, sRGB code values in 0..1; N may be 0.
            prompts: Looks in words.

        Raises:
            StudioError: A prompt is longer than the model reads, or contains a control token of it.
        """
        session = ClipSession(self, self.read([NEUTRAL, *(FRAME.format(prompt=prompt) for prompt in prompts)]))
        session.extend(before)
        return session

    @torch.no_grad()
    def read(self, texts: Sequence[str]) -> Tensor:
        """Return embeddings ``[T, D]`` of texts, of length one, float32."""
        tokenizer = self.bundle.processor.tokenizer
        found = next((token for token in tokenizer.all_special_tokens for text in texts if token in text), None)
        if found:
            raise StudioError(f"'{found}' is a control token of CLIP and cannot be asked.", "Use plain words.")
        inputs = tokenizer(list(texts), padding=True, return_tensors="pt").to(self.bundle.device)
        length, most = inputs["input_ids"].shape[1], self.bundle.text_length
        if length > most:
            raise StudioError(
                f"The prompt makes {length} tokens, and this CLIP reads {most}.",
                "Say it in fewer words, or choose a Gemma 3 judge.",
            )
        return normalize(self.bundle.model.get_text_features(**inputs).pooler_output.float(), dim=-1)

    def look(self, pictures: Tensor, exact: bool) -> Tensor:
        """Return embeddings ``[B, D]`` of pictures ``[B, 3, H, W]``, of length one, float32."""
        pixels = self._preprocessing(pictures.to(self.bundle.device), exact=exact).to(self.bundle.dtype)
        return normalize(self.bundle.model.get_image_features(pixel_values=pixels).pooler_output.float(), dim=-1)

    def margins(self, before: Tensor, after: Tensor, neutral: Tensor, prompts: Tensor) -> Tensor:
        """Return margins ``[B, P]`` from embeddings of length one: ``[B, D]`` twice, ``[D]`` and ``[P, D]``."""
        by = self.calibration
        if self.form == "single":
            return by.slope * single(after, neutral, prompts) + by.offset
        return by.slope * directional(before, after, neutral, prompts, by.floor) + by.offset


class ClipSession:
    """Grades of some photographs, judged against prompts; made by `ClipJudge.open`.

    Texts and photographs are embedded once. A step embeds the graded pictures, whatever the number of prompts.
    """

    def __init__(self, judge: ClipJudge, texts: Tensor) -> None:
        self._judge = judge
        self._neutral, self._prompts = texts[0], texts[1:]
        self._before = texts[:0]

    def __len__(self) -> int:
        """Return how many photographs are open."""
        return len(self._before)

    @torch.no_grad()
    def extend(self, before: Tensor) -> range:
        """Add photographs ``[N, 3, H, W]``, code values in 0..1, and return their indices."""
        start = len(self)
        if len(before):
            self._before = torch.cat((self._before, self._judge.look(before, exact=True)))
        return range(start, len(self))

    def margin(self, after: Tensor, index: Tensor | Sequence[int], exact: bool = False) -> Tensor:
        """Return how much more the model says Yes than No.

        Args:
            after: ``[B, 3, H, W]`` graded pictures, code values in 0..1; gradients flow into it.
            index: ``[B]``, which photograph each of them was made from.
            exact: Preprocess with the processor's 8-bit rounding, for scores that are reported.

        Returns:
            ``[B, P]`` float32 margins, one column a prompt.
        """
        before = self._before[[int(each) for each in index]]
        return self._judge.margins(before, self._judge.look(after, exact), self._neutral, self._prompts)


def single(after: Tensor, neutral: Tensor, prompts: Tensor) -> Tensor:
    """Return how much nearer pictures [B, D] are to prompts [P, D] than to the neutral text [D]: [B, P] in -2..2.

    All embeddings have length one.
    """
    return after @ (prompts - neutral).T


def directional(before: Tensor, after: Tensor, neutral: Tensor, prompts: Tensor, floor: Tensor | float) -> Tensor:
    """Return the cosines [B, P] between changes of pictures and the ways the words point, in -1..1.

    A change has a direction only if it has a length. So its length is sqrt(|change|² + floor²): a change much larger
    than the floor gives the plain cosine, none at all gives zero, and in between the cosine grows with the change, its
    gradient finite everywhere.

    Args:
        before: ``[B, D]``, and so `after`; all embeddings have length one.
        neutral: ``[D]``.
        prompts: ``[P, D]``.
        floor: Length of a change that counts half of what its direction would (cosine times 0.71).
    """
    change, wanted = after - before, normalize(prompts - neutral, dim=-1)
    length = (change.square().sum(-1, keepdim=True) + floor**2).sqrt()
    return (change / length) @ wanted.T
