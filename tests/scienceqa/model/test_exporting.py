from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import Gemma3ForCausalLM

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.gemma import languages
from studio.scienceqa.config import ExportBundleConfig
from studio.scienceqa.model import bundle, exporting
from studio.scienceqa.model.exporting import run
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.loading import load
from studio.scienceqa.model.source import Source
from tests import checkpoints
from tests.scienceqa import tiny

CPU = torch.device("cpu")
Asked = Callable[[GemmaClip], Tensor]
House = Callable[[str], Context]


def exported(house: House, folder: Path, target: Path, layout: str) -> list[Event]:
    config = ExportBundleConfig(bundle=str(folder), layout=layout, output_path=target)  # type: ignore[arg-type]
    return list(run(config, house("job")))


def test_a_merged_model_answers_as_the_one_with_adapters(
    tiny_folder: Path, tmp_path: Path, house: House, asked: Asked, model: GemmaClip
) -> None:
    events = exported(house, tiny_folder, tmp_path / "merged", "merged")
    assert [event.done for event in events] == [0, 1, 2, 3, 4]
    assert events[-1].note.startswith("Merged; logits differ by") and events[-1].artifacts == {
        "bundle": str(tmp_path / "merged")
    }
    again = load(Source(bundle=str(tmp_path / "merged")).spec(), CPU)
    assert not hasattr(again.language, "merge_and_unload") and again.info.adapter is None
    assert exporting.compare(asked(model), asked(again)).size < 0.03
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith((".merged", "merged"))) == ["merged"]


