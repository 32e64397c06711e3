from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from tensorboardX.proto.event_pb2 import Event as Noted
from transformers import AutoModelForCausalLM, AutoTokenizer

from studio.config import validate
from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.palette import generation
from studio.palette.config import PaletteConfig, TrainPaletteConfig
from studio.palette.prompt import prompt
from studio.palette.training import trainer
from studio.tasks import Studio
from studio.training import checkpoint
from tests.palette import tiny

VALUES: dict[str, Any] = {
    "num_train_epochs": 2, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 2, "learning_rate": 5e-3,
    "lora_r": 4, "validation_share": 0.2, "eval_steps": 3, "save_steps": 2, "samples": "fresh greens; ocean",
}  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("base"), tiny.pairs(), num_hidden_layers=2)


def events(studio: Studio, folder: Path, base: Path, table: Path, **values: Any) -> Iterator[Event]:
    folder.mkdir(exist_ok=True)
    given = {"data": table, "model": str(base), "output_dir": folder / "out", **VALUES, **values}
    return trainer.run(
        validate(TrainPaletteConfig, given), Context(folder, studio.models, studio.cache, studio.settings)
    )


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")  # PEFT asks by the old name
def test_a_run_leaves_a_model_that_libraries_load(studio: Studio, tmp_path: Path, base: Path, table: Path) -> None:
    seen = list(events(studio, tmp_path / "job", base, table))
    last, folder = seen[-1], tmp_path / "job"
    steps = [event for event in seen if "loss" in event.metrics]
    assert len(steps) == 8 and last.done == last.total == 9 and "Finished" in last.note
    assert "2 rows are passed over, such as row 18: It has 3 colours" in " ".join(event.note for event in seen)
    assert [one["row"] for one in lines(folder / "rejected.jsonl")] == [18, 19]
    looks = [line for line in lines(folder / "history.jsonl") if line.get("looked")]
    assert [line["step"] for line in looks] == [0, 3, 6, 8]
    assert all(len(line["samples"]["fresh greens"]) == 4 and "ocean" in line["samples"] for line in looks)
    assert last.metrics["best_loss"] == min(line["validation_loss"] for line in looks) < looks[0]["validation_loss"]
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["000006", "000008"]
    whole: Any = AutoModelForCausalLM.from_pretrained(folder / "out")
    plain: Any = AutoModelForCausalLM.from_pretrained(base)
    adapted: Any = PeftModel.from_pretrained(plain, str(folder / "out" / "adapter"))
    ids = AutoTokenizer.from_pretrained(folder / "out")(prompt("ocean"), return_tensors="pt").input_ids
    bare = AutoModelForCausalLM.from_pretrained(base)(ids).logits
    assert torch.allclose(whole(ids).logits, adapted(ids).logits, atol=1e-4)
    assert not torch.allclose(whole(ids).logits, bare, atol=1e-2)
    assert "validation loss" in (folder / "out" / "README.md").read_text("utf-8")


def test_the_model_and_its_adapter_make_the_same_palettes(
    studio: Studio, tmp_path: Path, base: Path, table: Path
) -> None:
    *_, last = events(studio, tmp_path / "job", base, table)
    context = Context(tmp_path, studio.models, studio.cache, studio.settings)
    found = []
    for model in (tmp_path / "job" / "out", tmp_path / "job" / last.artifacts["best"], base):
        config = validate(PaletteConfig, {"description": "ocean", "model": str(model), "count": 1, "temperature": 0})
        *_, made = generation.run(config, context)
        found.append(json.loads((tmp_path / made.artifacts["palettes"]).read_text("utf-8"))["lines"][0])
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("stop", [1, 3, 4])
def test_stopped_and_resumed_is_unbroken(studio: Studio, tmp_path: Path, base: Path, table: Path, stop: int) -> None:
    unbroken = [
        event.metrics["loss"] for event in events(studio, tmp_path / "a", base, table) if "loss" in event.metrics
    ]
    first, work = [], events(studio, tmp_path / "b", base, table)
    for event in work:
        if "loss" in event.metrics:
            first.append(event.metrics["loss"])
            if len(first) == stop:
                break
    work.close()  # type: ignore[attr-defined]
    assert (tmp_path / "b" / "last" / "adapter_model.safetensors").is_file()
    torch.rand(3)  # what others draw meanwhile does not matter
    rest = [event.metrics["loss"] for event in events(studio, tmp_path / "b", base, table) if "loss" in event.metrics]
    assert first + rest == unbroken
    for name in ("best", "last"):
        one, other = (load_file(tmp_path / job / name / "adapter_model.safetensors") for job in ("a", "b"))
        assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
    told = [lines(tmp_path / job / "history.jsonl") for job in ("a", "b")]
    for line in (*told[0], *told[1]):
        for measured in ("tokens_per_second", "memory"):
            line.pop(measured, None)
    assert told[0] == told[1]


