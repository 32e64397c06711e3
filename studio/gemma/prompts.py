"""Token layouts of conversations, and where in them the image tokens stand."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from studio.errors import StudioError

if TYPE_CHECKING:
    from torch import Tensor

IMAGE = object()
"""Stands for an image in the content handed to `lay_out`."""

_CONTROL: MutableMapping[Any, tuple[frozenset[str], frozenset[str]]] = WeakKeyDictionary()  # by tokenizer


@dataclass(frozen=True)
class Layout:
    """A conversation as Gemma 3 reads it.

    Attributes:
        ids: ``[L]`` int64 token ids, one ``<bos>`` first.
        types: ``[L]`` int64, 1 at image tokens and 0 elsewhere. Gemma 3 lets the tokens of one image see each other
            in both directions only when these are passed.
        images: For each image, the span of its tokens.
    """

    ids: Tensor
    types: Tensor
    images: tuple[slice, ...]


def lay_out(processor: Any, content: Sequence[str | object]) -> Layout:
    """Lay out one user turn, ready for the model to answer, through the processor's own chat template.

    The whole turn is tokenised at once: newlines around images merge with their neighbours into single tokens, so
    parts tokenised apart would not add up.

    Args:
        processor: A Gemma 3 processor.
        content: Texts, and `IMAGE` where an image stands, in order.

    Raises:
        StudioError: A text contains a control token, or the checkpoint has no chat template.
    """
    if not processor.chat_template:
        raise StudioError("The checkpoint has no chat template.", "Use an instruction-tuned Gemma 3 checkpoint.")
    refuse_control(processor.tokenizer, [part for part in content if isinstance(part, str)])
    parts = [{"type": "image"} if part is IMAGE else {"type": "text", "text": part} for part in content]
    turn = [{"role": "user", "content": parts}]
    text = processor.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
    text = text.replace(processor.boi_token, processor.full_image_sequence)  # as the processor does, with no pictures
    ids = processor.tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"][0]
    types = (ids == processor.tokenizer.image_token_id).long()
    return Layout(ids, types, _spans(types, processor.image_seq_length))


def refuse_control(tokenizer: Any, texts: Iterable[str]) -> None:
    """Refuse texts that hold a control token, which would be read as one.

    Raises:
        StudioError: One does.
    """
    control, beginnings = _control(tokenizer)
    for text in texts:
        found = [token for token in control if token in text] if beginnings.intersection(text) else []
        if found:
            raise StudioError(f"'{found[0]}' is a control token of Gemma 3 and cannot be asked.", "Use plain words.")


def _control(tokenizer: Any) -> tuple[frozenset[str], frozenset[str]]:
    """Return a tokenizer's control tokens and the characters they begin with.

    Gemma 3 has 6,000 of them; gathering them takes a tenth of a second, and a training set asks 50,000 times.
    """
    if tokenizer not in _CONTROL:
        added = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
        tokens = frozenset([*tokenizer.all_special_tokens, *added])
        _CONTROL[tokenizer] = tokens, frozenset(token[0] for token in tokens)
    return _CONTROL[tokenizer]


def single_token(processor: Any, word: str) -> int:
    """Return the id of a word that is one token at the start of an answer.

    Raises:
        StudioError: The checkpoint's tokenizer splits the word.
    """
    ids = processor.tokenizer.encode(word, add_special_tokens=False)
    if len(ids) != 1 or ids[0] == processor.tokenizer.unk_token_id:
        raise StudioError(
            f"The checkpoint's tokenizer does not know '{word}' as one token.",
            "Choose a checkpoint that can answer Yes or No.",
        )
    return int(ids[0])


def shared_length(layouts: Sequence[Layout]) -> int:
    """Return how many tokens the layouts have in common from the start, less at least one for each to end on."""
    shortest = min(len(layout.ids) for layout in layouts) - 1
    first = layouts[0].ids
    for position in range(shortest):
        if any(layout.ids[position] != first[position] for layout in layouts):
            return position
    return shortest


def _spans(types: Tensor, length: int) -> tuple[slice, ...]:
    positions = (types == 1).nonzero()[:, 0].tolist()
    return tuple(slice(start, start + length) for start in positions[::length])
