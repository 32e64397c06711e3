from __future__ import annotations

import torch

from studio.gemma.sampling import choose


def test_draws_have_the_chances_they_should_have() -> None:
    scores = torch.tensor([[0.1, 2.0, 1.0, -1.0]]).repeat(4000, 1)
    chances = (scores[0] / 0.7).softmax(0)
    for top_p, kept in ((1.0, [0, 1, 2, 3]), (0.9, [1, 2]), (0.5, [1])):
        tokens = torch.tensor(choose(scores, 0.7, top_p, torch.Generator().manual_seed(0)))
        share = torch.bincount(tokens, minlength=4) / len(tokens)
        wanted = torch.zeros(4)
        wanted[kept] = chances[kept] / chances[kept].sum()
        assert torch.allclose(share, wanted, atol=0.025), top_p
        assert set(tokens.tolist()) <= set(kept)


def test_what_is_excluded_is_never_drawn() -> None:
    scores = torch.tensor([[5.0, 0.0, -torch.inf, 1.0], [-torch.inf, 0.0, -torch.inf, -torch.inf]]).repeat(500, 1)
    tokens = choose(scores, 2.0, 1.0, torch.Generator().manual_seed(0))
    assert set(tokens[::2]) == {0, 1, 3} and set(tokens[1::2]) == {1}
    assert choose(scores, 0.0, 1.0, torch.Generator())[:2] == [0, 1]
