from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.errors import StudioError
from studio.scienceqa.model import bundle
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.loading import load
from studio.scienceqa.model.source import Source
from tests.scienceqa import tiny

CPU = torch.device("cpu")


@pytest.fixture
def copied(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny bundle, to be broken."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "copied"))


def changed(folder: Path, **values: Any) -> None:
    path = folder / bundle.FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_bundle_says_what_it_is(tiny_folder: Path) -> None:
    info = bundle.describe(tiny_folder)
    assert (info.name, info.template, info.answering, info.views) == ("tiny", "studio", "reasoning", tiny.TILES)
    assert info.folder == tiny_folder and info.projector == tiny_folder / bundle.PROJECTOR
    assert info.adapter == tiny_folder / bundle.ADAPTER and info.tokenizer == tiny_folder / bundle.TOKENIZER
    assert info.tower("vision") == str(tiny_folder / "base" / "vision")
    assert not info.embedded


def test_describing_loads_nothing_heavy(tiny_folder: Path) -> None:
    code = (
        "import sys; from studio.scienceqa.model import bundle, prompts, source, views; "
        f"bundle.describe({str(tiny_folder)!r}); print({{'torch', 'transformers', 'numpy'}} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def test_a_saved_bundle_is_the_same_model(model: GemmaClip, tmp_path: Path, asked: Any) -> None:
    info = bundle.save(model, tmp_path / "again", answering="letter", training={"seed": 3}, families={"attract": 0.97})
    assert (info.answering, info.training, info.families) == ("letter", {"seed": 3}, {"attract": 0.97})
    assert info.name == "again" and info.fingerprints == model.info.fingerprints
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == [
        "gemma-clip.json", "lora_adapter", "projector.safetensors", "tokenizer",
    ]  # fmt: skip
    again = load(Source(bundle=str(tmp_path / "again")).spec(), CPU)
    assert torch.equal(asked(again), asked(model))


def test_nothing_in_a_bundle_is_pickled_or_names_where_it_was_made(tiny_folder: Path) -> None:
    files = [path for path in tiny_folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".json", ".safetensors", ".jinja"}
    assert not [path for path in files if str(tiny_folder.parent).encode() in path.read_bytes()]


def test_saving_replaces_a_bundle_and_nothing_else(model: GemmaClip, tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    bundle.save(model, target)
    bundle.save(model, target, answering="letter")
    assert bundle.describe(target).answering == "letter"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    (target / "thesis.txt").write_text("years of work")
    with pytest.raises(StudioError, match="holds thesis"):
        bundle.save(model, target)
    assert (target / "thesis.txt").read_text() == "years of work"
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError, match="is a file"):
        bundle.save(model, tmp_path / "file")


def test_a_draft_that_fails_leaves_the_old_bundle(model: GemmaClip, tmp_path: Path) -> None:
    bundle.save(model, tmp_path / "bundle")
    with pytest.raises(RuntimeError), bundle.drafted(tmp_path / "bundle") as draft:
        (draft / "half").write_text("")
        raise RuntimeError
    assert bundle.describe(tmp_path / "bundle").name == "bundle"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_towers_that_ship_are_named_so(monkeypatch: pytest.MonkeyPatch, tiny_folder: Path, tmp_path: Path) -> None:
    monkeypatch.setattr(bundle, "EMBEDDED", tiny_folder)
    model = load(Source(bundle="embedded").spec(), CPU)
    assert model.info.embedded
    info = bundle.save(model, tmp_path / "trained")
    assert (info.vision, info.language, info.embedded) == ("embedded", "embedded", True)
    assert load(Source(bundle=str(tmp_path / "trained")).spec(), CPU).info.tower("vision").startswith(str(tiny_folder))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"format": 2}, "format 2"),
        ({"template": "other"}, "template"),
        ({"answering": "song"}, "answering"),
        ({"std": [1, 0, 1]}, "out of range"),
        ({"mean": "grey"}, "cannot be read"),
        ({"vision_layer": 0}, "out of range"),
        ({"views": {"kind": "pad"}}, "how its pictures are cut"),
    ],
)
def test_descriptions_of_another_format_are_refused(copied: Path, values: dict[str, Any], said: str) -> None:
    changed(copied, **values)
    with pytest.raises(StudioError, match=said):
        bundle.describe(copied)


def test_what_is_no_bundle_is_a_sentence(tmp_path: Path, copied: Path) -> None:
    with pytest.raises(StudioError, match="no bundle"):
        bundle.describe(tmp_path)
    (copied / bundle.FILE).write_text("{")
    with pytest.raises(StudioError, match="cannot be read"):
        bundle.describe(copied)
    (copied / bundle.FILE).write_text("[]")
    with pytest.raises(StudioError, match="cannot be read"):
        bundle.describe(copied)
    shutil.copy(copied.parent / "copied" / "base" / "vision" / "config.json", copied / bundle.FILE)
    with pytest.raises(StudioError, match="format None"):
        bundle.describe(copied)


def test_a_bundle_without_its_projector_is_refused(copied: Path) -> None:
    (copied / bundle.PROJECTOR).unlink()
    with pytest.raises(StudioError, match="lacks projector"):
        bundle.describe(copied)
