from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPModel, CLIPVisionModel, Gemma3ForConditionalGeneration

from studio.context import Context
from studio.errors import StudioError
from studio.gemma import adapters, languages
from studio.scienceqa.model import bundle, towers
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.loading import choose_quantization, load
from studio.scienceqa.model.source import Source
from tests import checkpoints
from tests.scienceqa import tiny

CPU = torch.device("cpu")
Asked = Callable[[GemmaClip], Tensor]


@pytest.fixture
def copied(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny bundle, to be broken."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "copied"))


def loaded(folder: Path, **options: Any) -> GemmaClip:
    return load(Source(bundle=str(folder)).spec(**options), CPU)


def rewrite(path: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> None:
    save_file(change(load_file(path)), path, metadata={"format": "pt"})


def forget_towers(folder: Path) -> None:
    """Let a bundle accept other towers than it was trained with."""
    path = folder / bundle.FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "fingerprints": {}}))


def test_a_model_is_frozen_and_in_eval_mode(model: GemmaClip) -> None:
    for part in (model.vision, model.projector, model.language):
        assert not part.training and not any(weight.requires_grad for weight in part.parameters())
    assert model.language.get_base_model().config._attn_implementation == "sdpa"
    assert model.device == CPU


def test_a_new_model_measures_the_size_of_text_and_cuts_in_tiles(tmp_path: Path) -> None:
    model = load(tiny.new_source(tmp_path).spec(), CPU)
    assert (model.views.kind, model.views.size, model.info.vision_layer) == ("tiles", 32, -2)
    embedded = model.language.get_input_embeddings()(torch.arange(300, 400))
    assert model.info.text_rms == pytest.approx(float(embedded.square().mean().sqrt()), rel=0.1)
    raw = model.language.get_input_embeddings().weight  # not yet multiplied by the square root of its width
    assert model.info.text_rms == pytest.approx(8 * float(raw.square().mean().sqrt()), rel=0.1)
    assert set(model.info.fingerprints) == {"vision", "language"}


def test_no_token_is_added_and_no_embedding_resized(model: GemmaClip, tiny_folder: Path) -> None:
    rows = model.language.get_input_embeddings().num_embeddings
    assert rows == json.loads((tiny_folder / "base/language/config.json").read_text())["vocab_size"]
    assert all("lora_" in name for name in load_file(tiny_folder / "lora_adapter/adapter_model.safetensors"))


def test_the_layer_that_is_read_is_the_one_that_is_named(model: GemmaClip, picture: Any) -> None:
    tiles = model.cut(picture).tiles
    states = model.vision(torch.zeros(1, 3, 32, 32), output_hidden_states=True)
    assert torch.equal(states.hidden_states[-1], states.last_hidden_state)
    assert model.features(tiles).shape == (2, 16, 32)
    info = replace(model.info, vision_layer=-1, keep_cls=True)
    other = GemmaClip(model.vision, model.projector, model.language, model.tokenizer, info)
    assert other.features(tiles).shape == (2, 17, 32)
    assert other.feature_key != model.feature_key
    assert not torch.allclose(other.features(tiles)[:, 1:], model.features(tiles))


