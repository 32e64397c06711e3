from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import torch

from studio.errors import StudioError
from studio.palette.colours import NEAR, distances, near_pairs, srgb_to_lab, to_lab
from studio.palette.decoding import Drawing, Drawn, arrange, draw, passes
from studio.palette.loading import PaletteModel
from studio.palette.locks import Locks, parse
from studio.palette.spelling import ask

FREELY = Drawing(1.0, 1.0)


def drawn(model: PaletteModel, rows: int, how: Drawing = FREELY, locks: str = "", seed: int = 0) -> list[Drawn]:
    return end(draw(model, "fresh greens", parse(locks), rows, how, torch.Generator().manual_seed(seed)))


def end(work: Generator[int, None, list[Drawn]]) -> list[Drawn]:
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]


def likely(model: PaletteModel, colours: tuple[str, ...]) -> torch.Tensor:
    """Log probabilities ``[4, steps, values]`` of digits before each of a palette's, by one whole forward pass."""
    spelling = model.spelling
    before = (*ask(model.tokenizer, "fresh greens"), *spelling.opening)
    ids = (*ask(model.tokenizer, "fresh greens"), *spelling.answer(colours))
    with torch.no_grad():
        logits = model.language(input_ids=torch.tensor([ids])).logits[0]
    stride = spelling.steps + len(spelling.between)
    starts = [len(before) - 1 + place * stride for place in range(4)]
    rows = torch.stack([logits[start : start + spelling.steps] for start in starts])
    return rows[..., list(spelling.digits)].log_softmax(-1)