def test_a_merged_language_model_is_a_plain_checkpoint_in_bfloat16(
    tiny_folder: Path, tmp_path: Path, house: House
) -> None:
    exported(house, tiny_folder, tmp_path / "merged", "merged")
    place = tmp_path / "merged/base/language"
    assert {tensor.dtype for tensor in load_file(place / "model.safetensors").values()} == {torch.bfloat16}
    _, report = Gemma3ForCausalLM.from_pretrained(place, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    assert languages.load_tokenizer(str(place), "x").encode("magnet", add_special_tokens=False)


def test_what_came_out_of_a_multimodal_checkpoint_is_saved_under_its_own_names(tmp_path: Path, house: House) -> None:
    vision = tiny.save_vision(tmp_path / "vision")
    multimodal = checkpoints.save_gemma3(tmp_path / "multimodal", window=512)
    model = load(Source(vision=str(vision), language=str(multimodal)).spec(), CPU)
    bundle.save(model, tmp_path / "bundle")
    exported(house, tmp_path / "bundle", tmp_path / "merged", "merged")
    names = load_file(tmp_path / "merged/base/language/model.safetensors")
    assert all(name.startswith("model.") and "language_model" not in name for name in names)


def test_a_merge_that_goes_wrong_is_told(
    tiny_folder: Path, tmp_path: Path, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(model: GemmaClip) -> None:
        model.language = model.language.unload()

    monkeypatch.setattr(exporting, "merge", forget)
    with pytest.raises(StudioError, match="answers otherwise"):
        exported(house, tiny_folder, tmp_path / "merged", "merged")
    assert not (tmp_path / "merged").exists()


def test_a_bundle_is_not_written_over_itself_or_over_anything_else(
    tiny_folder: Path, tmp_path: Path, house: House
) -> None:
    with pytest.raises(StudioError, match="over itself"):
        exported(house, tiny_folder, tiny_folder, "seed")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cat.jpg").write_text("")
    with pytest.raises(StudioError, match=r"holds cat\.jpg"):
        exported(house, tiny_folder, tmp_path / "photos", "merged")


def test_stopping_leaves_nothing(tiny_folder: Path, tmp_path: Path, house: House) -> None:
    config = ExportBundleConfig(bundle=str(tiny_folder), output_path=tmp_path / "merged")
    context = house("job")
    events = run(config, context)
    next(events)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert not [path for path in tmp_path.iterdir() if "merged" in path.name]
    assert all(each.holders == 0 for each in context.models.loaded())


def seed_parts(tiny_folder: Path, folder: Path) -> Path:
    """What gemmaclip's script leaves, made by what it calls: torch.save, PEFT, and a tokenizer with one more token."""
    towers_of = {which: tiny_folder / place for which, place in bundle.TOWERS.items()}
    folder.mkdir()
    language: Any = Gemma3ForCausalLM.from_pretrained(towers_of["language"])
    tokenizer = languages.load_tokenizer(str(towers_of["language"]), "x")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    language.resize_token_embeddings(len(tokenizer))
    from peft import LoraConfig, get_peft_model

    from studio.gemma.adapters import _quiet

    torch.manual_seed(1)
    with _quiet():
        language = get_peft_model(
            language, LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM")
        )
    for name, weight in language.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, 0, 0.1)
    language.save_pretrained(folder / "lora_adapter", save_embedding_layers=True)
    tokenizer.save_pretrained(folder / "tokenizer")
    net = torch.nn.Module()
    net.net = torch.nn.Sequential(torch.nn.Linear(32, 48), torch.nn.GELU(), torch.nn.Linear(48, 64))
    torch.save(net.state_dict(), folder / "projector.pt")
    return folder


def source_of(folder: Path, tiny_folder: Path) -> Source:
    return Source(
        vision=str(tiny_folder / "base/vision"), language=str(tiny_folder / "base/language"),
        projector=str(folder / "projector.pt"), adapter=str(folder / "lora_adapter"),
        tokenizer=str(folder / "tokenizer"),
    )  # fmt: skip


def test_the_seeds_parts_are_read(tiny_folder: Path, tmp_path: Path, asked: Asked, picture: Any) -> None:
    folder = seed_parts(tiny_folder, tmp_path / "outputs")
    assert any("embed_tokens" in name for name in load_file(folder / "lora_adapter/adapter_model.safetensors"))
    model = load(source_of(folder, tiny_folder).spec(), CPU)
    assert model.views == tiny.PAD and model.tokens_per_view == 17 and model.info.template == "seed"
    assert "middle square" in model.info.notes[0]
    net = torch.load(folder / "projector.pt", weights_only=True)
    features = model.features(model.cut(picture).tiles)
    plain = torch.nn.functional.gelu(features @ net["net.0.weight"].T + net["net.0.bias"])
    assert torch.allclose(model.soft(features), plain @ net["net.2.weight"].T + net["net.2.bias"], atol=1e-5)
    with model.language.disable_adapter():
        bare = asked(model)
    assert not torch.allclose(bare, asked(model), atol=1e-3)


def test_the_seeds_folder_is_a_bundle_and_says_so(tiny_folder: Path, tmp_path: Path) -> None:
    folder = seed_parts(tiny_folder, tmp_path / "outputs")
    info = bundle.describe(folder)
    assert (info.vision, info.vision_layer, info.keep_cls) == ("openai/clip-vit-large-patch14-336", -1, True)
    assert info.language == str(tiny_folder / "base/language") and info.name == "outputs"
    assert info.text_rms is None and info.views is None and info.notes


def test_an_adapter_of_the_multimodal_model_fits_its_language_model(
    tiny_folder: Path, tmp_path: Path, asked: Asked
) -> None:
    from safetensors.torch import save_file

    folder = seed_parts(tiny_folder, tmp_path / "outputs")
    expected = asked(load(source_of(folder, tiny_folder).spec(), CPU))
    place = folder / "lora_adapter/adapter_model.safetensors"
    renamed = {
        name.replace("model.model.layers", "model.model.language_model.layers"): tensor
        for name, tensor in load_file(place).items()
    }
    idle = "base_model.model.model.vision_tower.encoder.layers.0.self_attn.q_proj.lora_A.weight"
    save_file({**renamed, idle: torch.zeros(2, 48)}, place)
    assert torch.equal(asked(load(source_of(folder, tiny_folder).spec(), CPU)), expected)


def test_a_projector_that_runs_code_is_refused(tiny_folder: Path, tmp_path: Path) -> None:
    folder = seed_parts(tiny_folder, tmp_path / "outputs")
    torch.save({"net.0.weight": Path("x")}, folder / "projector.pt")
    with pytest.raises(StudioError, match="cannot be read"):
        load(source_of(folder, tiny_folder).spec(), CPU)


def test_the_seeds_layout_is_written_and_is_the_same_model(
    tiny_folder: Path, tmp_path: Path, house: House, asked: Asked, model: GemmaClip
) -> None:
    events = exported(house, tiny_folder, tmp_path / "seed", "seed")
    assert "cannot run it" in events[-1].note and "prompts of the studio's own" in events[-1].note
    found = sorted(path.name for path in (tmp_path / "seed").iterdir())
    assert found == ["gemma-clip.json", "lora_adapter", "projector.pt", "tokenizer"]
    assert "<image>" in languages.load_tokenizer(str(tmp_path / "seed/tokenizer"), "x").get_vocab()
    again = load(Source(bundle=str(tmp_path / "seed")).spec(), CPU)
    assert torch.equal(asked(again), asked(model))


def test_what_came_from_the_seed_goes_back_to_it(tiny_folder: Path, tmp_path: Path, house: House, asked: Asked) -> None:
    folder = seed_parts(tiny_folder, tmp_path / "outputs")
    model = load(source_of(folder, tiny_folder).spec(), CPU)
    bundle.save(model, tmp_path / "bundle")
    events = exported(house, tmp_path / "bundle", tmp_path / "back", "seed")
    assert events[-1].note == "Written."
    before, after = (torch.load(each / "projector.pt", weights_only=True) for each in (folder, tmp_path / "back"))
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    for name in ("gemma-clip.json",):
        (tmp_path / "back" / name).unlink()
    assert torch.equal(asked(load(source_of(tmp_path / "back", tiny_folder).spec(), CPU)), asked(model))


def test_parts_of_a_bundle_are_read_with_what_it_says(
    tiny_folder: Path, tmp_path: Path, asked: Asked, model: GemmaClip
) -> None:
    parts = Source(
        vision="not/asked", language="not/asked", projector=str(tiny_folder / "projector.safetensors"),
        adapter=str(tiny_folder / "lora_adapter"),
    )  # fmt: skip
    assert torch.equal(asked(load(parts.spec(), CPU)), asked(model))
    shutil.copy(tiny_folder / "projector.safetensors", tmp_path)
    with pytest.raises(StudioError, match="is not beside"):
        load(Source(projector=str(tmp_path / "projector.safetensors")).spec(), CPU)
