"""The bundle: a folder that says all that is needed to load a model again; describing one loads nothing heavy.

``gemma-clip.json`` names the towers and says how pictures and words reach them, ``projector.safetensors`` and
``lora_adapter/`` hold what was trained, and ``tokenizer/`` how words become tokens. Nothing in it is pickled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from studio.errors import StudioError
from studio.files import draft_of, write_atomic
from studio.gemma.catalog import EMBEDDED_FOLDER
from studio.scienceqa.model.prompts import Form, Template
from studio.scienceqa.model.source import Source
from studio.scienceqa.model.views import Views

if TYPE_CHECKING:
    from studio.scienceqa.model.gemmaclip import GemmaClip

FILE, PROJECTOR, ADAPTER, TOKENIZER = "gemma-clip.json", "projector.safetensors", "lora_adapter", "tokenizer"
SEED_PROJECTOR = "projector.pt"
EMBEDDED = EMBEDDED_FOLDER / "science"
"""The bundle that ships with the studio."""
TOWERS = {"vision": Path("base", "vision"), "language": Path("base", "language")}
"""Where the embedded bundle keeps its own towers."""
_FORMAT = 1
_VERSIONS = ("torch", "transformers", "peft")
_SEED_TOWERS = {"vision": "openai/clip-vit-large-patch14-336", "language": "google/gemma-3-4b-it"}
_SEED_NOTE = (
    "gemmaclip's script trained it on the middle square of each picture and on answers without letters; here it sees "
    "the whole picture, padded to a square, and its choices are compared as texts."
)
_ADVICE = "Give the folder that train-scienceqa wrote."


@dataclass(frozen=True)
class BundleInfo:
    """What a bundle is, without loading it.

    Attributes:
        vision: Its CLIP: a name on the Hub, a folder, ``embedded``, or a path inside the bundle.
        language: Its Gemma 3, likewise.
        views: How pictures become views; None before the vision tower has been looked at.
        vision_layer: Layer of the vision tower that is read, from -1 (the last, as it leaves the encoder).
        keep_cls: Whether the class token goes along with the patches.
        merge: Edge of the square of patches that one soft token stands for.
        template: Whose words stand around a question.
        text_rms: Size of embedded text, which soft tokens are given; None leaves theirs.
        mean: Subtracted from pictures, per channel, in units of 0..1.
        std: Divided by, likewise.
        answering: The form it answers best in.
        families: Kinds of drawn question that it can read, with measured accuracy in 0..1; empty when unknown.
        fingerprints: Of the towers it was trained with, by ``vision`` and ``language``.
        revisions: Of those on the Hub, likewise.
        versions: Of the packages it was trained with.
        training: The configuration it was trained with.
        name: For people.
        folder: Where it lies; None for a model that is no bundle yet.
        projector: File of its projector; None for one that is yet to be trained.
        adapter: Folder of its adapter; None without.
        tokenizer: Folder of its tokenizer; None for the language model's.
        notes: What a user should know about it, one sentence each.
    """

    vision: str
    language: str
    views: Views | None = None
    vision_layer: int = -2
    keep_cls: bool = False
    merge: int = 1
    template: Template = "studio"
    text_rms: float | None = None
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)
    answering: Form = "reasoning"
    families: Mapping[str, float] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    revisions: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    folder: Path | None = None
    projector: Path | None = None
    adapter: Path | None = None
    tokenizer: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def embedded(self) -> bool:
        """Whether its language model ships with the studio, so that its answers must be marked as a small model's."""
        return self.tower("language") == str(EMBEDDED / TOWERS["language"])

    def tower(self, which: str) -> str:
        """Return where a tower is loaded from: a folder, or a name on the Hub.

        Args:
            which: ``vision`` or ``language``.
        """
        name = str(getattr(self, which))
        if name == "embedded":
            return str(EMBEDDED / TOWERS[which])
        inside = self.folder / name if self.folder is not None else None
        return str(inside) if inside is not None and inside.is_dir() else os.path.expanduser(name)

    def to_json(self) -> dict[str, Any]:
        """Return what ``gemma-clip.json`` holds."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in _PLACES}
        views = None if self.views is None else self.views.to_json()
        return {"format": _FORMAT, **told, "views": views}


_PLACES = ("folder", "projector", "adapter", "tokenizer", "notes")


def describe(folder: str | Path) -> BundleInfo:
    """Read what a bundle says of itself.

    Args:
        folder: Of a bundle in this layout or in the seed's, or ``embedded``.

    Raises:
        StudioError: It is none, or its JSON is not this format.
    """
    place = EMBEDDED if str(folder) == "embedded" else Path(folder).expanduser().resolve()
    path = place / FILE
    if not path.is_file():
        if (place / SEED_PROJECTOR).is_file():
            parts = {name: place / name if (place / name).is_dir() else None for name in (ADAPTER, TOKENIZER)}
            return replace(_of_seed(place / SEED_PROJECTOR, parts[ADAPTER], parts[TOKENIZER]), folder=place)
        if place == EMBEDDED:
            raise StudioError("The embedded science model is not in this installation.", _ADVICE)
        raise StudioError(f"There is no bundle in {place}: {FILE} is missing.", _ADVICE)
    try:
        info = _read(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise StudioError(f"{path} cannot be read as a bundle's description: {error}.", _ADVICE) from None
    projector, adapter, tokenizer = place / PROJECTOR, place / ADAPTER, place / TOKENIZER
    if not projector.is_file():
        projector = place / SEED_PROJECTOR
    if not projector.is_file():
        raise StudioError(f"The bundle in {place} lacks {PROJECTOR}.", _ADVICE)
    return replace(
        info,
        name=info.name or place.name,
        folder=place,
        projector=projector,
        adapter=adapter if adapter.is_dir() else None,
        tokenizer=tokenizer if tokenizer.is_dir() else None,
    )


def describe_parts(source: Source) -> BundleInfo:
    """Describe the parts that gemmaclip's script leaves, or those of a bundle named one by one.

    Raises:
        StudioError: The projector is a bundle's and its description is not beside it.
    """
    projector = Path(source.projector)
    adapter, tokenizer = (Path(each) if each else None for each in (source.adapter, source.tokenizer))
    if (projector.parent / FILE).is_file():
        whole = describe(projector.parent)
        return replace(whole, projector=projector, adapter=adapter, tokenizer=tokenizer or whole.tokenizer)
    if projector.suffix == ".safetensors":
        raise StudioError(f"{FILE} is not beside {projector}, and says what it was trained with.", _ADVICE)
    info = _of_seed(projector, adapter, tokenizer)
    return replace(info, vision=source.vision or info.vision, language=source.language or info.language)


def save(model: GemmaClip, folder: Path, **facts: Any) -> BundleInfo:
    """Write a model as a bundle; one that is there already is replaced once the new one is whole.

    Towers are named and not copied.

    Args:
        model: What to write.
        folder: Where.
        facts: Fields of `BundleInfo` that are to differ from the model's own, such as ``training``.

    Returns:
        What the bundle says of itself.

    Raises:
        StudioError: The folder holds something else, which would be lost.
    """
    with drafted(folder) as draft:
        write(model, draft, **{"name": folder.name, **facts})
    return describe(folder)


def write(model: GemmaClip, folder: Path, **facts: Any) -> None:
    """Write a bundle's files into a folder; arguments as for `save`."""
    from safetensors.torch import save as tensors

    from studio.gemma import adapters

    versions = {name: version(name) for name in _VERSIONS}
    towers = {which: portable(model.info, which) for which in TOWERS}
    info = replace(model.info, **{**towers, "versions": versions, **facts})
    write_atomic(folder / PROJECTOR, tensors(model.projector.tensors(), metadata={"format": "pt"}))
    adapters.save(model.language, folder / ADAPTER, info.language)
    model.tokenizer.save_pretrained(folder / TOKENIZER)
    write_atomic(folder / FILE, json.dumps(info.to_json(), indent=1, ensure_ascii=False) + "\n")