def test_tensorboard_shows_every_step_once(studio: Studio, tmp_path: Path, base: Path, table: Path) -> None:
    work = events(studio, tmp_path / "job", base, table)
    while "loss" not in next(work).metrics:
        pass
    work.close()  # type: ignore[attr-defined]
    list(events(studio, tmp_path / "job", base, table))
    noted = [event for path in sorted((tmp_path / "job" / "tensorboard").iterdir()) for event in _noted(path)]
    steps = [event.step for event in noted for value in event.summary.value if value.tag == "loss"]
    assert steps == list(range(1, 9))
    assert {"validation_loss", "learning_rate", "fresh greens/text_summary"} <= {
        value.tag for event in noted for value in event.summary.value
    }


def _noted(path: Path) -> Iterator[Any]:
    """Read an event file: records of length, checksum, protobuf, checksum."""
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        yield Noted.FromString(data[12 : 12 + length])
        data = data[16 + length :]


def test_a_changed_table_is_not_resumed(studio: Studio, tmp_path: Path, base: Path, table: Path) -> None:
    work = events(studio, tmp_path / "job", base, table)
    while "loss" not in next(work).metrics:
        pass
    work.close()  # type: ignore[attr-defined]
    table.write_text(table.read_text("utf-8").replace("navy", "red"), "utf-8")
    with pytest.raises(StudioError, match="changed since this run began"):
        list(events(studio, tmp_path / "job", base, table))


def test_without_validation_the_last_step_counts(studio: Studio, tmp_path: Path, base: Path, table: Path) -> None:
    *_, last = events(studio, tmp_path / "job", base, table, validation_share=0, num_train_epochs=0.5, samples="")
    assert "nothing to validate on" in last.note and "best_loss" not in last.metrics
    best, final = (load_file(tmp_path / "job" / name / "adapter_model.safetensors") for name in ("best", "last"))
    assert all(torch.equal(best[key], final[key]) for key in best) and last.metrics["best_step"] == last.done - 1


def test_bad_input_is_refused_before_the_model_is_loaded(
    studio: Studio, tmp_path: Path, base: Path, table: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    for values, why in (
        ({"output_dir": tmp_path / "full"}, "holds something other than a palette model"),
        ({"data": tmp_path / "none.csv"}, "cannot be read"),
        ({"samples": "x" * 301}, "is longer than 300 characters"),
    ):
        with pytest.raises(StudioError, match=why):
            list(events(studio, tmp_path / "job", base, table, **values))
    assert not studio.models.loaded() and (tmp_path / "full" / "thesis.txt").read_text() == "mine"


def test_a_kill_costs_no_more_than_the_interval(
    studio: Studio, tmp_path: Path, base: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "INTERVAL", 0.0)
    monkeypatch.setattr(checkpoint, "_SHARE", float("inf"))
    work = events(studio, tmp_path / "job", base, table)
    while next(work).done < 3:
        pass
    kept = (tmp_path / "job" / checkpoint.FILE).read_bytes()
    work.close()  # type: ignore[attr-defined]
    (tmp_path / "job" / checkpoint.FILE).write_bytes(kept)  # as if nobody had had the time to say goodbye
    rest = [event.done for event in events(studio, tmp_path / "job", base, table) if "loss" in event.metrics]
    assert rest == list(range(4, 9))
