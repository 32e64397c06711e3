from __future__ import annotations

import pytest

from studio.errors import StudioError
from studio.palette.loading import PaletteModel
from studio.palette.pairs import Pair
from studio.palette.prompt import target
from studio.palette.training.lessons import IGNORED, Lesson, collate, prepare

PAIRS = [
    Pair(2, "fresh greens", ("#c5d70f", "#4dd70f", "#0fd749", "#0fd7c1")),
    Pair(3, "ocean at night with a vibrant twist", ("#facade", "#dead00", "#000000", "#ffffff")),
]


def test_the_answer_alone_is_learnt_up_to_the_end_token(model: PaletteModel) -> None:
    lessons = prepare(model, PAIRS)
    ids, labels = collate(model, lessons)
    assert ids.shape == labels.shape and ids.shape[1] == sum(map(len, lessons[1])) > sum(map(len, lessons[0]))
    for row, (pair, lesson) in enumerate(zip(PAIRS, lessons, strict=True)):
        learnt = labels[row] != IGNORED
        assert learnt.tolist() == [False] * len(lesson.asked) + [True] * len(lesson.answer) + [False] * (
            ids.shape[1] - len(lesson.asked) - len(lesson.answer)
        )
        assert ids[row][learnt].equal(labels[row][learnt])
        assert labels[row][learnt][-1] == model.tokenizer.eos_token_id
        assert model.tokenizer.decode(labels[row][learnt][:-1]) == target(pair.colours)
        asked = model.tokenizer.decode(ids[row, : len(lesson.asked)], skip_special_tokens=True)
        assert asked.endswith(f"Description: {pair.description}\nColors:")
    assert set(ids[0, sum(map(len, lessons[0])) :].tolist()) == {model.tokenizer.pad_token_id}


def test_what_is_too_long_is_named_by_its_row(model: PaletteModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model.base.config, "max_position_embeddings", len(sum(prepare(model, PAIRS[:1])[0], ())))
    assert isinstance(prepare(model, PAIRS[:1])[0], Lesson)
    with pytest.raises(StudioError, match="row 3 is longer than the model reads"):
        prepare(model, PAIRS)
