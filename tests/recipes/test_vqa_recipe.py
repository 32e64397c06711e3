"""The recipe of the model for visual questions, in miniature, and the checkpoint it made, as it ships."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    Gemma3ForConditionalGeneration,
    Gemma3Processor,
    PreTrainedTokenizerFast,
)

import recipes.vqa
from recipes.vqa import train
from recipes.vqa.evaluate import Shipped, contact_sheet, score
from recipes.vqa.model import build_model, build_tokenizer, save
from recipes.vqa.packing import Packer, answered, looking, run_packed, to_pixels
from recipes.vqa.words import THINGS, estrange, words
from studio.embeddings.scenes import demo
from studio.embeddings.scenes.questions import Question, ask_many
from studio.embeddings.scenes.scenes import COLOURS, HELD_OUT, TRAINING, Scene, Thing, compose, draw
from studio.gemma.prompts import IMAGE, lay_out

VQA = Path(recipes.vqa.__file__).parents[2] / "studio" / "embedded" / "vqa"
ODD = "Is there an Ügly  zebra-crossing? 漢字 🙂 ½ <b> €1,000 _x_ ~ \t end"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer(words())


def load(folder: Path) -> tuple[Any, Any]:
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    return AutoModelForImageTextToText.from_pretrained(folder, local_files_only=True, dtype=torch.float32), processor


def inputs(processor: Any, picture: Image.Image, question: str) -> Any:
    content = [{"type": "image", "image": picture}, {"type": "text", "text": question}]
    return processor.apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
    )  # fmt: skip


def asked_about(style: Any, scenes: int, seed: int = 0, questions: int = 5) -> tuple[list[Scene], list[list[Question]]]:
    random = np.random.default_rng(seed)
    drawn = [compose(random, style, 2, 6) for _ in range(scenes)]
    return drawn, [ask_many(scene, questions - i % 2, random) for i, scene in enumerate(drawn)]


def test_every_module_of_the_recipe_imports_and_training_loads_nothing_it_does_not_need() -> None:
    names = [module.name for module in pkgutil.iter_modules(recipes.vqa.__path__)]
    assert {"train", "evaluate", "export"} <= set(names)
    for name in names:
        importlib.import_module(f"recipes.vqa.{name}")
    code = "import sys, recipes.vqa.train; print([m for m in ('gradio', 'colour', 'diskcache') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_any_text_can_be_read_and_written_back(tokenizer: PreTrainedTokenizerFast) -> None:
    for text in (ODD, "", "?", "a" * 300, "\x00\x7f", *THINGS):
        ids = tokenizer.encode(text, add_special_tokens=False)
        assert tokenizer.unk_token_id not in ids
    written = tokenizer.decode(tokenizer.encode("Is there an Ügly zebra? 漢字 🙂", add_special_tokens=False))
    assert written == "is there an ügly zebra? 漢字 🙂"


def test_no_word_of_a_question_or_an_answer_is_spelt(tokenizer: PreTrainedTokenizerFast) -> None:
    for questions in asked_about(TRAINING, 40)[1]:
        for question in questions:
            for text in (question.text, question.answer):
                pieces = tokenizer.tokenize(text)
                assert all(piece.startswith("▁") or piece in "?.," for piece in pieces), pieces


def test_the_prompt_is_gemma_s_own_and_an_image_s_tokens_are_marked(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    save(build_model(tokenizer, 0), tokenizer, tmp_path)
    processor = AutoProcessor.from_pretrained(tmp_path, local_files_only=True)
    assert isinstance(processor, Gemma3Processor)
    layout = lay_out(processor, [IMAGE, "Is the star red?"])
    text = processor.tokenizer.decode(layout.ids)
    image = "<start_of_image>" + "<image_soft_token>" * 36 + "<end_of_image>"
    expected = f"<bos><start_of_turn>user\n\n\n{image}\n\nis the star red?<end_of_turn>\n<start_of_turn>model\n"
    assert text.replace(" ", "") == expected.replace(" ", "")
    (span,) = layout.images
    assert span.stop - span.start == 36 == int(layout.types.sum())
    packer = Packer(tokenizer)
    assert layout.ids.tolist() == [*packer.opening, *packer.encode("Is the star red?"), *packer.closing]


def test_packed_questions_are_answered_as_the_processor_and_the_plain_model_do(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    network = build_model(tokenizer, seed=5)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.5)  # louder than at birth, so that questions differ
    save(network, tokenizer, tmp_path)
    model, processor = load(tmp_path)
    assert isinstance(model, Gemma3ForConditionalGeneration)
    check_packed(model, processor, tolerance=1e-5)


def check_packed(model: Any, processor: Any, tolerance: float) -> None:
    scenes, asked = asked_about(HELD_OUT, 3)
    pictures, packer = [draw(scene) for scene in scenes], Packer(processor.tokenizer)
    packed = packer.pack(asked)
    with torch.no_grad():
        logits = run_packed(model, packer, to_pixels(pictures), packed)[2]
        for row, (picture, questions) in enumerate(zip(pictures, asked, strict=True)):
            for column, question in enumerate(questions):
                plain = model(**inputs(processor, picture, question.text)).logits[0, -1]
                place = int((packed.wanted[row] == packed.asks[row, column]).nonzero()[0, 0])
                assert (logits[row, place] - plain).abs().max() < tolerance * plain.abs().max().clamp(min=1)
        one = model(**inputs(processor, pictures[0], asked[0][0].text)).logits[0, -1]
        other = model(**inputs(processor, pictures[1], asked[0][0].text)).logits[0, -1]
        assert (one - other).abs().max() > 10 * tolerance, "the picture must matter for this to prove anything"


def test_names_end_where_they_stand_in_the_text(tokenizer: PreTrainedTokenizerFast) -> None:
    packer = Packer(tokenizer)
    asked = asked_about(TRAINING, 12)[1]
    packed = packer.pack(asked)
    for row, questions in enumerate(asked):
        for column, question in enumerate(questions):
            for place, name in zip(packed.called[row, column].tolist(), question.names, strict=False):
                said = tokenizer.decode(packed.ids[row, place : place + 1]).strip()
                assert said in (name.split()[-1] + ending for ending in ("", "s", "es")), question
            assert len(question.names) == int((packed.called[row, column] > 0).sum())


def test_the_look_of_a_name_is_the_layer_s_own_attention(tokenizer: PreTrainedTokenizerFast) -> None:
    model = build_model(tokenizer, 2).eval()
    model.set_attn_implementation("eager")
    packer, (scenes, asked) = Packer(tokenizer), asked_about(TRAINING, 1)
    packed = packer.pack([asked[0][:1]])
    kept: list[torch.Tensor] = []
    attention = model.model.language_model.layers[2].self_attn
    attention.register_forward_hook(lambda module, given, out: kept.append(out[1]))
    mask = torch.zeros(packer.mask(packed).shape).masked_fill(~packer.mask(packed), -1e9)
    packer.mask = lambda _: mask  # type: ignore[method-assign,assignment]  # eager attention adds its mask
    with torch.no_grad():
        states = run_packed(model, packer, to_pixels([draw(scenes[0])]), packed)[1]
        looked = looking(model, packer, packed, states[2], 2)[0, :, 0].softmax(-1)
    seen = kept[0][0, :, packed.called[0, 0, 0], packer.soft]
    assert torch.allclose(looked, seen / seen.sum(-1, keepdim=True), atol=1e-5)


def test_things_no_scene_holds_are_asked_for_and_denied() -> None:
    random = np.random.default_rng(0)
    changed = 0
    for questions in asked_about(TRAINING, 60)[1]:
        for question in questions:
            strange = estrange(question, random)
            if strange == question:
                assert question.category != "false premise" or question.names[0] in COLOURS
                continue
            changed += 1
            (name,) = {word for word in THINGS for called in strange.names if word in called.split()}
            assert name in strange.text and strange.answer in ("no", f"There is no {name}.")
    assert changed > 20


def test_labels_of_places_follow_from_the_scene() -> None:
    scene = Scene((Thing("star", "blue", 0.1, 0.9, 0.1, 0), Thing("ring", "red", 0.6, 0.3, 0.1, 0)), "training", 0)
    cells = train.contents(scene, 6, None)
    assert (cells[:, 0] > 0).nonzero().flatten().tolist() == [1 * 6 + 3, 5 * 6 + 0]
    assert cells[30].tolist() == pytest.approx([4, 5, 0.8, 0.1, -0.1], abs=1e-5)
    patches = train.contents(scene, 12, 0.8)
    assert (patches[:, 0] == 4).sum() > 1 and (patches[:, 0] == 7).sum() > 1 and (patches[:, 0] == 0).sum() > 100
    question = Question("", "yes", "relation", "yes/no", ("ring", "star"), (1,), (0,))
    assert train.places(scene, [question], 2).nonzero().tolist() == [[0, 0, 9], [0, 1, 30]]


def test_an_answer_counts_only_when_every_token_is_right(tokenizer: PreTrainedTokenizerFast) -> None:
    packer = Packer(tokenizer)
    asked = [[Question("Is the star red?", "There is no star.", "", "", ()), Question("Is it?", "yes", "", "", ())]]
    packed = packer.pack(asked)
    logits = torch.nn.functional.one_hot(packed.targets, len(tokenizer)).float()
    assert answered(logits, packed).tolist() == [[True, True]]
    logits[0, 2] = torch.roll(logits[0, 2], 1)
    assert answered(logits, packed).tolist() == [[False, True]]


def test_a_miniature_training_learns_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "SCENES", 3)
    trainer = train.Trainer(seed=1)
    saw, losses = [], []
    for _ in range(12):
        loss, parts = trainer.see()
        trainer.update(loss, 2e-3)
        saw.append(parts["patch"])
    for _ in range(14):
        loss, parts = trainer.loss(auxiliary=0.5, most=3)
        trainer.update(loss, 3e-3)
        losses.append(loss.item())
    assert np.mean(saw[-3:]) < 0.8 * np.mean(saw[:3]) and np.mean(losses[-3:]) < 0.6 * np.mean(losses[:3])
    assert set(parts) == {"answer", "right", "patch", "place", "size", "look", "named", "asked"}
    trainer.smooth(0.5)
    train.save_state(trainer, tmp_path / "vqa.pt", 60.0, 26)
    again = train.Trainer(seed=2)
    assert train.load_state(again, tmp_path / "vqa.pt") == (60.0, 26)
    nexts = []
    for each in (trainer, again):
        each.random = np.random.default_rng(7)
        for _ in range(2):
            loss, _ = each.loss(auxiliary=0.5, most=3)
            each.update(loss, 3e-3)
        nexts.append(loss.item())
    assert nexts[0] == nexts[1]


@pytest.fixture(scope="module")
def shipped() -> Shipped:
    return Shipped(VQA)


def test_the_shipped_checkpoint_is_small_and_of_the_real_classes() -> None:
    assert sum(path.stat().st_size for path in VQA.iterdir()) < 8_000_000
    model, processor = load(VQA)
    assert isinstance(model, Gemma3ForConditionalGeneration) and isinstance(processor, Gemma3Processor)
    assert type(processor.image_processor).__name__ == "Gemma3ImageProcessorPil"
    assert "<unk>" not in processor.tokenizer.tokenize(ODD)
    check_packed(model, processor, tolerance=1e-4)


def test_the_shipped_checkpoint_answers_far_better_than_one_that_cannot_see(shipped: Shipped) -> None:
    scores = score(shipped, TRAINING, (1, 6), 48, seed=5)
    assert scores["all"].right > 0.5 and scores["all"].right > scores["all"].blind + 0.12
    for category in ("colour", "count", "shape", "existence", "false premise"):
        assert scores[category].right > 0.2, category


def test_the_shipped_checkpoint_errs_in_the_held_out_style_but_not_always(shipped: Shipped) -> None:
    held = score(shipped, HELD_OUT, (demo.FEWEST, demo.MOST), 48, seed=6)["all"]
    assert 0.4 < held.right < 0.95 and held.right > held.blind


def test_the_shipped_checkpoint_ends_its_answers_and_writes_them_as_the_evaluation_says(shipped: Shipped) -> None:
    model, processor = load(VQA)
    scenes, asked = asked_about(HELD_OUT, 2, seed=4)
    for scene, questions in zip(scenes, asked, strict=True):
        picture = draw(scene)
        for question in questions[:2]:
            given = inputs(processor, picture, question.text)
            written = model.generate(**given, max_new_tokens=12, do_sample=False)[0, given["input_ids"].shape[1] :]
            assert written[-1] == processor.tokenizer.convert_tokens_to_ids("<end_of_turn>")
            answer = processor.tokenizer.decode(written, skip_special_tokens=True)
            assert answer == shipped.answer(picture, question.text)
            (right,) = shipped.right([picture], [[question]])[0]
            assert right == (answer == question.answer.lower())


def test_any_question_gets_an_answer_and_the_sheet_shows_them(shipped: Shipped) -> None:
    picture = draw(asked_about(TRAINING, 1)[0][0])
    assert len({shipped.answer(picture, text) for text in (ODD, "hm", "Who are you?", "Is there a star?")}) >= 1
    sheet = np.asarray(contact_sheet(shipped, seed=1, columns=1, lines=2))
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) > 1000
