"""Gemma-CLIP: a vision encoder, a projector and a language model that reads the projected patches as soft tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from studio.errors import StudioError
from studio.files import content_hash
from studio.scienceqa.model import prompts
from studio.scienceqa.model.bundle import BundleInfo
from studio.scienceqa.model.projector import Projector
from studio.scienceqa.model.prompts import Prompt, View
from studio.scienceqa.model.views import Cut, Views, cut

IGNORED = -100
"""Label of what is not learnt."""
_TOGETHER = 16  # views encoded in one pass


@dataclass(frozen=True)
class Batch:
    """Prompts side by side.

    Attributes:
        embeds: ``[N, L, D]``, zero where a row is shorter.
        mask: ``[N, L]`` int64, 1 where there is something.
        labels: ``[N, L]`` int64: the answers' token ids, `IGNORED` elsewhere; None without answers.
    """

    embeds: Tensor
    mask: Tensor
    labels: Tensor | None = None


class GemmaClip:
    """A loaded model, frozen and in eval mode; training changes that under an exclusive lease.

    Attributes:
        vision: A ``CLIPVisionModel``.
        projector: The `Projector`, in float32.
        language: A ``Gemma3ForCausalLM``, or a ``PeftModel`` around one.
        tokenizer: Its tokenizer.
        info: What it is.
        views: How pictures become views.
        end_tokens: Token ids that end an answer.
    """

    def __init__(self, vision: Any, projector: Projector, language: Any, tokenizer: Any, info: BundleInfo) -> None:
        if info.views is None:
            raise ValueError("a loaded model knows how pictures are cut")
        self.vision = vision
        self.projector = projector
        self.language = language
        self.tokenizer = tokenizer
        self.info = info
        self.views: Views = info.views
        self.end_tokens = prompts.end_tokens(tokenizer)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.projector.into.weight.device

    @property
    def decoder(self) -> Any:
        """The ``Gemma3TextModel``, adapters included."""
        return self._head_owner.model

    @property
    def tokens_per_view(self) -> int:
        """Soft tokens that one view becomes."""
        patches = (self.views.size // int(self.vision.config.patch_size)) ** 2
        return int(patches // self.info.merge**2 + self.info.keep_cls)

    @property
    def feature_key(self) -> str:
        """A hash of all that `features` depends on beside the picture: part of the key features are cached under."""
        read = (self.info.vision_layer, self.info.keep_cls, self.info.mean, self.info.std, str(self.vision.dtype))
        return content_hash(str(self.info.fingerprints["vision"]), repr(self.views), repr(read))

    def cut(self, picture: Any) -> Cut:
        """Cut an RGB picture into the views this model sees."""
        return cut(picture, self.views)

    @torch.no_grad()
    def features(self, tiles: Sequence[Any]) -> Tensor:
        """Encode views; what a cache may keep, as it is constant in training.

        Args:
            tiles: RGB pictures of ``views.size``, as `cut` makes them.

        Returns:
            ``[V, P, vision width]`` in the vision tower's number format, on the device.
        """
        whole = torch.from_numpy(np.stack([np.asarray(tile, dtype=np.float32) for tile in tiles])) / 255
        pixels = (whole - torch.tensor(self.info.mean)) / torch.tensor(self.info.std)
        pixels = pixels.permute(0, 3, 1, 2).to(self.device, self.vision.dtype)
        first = 0 if self.info.keep_cls else 1
        found = []
        for some in torch.split(pixels, _TOGETHER):
            states = self.vision(pixel_values=some, output_hidden_states=True).hidden_states
            found.append(states[self.info.vision_layer][:, first:])
        return torch.cat(found)

    def soft(self, features: Tensor) -> Tensor:
        """Project features to soft tokens.

        Args:
            features: ``[V, P, vision width]``, in any number format, on any device.

        Returns:
            ``[V, tokens_per_view, D]`` in the embeddings' number format.
        """
        projected: Tensor = self.projector(features.to(self.device))
        return projected.to(self._embedding.weight.dtype)

    def embed(self, prompt: Prompt, features: Tensor | None = None) -> Tensor:
        """Return what the language model reads for one prompt: ``[T, D]``.

        Raises:
            ValueError: The prompt has places for more or fewer views than there are features.
        """
        return self._rows([prompt], [features])[0]

    def batch(
        self,
        asked: Sequence[Prompt],
        features: Sequence[Tensor | None],
        *,
        answers: Sequence[Sequence[int]] | None = None,
        left: bool = False,
    ) -> Batch:
        """Lay prompts side by side; padding changes no result, on either side.

        Args:
            asked: The prompts.
            features: For each, the features of its picture's views, or None without a picture.
            answers: For each, the token ids that are to be learnt behind it.
            left: Pad on the left, as generating needs, and not on the right.
        """
        said = [()] * len(asked) if answers is None else [tuple(each) for each in answers]
        rows = self._rows([prompt.then(ids) for prompt, ids in zip(asked, said, strict=True)], features)
        longest = max(len(row) for row in rows)
        embeds = rows[0].new_zeros(len(rows), longest, rows[0].shape[-1])
        mask = torch.zeros(len(rows), longest, dtype=torch.long, device=self.device)
        labels = torch.full_like(mask, IGNORED)
        for index, (row, ids) in enumerate(zip(rows, said, strict=True)):
            end = longest if left else len(row)
            embeds[index, end - len(row) : end] = row
            mask[index, end - len(row) : end] = 1
            labels[index, end - len(ids) : end] = torch.tensor(ids, dtype=torch.long, device=self.device)
        return Batch(embeds, mask, None if answers is None else labels)

    def hidden(self, batch: Batch) -> Tensor:
        """Return the last layer's output, after its norm: ``[N, L, D]``."""
        # Nobody sees what comes after: padding on the right needs no mask, and attention takes its quick causal path.
        mask = None if bool(batch.mask[:, 0].all()) else batch.mask
        states = self.decoder(inputs_embeds=batch.embeds, attention_mask=mask, use_cache=False)
        return states.last_hidden_state  # type: ignore[no-any-return]

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the scores of every token of the vocabulary: ``[..., D]`` to ``[..., vocabulary]`` float32.

        The vocabulary is large: hand over only the positions that matter.
        """
        owner = self._head_owner
        found: Tensor = owner.lm_head(hidden).float()
        cap = owner.config.final_logit_softcapping
        return found if cap is None else torch.tanh(found / cap) * cap

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean cross entropy of the answers' tokens.

        Raises:
            ValueError: The batch has no answers.
        """
        if batch.labels is None or not bool((batch.labels[:, 1:] != IGNORED).any()):
            raise ValueError("a loss needs answers")
        learnt = batch.labels[:, 1:] != IGNORED
        scores = self.logits(self.hidden(batch)[:, :-1][learnt])
        return nn.functional.cross_entropy(scores, batch.labels[:, 1:][learnt])

    @property
    def _head_owner(self) -> Any:
        language = self.language
        return language.get_base_model() if hasattr(language, "get_base_model") else language

    @property
    def _embedding(self) -> Any:
        return self._head_owner.get_input_embeddings()

    def _rows(self, asked: Sequence[Prompt], features: Sequence[Tensor | None]) -> list[Tensor]:
        """Embed prompts: one pass through the projector and one look-up of words for all of them."""
        seen = [0 if each is None else len(each) for each in features]
        if [prompt.views for prompt in asked] != seen:
            raise ValueError(f"prompts with {[prompt.views for prompt in asked]} views got features of {seen}")
        given = [each.to(self.device) for each in features if each is not None]
        soft = self.soft(torch.cat(given)) if given else None
        ids = [token for prompt in asked for piece in prompt.pieces if not isinstance(piece, View) for token in piece]
        words = self._embedding(torch.tensor(ids, dtype=torch.long, device=self.device))  # scaled by sqrt(D) already
        rows, spoken, shown = [], 0, 0
        for prompt, count in zip(asked, seen, strict=True):
            parts = []
            for piece in prompt.pieces:
                if isinstance(piece, View):
                    assert soft is not None
                    parts.append(soft[shown + piece.index])
                else:
                    parts.append(words[spoken : spoken + len(piece)])
                    spoken += len(piece)
            rows.append(torch.cat(parts))
            shown += count
        return rows


@torch.no_grad()
def text_rms(embedding: nn.Embedding, tokenizer: Any) -> float:
    """Measure the size of embedded text: the median root mean square of the ordinary tokens' embeddings.

    The median, since a vocabulary holds many tokens that training never met.

    Raises:
        StudioError: It is no positive number, so that the checkpoint cannot be sound.
    """
    special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
    ordinary = [token for token in range(min(len(tokenizer), embedding.num_embeddings)) if token not in special]
    ids = torch.tensor(ordinary, device=embedding.weight.device)
    sizes = torch.cat([embedding(some).float().square().mean(-1).sqrt() for some in torch.split(ids, 8192)])
    size = float(sizes.median())
    if not math.isfinite(size) or size <= 0:
        raise StudioError("The language model's embeddings have no size.", "Take a whole checkpoint.")
    return size