@contextmanager
def drafted(folder: Path, also: Collection[str] = ()) -> Iterator[Path]:
    """Hand out an empty folder that takes the place of `folder` when it is filled, or vanishes when filling fails.

    Args:
        folder: What may be replaced: nothing, an empty folder, or a bundle.
        also: Names that may lie in it beside a bundle's.

    Raises:
        StudioError: It holds something else, which would be lost.
    """
    folder = folder.absolute()
    known = {FILE, PROJECTOR, ADAPTER, TOKENIZER, *also}
    strange = sorted(path.name for path in folder.glob("*") if path.name not in known) if folder.exists() else []
    if strange or folder.is_file():
        held = f"holds {strange[0]}, which is no part of a bundle" if strange else "is a file"
        raise StudioError(f"'{folder}' {held}.", "Choose another folder.")
    with draft_of(folder) as draft:
        yield draft


def portable(info: BundleInfo, which: str) -> str:
    """Name a tower so that another folder and another computer find it, where they can."""
    place = info.tower(which)
    if place == str(EMBEDDED / TOWERS[which]):
        return "embedded"
    return str(Path(place).resolve()) if Path(place).is_dir() else place


def _of_seed(projector: Path, adapter: Path | None, tokenizer: Path | None) -> BundleInfo:
    """Describe what gemmaclip's script trained: all of it is fixed but the language model's name."""
    try:
        told = {} if adapter is None else json.loads((adapter / "adapter_config.json").read_text("utf-8"))
        language = str(told.get("base_model_name_or_path") or _SEED_TOWERS["language"])
    except (OSError, ValueError, AttributeError) as error:
        raise StudioError(f"The adapter in {adapter} cannot be read: {error}.", _ADVICE) from None
    return BundleInfo(
        vision=_SEED_TOWERS["vision"],
        language=language,
        vision_layer=-1,
        keep_cls=True,
        template="seed",
        name=projector.parent.name,
        projector=projector,
        adapter=adapter,
        tokenizer=tokenizer,
        notes=(_SEED_NOTE,),
    )


def _read(told: Mapping[str, Any]) -> BundleInfo:
    if told.get("format") != _FORMAT:
        raise ValueError(f"it has format {told.get('format')!r}, and {_FORMAT} is known")
    known = {name: told[name] for name in BundleInfo.__dataclass_fields__ if name in told and name not in _PLACES}
    if known.get("template") not in get_args(Template) or known.get("answering") not in get_args(Form):
        raise ValueError("its template or its form of answering is unknown")
    mean, std = (tuple(float(value) for value in known[name]) for name in ("mean", "std"))
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0 or int(known["merge"]) < 1 or int(known["vision_layer"]) >= 0:
        raise ValueError("mean, std, merge or vision_layer is out of range")
    views = known["views"]
    return BundleInfo(**{**known, "mean": mean, "std": std, "views": views and Views.from_json(views)})
