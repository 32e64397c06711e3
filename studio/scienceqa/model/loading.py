"""Load a Gemma-CLIP model for the model manager: from a bundle, from the seed's parts, or from two towers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from studio.errors import StudioError
from studio.gemma import adapters, languages
from studio.gemma.selfcheck import check_steady
from studio.models import ModelSpec
from studio.scienceqa.model import towers
from studio.scienceqa.model.bundle import BundleInfo, describe, describe_parts
from studio.scienceqa.model.gemmaclip import Batch, GemmaClip, text_rms
from studio.scienceqa.model.projector import Projector
from studio.scienceqa.model.source import Source
from studio.scienceqa.model.views import usual

_LARGE = 1_000_000_000  # parameters from which 4 bits save memory worth having


def load(spec: ModelSpec, device: torch.device) -> GemmaClip:
    """Load a model, frozen and in eval mode.

    One made of two towers alone has a new projector, random until it is trained; a bundle is never completed so.

    Args:
        spec: Made by `source.Source.spec`.
        device: Where to put it.

    Raises:
        StudioError: A part cannot be reached or read, lacks weights, does not fit the others, or is not the one that
            the bundle was trained with; or it yields no numbers, or wrong gradients (4-bit).
    """
    source = Source.of(spec)
    info = _info(source)
    vision_folder = languages.find(info.tower("vision"), pickled=True)
    language_folder = languages.find(info.tower("language"))
    info = _recognised(info, {"vision": vision_folder, "language": language_folder})
    vision = towers.load_vision(vision_folder, info.vision, spec.dtype, device)
    language = languages.load_language(
        language_folder, info.language, spec.dtype, spec.quantization, source.flash, device
    )
    words = language_folder if info.tokenizer is None else str(info.tokenizer)
    tokenizer = languages.load_tokenizer(words, info.name or info.language)
    info = _completed(info, source, vision, vision_folder, language, tokenizer)
    projector = _projector(info, vision, language).to(device).eval().requires_grad_(False)
    if info.adapter is not None:
        language = adapters.load(language, info.adapter)
    model = GemmaClip(vision, projector, language, tokenizer, info)
    _check_features(model)
    if spec.quantization != "none":
        _check_gradients(model)
    return model


def choose_quantization(wanted: str, language: str, device: torch.device) -> str:
    """Return ``none`` or ``nf4``.

    Args:
        wanted: One of the two, or ``auto``: 4 bits on CUDA from a billion parameters on.
        language: The language model's folder or name on the Hub, as `BundleInfo.tower` gives it.
        device: Where it will be.

    Raises:
        StudioError: The language model cannot be reached.
    """
    if wanted != "auto":
        return wanted
    large = device.type == "cuda" and languages.parameters(languages.find(language)) >= _LARGE
    return "nf4" if large else "none"


def _info(source: Source) -> BundleInfo:
    """Gather what is known of a model before its towers are looked at."""
    if source.bundle:
        return describe(source.bundle)
    if source.projector:
        return describe_parts(source)
    return BundleInfo(vision=source.vision, language=source.language, vision_layer=source.vision_layer)


def _recognised(info: BundleInfo, folders: Mapping[str, str]) -> BundleInfo:
    """Note which towers these are, and refuse others than the model was trained with."""
    prints = {which: languages.fingerprint(folder) for which, folder in folders.items()}
    for which, found in prints.items():
        if info.fingerprints.get(which, found) != found:
            raise StudioError(
                f"The {which} model {info.tower(which)} is not the one that {info.name} was trained with.",
                "Put back the one it was, or train anew.",
            )
    commits = {which: commit for which, folder in folders.items() if (commit := languages.revision(folder))}
    return replace(info, fingerprints=prints, revisions=commits)


def _completed(
    info: BundleInfo, source: Source, vision: Any, vision_folder: str, language: Any, tokenizer: Any
) -> BundleInfo:
    """Fill in what only the towers can tell, and check that they suit what the bundle says."""
    size = int(vision.config.image_size)
    kind = source.views if source.views != "auto" else "tiles" if info.projector is None else "pad"
    if info.views is None or (source.views != "auto" and info.views.kind != kind):
        info = replace(info, views=usual(kind, size))
    if info.projector is None:  # a new model
        mean, std = towers.normalisation(vision_folder) or (info.mean, info.std)
        size_of_text = text_rms(language.get_input_embeddings(), tokenizer)
        info = replace(info, mean=mean, std=std, text_rms=size_of_text)
    assert info.views is not None
    patches = size // int(vision.config.patch_size)
    if info.views.size != size or patches % info.merge or (info.keep_cls and info.merge > 1):
        raise StudioError(
            f"The vision model {info.vision} takes pictures of {size} pixels in {patches} × {patches} patches, which "
            f"does not suit views of {info.views.size} merged by {info.merge}.",
            "Name the vision model that the bundle was trained with.",
        )
    if not -int(vision.config.num_hidden_layers) - 1 <= info.vision_layer < 0:
        raise StudioError(
            f"The vision model {info.vision} has {vision.config.num_hidden_layers} layers, and none is "
            f"{info.vision_layer}.",
            "Set vision_layer nearer to -1.",
        )
    return info


def _projector(info: BundleInfo, vision: Any, language: Any) -> Projector:
    widths = int(vision.config.hidden_size), int(language.config.hidden_size)
    if info.projector is None:
        return Projector(*widths, merge=info.merge, text_rms=info.text_rms)
    state = read_projector(info.projector)
    hidden = int(state["net.0.weight"].shape[0])
    projector = Projector(*widths, hidden=hidden, merge=info.merge, text_rms=info.text_rms)
    wanted = {name: tensor.shape for name, tensor in projector.state_dict().items()}
    if wanted != {name: tensor.shape for name, tensor in state.items()}:
        raise StudioError(
            f"The projector {info.projector} does not fit between {info.vision} and {info.language}.",
            "Name the models it was trained with.",
        )
    projector.load_state_dict(state)
    return projector


def _check_features(model: GemmaClip) -> None:
    """Prove that a view becomes numbers; the first look also sets hooks that a lease would take for a change."""
    from PIL import Image

    blank = Image.new("RGB", (model.views.size, model.views.size), model.views.border)
    if not bool(torch.isfinite(model.soft(model.features([blank]))).all()):
        raise StudioError(
            f"The vision model {model.info.vision} sees a blank picture as no numbers.", "Take a sound checkpoint."
        )


def _check_gradients(model: GemmaClip) -> None:
    """Prove that gradients through the language model survive a pass without them."""
    width = model.projector.out.out_features
    noise = torch.randn(1, 8, width, generator=torch.Generator().manual_seed(0)) * (model.info.text_rms or 1)
    weights = torch.linspace(0.5, 1.5, width, device=model.device)

    def answer(words: torch.Tensor) -> torch.Tensor:
        mask = torch.ones(words.shape[:2], dtype=torch.long, device=words.device)
        return torch.sum(model.hidden(Batch(words, mask))[0, -1].float() ** 2 * weights)

    check_steady(answer, noise.to(model.device, model.language.get_input_embeddings().weight.dtype))


def read_projector(path: Path) -> dict[str, torch.Tensor]:
    """Read a projector's tensors, in float32: safetensors, or the seed's ``.pt``, of which only tensors are taken.

    Raises:
        StudioError: It cannot be read, or holds something else.
    """
    from safetensors.torch import load_file

    try:
        pickled = path.suffix != ".safetensors"
        state = torch.load(path, map_location="cpu", weights_only=True) if pickled else load_file(path)
        if not all(isinstance(tensor, torch.Tensor) for tensor in state.values()) or "net.0.weight" not in state:
            raise ValueError("it holds no tensors of a projector")
    except Exception as error:  # unpickling, zip files and safetensors each have their own
        reason = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
        raise StudioError(f"The projector {path} cannot be read: {reason}.", "Give another file.") from None
    return {name: tensor.float() for name, tensor in state.items()}
