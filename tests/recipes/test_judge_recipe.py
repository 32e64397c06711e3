"""The recipe of the embedded judge, in miniature, and the checkpoints it made, as they ship."""

from __future__ import annotations

import importlib
import json
import pkgutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut
from torch.nn import functional
from transformers import AutoModelForImageTextToText, AutoProcessor

import recipes.judge
from recipes.judge import phrases, pictures, train, wordvectors
from recipes.judge.evaluate import Shipped
from recipes.judge.measures import MEASURES, measure
from recipes.judge.model import build_model, build_tokenizer, save
from recipes.judge.prepare import spoken_words
from studio.grading.looks import LOOKS, apply
from studio.grading.questions import QUESTIONS

EMBEDDED = Path(recipes.judge.__file__).parents[2] / "studio" / "embedded"
BOTH = pytest.mark.parametrize("name", ["judge", "judge_second"])


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def load(folder: Path) -> tuple[Any, Any]:
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    return AutoModelForImageTextToText.from_pretrained(folder, local_files_only=True, dtype=torch.float32), processor


def inputs(processor: Any, before: Image.Image, after: Image.Image, prompt: str, question: int = 0) -> Any:
    content = [
        {"type": "image", "image": before},
        {"type": "image", "image": after},
        {"type": "text", "text": QUESTIONS[question].format(prompt=prompt)},
    ]
    return processor.apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
    )  # fmt: skip


def ask(model: Any, processor: Any, before: Image.Image, after: Image.Image, prompt: str, question: int = 0) -> float:
    yes, no = (processor.tokenizer.convert_tokens_to_ids(word) for word in ("Yes", "No"))
    with torch.no_grad():
        logits = model(**inputs(processor, before, after, prompt, question)).logits[0, -1]
    return torch.sigmoid(logits[yes] - logits[no]).item()


def graded(look: str, strength: float = 1.0) -> tuple[Image.Image, Image.Image]:
    before = Image.fromarray(astronaut()).resize((168, 168), Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.asarray(before, np.float32) / 255).permute(2, 0, 1)[None]
    parameters = next(each.parameters for each in LOOKS if each.name == look)
    after = apply(strength * parameters, pixels)[0].permute(1, 2, 0).numpy()
    return before, Image.fromarray((after * 255 + 0.5).astype(np.uint8))


def test_every_module_of_the_recipe_imports() -> None:
    names = [module.name for module in pkgutil.iter_modules(recipes.judge.__path__)]
    assert {"train", "evaluate", "export", "luts"} <= set(names)
    for name in names:
        importlib.import_module(f"recipes.judge.{name}")


def test_every_look_has_a_measure_and_the_identity_passes_none() -> None:
    assert {look.name for look in LOOKS} == set(MEASURES)
    random = np.random.default_rng(0)
    picture = random.random((2, 12, 12, 3)).astype(np.float32)
    still = measure(picture, picture)
    assert [name for name, holds in MEASURES.items() if holds(still)] == []


def test_held_words_never_reach_the_training() -> None:
    assert not phrases.held_words() & set(spoken_words())
    photographs = [set(pictures.TRAINING), set(pictures.VALIDATION), set(pictures.TEST)]
    assert not any(a & b for i, a in enumerate(photographs) for b in photographs[:i])


def test_words_of_one_meaning_are_kin_and_strangers_are_doubted() -> None:
    def synset(words: str, gloss: str) -> wordvectors.Synset:
        return wordvectors.Synset(tuple(words.split()), tuple(gloss.split()), (), "a", 0)

    synsets = {f"a{i:08d}": synset(*line) for i, line in enumerate([
        ("icy gelid", "cold"), ("cold", "low temperature"), ("toasty", "comfortably warm"), ("tax", "money owed"),
    ])}  # fmt: skip
    words = ["icy", "toasty", "gelid", "tax"]
    vectors = np.array([[1, 0, 0], [0, 1, 0], [0.9, 0.1, 0], [0, 0, 1]], np.float32)
    kinship = wordvectors.Kinship(words, vectors, synsets)
    choice, share = wordvectors.mixtures(kinship.between(["gelid", "tax"], ["icy", "toasty"]), 2)
    assert choice[0, 0] == 0 and share[0, 0] > 0.9
    assert share[1].sum() < 0.1