def test_features_are_those_of_the_checkpoints_own_processor(model: GemmaClip) -> None:
    from PIL import Image
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    noise = torch.randint(0, 256, (32, 32, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    tile = Image.fromarray(noise.numpy())
    pixels = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=32)(tile, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        theirs = model.vision(pixels, output_hidden_states=True).hidden_states[-2][:, 1:]
    assert torch.allclose(model.features([tile]), theirs, atol=1e-5)


@pytest.mark.parametrize("prefix", ["", "vision_model."])
def test_a_bare_vision_tower_loads_under_both_its_names(tmp_path: Path, prefix: str) -> None:
    folder = tiny.save_vision(tmp_path / "vision")
    rewrite(folder / "model.safetensors", lambda found: {
        prefix + name.removeprefix("vision_model."): tensor for name, tensor in found.items()
    })  # fmt: skip
    again = towers.load_vision(str(folder), "x", "auto", CPU)
    other = CLIPVisionModel.from_pretrained(tiny.save_vision(tmp_path / "other"))
    assert all(torch.equal(one, two) for one, two in zip(again.parameters(), other.parameters(), strict=True))


def test_the_tower_of_a_whole_clip_loads_alone_with_its_numbers(tmp_path: Path) -> None:
    folder = checkpoints.save_clip(tmp_path / "clip")
    whole = CLIPModel.from_pretrained(folder)
    alone = towers.load_vision(str(folder), "x", "auto", CPU)
    pixels = torch.randn(1, 3, 56, 56, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(alone(pixels).last_hidden_state, whole.vision_model(pixels).last_hidden_state)
    mean, std = towers.normalisation(str(folder)) or ((), ())
    assert mean == pytest.approx(bundle.BundleInfo.mean) and std == pytest.approx(bundle.BundleInfo.std)
    assert towers.normalisation(str(tiny.save_vision(tmp_path / "bare"))) is None


def test_pickled_clip_weights_are_read_as_tensors_alone(tmp_path: Path) -> None:
    folder = tiny.save_vision(tmp_path / "vision")
    expected = towers.load_vision(str(folder), "x", "auto", CPU)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    again = towers.load_vision(str(folder), "x", "auto", CPU)
    assert all(torch.equal(one, two) for one, two in zip(again.parameters(), expected.parameters(), strict=True))
    torch.save({"embeddings.class_embedding": Context}, folder / "pytorch_model.bin")
    with pytest.raises(StudioError, match="cannot be loaded"):
        towers.load_vision(str(folder), "x", "auto", CPU)


@pytest.mark.parametrize("prefix", ["language_model.model.", "model.language_model."], ids=["Hub", "newer"])
def test_the_language_model_of_a_multimodal_checkpoint_is_found(tmp_path: Path, prefix: str) -> None:
    folder = checkpoints.save_gemma3(tmp_path / "multimodal")
    ids = torch.tensor([[2, 5, 9, 300, 301]])
    whole = Gemma3ForConditionalGeneration.from_pretrained(folder)
    with torch.no_grad():
        expected = whole(input_ids=ids, token_type_ids=torch.zeros_like(ids)).logits
    place = folder / "model.safetensors"
    rewrite(place, lambda found: {name.replace("language_model.model.", prefix): found[name] for name in found})
    assert f"{prefix}norm.weight" in load_file(place)
    alone = languages.load_language(str(folder), "x", "auto", "none", True, CPU)
    assert type(alone).__name__ == "Gemma3ForCausalLM"
    with torch.no_grad():
        assert torch.equal(alone(input_ids=ids).logits, expected)


@pytest.mark.parametrize("lost", ["layers.3.self_attn.q_proj.weight", "embed_tokens.weight", "model.norm.weight"])
@pytest.mark.parametrize("save", [checkpoints.save_gemma3, tiny.save_language])
def test_a_language_model_that_lacks_one_key_is_refused(tmp_path: Path, lost: str, save: Any) -> None:
    place = save(tmp_path / "language") / "model.safetensors"
    count = len(load_file(place))
    rewrite(place, lambda found: {name: tensor for name, tensor in found.items() if not name.endswith(lost)})
    assert len(load_file(place)) == count - 1
    with pytest.raises(StudioError, match=r"lacks [12] of"):  # embeddings are the last layer, too
        languages.load_language(str(place.parent), "x", "auto", "none", True, CPU)


def test_a_vision_tower_that_lacks_one_key_is_refused(tmp_path: Path) -> None:
    folder = tiny.save_vision(tmp_path / "vision")
    rewrite(
        folder / "model.safetensors", lambda found: {n: t for n, t in found.items() if "layers.1.mlp.fc1.bias" not in n}
    )
    with pytest.raises(StudioError, match="lacks 1 of"):
        towers.load_vision(str(folder), "x", "auto", CPU)


def test_towers_of_another_kind_are_refused(tmp_path: Path) -> None:
    vision, language = tiny.save_vision(tmp_path / "vision"), tiny.save_language(tmp_path / "language")
    with pytest.raises(StudioError, match="'gemma3_text' model, not CLIP"):
        load(Source(vision=str(language), language=str(language)).spec(), CPU)
    with pytest.raises(StudioError, match="'clip_vision_model' model, not Gemma 3"):
        load(Source(vision=str(vision), language=str(vision)).spec(), CPU)
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudioError, match="cannot be read"):
        load(Source(vision=str(vision), language=str(tmp_path / "empty")).spec(), CPU)


def test_a_configuration_that_cannot_be_read_is_a_sentence(copied: Path) -> None:
    path = copied / "base/language/config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "num_hidden_layers": "six"}))
    with pytest.raises(StudioError, match="cannot be loaded"):
        loaded(copied)


def test_a_name_that_is_nowhere_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(StudioError, match="cannot be reached"):
        load(Source(vision="openai/clip-vit-large-patch14-336", language="google/gemma-3-4b-it").spec(), CPU)


def test_another_base_than_it_was_trained_with_is_refused(copied: Path) -> None:
    place = copied / "base/language/model.safetensors"
    rewrite(place, lambda found: {name: tensor * 1.001 for name, tensor in found.items()})
    with pytest.raises(StudioError, match=r"language model .* is not the one that tiny was trained with"):
        loaded(copied)


def test_a_projector_that_does_not_fit_is_refused(copied: Path) -> None:
    place = copied / bundle.PROJECTOR
    rewrite(place, lambda found: {name: tensor for name, tensor in found.items() if name != "gain"})
    with pytest.raises(StudioError, match="does not fit between"):
        loaded(copied)
    place.write_bytes(b"\x80\x04")
    with pytest.raises(StudioError, match="cannot be read"):
        loaded(copied)


def test_views_that_do_not_suit_the_tower_are_refused(copied: Path, tmp_path: Path) -> None:
    shutil.rmtree(copied / "base/vision")
    tiny.save_vision(copied / "base/vision", size=64)
    forget_towers(copied)
    with pytest.raises(StudioError, match="takes pictures of 64 pixels in 4 × 4 patches"):
        loaded(copied)
    with pytest.raises(StudioError, match="has 3 layers, and none is -9"):
        load(tiny.new_source(tmp_path / "new", vision_layer=-9).spec(), CPU)


def test_pictures_may_be_cut_otherwise_than_the_bundle_says(tiny_folder: Path) -> None:
    padded = load(Source(bundle=str(tiny_folder), views="pad").spec(), CPU)
    assert padded.views == tiny.PAD
    assert load(Source(bundle=str(tiny_folder), views="tiles").spec(), CPU).views == tiny.TILES


@pytest.mark.parametrize("change", ["missing", "wider", "foreign"])
def test_an_adapter_that_does_not_fit_is_refused(copied: Path, change: str) -> None:
    place = copied / "lora_adapter/adapter_model.safetensors"

    def spoil(found: dict[str, Tensor]) -> dict[str, Tensor]:
        first = sorted(found)[0]
        rest = {name: tensor for name, tensor in found.items() if name != first}
        if change == "missing":
            return rest
        return {**rest, first: torch.zeros(4, 7)} if change == "wider" else {"visual.lora_A.weight": torch.zeros(4, 7)}

    rewrite(place, spoil)
    with pytest.raises(StudioError, match="no LoRA adapter" if change == "foreign" else "does not fit the language"):
        loaded(copied)


def test_an_adapter_that_cannot_be_read_is_refused(copied: Path) -> None:
    (copied / "lora_adapter/adapter_model.safetensors").rename(copied / "lora_adapter/adapter_model.bin")
    with pytest.raises(StudioError, match="cannot be read"):
        loaded(copied)


def test_the_adapter_matters_and_new_ones_begin_as_nothing(tiny_folder: Path, model: GemmaClip, asked: Asked) -> None:
    with model.language.disable_adapter():
        bare = asked(model)
    assert not torch.allclose(bare, asked(model), atol=1e-3)
    language = languages.load_language(str(tiny_folder / "base/language"), "x", "auto", "none", True, CPU)
    fresh = GemmaClip(model.vision, model.projector, adapters.attach(language, 4, 8, 0.0), model.tokenizer, model.info)
    assert torch.equal(asked(fresh), bare)
    trained = {name for name, weight in fresh.language.named_parameters() if weight.requires_grad}
    assert len(trained) == 2 * 7 * 6 and all("lora_" in name for name in trained)
    assert adapters.attach(fresh.language, 64, 8, 0.0) is fresh.language


def test_quantization_is_chosen_by_device_and_size(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    language = str(tiny_folder / "base/language")
    cuda = torch.device("cuda")
    assert [choose_quantization(each, language, cuda) for each in ("none", "nf4", "auto")] == ["none", "nf4", "none"]
    monkeypatch.setattr("studio.gemma.languages.parameters", lambda _: 4_000_000_000)
    assert choose_quantization("auto", language, cuda) == "nf4"
    assert choose_quantization("auto", language, CPU) == "none"


def test_parameters_are_counted_without_loading(tiny_folder: Path, model: GemmaClip) -> None:
    weights = model.language.get_base_model().state_dict()
    count = sum(tensor.numel() for name, tensor in weights.items() if "lora_" not in name and "lm_head" not in name)
    assert languages.parameters(str(tiny_folder / "base/language")) == count


def test_flash_attention_is_for_cuda_in_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = torch.device("cuda")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if name == "flash_attn" else None)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda _: (8, 0))
    assert languages.attention(True, torch.bfloat16, cuda) == "flash_attention_2"
    assert languages.attention(False, torch.bfloat16, cuda) == "sdpa"
    assert languages.attention(True, torch.float32, cuda) == "sdpa"
    assert languages.attention(True, torch.bfloat16, CPU) == "sdpa"
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda _: (7, 5))
    assert languages.attention(True, torch.bfloat16, cuda) == "sdpa"


