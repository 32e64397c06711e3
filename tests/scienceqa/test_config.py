"""What the configurations of the science tasks make of what they are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.scienceqa.config import DataConfig, EvaluateScienceqaConfig, TrainScienceqaConfig


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
