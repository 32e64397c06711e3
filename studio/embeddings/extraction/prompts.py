"""The token layout of a question about an image, and the positions in it that are read; always found from the ids.

<bos> <start_of_turn> user ⏎ ⏎⏎ <start_of_image> ▪▪▪…▪ <end_of_image> ⏎⏎ the question <end_of_turn> ⏎ <start_of_turn> model ⏎
└───────────────────── head: the same for every question ───────────┘ └──────────────────── tail ──────────────────────┘
                                                 ↑ last soft token         └ question tokens ┘             last token ↑
"""  # noqa: E501

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from studio.errors import StudioError
from studio.gemma.prompts import IMAGE, lay_out

END_OF_TURN = "<end_of_turn>"


@dataclass(frozen=True)
class Prompt:
    """A question about one image, laid out.

    Attributes:
        ids: ``[L]`` int64 token ids.
        types: ``[L]`` int64, 1 at the image's soft tokens.
        image: The span of the image's soft tokens.
        head: Tokens up to ``<end_of_image>``, that one included. It is a special token, which no text merges with, so
            the head is the same for every question.
        question: The span of the question's own tokens.
    """

    ids: Tensor
    types: Tensor
    image: slice
    head: int
    question: slice

    @property
    def last(self) -> int:
        """The position of the last token, where the answer begins."""
        return len(self.ids) - 1


def lay_out_question(processor: Any, question: str) -> Prompt:
    """Lay out one question, the image first.

    Args:
        processor: A Gemma 3 processor.
        question: What is asked.

    Raises:
        StudioError: The question holds a control token or no words, or the chat template is not Gemma 3's.
    """
    layout = lay_out(processor, (IMAGE, question))
    ids = layout.ids.tolist()
    head = layout.images[0].stop + 1
    end_of_turn = processor.tokenizer.convert_tokens_to_ids(END_OF_TURN)
    if end_of_turn not in ids[head:]:
        raise StudioError("The checkpoint's chat template is not Gemma 3's.", "Use an instruction-tuned checkpoint.")
    start, stop = head, head + ids[head:].index(end_of_turn)
    while start < stop and processor.tokenizer.decode(ids[start]).isspace():
        start += 1
    if start == stop:
        raise StudioError("The question holds no words.", "Ask something.")
    return Prompt(layout.ids, layout.types, layout.images[0], head, slice(start, stop))
