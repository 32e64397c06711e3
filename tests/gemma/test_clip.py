from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from studio.errors import StudioError
from studio.gemma import catalog, hub
from studio.gemma.clip import Clip, load_clip
from studio.models import ModelSpec
from studio.tasks import load_model

CPU = torch.device("cpu")


@pytest.fixture
def broken(tiny_clip: Path, tmp_path: Path) -> Path:
    """A copy of a checkpoint, to be broken."""
    return Path(shutil.copytree(tiny_clip, tmp_path / "broken"))


def load(folder: Path) -> Clip:
    return load_clip(ModelSpec("clip", str(folder)), CPU)


def test_a_bundle_is_frozen_float32_and_measured(tiny_clip: Path) -> None:
    bundle = load(tiny_clip)
    assert bundle.dtype == torch.float32
    assert (bundle.image_size, bundle.text_length) == (56, 77)
    assert not bundle.model.training
    assert not any(weight.requires_grad for weight in bundle.model.parameters())
    assert bundle.nbytes > 4 * sum(weight.numel() for weight in bundle.model.parameters())


def test_a_local_folder_is_known_by_its_configuration(tiny_clip: Path) -> None:
    spec = catalog.spec(str(tiny_clip))
    assert spec.kind == "clip"
    assert isinstance(load_model(spec, CPU), Clip)


def test_the_hub_types_name_openais_repositories() -> None:
    assert catalog.spec("clip") == ModelSpec("clip", "openai/clip-vit-base-patch32")
    assert catalog.spec("clip_large").source == "openai/clip-vit-large-patch14"
    assert catalog.resolve("clip_large_336").folder is None


@pytest.mark.parametrize("lost", ["visual_projection", "text_model.encoder.layers.1", "logit_scale"])
def test_missing_weights_are_refused(broken: Path, lost: str) -> None:
    weights = load_file(broken / "model.safetensors")
    kept = {name: weight for name, weight in weights.items() if lost not in name}
    assert len(kept) < len(weights)
    save_file(kept, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(StudioError, match="lacks"):
        load(broken)


def test_weights_of_another_shape_are_refused(broken: Path) -> None:
    config = json.loads((broken / "config.json").read_text())
    config["vision_config"]["intermediate_size"] *= 2
    (broken / "config.json").write_text(json.dumps(config))
    with pytest.raises(StudioError, match="cannot be loaded"):
        load(broken)


def test_old_weights_load_as_the_new_ones_do(broken: Path, tiny_clip: Path) -> None:
    torch.save(load_file(broken / "model.safetensors"), broken / hub.PICKLED)
    (broken / "model.safetensors").unlink()
    for one, other in zip(load(broken).model.parameters(), load(tiny_clip).model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_code_in_old_weights_is_not_run(broken: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
            return Path.touch, (tmp_path / "ran",)

    with (broken / hub.PICKLED).open("wb") as file:
        pickle.dump(Trap(), file)
    (broken / "model.safetensors").unlink()
    with pytest.raises(StudioError, match="cannot be loaded"):
        load(broken)
    assert not (tmp_path / "ran").exists()


def test_four_bits_are_refused(tiny_clip: Path) -> None:
    with pytest.raises(StudioError, match="4 bits"):
        load_clip(ModelSpec("clip", str(tiny_clip), quantization="nf4"), CPU)


@pytest.mark.parametrize("safe", [True, False])
def test_old_weights_are_fetched_only_where_there_are_no_new_ones(
    safe: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(source: str, allow_patterns: list[str], cache_dir: Path | None) -> str:
        assert cache_dir == tmp_path / "cache"
        asked.append(allow_patterns)
        if safe:
            (tmp_path / "model.safetensors").touch()
        return str(tmp_path)

    monkeypatch.setattr(hub, "snapshot_download", download)
    assert hub.fetch("openai/clip-vit-base-patch32", pickled=True, cache=tmp_path / "cache") == str(tmp_path)
    assert [hub.PICKLED in patterns for patterns in asked] == ([False] if safe else [False, True])
