"""The recipe of the embedded CLIP judge, in miniature, and the checkpoint it made, as it ships."""

from __future__ import annotations

import importlib
import json
import pkgutil
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut
from transformers import CLIPModel, CLIPProcessor

import recipes.clip
from recipes.clip import train
from recipes.clip.evaluate import Shipped
from recipes.clip.export import calibrate, export, fit
from recipes.clip.model import build_tokenizer, unit
from recipes.clip.words import WordTable
from recipes.judge import pictures
from recipes.judge.prepare import spoken_words
from studio.gemma import catalog
from studio.gemma.clip import load_clip
from studio.grading.clipjudge import ClipJudge
from studio.grading.config import ClipForm
from studio.grading.looks import LOOKS, apply


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder as `recipes.judge.prepare` leaves it, with few words and drawn pictures alone."""
    monkeypatch.setattr(train, "PAIRS", 8)
    trained = [*spoken_words(), "tax", "spoon"]
    words = {"trained": trained, "others": ["aureate"], "plain": ["tax", "spoon"]}
    (tmp_path / "words.json").write_text(json.dumps(words))
    choice = np.zeros((len(trained) + 1, 2), np.int64)
    choice[-1] = [trained.index("warm"), trained.index("golden")]
    share = np.full(choice.shape, 0.3, np.float32)
    np.savez(tmp_path / "mixtures.npz", choice=choice, share=share, trained=len(trained))
    for name, seed in (("training", 0), ("validation", 1)):
        np.save(tmp_path / f"{name}.npy", pictures.make(24, seed, [], 0.0))
    return tmp_path


def test_every_module_of_the_recipe_imports() -> None:
    names = [module.name for module in pkgutil.iter_modules(recipes.clip.__path__)]
    assert {"train", "evaluate", "export"} <= set(names)
    for name in names:
        importlib.import_module(f"recipes.clip.{name}")


def test_words_are_single_tokens_and_strangers_are_pieces() -> None:
    tokenizer = build_tokenizer(["golden", "gold", "warm", "70s"])
    assert tokenizer.tokenize("Golden, warm-gold") == ["golden</w>", ",</w>", "warm</w>", "-</w>", "gold</w>"]
    assert len(tokenizer.tokenize("blorp é 70s")) > 6
    ids = tokenizer("gold")["input_ids"]
    assert [ids[0], ids[-1]] == [tokenizer.bos_token_id, tokenizer.eos_token_id] and len(ids) == 3


def test_words_nobody_taught_are_mixtures_and_the_rest_is_unknown() -> None:
    # of eight tokens 2, 3 and 5 are taught; the words are tokens 3, 5 and 6, and one that is no single token
    choice, share = torch.tensor([[1, 1], [0, 0], [0, 1], [0, 1]]), torch.tensor([[0.5, 0.0]] * 2 + [[0.6, 0.3]] * 2)
    table = WordTable(torch.tensor([2, 3, 5]), torch.tensor([3, 5, 6, -1]), choice, share, total=8, width=4)
    two, three, five, unknown = table.own.detach()
    whole = table.whole()
    assert torch.equal(whole[[2, 3, 5]], torch.stack((two, three, five)))
    torch.testing.assert_close(whole[6], 0.6 * three + 0.3 * five + 0.1 * unknown)
    assert all(torch.equal(whole[token], unknown) for token in (0, 1, 4, 7))
    hidden = table(hide=1.0).detach()
    torch.testing.assert_close(hidden[1], 0.5 * five + 0.5 * unknown)
    assert torch.equal(hidden[[0, 3]], table.own[[0, 3]])


def test_a_miniature_training_learns_and_ships_what_it_learnt(work: Path) -> None:
    trainer = train.Trainer(work, seed=1, pool=200)
    losses = []
    for _ in range(12):
        loss, parts = trainer.loss(attacked=2, auxiliary=0.5)
        trainer.update(loss + trainer.read(16), 3e-3)
        losses.append(loss.item())
    assert sum(losses[-3:]) < 0.8 * sum(losses[:3])
    assert set(parts) >= {"change", "look", "colours", "words"}
    trainer.attack_with(trainer.judge, steps=1)
    assert len(trainer.attack.pairs) >= trainer.attack.size

    trainer.average.load_state_dict(trainer.judge.state_dict())
    train.save_state(trainer, work / "clip.pt", elapsed=1.0, steps=12)
    export(work, work / "shipped", seed=1, pool=200)
    before = trainer.bank[:3].float() / 255
    after = apply(LOOKS[0].parameters, before)
    asked = ["warm film look", "cold, noir", "aureate blorp"]
    judge, encoder = trainer.judge, trainer.encoder
    with torch.no_grad():
        rows = judge.table.rows[encoder.encode(asked[:2])[0]]
        neutral = unit(judge.texts(judge.neutral))[0]
        seen = [unit(judge.pictures(each)) for each in (before, after)]
        taught = judge.margins(*seen, neutral, unit(judge.texts(rows)))
        for form, wanted in zip(("directional", "single"), taught, strict=True):
            shipped = Shipped(work / "shipped", form)
            got = shipped.judge.open(before, asked).margin(after, range(3))
            torch.testing.assert_close(got[:, :2], wanted, rtol=0.05, atol=0.1)  # bfloat16
            ids, last, _ = encoder.encode(asked)
            rows_of = shipped.margin(before, after, ids.expand(3, -1, -1), last.expand(3, -1))
            torch.testing.assert_close(rows_of, got)

    calibrate(work, work / "shipped", pairs=32)
    config = json.loads((work / "shipped" / "config.json").read_text())
    assert Shipped(work / "shipped", "single").judge.calibration.slope == config["judge_calibration"]["single"][0]


def test_the_fit_finds_the_slope_and_offset_that_were_hidden() -> None:
    given = np.linspace(-3, 3, 200, dtype=np.float32)
    slope, offset = fit(given, 1.7 * given - 0.4)
    assert slope == pytest.approx(1.7, abs=0.01) and offset == pytest.approx(-0.4, abs=0.01)


def shipped(form: ClipForm = "directional") -> ClipJudge:
    return ClipJudge(load_clip(catalog.spec("embedded_clip"), torch.device("cpu")), form)


@pytest.fixture
def photograph() -> torch.Tensor:
    """The astronaut, whom no training saw, ``[1, 3, 512, 512]``."""
    return torch.from_numpy(astronaut().copy()).permute(2, 0, 1)[None] / 255


def graded(look: str, photograph: torch.Tensor) -> torch.Tensor:
    return apply(next(each.parameters for each in LOOKS if each.name == look), photograph)


def test_the_shipped_judge_sees_a_warm_grade(photograph: torch.Tensor) -> None:
    session = shipped().open(photograph, ["warm", "cool", "flibbertigibbet wumpus"])
    warm, cool, none = (
        session.margin(after, [0], exact=True).sigmoid()[0]
        for after in (graded("warm", photograph), graded("cool", photograph), photograph)
    )
    assert warm[0] > 0.5 and warm[1] < 0.1 and warm[2] < 0.3
    assert cool[1] > 0.5 and cool[0] < 0.1
    assert none.max() < 0.1


def test_the_shipped_judge_prefers_the_words_that_made_a_grade(photograph: torch.Tensor) -> None:
    names = ["warm", "cool", "noir", "sepia", "matte", "forest green", "rose", "moonlight night"]
    after = torch.cat([graded(name, photograph) for name in names])
    for form in get_args(ClipForm):
        session = shipped(form).open(photograph, names)
        margins = session.margin(after, [0] * len(names), exact=True)
        right = (margins.argmax(0) == torch.arange(len(names))).sum()  # of all the grades, which fits the words best
        assert right >= (7 if form == "directional" else 4)


def test_the_shipped_checkpoint_is_what_its_processor_makes_of_pictures(photograph: torch.Tensor) -> None:
    folder = catalog.EMBEDDED_FOLDER / "clip"
    processor, model = CLIPProcessor.from_pretrained(folder), CLIPModel.from_pretrained(folder, dtype=torch.float32)
    inputs = processor(text=["a photo", "a photo, warm"], images=Image.fromarray(astronaut()), padding=True,
                       return_tensors="pt")  # fmt: skip
    with torch.no_grad():
        out = model.eval()(**inputs)
    judge = shipped("single")
    wanted = judge.calibration.slope * (out.image_embeds @ (out.text_embeds[1] - out.text_embeds[0]))
    got = judge.open(photograph, ["warm"]).margin(photograph, [0], exact=True) - judge.calibration.offset
    torch.testing.assert_close(got[0], wanted, rtol=1e-2, atol=1e-2)


def test_the_card_is_honest_and_the_weights_are_small() -> None:
    folder = catalog.EMBEDDED_FOLDER / "clip"
    card = (folder / "README.md").read_text("utf-8").lower()
    for word in ("data", "parameters", "seed", "minutes", "held-out", "limits", "wordnet", "xkcd", "licence", "gpl"):
        assert word in card, word
    assert (folder / "model.safetensors").stat().st_size < 4_000_000
    words = catalog.EMBEDDED_FOLDER / "judge" / "WORDNET-LICENSE.txt"
    assert (folder / "WORDNET-LICENSE.txt").read_text("utf-8") == words.read_text("utf-8")