def test_packed_prompts_answer_as_the_processor_and_the_plain_model_do(tmp_path: Path) -> None:
    tokenizer = build_tokenizer(["warm", "cold", "look", "film", "noir"])
    save(build_model(tokenizer, seed=5), tokenizer, tmp_path)
    model, processor = load(tmp_path)
    random = np.random.default_rng(1)
    before, after = (Image.fromarray(random.integers(0, 255, (56, 56, 3), np.uint8).astype(np.uint8)) for _ in range(2))
    tensors = [
        torch.from_numpy(np.asarray(image, np.float32) / 255).permute(2, 0, 1)[None] for image in (before, after)
    ]
    prompts = ["Warm film look", "cold, noir", "warm blorp"]
    packed = Shipped(tmp_path).ask(tensors[0], tensors[1], prompts)[0]
    plain = [ask(model, processor, before, after, prompt) for prompt in prompts]
    assert packed.tolist() == pytest.approx(plain, abs=1e-4)
    assert "<unk>" in tokenizer.tokenize("warm blorp")


def test_a_miniature_training_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "PAIRS", 4)
    words = [*spoken_words(), "tax", "spoon"]
    build_tokenizer(words).save_pretrained(tmp_path / "tokenizer")
    np.savez(
        tmp_path / "mixtures.npz", choice=np.zeros((len(words), 2), np.int64),
        share=np.full((len(words), 2), 0.3, np.float32), trained=len(words),
    )  # fmt: skip
    (tmp_path / "words.json").write_text(json.dumps({"plain": ["tax", "spoon"]}))
    np.save(tmp_path / "training.npy", pictures.make(24, 0, [], 0.0))
    trainer = train.Trainer(tmp_path, seed=1, pool=200)
    losses = []
    for _ in range(12):
        loss, parts = trainer.loss(attacked=2, auxiliary=0.5)
        trainer.update(loss, 3e-3)
        losses.append(loss.item())
    trainer.attack_with(trainer.average, steps=1)
    assert len(trainer.attack.pairs) >= trainer.attack.size
    assert set(parts) >= {"answer", "place", "words"}
    assert sum(losses[-3:]) < 0.8 * sum(losses[:3])


@BOTH
def test_the_shipped_judge_sees_a_warm_grade(name: str) -> None:
    model, processor = load(EMBEDDED / name)
    before, after = graded("warm")
    assert ask(model, processor, before, after, "warm") > 0.5
    assert ask(model, processor, before, before, "warm") < 0.1
    assert ask(model, processor, before, graded("cool")[1], "warm") < 0.2
    assert ask(model, processor, after, before, "warm") < 0.2
    assert ask(model, processor, before, after, "flibbertigibbet wumpus") < 0.3


@BOTH
def test_the_shipped_judge_understands_every_phrasing(name: str) -> None:
    model, processor = load(EMBEDDED / name)
    before, after = graded("noir")
    for question in range(len(QUESTIONS)):
        assert ask(model, processor, before, after, "film noir", question) > 0.5
        assert ask(model, processor, before, before, "film noir", question) < 0.1


@BOTH
def test_the_shipped_judge_answers_in_one_word(name: str) -> None:
    model, processor = load(EMBEDDED / name)
    before, after = graded("warm")
    for picture, word in ((after, "Yes"), (before, "No")):
        asked = inputs(processor, before, picture, "warm")
        said = model.generate(**asked, max_new_tokens=6, do_sample=False)[0, asked["input_ids"].shape[1] :]
        assert processor.tokenizer.convert_ids_to_tokens(said.tolist()) == [word, "<end_of_turn>"]


@BOTH
def test_the_shipped_judge_reads_pictures_in_both_directions(name: str) -> None:
    model, processor = load(EMBEDDED / name)
    asked = inputs(processor, *graded("warm"), "warm")
    with torch.no_grad():
        right = model(**asked).logits[0, -1]
        causal = model(**{**asked, "token_type_ids": torch.zeros_like(asked["token_type_ids"])}).logits[0, -1]
    assert functional.l1_loss(right, causal) > 0.01


@BOTH
def test_the_card_is_honest_and_the_weights_are_small(name: str) -> None:
    folder = EMBEDDED / name
    card = (folder / "README.md").read_text("utf-8").lower()
    for word in ("data", "parameters", "seed", "minutes", "held-out", "limits", "wordnet", "xkcd", "licence", "gpl"):
        assert word in card, word
    assert (folder / "model.safetensors").stat().st_size < 4_000_000
