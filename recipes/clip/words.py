"""The table of words while it is learned."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WordTable(nn.Module):
    """Embeddings of tokens: those of the training have a row of their own, all others are explained by them.

    A word that training never uses is a mixture of words that WordNet holds for its kin, and partly the unknown;
    any other token is the unknown. So that such mixtures are understood, a few trained words are replaced by theirs
    at each step.

    Args:
        tokens: (rows,) tokens with a row of their own.
        words: (words,) the token of each word, trained ones first; -1 where a word is several tokens.
        choice: (words, parts) positions among the words, of which each word is mixed.
        share: (words, parts) how much of each; what is left of 1 is the unknown.
        total: Tokens in the vocabulary.
        width: Length of a row.
    """

    def __init__(self, tokens: Tensor, words: Tensor, choice: Tensor, share: Tensor, total: int, width: int) -> None:
        super().__init__()
        self.rows = torch.full((total,), len(tokens))  # where a token stands in the table; the unknown is its last row
        self.rows[tokens] = torch.arange(len(tokens))
        self.words, self.share = words, share
        self.choice = torch.where(words[choice] < 0, len(tokens), self.rows[words[choice]])
        self.taught = ((words >= 0) & (self.rows[words] < len(tokens))).nonzero().flatten()
        self.own = nn.Parameter(torch.randn(len(tokens) + 1, width) * 0.1)

    def _mixed(self, words: Tensor) -> Tensor:
        share = self.share[words]
        return (self.own[self.choice[words]] * share[..., None]).sum(1) + self.own[-1] * (1 - share.sum(1, True))

    def forward(self, hide: float = 0.0) -> Tensor:
        """The rows (rows + 1, width); `hide` is the share of trained words read as their mixtures."""
        hidden = self.taught[torch.rand(len(self.taught)) < hide]
        return self.own.index_put((self.rows[self.words[hidden]],), self._mixed(hidden)) if len(hidden) else self.own

    @torch.no_grad()
    def whole(self) -> Tensor:
        """The table of the whole vocabulary (total, width)."""
        table = self.own[self.rows]
        others = ((self.words >= 0) & (self.rows[self.words] == len(self.own) - 1)).nonzero().flatten()
        table[self.words[others]] = self._mixed(others)
        return table
