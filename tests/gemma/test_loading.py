from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError
from safetensors.torch import load_file, save_file

from studio.errors import StudioError
from studio.gemma.hub import explain
from studio.gemma.loading import Gemma3, load_gemma3
from studio.models import ModelSpec

CPU = torch.device("cpu")


@pytest.fixture
def broken(tiny_gemma3: Path, tmp_path: Path) -> Path:
    """A copy of a checkpoint, to be broken."""
    return Path(shutil.copytree(tiny_gemma3, tmp_path / "broken"))


def test_a_bundle_is_frozen_float32_and_measured(tiny_bundle: Gemma3) -> None:
    assert tiny_bundle.dtype == torch.float32
    assert (tiny_bundle.image_size, tiny_bundle.tokens_per_image) == (56, 16)
    assert not tiny_bundle.model.training
    assert not any(weight.requires_grad for weight in tiny_bundle.model.parameters())
    assert tiny_bundle.nbytes > 4 * sum(weight.numel() for weight in tiny_bundle.model.parameters())
    assert tiny_bundle.model.config._attn_implementation == "sdpa"


def test_both_processor_layouts_load(tiny_bundle: Gemma3, tiny_bundle_hub: Gemma3) -> None:
    one, other = tiny_bundle.processor, tiny_bundle_hub.processor
    assert one.image_seq_length == other.image_seq_length == 16
    assert one.chat_template == other.chat_template


def test_a_dtype_can_be_asked_for(tiny_gemma3: Path) -> None:
    bundle = load_gemma3(ModelSpec("gemma3", str(tiny_gemma3), dtype="bfloat16"), CPU)
    assert bundle.dtype == torch.bfloat16
    with pytest.raises(StudioError, match="'nonsense'"):
        load_gemma3(ModelSpec("gemma3", str(tiny_gemma3), dtype="nonsense"), CPU)


@pytest.mark.parametrize("lost", ["mm_input_projection_weight", "layers.3.self_attn.q_proj.weight", "embed_tokens"])
def test_missing_weights_are_refused(broken: Path, lost: str) -> None:
    weights = load_file(broken / "model.safetensors")
    kept = {name: weight for name, weight in weights.items() if lost not in name}
    assert len(kept) < len(weights)
    save_file(kept, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(StudioError, match="lacks"):
        load_gemma3(ModelSpec("gemma3", str(broken)), CPU)


def test_weights_of_another_shape_are_refused(broken: Path) -> None:
    config = json.loads((broken / "config.json").read_text())
    config["text_config"]["intermediate_size"] *= 2
    (broken / "config.json").write_text(json.dumps(config))
    with pytest.raises(StudioError, match="cannot be loaded"):
        load_gemma3(ModelSpec("gemma3", str(broken)), CPU)


def test_truncated_weights_are_refused(broken: Path) -> None:
    path = broken / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(StudioError, match="cannot be loaded"):
        load_gemma3(ModelSpec("gemma3", str(broken)), CPU)


def test_pickled_weights_are_not_read(broken: Path) -> None:
    torch.save(load_file(broken / "model.safetensors"), broken / "pytorch_model.bin")
    (broken / "model.safetensors").unlink()
    with pytest.raises(StudioError, match="cannot be loaded"):
        load_gemma3(ModelSpec("gemma3", str(broken)), CPU)


def test_a_checkpoint_that_is_not_here_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(StudioError, match="cannot be reached") as caught:
        load_gemma3(ModelSpec("gemma3", "google/gemma-3-4b-it"), CPU)
    assert "folder" in caught.value.todo


def _raised(inner: Exception) -> Exception:
    outer = OSError("transformers says something long")
    outer.__cause__ = inner
    return outer


def test_reasons_are_told_apart() -> None:
    response: Any = httpx.Response(403, request=httpx.Request("GET", "https://huggingface.co/x"))
    gated = explain(_raised(GatedRepoError("gated", response=response)), "google/gemma-3-4b-it")
    assert "not been granted" in gated.what
    assert "hf auth login" in gated.todo
    assert "cannot be reached" in explain(_raised(LocalEntryNotFoundError("gone")), "google/gemma-3-4b-it").what
    assert "cannot be loaded: odd" in explain(ValueError("odd.\nand more"), "folder").what


def test_running_out_of_memory_is_left_to_the_manager(tiny_gemma3: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 8 GiB")

    monkeypatch.setattr("transformers.AutoModelForImageTextToText.from_pretrained", exhaust)
    with pytest.raises(torch.OutOfMemoryError):
        load_gemma3(ModelSpec("gemma3", str(tiny_gemma3)), CPU)


def test_an_unknown_quantization_is_refused(tiny_gemma3: Path) -> None:
    with pytest.raises(StudioError, match="'int3'"):
        load_gemma3(ModelSpec("gemma3", str(tiny_gemma3), quantization="int3"), CPU)


def test_four_bits_without_bitsandbytes_says_how_to_install(tiny_gemma3: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(StudioError, match="pip install bitsandbytes"):
        load_gemma3(ModelSpec("gemma3", str(tiny_gemma3), quantization="nf4"), CPU)