def test_steps_are_those_of_whole_forward_passes(model: PaletteModel, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    scores = model.scores

    def noted(states: torch.Tensor) -> torch.Tensor:
        seen.append(scores(states))
        return seen[-1]

    monkeypatch.setattr(model, "scores", noted)
    palettes = drawn(model, 3)
    steps = torch.stack(seen, 1).log_softmax(-1)  # [rows, 4 × steps, values]
    assert steps.shape[1] == passes(model) == 4 * model.spelling.steps
    for row, one in enumerate(palettes):
        assert torch.allclose(steps[row], likely(model, one.colours).flatten(0, 1), atol=1e-4)


def test_a_row_weighs_what_its_locked_colours_are_likely(model: PaletteModel) -> None:
    locks = parse("3=#aa4466,2=#102030")
    rows = drawn(model, 22, locks="3=#aa4466,2=#102030")
    for one, arrangement in zip(rows, arrange(locks, 22), strict=True):
        assert one.colours[1:3] == ("#102030", "#aa4466")
        free = iter((one.colours[0], one.colours[3]))
        sung = tuple(colour or next(free) for colour in arrangement)  # as it was drawn
        chances = likely(model, sung)
        spelt = [
            chances[place, step, value]
            for place, colour in enumerate(arrangement)
            if colour is not None
            for step, value in enumerate(model.spelling.values(colour))
        ]
        assert one.weight == pytest.approx(float(sum(spelt)), abs=1e-3)
    assert len({round(one.weight, 3) for one in rows}) > 5
    assert {one.weight for one in drawn(model, 5)} == {0.0}


def test_arrangements_asked_for_come_first() -> None:
    asked, anywhere = parse("3=#aabbcc"), parse("#aabbcc")
    assert Counter(arrange(asked, 12)) == {one: 6 if one == asked.arrangement else 2 for one in asked.arrangements()}
    assert Counter(arrange(anywhere, 12)) == dict.fromkeys(anywhere.arrangements(), 3)
    assert arrange(Locks(), 3) == [(None,) * 4] * 3


def test_weights_tell_what_goes_with_a_later_lock(monkeypatch: pytest.MonkeyPatch, model: PaletteModel) -> None:
    # A model that writes a colour, then three times the same red plane: a lock of the fourth colour tells the first.
    digits = len(model.spelling.digits)

    class Habit:
        """Scores by habit: the first colour's first digit is dark or light, the last colour's follows it."""

        step = 0

        def __call__(self, states: torch.Tensor) -> torch.Tensor:
            place, step = divmod(self.step, model.spelling.steps)
            self.step += 1
            scores = torch.zeros(len(states), digits)
            if (place, step) == (0, 0):
                self.first = None
                scores[:, 1 : digits - 1] = -torch.inf
            if (place, step) == (3, 0):
                follows = torch.tensor(self.rows) > digits // 2
                scores[:, : digits // 2] = torch.where(follows, -6.0, 0.0)[:, None]
                scores[:, digits // 2 :] = torch.where(follows, 0.0, -6.0)[:, None]
            return scores

    habit: Any = Habit()
    read = model.read

    def noted(ids: torch.Tensor, cache: Any) -> torch.Tensor:
        if habit.step == 1:
            habit.rows = [model.spelling.digits.index(int(one)) for one in ids[:, 0]]
        return read(ids, cache)

    monkeypatch.setattr(model, "scores", habit)
    monkeypatch.setattr(model, "read", noted)
    rows = [one for one in drawn(model, 60, locks="4=#f03050") if one.colours[3] == "#f03050"][:30]  # in its own place
    light = np.array([one.colours[0][1] == "f" for one in rows])
    shares = np.exp([one.weight for one in rows])
    assert 5 < light.sum() < 25, "drawn without a look ahead"
    assert shares[light].sum() / shares.sum() > 0.98


@pytest.mark.parametrize("temperature", [0.05, 1.0, 2.0])
def test_near_duplicates_are_never_drawn(model: PaletteModel, temperature: float) -> None:
    for locks in ("", "4=#808080"):
        for one in drawn(model, 40, Drawing(temperature, 0.9), locks):
            assert not near_pairs(to_lab(one.colours)), one


def test_a_model_that_writes_one_colour_alone_is_kept_from_it(
    model: PaletteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grey(states: torch.Tensor) -> torch.Tensor:
        scores = torch.full((len(states), len(model.spelling.digits)), -30.0)
        scores[:, 0x88 % len(model.spelling.digits)] = 0.0
        return scores

    monkeypatch.setattr(model, "scores", grey)
    for how in (Drawing(0.0, 1.0), Drawing(1.0, 0.9)):
        for one in drawn(model, 6, how):
            assert one.colours[0] == "#888888" and all(colour.startswith("#8888") for colour in one.colours)
            assert len(set(one.colours)) == 4 and not near_pairs(to_lab(one.colours))


def test_redrawn_digits_have_the_chances_they_have_among_those_left(
    model: PaletteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    if model.spelling.width == 1:
        pytest.skip("two draws make a blue there; their chances multiply, which one draw shows as well")
    favoured = torch.zeros(256)
    favoured[[0x80, 0x82, 0xC0, 0x20]] = torch.tensor([0.5, 0.2, 0.2, 0.1]).log() + 40
    step = itertools.count()

    def scores(states: torch.Tensor) -> torch.Tensor:
        red_or_green = next(step) % 3 < 2
        grey = torch.zeros(256)
        grey[0x80] = 40.0
        return (grey if red_or_green else favoured).repeat(len(states), 1)

    monkeypatch.setattr(model, "scores", scores)
    rows = drawn(model, 3000, locks="1=#808080")
    second = Counter(one.colours[1][5:] for one in rows[:1500])  # in the place asked for
    assert set(second) == {"c0", "20"}, "80 and 82 are near to the lock"
    assert second["c0"] / 1500 == pytest.approx(2 / 3, abs=0.05)


def test_some_blue_is_always_left() -> None:
    # Points further apart than a ball of near-duplicates is wide; three colours are near to three of them at most.
    for red, green in itertools.product(range(0, 256, 51), repeat=2):
        lab = srgb_to_lab(np.array([[red, green, blue] for blue in range(256)]) / 255)
        apart, kept = distances(lab, lab), [0]
        for blue in range(256):
            if (apart[blue, kept] > 2.4 * NEAR).all():
                kept.append(blue)
        assert len(kept) > 3, (red, green)


def test_a_seed_draws_the_same_and_another_does_not(model: PaletteModel) -> None:
    first = drawn(model, 4, seed=7)
    torch.rand(3)  # what others draw does not matter
    assert drawn(model, 4, seed=7) == first != drawn(model, 4, seed=8)
    assert len({one.colours for one in drawn(model, 4, Drawing(0.0, 1.0))}) == 1


def test_a_description_longer_than_the_model_is_refused(model: PaletteModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model.base.config, "max_position_embeddings", 60)
    with pytest.raises(StudioError, match="longer than the model reads"):
        drawn(model, 2)
