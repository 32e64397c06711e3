"""Pairs that a LUT trained against the judge would show it: what it must not be fooled by.

A pool of LUTs is trained all along, each for its own prompt, one picture a step, just as the studio trains them:
residual lattices from coarse to fine, by Adam, against the judge as it is now or against its sibling. The pairs they
make on the way are labelled by the teacher and given back to the training.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

Score = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(before, after, prompt indices) -> logits, all of the same batch."""

_POINTS = (2, 3, 5, 9)


class Attacked(NamedTuple):
    """One pair: the index of the picture, what the LUT made of it (3, side, side) 8 bit, and the prompt's index."""

    picture: int
    after: Tensor
    prompt: int


class AttackPool:
    """LUTs in training against the judge, and the pairs they made."""

    def __init__(self, bank: Tensor, prompts: Tensor, size: int = 16, memory: int = 900) -> None:
        self.bank, self.prompts, self.size = bank, prompts, size
        self.pairs: deque[Attacked] = deque(maxlen=memory)
        self._restart()

    def _restart(self) -> None:
        self.lattices = [torch.zeros(self.size, 3, n, n, n, requires_grad=True) for n in _POINTS]
        self.optimizer = torch.optim.Adam(self.lattices, lr=random.choice((0.006, 0.012, 0.025)))
        self.wanted = self.prompts[torch.randint(len(self.prompts), (self.size,))]
        self.rough = random.choice((0.0, 0.3, 3.0))
        self.age, self.end = 0, random.choice((15, 30, 60))

    def _look_up(self, before: Tensor) -> Tensor:
        where = (before.permute(0, 2, 3, 1) * 2 - 1)[:, None]
        shifts = [functional.grid_sample(lattice, where, align_corners=True) for lattice in self.lattices]
        return (before + torch.stack(shifts).sum(0)[:, :, 0]).clamp(0, 1)

    def step(self, score: Score, steps: int) -> None:
        """Train the LUTs a little further and remember what they make of the last pictures."""
        if self.age >= self.end:
            self._restart()
        for index in range(steps):
            chosen = torch.randint(len(self.bank), (self.size,))
            before = self.bank[chosen].float() / 255
            after = self._look_up(before)
            loss = -score(before, after, self.wanted).clamp_max(5.0).sum()
            loss = loss + self.size * (after - before).square().mean()
            loss = loss + self.rough * sum((lat[..., 1:] - lat[..., :-1]).square().sum() for lat in self.lattices)
            self.optimizer.zero_grad()
            for lattice, gradient in zip(self.lattices, torch.autograd.grad(loss, self.lattices), strict=True):
                lattice.grad = gradient
            self.optimizer.step()
            self.age += 1
            if index in (0, steps - 1):
                self._remember(chosen, after.detach())

    def _remember(self, chosen: Tensor, after: Tensor) -> None:
        eight_bit = (after * 255).round().byte()
        for picture, graded, prompt in zip(chosen.tolist(), eight_bit, self.wanted.tolist(), strict=True):
            self.pairs.append(Attacked(picture, graded, prompt))

    def mix_in(self, before: Tensor, after: Tensor, prompts: Tensor, count: int) -> None:
        """Overwrite the first ``count`` pairs of a batch by remembered ones, some of them blended back."""
        if len(self.pairs) < 4 * self.size:
            return
        for row in range(count):
            pair = random.choice(self.pairs)
            before[row] = self.bank[pair.picture].float() / 255
            after[row] = pair.after.float() / 255
            prompts[row] = pair.prompt
            if random.random() < 0.3:
                after[row] = (before[row] + (after[row] - before[row]) * random.random() * 1.3).clamp(0, 1)
