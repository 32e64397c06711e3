"""Drawing palettes from a model: a template automaton over a batch of rows, with locked colours as forced tokens.

The prompt and the template's first signs are read once, and their keys and values expanded over the batch. From there
on each step draws one token of digits for every row from the scores of the digits alone, so whatever is drawn is a
palette; signs between two colours are read together with the next token drawn, and never predicted. That is twelve
forward passes for a model whose tokenizer gives pairs of digits a token, twenty-four for single digits.

**Near-duplicates** cannot be drawn. A colour's blue is drawn last, and only among the blues that keep CIEDE2000 to all
other colours of the row at 5 or more. What is drawn is redrawn from those blues if it is not one of them, which gives
each of them the chance it would have had among them alone. Some are always left: whatever red and green are, the 256
blues are too far apart for three colours to be near to all of them.

**Locks.** A model that writes from left to right sees a locked colour only once it has been written. So that the
colours before it are made to go with it too, palettes are drawn with importance weights: a row draws its free colours
one after another with the locked ones forced in between, and weighs as much as the model finds its locked colours
likely where they stand, given what the row has drawn before. The weighted rows then stand for what the model would
write if it were known to write the locked colours; that needs no other model and no retraining, and reads each row
once.

A person locks colours in any place, while a model may have learnt an order, such as from dark to light. A white that
must stand first would leave such a model without an idea of what follows. The rows therefore try locked colours in all
places, those asked for foremost, the weights say in which of them the model can make something of them, and they are
put back where they were asked for afterwards. A model without an order finds all places alike, and nothing is lost.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import DynamicCache

from studio.errors import StudioError
from studio.gemma.sampling import choose
from studio.palette.colours import NEAR, differences, srgb_to_lab, to_lab
from studio.palette.loading import PaletteModel
from studio.palette.locks import Arrangement, Locks
from studio.palette.prompt import COLOURS
from studio.palette.spelling import ask

_BLUE = 4  # digits of a colour before those of its blue
_BLUES = 256


@dataclass(frozen=True)
class Drawing:
    """How digits are drawn.

    Attributes:
        temperature: 0 always takes the likeliest.
        top_p: Digits are drawn from the likeliest that together hold this share of the chance.
    """

    temperature: float
    top_p: float


@dataclass(frozen=True)
class Drawn:
    """A palette, and how much it weighs among those drawn with it.

    Attributes:
        colours: Four colours ``#rrggbb``, no two of them near-duplicates.
        weight: Logarithm of its weight; 0 without locks.
    """

    colours: tuple[str, ...]
    weight: float


def passes(model: PaletteModel) -> int:
    """Return how many forward passes a batch takes."""
    return COLOURS * model.spelling.steps


def arrange(locks: Locks, rows: int) -> list[Arrangement]:
    """Return where each row has the locked colours while it is drawn.

    Where every lock named its place, half of the rows keep to it and the others take every other arrangement in turn;
    else all arrangements take turns.
    """
    every = locks.arrangements()
    if not locks.placed or len(every) == 1:
        return list(itertools.islice(itertools.cycle(every), rows))
    kept = (rows + 1) // 2
    return every[:1] * kept + list(itertools.islice(itertools.cycle(every[1:]), rows - kept))


@torch.no_grad()
def draw(
    model: PaletteModel, description: str, locks: Locks, rows: int, how: Drawing, generator: torch.Generator
) -> Generator[int, None, list[Drawn]]:
    """Draw a batch of palettes; yield after each forward pass how many are done, and return the palettes.

    Args:
        model: Which model.
        description: In words.
        locks: What every palette holds.
        rows: Palettes to draw.
        how: How to draw.
        generator: Of the drawing, on the CPU.

    Raises:
        StudioError: The description is longer than the model reads.
    """
    spelling = model.spelling
    asked = (*ask(model.tokenizer, description), *spelling.opening)
    if len(asked) + len(spelling.answer(["#000000"] * COLOURS)) > model.longest:
        raise StudioError(f"The description is longer than the model reads ({model.longest:,} tokens).", "Shorten it.")
    batch = _Batch(model, arrange(locks, rows), how, generator)
    cache = DynamicCache()  # without the configuration: it keeps all cells, and masks make the windows
    states = model.read(torch.tensor([asked], device=model.device), cache).expand(rows, -1)
    cache.batch_repeat_interleave(rows)
    digits = torch.tensor(spelling.digits)
    between = torch.tensor(spelling.between).expand(rows, -1)
    places = list(itertools.product(range(COLOURS), range(spelling.steps)))
    for done, (place, step) in enumerate(places, 1):
        yield done
        tokens = digits[batch.draw(model.scores(states).cpu(), place, step)][:, None]
        if done < len(places):
            tokens = torch.cat([tokens, between], 1) if step == spelling.steps - 1 else tokens
            states = model.read(tokens.to(model.device), cache)
    return batch.drawn(locks)


class _Batch:
    """The rows being drawn."""

    def __init__(
        self, model: PaletteModel, arranged: list[Arrangement], how: Drawing, generator: torch.Generator
    ) -> None:
        self._spelling = model.spelling
        self._arranged = arranged
        self._how = how
        self._generator = generator
        rows = len(arranged)
        self._values = np.zeros((rows, COLOURS, self._spelling.steps), np.int64)
        self._forced = np.array([[colour is not None for colour in one] for one in arranged])
        self._lab = np.full((rows, COLOURS, 3), np.nan)  # of the colours known; nothing is near to what is not
        self._weights = np.zeros(rows)
        for row, one in enumerate(arranged):
            for place, colour in enumerate(one):
                if colour is not None:
                    self._values[row, place] = self._spelling.values(colour)
                    self._lab[row, place] = to_lab([colour])[0]

    def draw(self, scores: Tensor, place: int, step: int) -> NDArray[np.int64]:
        """Draw a value for each row from scores ``[N, values]``, or take the locked one and weigh it."""
        free = ~self._forced[:, place]
        chosen = np.array(choose(scores, self._how.temperature, self._how.top_p, self._generator))
        if step * self._spelling.width >= _BLUE and (redrawn := self._too_near(chosen, free, place, step)).any():
            allowed = self._allowed(redrawn, place, step)
            masked = scores[torch.from_numpy(redrawn)].masked_fill(torch.from_numpy(~allowed), -torch.inf)
            chosen[redrawn] = choose(masked, self._how.temperature, self._how.top_p, self._generator)
        self._values[free, place, step] = chosen[free]
        values = self._values[:, place, step]
        if not free.all():
            likely = scores.log_softmax(-1).double().numpy()[np.arange(len(values)), values]
            self._weights += np.where(free, 0.0, likely)
        if step == self._spelling.steps - 1 and free.any():
            self._lab[free, place] = to_lab([self._spelling.colour(one) for one in self._values[free, place]])
        return values

    def drawn(self, locks: Locks) -> list[Drawn]:
        """Return the palettes, locked colours in the places asked for and free ones in theirs as they were drawn."""
        found = []
        for row in range(len(self._values)):
            places = np.flatnonzero(~self._forced[row])
            colours = list(locks.arrangement)
            for place, value in zip(locks.free, self._values[row, places], strict=True):
                colours[place] = self._spelling.colour(value)
            found.append(Drawn(tuple(map(str, colours)), float(self._weights[row])))
        return found

    def _too_near(self, chosen: NDArray[np.int64], free: NDArray[np.bool_], place: int, step: int) -> NDArray[np.bool_]:
        """Tell of which free rows the value chosen leaves no blue but near-duplicates."""
        ends = self._ends(step)
        blues = self._begun(place, step)[:, None] + chosen[:, None] * ends + np.arange(ends)
        left = np.any(self._clear(np.arange(len(chosen)), blues, place), 1)
        near: NDArray[np.bool_] = np.logical_and(free, ~left)
        return near

    def _allowed(self, rows: NDArray[np.bool_], place: int, step: int) -> NDArray[np.bool_]:
        """Return which values ``[rows, values]`` leave a blue that is no near-duplicate."""
        ends, values = self._ends(step), len(self._spelling.digits)
        which = np.flatnonzero(rows)
        blues = self._begun(place, step)[which, None] + np.arange(values * ends)
        allowed: NDArray[np.bool_] = np.any(self._clear(which, blues, place).reshape(-1, values, ends), 2)
        return allowed

    def _ends(self, step: int) -> int:
        """Return in how many ways a blue can end behind the value drawn in a step."""
        return int(_BLUES >> (4 * ((step + 1) * self._spelling.width - _BLUE)))

    def _begun(self, place: int, step: int) -> NDArray[np.int64]:
        """Return the blue of each row as far as it is drawn before a step: 0, or sixteen times its first digit."""
        begun: NDArray[np.int64] = self._values[:, place, step - 1] * 16
        return begun if step * self._spelling.width > _BLUE else np.zeros_like(begun)

    def _clear(self, rows: NDArray[np.int64], blues: NDArray[np.int64], place: int) -> NDArray[np.bool_]:
        """Return which blues ``[rows, K]`` make a colour that is near to no other known one of its row."""
        drawn = self._values[rows, place, : _BLUE // self._spelling.width]
        if self._spelling.width == 1:
            drawn = drawn[:, ::2] * 16 + drawn[:, 1::2]
        codes = np.empty((*blues.shape, 3))
        codes[..., :2], codes[..., 2] = drawn[:, None], blues
        with np.errstate(invalid="ignore"):
            apart = differences(srgb_to_lab(codes / 255)[:, :, None], self._lab[rows][:, None])
        clear: NDArray[np.bool_] = ~np.any(apart < NEAR, -1)
        return clear
