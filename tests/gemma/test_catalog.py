from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.gemma import catalog


def test_the_hub_types_name_googles_repositories() -> None:
    assert catalog.resolve("gemma3_12b").source == "google/gemma-3-12b-it"
    assert catalog.spec("gemma3_4b", "nf4").quantization == "nf4"
    assert catalog.resolve("google/gemma-3-12b-it").name == "gemma3_12b"
    assert "licence" in catalog.card("gemma3_27b")


def test_embedded_is_another_model_for_each_purpose() -> None:
    assert catalog.resolve("embedded").name == "embedded"
    assert {catalog.CHECKPOINTS[name].purpose for name in catalog.EMBEDDED.values()} == set(catalog.EMBEDDED)


def test_equal_names_and_folders_share_one_spec(tiny_gemma3: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_gemma3.parent)
    assert catalog.spec(tiny_gemma3.name) == catalog.spec(str(tiny_gemma3))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(StudioError, match="'gemma9'") as caught:
        catalog.resolve("gemma9")
    assert all(name in caught.value.todo for name in catalog.MODEL_TYPES)


def test_an_empty_name_is_not_the_current_folder() -> None:
    with pytest.raises(StudioError, match="neither"):
        catalog.resolve(" ")


@pytest.mark.parametrize("content", ["not json", "[]", "{}"])
def test_a_damaged_configuration_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(StudioError, match="cannot be read"):
        catalog.resolve(str(tmp_path))


def test_a_folder_without_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"config\.json is missing"):
        catalog.resolve(str(tmp_path))


def test_a_missing_checkpoint_has_a_problem_and_one_on_the_hub_has_none(tiny_gemma3: Path, tmp_path: Path) -> None:
    assert "config.json is missing" in catalog.problem(catalog.Checkpoint("a", str(tmp_path), "A"))
    assert catalog.problem(catalog.Checkpoint("b", str(tiny_gemma3), "B")) == ""
    assert catalog.problem(catalog.CHECKPOINTS["gemma3_4b"]) == ""


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody-here/gemma"])
def test_any_text_may_be_asked_for(name: str) -> None:
    with pytest.raises(StudioError, match="neither"):
        catalog.resolve(name)


def test_another_kind_of_model_is_refused(tiny_gemma3_text: Path) -> None:
    with pytest.raises(StudioError, match="'gemma3_text' model"):
        catalog.resolve(str(tiny_gemma3_text))


def test_a_card_is_read_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gemma3"}))
    with pytest.raises(StudioError, match="no card"):
        catalog.card(str(tmp_path))
    (tmp_path / "README.md").write_text("# Warmth judge – höflich", encoding="utf-8")
    assert catalog.card(str(tmp_path)) == "# Warmth judge – höflich"
