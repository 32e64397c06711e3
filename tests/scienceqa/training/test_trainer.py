"""The run: it ends with bundles, learns, resumes exactly, stops within a step and holds nothing afterwards."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.scienceqa.answering.generation import Sampling, complete
from studio.scienceqa.config import TrainScienceqaConfig
from studio.scienceqa.model import bundle, choosing, prompts
from studio.scienceqa.model.source import Source
from studio.scienceqa.questions.pictures import open_picture
from studio.scienceqa.training.learner import Learner
from studio.scienceqa.training.trainer import run
from tests.scienceqa import tiny
from tests.scienceqa.training import lessons
from tests.scienceqa.training.lessons import changed, contents, history

House = Callable[[str], Context]
STEP = {"loss", "smoothed_loss", "learning_rate", "projector_learning_rate", "tokens_per_second", "memory"}


def finish(config: TrainScienceqaConfig, context: Context) -> list[Event]:
    return list(run(config, context))


def stop(config: TrainScienceqaConfig, context: Context, when: Callable[[Event], bool]) -> Event:
    """Close a run at the first event of a kind, and return that."""
    running = run(config, context)
    for event in running:
        if when(event):
            running.close()  # type: ignore[attr-defined]
            return event
    raise AssertionError("the run ended before")


def after(step: int) -> Callable[[Event], bool]:
    return lambda event: event.done == step and "loss" in event.metrics


def test_a_run_leaves_bundles_and_a_history(config: TrainScienceqaConfig, house: House) -> None:
    context = house("job")
    events = finish(config, context)
    steps = [event for event in events if "loss" in event.metrics]
    looks = [event for event in events if "accuracy" in event.metrics]
    assert [event.done for event in steps] == [1, 2, 3, 4, 5, 6] and {event.total for event in steps} == {7}
    assert all(set(event.metrics) == STEP for event in steps)
    assert [event.done for event in looks] == [0, 2, 4, 6]
    assert all("bundle" in event.artifacts for event in [*looks, *steps])  # however soon one stops
    lines = history(context)
    assert [line["loss"] for line in lines if "loss" in line] == [event.metrics["loss"] for event in steps]
    assert [line["accuracy"] for line in lines if "looked" in line] == [event.metrics["accuracy"] for event in looks]
    last = events[-1]
    best = max(looks, key=lambda event: (event.metrics["accuracy"], -event.metrics["validation_loss"]))
    assert last.metrics.items() > {"best_step": best.done, "best_accuracy": best.metrics["accuracy"]}.items()
    assert last.done == last.total and not any(event.done == event.total for event in events[:-1])
    assert set(last.artifacts) == {"bundle", "last", "history"} and str(config.output_dir) in last.note
    assert contents(context.folder / "bundle") == contents(config.output_dir)
    told = bundle.describe(config.output_dir)
    assert told.training["lora_r"] == 4 and told.answering == "letter" and told.name == "out"
    assert told.training["validation"]["accuracy"] == max(event.metrics["accuracy"] for event in looks)


@pytest.mark.parametrize("form", ["both", "letter"])
def test_the_form_that_is_not_validated_in_is_measured_at_the_end(
    config: TrainScienceqaConfig, house: House, form: str
) -> None:
    context = house("job")
    config = changed(config, answer_form=form, num_train_epochs=0.5)
    last = finish(config, context)[-1]
    assert ("behind reasoning of its own" in last.note) == ("reasoning_accuracy" in last.metrics) == (form == "both")
    if form == "letter":
        return
    asked = [one for one in lessons.questions(22, 6) if one.split == "val"]
    right = 0
    with context.models.lease(Source(bundle=str(context.folder / "last")).spec()) as model:
        lengths = [len(prompts.answer(model.tokenizer, one, "reasoning")) for one in asked]
        for one in asked:
            cut = model.cut(open_picture(one))
            given = [prompts.ask(model.tokenizer, one, cut.grid, "reasoning")], [model.features(cut.tiles)]
            (said,) = complete(model, *given, Sampling(2 * max(lengths)))
            words = model.tokenizer.encode(said.text.strip(), add_special_tokens=False)
            (chances,) = choosing.score(model, *given, [one.choices], reasoning=[words])
            right += chances.index(max(chances)) == one.answer
    assert last.metrics["reasoning_accuracy"] == right / 6


def test_it_learns_a_rule_from_pictures_it_has_not_seen(place: Path, tmp_path: Path, house: House) -> None:
    data = lessons.written(tmp_path / "more", lessons.questions(72, 24, seed=5))
    config = lessons.configure(
        place, data=str(data), output_dir=tmp_path / "out", answer_form="letter", learning_rate=1e-2,
        num_train_epochs=6, per_device_train_batch_size=12, gradient_accumulation_steps=1, eval_steps=36,
    )  # fmt: skip
    events = finish(config, house("job"))
    first, *_, last = [event.metrics for event in events if "accuracy" in event.metrics]
    losses = [event.metrics["loss"] for event in events if "loss" in event.metrics]
    assert sum(losses[-6:]) < 0.2 * sum(losses[:6])
    assert last["validation_loss"] < 0.5 * first["validation_loss"]
    assert first["accuracy"] <= 0.5 and last["accuracy"] >= 0.8  # one in three is chance
    with house("job").models.lease(Source(bundle=str(config.output_dir)).spec()) as model:  # and so the bundle answers
        asked = [one for one in lessons.questions(72, 24, seed=5) if one.split == "val"]
        cuts = [model.cut(open_picture(one)) for one in asked]
        chances = choosing.score(
            model,
            [prompts.ask(model.tokenizer, one, cut.grid, "letter") for one, cut in zip(asked, cuts, strict=True)],
            [model.features(cut.tiles) for cut in cuts],
            [one.choices for one in asked],
        )
    right = sum(found.index(max(found)) == one.answer for found, one in zip(chances, asked, strict=True))
    assert right / 24 == bundle.describe(config.output_dir).training["validation"]["accuracy"]


@pytest.mark.parametrize(
    "when", [after(1), after(4), lambda event: event.done == 4 and "Looking at the validation" in event.note]
)
def test_a_resumed_run_equals_an_unbroken_one(
    config: TrainScienceqaConfig, house: House, when: Callable[[Event], bool], tmp_path: Path
) -> None:
    unbroken, broken = house("unbroken"), house("broken")
    finish(changed(config, output_dir=tmp_path / "other" / "out"), unbroken)
    reached = stop(config, broken, when).done
    for draw in (random.random, np.random.rand, torch.rand):  # what others draw meanwhile
        draw(*([] if draw is random.random else [3]))
    again = [event.done for event in finish(config, broken) if "loss" in event.metrics]
    assert again == list(range(reached + 1, 7))
    for which in ("bundle", "last"):
        assert contents(unbroken.folder / which) == contents(broken.folder / which)
    assert history(unbroken) == history(broken)


def test_stopping_takes_one_step_and_gives_everything_back(config: TrainScienceqaConfig, house: House) -> None:
    context = house("job")
    assert stop(config, context, after(3)).done == 3
    assert history(context)[-1]["step"] == 3 and bundle.describe(context.folder / "last").adapter is not None
    assert not context.models.loaded()  # a model with adapters is not handed to the next one
    assert finish(config, context)[-1].done == 7


def test_seeds_decide_everything(config: TrainScienceqaConfig, house: House) -> None:
    found = []
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        finish(changed(config, seed=seed, num_train_epochs=0.5), house(name))
        found.append(contents(house(name).folder / "last"))
    assert found[0] == found[1] != found[2]


def test_a_run_that_gets_worse_ends_early_with_what_was_best(config: TrainScienceqaConfig, house: House) -> None:
    context = house("job")
    config = changed(config, learning_rate=0.5, eval_steps=1, patience=2, warmup_ratio=0, num_train_epochs=9)
    events = finish(config, context)
    looks = [event.metrics for event in events if "accuracy" in event.metrics]
    ranks = [(look["accuracy"], -look["validation_loss"]) for look in looks]
    best = ranks.index(max(ranks))
    assert events[-1].done == best + 2 < events[-1].total == 28 and "early" in events[-1].note
    kept = bundle.describe(config.output_dir).training["validation"]
    assert kept == {"step": best, **looks[best]}
    assert contents(context.folder / "bundle") != contents(context.folder / "last")
    assert finish(config, context)[-1].done == best + 2  # and a resume does not go on


def test_what_cannot_be_used_is_listed_and_passed_over(
    config: TrainScienceqaConfig, house: House, tmp_path: Path
) -> None:
    bad = lessons.questions(6, 2)
    data = lessons.written(tmp_path / "bad", bad)
    (data / "images" / "train" / "0" / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    (data / "images" / "train" / "1" / "image.png").unlink()
    problems = json.loads((data / "problems.json").read_text())
    problems["2"]["answer"] = None
    problems["3"]["question"] = "What is <end_of_turn> ?"
    (data / "problems.json").write_text(json.dumps(problems))
    context = house("job")
    events = finish(changed(config, data=str(data)), context)
    lines = [json.loads(line) for line in (context.folder / events[-1].artifacts["skipped"]).read_text().splitlines()]
    assert {line["pid"] for line in lines} == {"0", "1", "2", "3"} and all(line["reason"] for line in lines)
    assert any("4 questions are passed over" in event.note for event in events)
    assert events[-1].done == 3  # two questions, two epochs, and handing over


def test_nothing_to_train_on_is_a_sentence(config: TrainScienceqaConfig, house: House, tmp_path: Path) -> None:
    data = lessons.written(tmp_path / "val", [one for one in lessons.questions(2, 3) if one.split == "val"])
    with pytest.raises(StudioError, match="no questions of the split train but of val"):
        finish(changed(config, data=str(data)), house("job"))


def test_without_a_split_to_validate_on_the_last_tenth_is_held_out(
    config: TrainScienceqaConfig, house: House, tmp_path: Path
) -> None:
    data = lessons.written(tmp_path / "train", lessons.questions(21, 0))
    events = finish(changed(config, data=str(data), num_train_epochs=1, max_train_samples=8), house("job"))
    assert "the last 2 are held out" in events[1].note and "the first 8" in events[1].note
    assert events[-1].done == 2 and "of 2 right" in events[-1].note


def test_the_projector_alone(config: TrainScienceqaConfig, house: House) -> None:
    finish(changed(config, lora_r=0), house("job"))
    assert bundle.describe(config.output_dir).adapter is None


def test_a_bundle_s_adapters_go_on_being_trained(config: TrainScienceqaConfig, house: House, tmp_path: Path) -> None:
    start = tiny.save_bundle(tmp_path / "start", rank=2)
    events = finish(changed(config, bundle=str(start), views="auto"), house("job"))
    assert any("rank 2" in event.note and "the bundle's own adapters go on" in event.note for event in events)
    told = bundle.describe(config.output_dir)
    assert told.views == tiny.TILES and told.adapter is not None
    assert told.answering == bundle.describe(start).answering == "reasoning"  # and so it was validated
    assert json.loads((told.adapter / "adapter_config.json").read_text())["r"] == 2
    before, now = contents(start), contents(house("job").folder / "last")
    assert now.keys() == before.keys() - {name for name in before if name.startswith("base/")}
    assert all(now[name] != before[name] and len(now[name]) == len(before[name]) for name in now)


def test_questions_of_text_and_free_questions(config: TrainScienceqaConfig, house: House, tmp_path: Path) -> None:
    free = [
        {"question": f"Which is this {number} ?", "choices": [], "answer": None, "solution": "A picture .", "hint": "",
         "image": None, "split": "train" if number < 6 else "val"}
        for number in range(8)
    ]  # fmt: skip
    data = tmp_path / "free"
    data.mkdir()
    (data / "problems.json").write_text(json.dumps({str(number): one for number, one in enumerate(free)}))
    config = changed(config, data=str(data), num_train_epochs=6, learning_rate=1e-2)
    events = finish(config, house("job"))
    losses = [event.metrics["validation_loss"] for event in events if "validation_loss" in event.metrics]
    assert losses[-1] < losses[0] and not any("accuracy" in event.metrics for event in events)
    with pytest.raises(StudioError, match="the projector alone would learn nothing"):
        finish(changed(config, lora_r=0), house("alone"))


def test_a_folder_with_other_things_is_left_alone(config: TrainScienceqaConfig, house: House, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("mine")
    with pytest.raises(StudioError, match="something other than a bundle"):
        next(run(changed(config, output_dir=tmp_path / "thesis"), house("job")))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StudioError, match="cannot be written"):
        next(run(changed(config, output_dir=tmp_path / "file" / "out"), house("job")))


def test_other_questions_on_a_resume_are_refused(config: TrainScienceqaConfig, house: House, tmp_path: Path) -> None:
    data = lessons.written(tmp_path / "mine", lessons.questions(22, 6))
    config = changed(config, data=str(data))
    stop(config, house("job"), after(2))
    (data / "images/train/3/image.png").write_bytes((data / "images/train/4/image.png").read_bytes())
    with pytest.raises(StudioError, match="changed since"):
        finish(config, house("job"))


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(
    config: TrainScienceqaConfig, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(config, house("sound"))
    honest, poisoned = Learner.loss, iter([False] * 12 + [True])  # in the self-check, in looks, in steps
    monkeypatch.setattr(
        Learner, "loss", lambda self, batch: honest(self, batch) * (float("nan") if next(poisoned, True) else 1)
    )
    with pytest.raises(StudioError, match="not a number"):
        finish(config, house("job"))
    monkeypatch.undo()
    finish(config, house("job"))  # what stood before is on the disk, and unspoilt
    assert contents(house("job").folder / "last") == contents(house("sound").folder / "last")


@pytest.mark.parametrize("values", [{"gradient_checkpointing": True}, {"bf16": True}])
def test_saving_memory_changes_the_result_by_rounding_alone(
    config: TrainScienceqaConfig, house: House, values: dict[str, Any]
) -> None:
    config = changed(config, answer_form="letter")
    plain, other = house("plain"), house("other")
    finish(config, plain)
    finish(changed(config, **values), other)
    assert list(losses(other)) == pytest.approx(list(losses(plain)), rel=0.05 if "bf16" in values else 1e-4)


def losses(context: Context) -> Iterator[float]:
    return (line["loss"] for line in history(context) if "loss" in line)
