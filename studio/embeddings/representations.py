"""The four representations: which tensor, which position, which pooling; and which layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.errors import StudioError

VISION = "vision_representation"
VISION_TOKEN = "vision_token_representation"
QUERY_TOKEN = "query_token_representation"
MULTIMODAL = "multimodal_representation"

DEFINITIONS: Mapping[str, str] = {
    VISION: "Output of SigLIP's last layer norm, before the projector, averaged over all patches; one per image.",
    VISION_TOKEN: "Output of a decoder layer at the image's last soft token; one per image and layer, since with the "
    "image first it cannot depend on the question.",
    QUERY_TOKEN: "Output of a decoder layer at the prompt's last token, where the answer begins; one per question and "
    "layer.",
    MULTIMODAL: "Output of a decoder layer averaged over the image's soft tokens and the question's own tokens, "
    "without those of the chat template; one per question and layer.",
}
"""What each representation is; written into every run."""

PER_IMAGE = (VISION, VISION_TOKEN)
"""Those that are the same for every question about an image."""

NORM = "before the final norm"
"""Where a decoder layer's output is taken: the residual stream, for the last layer too (``hidden_states[-1]`` of
transformers would be after the norm)."""


def key(representation: str, layer: int | None = None) -> str:
    """Return the name a vector is stored under, such as ``query_token_representation/layer_3``."""
    return representation if layer is None else f"{representation}/layer_{layer}"


def usual_layers(count: int) -> tuple[int, ...]:
    """Return layers 0, n/4, n/2, 3n/4 and n-1 of a decoder of n layers, each once."""
    return tuple(sorted({0, count // 4, count // 2, 3 * count // 4, count - 1}))


def choose_layers(text: str, count: int) -> tuple[int, ...]:
    """Read a list of layers.

    Args:
        text: Whole numbers with commas between them; negative ones count from the last; empty for `usual_layers`.
        count: Layers the decoder has.

    Returns:
        The layers, each once, in order.

    Raises:
        StudioError: One of them does not exist.
    """
    if not text:
        return usual_layers(count)
    wanted = [int(part) for part in text.split(",")]
    wrong = [layer for layer in wanted if not -count <= layer < count]
    if wrong:
        raise StudioError(f"The model has no layer {wrong[0]}.", f"Its layers are 0 to {count - 1}.")
    return tuple(sorted({layer % count for layer in wanted}))


def keys(layers: Sequence[int]) -> list[str]:
    """Return the name of every vector that a question has."""
    return [key(VISION), *(key(name, layer) for name in (VISION_TOKEN, QUERY_TOKEN, MULTIMODAL) for layer in layers)]