def test_large_files_are_told_apart_by_size_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "_WHOLE", 10)
    monkeypatch.setattr(languages, "_END", 4)
    place = tmp_path / "model.safetensors"

    def print_of(data: bytes) -> str:
        place.write_bytes(data)
        return languages.fingerprint(str(tmp_path))

    prints = {print_of(data) for data in (b"a" * 20, b"a" * 21, b"b" + b"a" * 19, b"a" * 19 + b"b", b"short")}
    assert len(prints) == 5
    assert print_of(b"a" * 20) in prints


def test_a_revision_is_the_hubs_commit() -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    assert languages.revision(f"/cache/models--a--b/snapshots/{commit}") == commit
    assert languages.revision("/home/me/models/gemma") == ""


@pytest.mark.parametrize("source", [
    Source(bundle="/a/b"), Source(bundle="embedded"), Source(bundle="/a/b", views="pad"),
    Source(vision="a/b", language="c/d", vision_layer=-1, flash=False),
])  # fmt: skip
def test_a_source_survives_the_managers_key(source: Source) -> None:
    spec = source.spec("nf4", "bfloat16")
    assert Source.of(spec) == source
    assert (spec.kind, spec.dtype, spec.quantization) == ("science", "bfloat16", "nf4")


def test_a_shared_lease_shares_and_training_leaves_no_adapter_behind(
    tiny_folder: Path, house: Callable[[str], Context], asked: Asked, model: GemmaClip
) -> None:
    models = house("job").models
    spec = Source(bundle=str(tiny_folder)).spec()
    with models.lease(spec) as one, models.lease(spec) as other:
        assert one is other
    with models.lease(spec, exclusive=True) as trained:
        with torch.no_grad():
            trained.projector.out.bias.add_(1)
        trained.language.add_adapter("second", trained.language.active_peft_config)
    with models.lease(spec) as again:
        assert again is not trained
        assert torch.equal(asked(again), asked(model))


def test_an_exclusive_lease_that_only_looks_keeps_the_model(
    tiny_folder: Path, house: Callable[[str], Context], asked: Asked
) -> None:
    models = house("job").models
    spec = Source(bundle=str(tiny_folder)).spec()
    with models.lease(spec, exclusive=True) as one:
        adapters.attach(one.language, 4, 8, 0.0)
        asked(one)
    with models.lease(spec) as other:
        assert one is other
        assert not any(weight.requires_grad for weight in other.language.parameters())
