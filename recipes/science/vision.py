"""The vision tower: a plain CLIPVisionModel whose layers are born looking at neighbours, as convolutions do."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPVisionConfig, CLIPVisionModel

from recipes.science.canvas import THINGS
from recipes.science.glyphs import CLASSES
from recipes.science.sheets import CELLS, IGNORED, PATCH, SIDE

WIDTH, LAYERS, HEADS = 160, 6, 5
_PLACE = 16
"""Channels that hold the place of a patch."""
_WAVES = (3.0, 5.0, 9.0, 32.0)
"""Periods of these channels, in patches."""
_NEIGHBOURS = ((0, -1), (0, 1), (-1, 0), (1, 0))
MEAN, SPREAD = 0.5, 0.25
"""Pixels of 0-1 are taken less `MEAN` and divided by `SPREAD`."""


def build_tower(seed: int, width: int = WIDTH, layers: int = LAYERS, heads: int = HEADS) -> CLIPVisionModel:
    """A new tower for tiles of `SIDE` pixels."""
    torch.manual_seed(seed)
    config = CLIPVisionConfig(
        hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers, num_attention_heads=heads,
        image_size=SIDE, patch_size=PATCH, hidden_act="gelu", attn_implementation="sdpa",
    )  # fmt: skip
    return CLIPVisionModel(config)


def _places() -> Tensor:
    """Sines and cosines of the row and the column of each patch, (patches, 16)."""
    row, column = torch.meshgrid(torch.arange(CELLS), torch.arange(CELLS), indexing="ij")
    angles = torch.stack([part.flatten()[:, None] * 2 * math.pi / torch.tensor(_WAVES) for part in (row, column)], 1)
    return torch.stack([angles.cos(), angles.sin()], -1).flatten(1)


def _shift(rows: int, columns: int) -> Tensor:
    """The matrix (16, 16) that moves sines and cosines by so many patches."""
    blocks = []
    for step in (rows, columns):
        for wave in _WAVES:
            angle = torch.tensor(step * 2 * math.pi / wave)
            blocks.append(torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).view(2, 2))
    return torch.block_diag(*blocks)


@torch.no_grad()
def localise(tower: CLIPVisionModel, patches: Tensor, sharpness: float = 1.4) -> None:
    """Give four heads of each layer the four neighbours of a patch to look at, and whiten the patches.

    The last sixteen channels hold the place of a patch; keys copy it and queries move it by the head's offset, so that
    from the first step a layer gathers its neighbours as a convolution does. These channels are loud beside the others,
    so that layer norm leaves them alike whatever a patch holds, and no layer writes to them (`protect`).

    Args:
        tower: A new tower.
        patches: Normalised pixels of many patches, (n, 3 * 8 * 8), whose main components the first layer takes.
        sharpness: How much nearer than a patch further off the right place is, in the logits' scale.
    """
    width = tower.config.hidden_size
    content, size = width - _PLACE, width // tower.config.num_attention_heads
    embeddings = tower.embeddings
    centred = patches - patches.mean(0)
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
    values, vectors = values.flip(0)[:content], vectors.flip(1)[:, :content]
    filters = vectors.T / (values + 0.02 * values.mean()).sqrt()[:, None]
    embeddings.patch_embedding.weight.zero_()
    embeddings.patch_embedding.weight[:content] = filters.reshape(content, 3, PATCH, PATCH) * 0.7
    embeddings.position_embedding.weight.normal_(0, 0.02)
    embeddings.position_embedding.weight[1:, content:] = 4 * _places()
    embeddings.class_embedding.normal_(0, 0.5)
    tower.pre_layrnorm.weight[:content], tower.pre_layrnorm.weight[content:] = 2.0, 4.0
    for layer in tower.encoder.layers:
        for norm in (layer.layer_norm1, layer.layer_norm2):
            norm.weight[:content], norm.weight[content:] = 3.5, 0.7
        attention = layer.self_attn
        for projection in (attention.q_proj, attention.k_proj):
            projection.weight.normal_(0, 0.2 * width**-0.5)
        attention.v_proj.weight.normal_(0, width**-0.5)
        attention.out_proj.weight.normal_(0, width**-0.5 * 0.5)
        layer.mlp.fc1.weight.normal_(0, width**-0.5)
        layer.mlp.fc2.weight.normal_(0, (4 * width) ** -0.5 * 0.5)
        attention.v_proj.weight[:, content:] *= 0.2
        layer.mlp.fc1.weight[:, content:] *= 0.2
        attention.out_proj.weight[content:] = 0
        layer.mlp.fc2.weight[content:] = 0
        for head, offset in enumerate(_NEIGHBOURS):
            rows = slice(head * size, head * size + _PLACE)
            attention.q_proj.weight[rows, content:] = sharpness * _shift(*offset)
            attention.k_proj.weight[rows, content:] = sharpness * torch.eye(_PLACE)


def protect(tower: CLIPVisionModel) -> None:
    """Keep the layers of a tower that learns from writing to the channels that hold the place."""
    content = tower.config.hidden_size - _PLACE
    for layer in tower.encoder.layers:
        for projection in (layer.self_attn.out_proj, layer.mlp.fc2):
            for parameter in (projection.weight, projection.bias):
                kept = torch.ones_like(parameter)
                kept[content:] = 0
                parameter.register_hook(kept.mul)


def normalise(pictures: Tensor) -> Tensor:
    """Pictures of 0-255 bytes (n, side, side, 3) as the tower takes them, (n, 3, side, side)."""
    return (pictures.permute(0, 3, 1, 2).float() / 255 - MEAN) / SPREAD


def look(tower: CLIPVisionModel, pictures: Tensor) -> Tensor:
    """What the tower says about each patch, (n, patches, width)."""
    return tower(normalise(pictures)).last_hidden_state[:, 1:]


class Heads(nn.Module):
    """What is read from each patch while the tower learns; dropped afterwards."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.characters = nn.Linear(width, 2 * (len(CLASSES) + 1))
        self.things = nn.Linear(width, len(THINGS))
        self.counts = nn.Linear(width, 4)

    def forward(self, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the characters (..., 2, classes), the things and the balls of patches (..., width)."""
        states = self.norm(states)
        characters = self.characters(states).unflatten(-1, (2, len(CLASSES) + 1))
        return characters, self.things(states), self.counts(states)


def reading_loss(
    heads: Heads, states: Tensor, characters: Tensor, weights: Tensor, things: Tensor, counts: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Loss of reading patches: states (n, width), characters and weights (n, 2), things and counts (n,).

    All patches with a character or a ball are judged, and a sample of the others.
    """
    kept = (characters > 0).any(1) | (counts > 0) | (torch.rand(len(states)) < 0.15)
    read, thing, count = heads(states[kept])
    characters, weights, things, counts = characters[kept], weights[kept], things[kept], counts[kept]
    judged = characters != IGNORED
    logits, truth = read[judged], characters[judged]
    weight = torch.where(truth > 0, weights[judged], 0.3)
    character = (functional.cross_entropy(logits, truth, reduction="none") * weight).sum() / weight.sum()
    thing_loss = functional.cross_entropy(thing, things)
    count_loss = functional.cross_entropy(count, counts, torch.tensor([0.3, 1.0, 2.0, 2.0]))
    held = truth > 0
    right = (logits[held].argmax(1) == truth[held]).float().mean().item() if held.any() else 0.0
    parts = {"char": character.item(), "thing": thing_loss.item(), "count": count_loss.item(), "right": right}
    return character + 0.2 * thing_loss + 0.3 * count_loss, parts


def tower_of(file: Path) -> CLIPVisionModel:
    """The tower of a training: the running average of its weights."""
    state = torch.load(file, weights_only=True)["average"]
    tower = build_tower(0)
    tower.load_state_dict({name.removeprefix("tower."): w for name, w in state.items() if name.startswith("tower.")})
    return tower.eval().requires_grad_(False)
