"""Write a bundle in another layout: with its adapters merged into the language model, or as gemmaclip's script does."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import Gemma3ForCausalLM

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.gemma import languages
from studio.scienceqa.config import ExportBundleConfig
from studio.scienceqa.model import bundle, prompts
from studio.scienceqa.model.bundle import PROJECTOR, SEED_PROJECTOR, TOKENIZER, TOWERS, BundleInfo
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.source import named
from studio.scienceqa.questions.record import Question

_TOLERANCE = 0.05  # of the logits' size: bfloat16 leaves about 0.01, a wrong merge is off by 1
_SHARD = "4GB"
_PROBES = (
    Question("probe 1", "test", "Which of these is heavier?", ("a feather", "a stone"), hint="Both fall."),
    Question("probe 2", "test", "What do the two magnets do?", ("attract", "repel", "nothing at all")),
)
_IMAGE = "<image>"  # where gemmaclip's script puts the picture


@dataclass(frozen=True)
class Difference:
    """How far two models' answers lie apart.

    Attributes:
        size: Root mean square of the logits' differences, over that of the logits.
        same: Places at which both hold the same token for the likeliest.
        places: Places looked at.
    """

    size: float
    same: int
    places: int


def run(config: ExportBundleConfig, context: Context) -> Iterator[Event]:
    """Write one bundle; the last event names its folder as the artifact ``bundle`` and says what was measured.

    Yields:
        An `Event` before each step.

    Raises:
        StudioError: The bundle cannot be loaded, the folder holds something else, or the merged model answers
            otherwise than the one it was made from.
    """
    info = bundle.describe(config.bundle)
    target = config.output_path.expanduser().absolute()
    if info.folder is not None and target.resolve() == info.folder:
        raise StudioError(f"'{target.name}' would be written over itself.", "Choose another --output-path.")
    steps = 4 if config.layout == "merged" else 2
    yield Event(0, steps, f"Loading {info.name}.")
    note = yield from (_merged if config.layout == "merged" else _as_seed)(config, context, target)
    yield Event(steps, steps, note, artifacts={"bundle": str(target)})


def compare(before: Tensor, after: Tensor) -> Difference:
    """Measure how far two sets of logits, both ``[P, vocabulary]``, lie apart."""
    size = float((after - before).square().mean().sqrt() / before.square().mean().sqrt())
    same = int((after.argmax(-1) == before.argmax(-1)).sum())
    return Difference(size, same, len(before))


@torch.no_grad()
def probe(model: GemmaClip) -> Tensor:
    """Return the logits at every place of a few questions, with a picture of noise and without: ``[P, vocabulary]``."""
    features = _noise(model)
    asked = [prompts.ask(model.tokenizer, _PROBES[0], None, template=model.info.template)]
    grid = (1, len(features))
    asked += [prompts.ask(model.tokenizer, each, grid, template=model.info.template) for each in _PROBES]
    batch = model.batch(asked, [None, *[features] * len(_PROBES)])
    return model.logits(model.hidden(batch)[batch.mask.bool()]).cpu()


def _noise(model: GemmaClip) -> Tensor:
    from PIL import Image

    size = model.views.size
    noise = torch.randint(0, 256, (size, size, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return model.features([Image.fromarray(noise.numpy())])


def _merged(config: ExportBundleConfig, context: Context, target: Path) -> Generator[Event, None, str]:
    with bundle.drafted(target, also=("base",)) as draft:
        before = yield from _write_merged(config, context, draft, target.name)
        yield Event(3, 4, "Reading it back, to compare what it answers.")
        spec = named(str(draft)).spec(dtype="bfloat16")
        with context.models.lease(spec) as model:
            found = compare(before, probe(model))
        context.models.unload(spec)  # its folder is about to be renamed
        check(found)
    share = f"{found.same} of {found.places}"
    return f"Merged; logits differ by {found.size:.2%} of their size, and the likeliest token is the same at {share}."


def _write_merged(
    config: ExportBundleConfig, context: Context, draft: Path, name: str
) -> Generator[Event, None, Tensor]:
    """Return the logits before merging; a function of its own, so that nothing holds the first model after it."""
    with context.models.lease(named(config.bundle).spec(dtype="bfloat16"), exclusive=True) as model:
        before = probe(model)
        yield Event(1, 4, "Merging the adapters.")
        merge(model)
        yield Event(2, 4, "Writing the merged model.")
        write_merged(model, draft, name)
    return before


def check(found: Difference) -> None:
    """Refuse a merged model that answers otherwise.

    Raises:
        StudioError: It does, by more than rounding to bfloat16 explains.
    """
    if not found.size <= _TOLERANCE:
        raise StudioError(
            f"The merged model answers otherwise: its logits differ by {found.size:.0%} of their size.",
            "Keep the bundle with its adapters, and report this.",
        )


def merge(model: GemmaClip) -> None:
    """Fold the adapters of a model into its language model, which must be whole and not in 4 bits."""
    if hasattr(model.language, "merge_and_unload"):
        model.language = model.language.merge_and_unload(safe_merge=True)


def write_merged(model: GemmaClip, folder: Path, name: str) -> None:
    """Write a bundle that brings its own language model, in bfloat16 and in the Hub's layout.

    A model that came out of a multimodal checkpoint would be saved under that one's names, which a plain load leaves
    random; a fresh one that takes over its tensors has the names of a language model.
    """
    place = folder / TOWERS["language"]
    with torch.device("meta"):
        fresh: Any = Gemma3ForCausalLM(model.language.config)
    state = {key: tensor.to(torch.bfloat16) for key, tensor in model.language.state_dict().items()}
    fresh.load_state_dict(state, assign=True)
    fresh.tie_weights()
    fresh.generation_config = model.language.generation_config
    fresh.save_pretrained(place, max_shard_size=_SHARD)
    model.tokenizer.save_pretrained(place)
    prints = {**model.info.fingerprints, "language": languages.fingerprint(str(place))}
    commits = {which: commit for which, commit in model.info.revisions.items() if which != "language"}
    facts = {"fingerprints": prints, "revisions": commits, "name": name}
    bundle.write(model, folder, language=TOWERS["language"].as_posix(), **facts)


def _as_seed(config: ExportBundleConfig, context: Context, target: Path) -> Generator[Event, None, str]:
    with (
        bundle.drafted(target, also=(SEED_PROJECTOR,)) as draft,
        context.models.lease(named(config.bundle).spec()) as model,
    ):
        yield Event(1, 2, "Writing projector.pt, lora_adapter and tokenizer.")
        write_as_seed(model, draft, target.name)
        missing = " and ".join(beyond_the_script(model.info))
    return "Written." if not missing else f"Written; gemmaclip's own script cannot run it, since it has {missing}."


def write_as_seed(model: GemmaClip, folder: Path, name: str) -> None:
    """Write ``projector.pt``, ``lora_adapter`` and ``tokenizer`` as gemmaclip's script does, and what says the rest."""
    bundle.write(model, folder, name=name)
    (folder / PROJECTOR).unlink()
    torch.save(model.projector.tensors(), folder / SEED_PROJECTOR)
    tokenizer = languages.load_tokenizer(str(folder / TOKENIZER), name)
    tokenizer.add_special_tokens({"additional_special_tokens": [_IMAGE]})
    tokenizer.save_pretrained(folder / TOKENIZER)


def beyond_the_script(info: BundleInfo) -> list[str]:
    """Return what a model has that gemmaclip's script does not know, in words."""
    plain = replace(info, vision_layer=-1, keep_cls=True)
    found = {
        "prompts of the studio's own": info.template != "seed",
        "soft tokens scaled to the size of text": info.text_rms is not None,
        "another choice of patches": plain != info or info.merge != 1,
        "pictures in tiles": info.views is not None and info.views.kind == "tiles",
        "no adapters": info.adapter is None,
    }
    return [words for words, present in found.items() if present]
