"""What the configurations of the science tasks make of what they are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.config import validate
from studio.scienceqa.config import (
    AskConfig,
    DataConfig,
    EvaluateScienceqaConfig,
    ExportBundleConfig,
    TrainScienceqaConfig,
)


@pytest.mark.parametrize("config", [DataConfig, EvaluateScienceqaConfig, TrainScienceqaConfig])
def test_a_path_of_data_is_absolute_and_a_name_of_the_hub_stays(
    config: type[DataConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "set").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "data")
    monkeypatch.setenv("HOME", str(tmp_path))
    for given in ("set", "./set", "~/data/set", str(tmp_path / "data" / "set")):
        assert config(data=given).data == str(tmp_path / "data" / "set")
    for given in ("derek-thomas/ScienceQA", "gone", "a\0b", "x" * 5000):
        assert config(data=given).data == given


@pytest.mark.parametrize("field", ["bundle", "llm_name", "vision_name"])
@pytest.mark.parametrize("config", [AskConfig, EvaluateScienceqaConfig, TrainScienceqaConfig])
def test_so_is_that_of_a_model_except_the_embedded_one(
    config: Any, field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("mine", "embedded"):
        Path(folder).mkdir()
    needed = {name: "what" for name, one in config.model_fields.items() if one.is_required()}
    for given, kept in {"mine": str(tmp_path / "mine"), "embedded": "embedded", "google/gemma-3-4b-it": None}.items():
        assert getattr(validate(config, {**needed, field: given}), field) == (kept or given)
    assert ExportBundleConfig(bundle="mine").bundle == str(tmp_path / "mine")
