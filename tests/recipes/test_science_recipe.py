"""The recipe of the science model, in miniature."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

import recipes.science
from recipes.science import evaluate, see, speak
from recipes.science.asked import TOKENS, Asked, lay_out, new, place_of, shuffled, tokens_of
from recipes.science.drawings import sheets_of
from recipes.science.export import export
from recipes.science.glyphs import CLASSES, Font, find_fonts
from recipes.science.join import SoftHeads, collect, examine
from recipes.science.language import build_language, build_tokenizer
from recipes.science.muon import orthogonal
from recipes.science.pool import Pool
from recipes.science.sheets import CELLS, IGNORED, SIDE, compose, label_glyphs
from recipes.science.ship import ship, table
from recipes.science.vision import WIDTH, build_tower, localise, look, normalise
from studio.scienceqa.diagrams.drawing import draw
from studio.scienceqa.diagrams.fonts import FOLDER
from studio.scienceqa.model import prompts
from studio.scienceqa.model.projector import Projector

FAMILIES = ("attract", "membrane", "punnett", "force", "temperature")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def fonts() -> list[Font]:
    return find_fonts([FOLDER])[0]


@pytest.fixture(scope="module")
def asked() -> list[Asked]:
    random = np.random.default_rng(3)
    return [new(family, random, "training")[0] for family in FAMILIES for _ in range(4)]


@pytest.fixture(scope="module")
def tokenizer(asked: list[Asked]) -> PreTrainedTokenizerFast:
    return build_tokenizer([text for each in asked for text in (each.question.question, each.question.solution)] * 3)


def test_every_module_of_the_recipe_imports() -> None:
    names = [module.name for module in pkgutil.iter_modules(recipes.science.__path__)]
    assert {"see", "join", "speak"} <= set(names)
    for name in names:
        importlib.import_module(f"recipes.science.{name}")


def test_held_out_fonts_are_kept_apart() -> None:
    training, held = find_fonts([FOLDER])
    assert {font.name.split("-")[0] for font in held} == {"OpenSans", "Cantarell"}
    assert len(training) > 5 and not {font.name for font in training} & {font.name for font in held}


def test_a_sheet_is_labelled_where_its_text_stands(fonts: list[Font]) -> None:
    sheet = compose(fonts, np.random.default_rng(5), 0.0)
    again = compose(fonts, np.random.default_rng(5), 0.0)
    assert sheet.picture.shape == (SIDE, SIDE, 3) and (sheet.picture == again.picture).all()
    halves = (
        sheet.picture.astype(int)
        .reshape(CELLS, 8, CELLS * 2, 4, 3)
        .transpose(0, 2, 1, 3, 4)
        .reshape(CELLS, CELLS * 2, -1)
    )
    spread = halves.std(-1).reshape(CELLS, CELLS, 2)
    assert spread[sheet.characters > 0].mean() > 4 * spread[sheet.characters == 0].mean()
    assert (sheet.heights[sheet.characters > 0] > 4).all()


def test_a_character_owns_the_half_patches_it_covers_and_its_border_is_not_judged() -> None:
    boxes = [("7", 14.0, 14.0, 38.0, 42.0, 24.0, False), ("1", 65.0, 65.0, 67.0, 71.0, 6.0, False)]
    characters, weights, _ = label_glyphs(boxes, (CELLS, CELLS))
    halves = characters.reshape(CELLS, CELLS * 2)
    assert halves[3, 6] == CLASSES["7"] and halves[3, 3] == IGNORED and halves[0, 6] == 0
    assert characters[8, 8].tolist() == [CLASSES["1"], 0] and weights[8, 8, 0] == 1 > weights[3, 3, 0]


def test_tiles_of_a_drawn_question_carry_its_letters() -> None:
    drawn = draw("attract", np.random.default_rng(0), "training")
    found = np.concatenate([sheet.characters.ravel() for sheet in sheets_of(drawn)])
    assert {glyph.text for glyph in drawn.glyphs} == {c for c, n in CLASSES.items() if n in found}


def test_a_new_tower_looks_at_the_four_neighbours_of_each_patch(fonts: list[Font]) -> None:
    pictures = torch.from_numpy(np.stack([compose(fonts, np.random.default_rng(1)).picture]))
    tower = build_tower(0)
    pixels = torch.nn.functional.unfold(normalise(pictures), 8, stride=8)[0].T
    localise(tower, pixels)
    tower.set_attn_implementation("eager")
    shares = tower(normalise(pictures), output_attentions=True).attentions[0][0, :4, 1:, 1:]
    middle = 5 * CELLS + 7
    assert shares[:, middle].argmax(-1).tolist() == [middle - 1, middle + 1, middle - CELLS, middle + CELLS]
    assert shares[:, middle].amax(-1).min() > 0.5


def test_updates_are_made_orthogonal() -> None:
    values = torch.linalg.svdvals(orthogonal(torch.randn(2, 30, 12, generator=torch.Generator().manual_seed(0)), 6))
    assert values.min() > 0.5 and values.max() < 1.5


def test_the_teacher_and_the_tower_learn_and_go_on_where_they_stopped(
    fonts: list[Font], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(see, "BATCH", 2)
    monkeypatch.setattr(see, "DRAWN", 1)
    teacher = see.Trainer(fonts, 1)
    losses = [teacher.step(3e-3)["char"] for _ in range(10)]
    assert np.mean(losses[-3:]) < 0.95 * np.mean(losses[:3])
    teacher.smooth(0.5)
    teacher.save(tmp_path / "teacher.pt", 5.0, 10)
    learner = see.load_learner(tmp_path / "teacher.pt", see.Trainer(fonts, 2))
    tower = see.Trainer(fonts, 1, learner)
    lessons = [tower.step(3e-3)["lesson"] for _ in range(6)]
    assert lessons[-1] < lessons[0]
    tower.save(tmp_path / "tower.pt", 3.0, 6)
    again = see.Trainer(fonts, 4, learner)
    assert again.load(tmp_path / "tower.pt") == (3.0, 6)
    for each in (tower, again):
        each.random = np.random.default_rng(7)
    torch.manual_seed(0)
    one = tower.step(1e-3)["char"]
    torch.manual_seed(0)
    assert again.step(1e-3)["char"] == one


def test_a_question_comes_back_from_disk_and_says_where_its_values_stand(
    asked: list[Asked], tokenizer: PreTrainedTokenizerFast
) -> None:
    for each in asked:
        assert Asked.from_json(each.to_json()) == each
        row = lay_out(tokenizer, each, "reasoning")
        rows, columns = each.grid
        assert len(row.soft) == rows * columns * TOKENS and [row.ids[place] for place in row.soft] == [-1] * len(
            row.soft
        )
        said = tokenizer.decode([row.ids[place] for place in row.learnt])
        letter = "ABCDE"[each.question.answer or 0]
        assert said == f"{each.question.solution}\nThe answer is ({letter}).<end_of_turn>"
        read = row.look["read"]
        assert row.value and len(read) == len(row.value)
        assert all(place == value - 1 and seen for value, (place, seen) in zip(row.value, read, strict=True))


def test_a_value_is_found_as_a_whole_word_in_its_own_case_first() -> None:
    poles = "The poles that face each other are S and N."
    assert [poles[slice(*place_of(pole, poles, 0))] for pole in "SN"] == ["S", "N"]
    assert place_of("S", poles, 0) == (35, 36)
    assert place_of("4", "14 on the left, 4 on the right", 0) == (16, 17)
    assert place_of("shale", "Shale lies lowest.", 0) == (0, 5)
    assert place_of("granite", "Shale lies lowest.", 0) is None


def test_the_letter_is_sought_in_the_words_of_the_right_choice(
    asked: list[Asked], tokenizer: PreTrainedTokenizerFast
) -> None:
    for each in asked:
        row = lay_out(tokenizer, each, "reasoning")
        ((place, words),) = row.look["choose"]
        assert each.question.answer is not None
        right = each.question.choices[each.question.answer]
        assert tokenizer.decode([row.ids[word] for word in words]).strip() == right
        assert tokenizer.decode([row.ids[place + 1]]) == "ABCDE"[each.question.answer]
        letters = {row.ids[letter] for _, (letter,) in row.look["mark"]}
        assert tokenizer.convert_ids_to_tokens(sorted(letters)) == list("ABCDE"[: len(each.question.choices)])


def test_tokens_that_show_a_letter_are_those_it_is_drawn_on() -> None:
    random = np.random.default_rng(8)
    each, picture, cut = new("attract", random, "training")
    first = draw("attract", np.random.default_rng(8), "training")
    for fact, shown in zip(first.facts, each.seen, strict=True):
        x0, y0, x1, y1 = fact.boxes[0]
        left, top, width, _ = cut.place
        scale = width / picture.width
        x, y = ((x0 + x1) / 2 * scale + left, (y0 + y1) / 2 * scale + top)
        view = int(y // SIDE) * cut.grid[1] + int(x // SIDE)
        assert view * TOKENS + int(y % SIDE // 16) * 8 + int(x % SIDE // 16) in shown
        assert set(shown) == set(tokens_of(cut, picture.width, fact.boxes[0]))


def test_shuffled_choices_keep_the_right_one(asked: list[Asked]) -> None:
    random = np.random.default_rng(0)
    for each in asked:
        other = shuffled(each, random).question
        assert each.question.answer is not None and other.answer is not None
        assert other.choices[other.answer] == each.question.choices[each.question.answer]


def test_letters_digits_and_alleles_are_single_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenizer.tokenize("ff, Ff (B) 12:3") == [
        "f",
        "f",
        ",",
        "▁",
        "F",
        "f",
        "▁",
        "(",
        "B",
        ")",
        "▁",
        "1",
        "2",
        ":",
        "3",
    ]
    for text in ("3 of 4 have FF or Ff.\nThe answer is (C).", "Ü 漢 ½ off", "ss"):
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_what_a_head_looks_at_is_the_layer_s_own_attention(
    asked: list[Asked], tokenizer: PreTrainedTokenizerFast
) -> None:
    language = build_language(tokenizer, 1).eval()
    rows = [lay_out(tokenizer, each, "reasoning") for each in asked[::7]]
    packed = speak.pack(rows, [tokenizer.convert_tokens_to_ids(letter) for letter in "ABCDE"])
    soft = torch.randn(packed.soft.shape[1] // TOKENS, TOKENS, language.config.hidden_size)
    with torch.no_grad():
        logits, states = speak.run(language, packed, soft)
        language.set_attn_implementation("eager")
        embeds = language.get_input_embeddings()(packed.ids)
        embeds = embeds.index_put((packed.soft[0], packed.soft[1]), soft.flatten(0, 1))
        plain = language.model(inputs_embeds=embeds, attention_mask=packed.mask.long(), output_attentions=True)
        wanted = language.lm_head(plain.last_hidden_state[packed.learnt[0], packed.learnt[1]])
        assert torch.allclose(logits, wanted, atol=1e-4)
        for purpose, heads in speak.LOOKING.items():
            looks = packed.looks[purpose][0]
            for layer, head in heads:
                found = speak.looking(language, looks, states[layer], layer, head)
                assert torch.allclose(found, plain.attentions[layer][looks[0], head, looks[1]], atol=1e-5)


def test_the_language_model_learns_from_words_and_from_pictures_and_goes_on(tmp_path: Path) -> None:
    for _ in Pool(tmp_path / "words", 0).grow(None, FAMILIES, 10, 1, "training"):
        pass
    tower = build_tower(0)
    kept = Pool(tmp_path / "pictures", WIDTH)
    for _ in kept.grow(tower, ("attract", "force"), 4, 1, "training"):
        pass
    again = Pool(tmp_path / "pictures", WIDTH)
    assert len(again.questions) == 4
    assert torch.allclose(again.features(3), _seen(tower, "force", 3), atol=1e-2)
    speaker = speak.Speaker(tmp_path, WIDTH, 1)
    words = Pool(tmp_path / "words", 0)
    losses = [speaker.learn(words.questions[:4], None, 3e-3)["loss"] for _ in range(5)]
    assert losses[-1] < 0.9 * losses[0]
    features = [again.features(index) for index in range(4)]
    parts = [speaker.learn(again.questions, features, 3e-3) for _ in range(4)]
    assert parts[-1]["loss"] < parts[0]["loss"] and parts[-1]["read"] > parts[0]["read"]
    speaker.steps = 16
    speaker.save("pictures")
    other = speak.Speaker(tmp_path, WIDTH, 2)
    assert other.load("pictures") and other.steps == 16
    for each in (speaker, other):
        each.random = np.random.default_rng(0)
    assert speaker.learn(again.questions, features, 1e-3) == other.learn(again.questions, features, 1e-3)


def _seen(tower: torch.nn.Module, family: str, index: int) -> Tensor:
    cut = new(family, np.random.default_rng([1, index]), "training")[2]
    with torch.no_grad():
        return look(tower, torch.from_numpy(np.stack([np.asarray(tile) for tile in cut.tiles])))  # type: ignore[arg-type]


def test_the_exported_bundle_is_loaded_by_the_studio_and_says_what_the_recipe_s_own_parts_say(tmp_path: Path) -> None:
    for _ in Pool(tmp_path / "words", 0).grow(None, FAMILIES, 10, 1, "training"):
        pass
    speaker, tower = speak.Speaker(tmp_path, WIDTH, 1), build_tower(0).requires_grad_(False)
    with torch.no_grad():
        for parameter in speaker.parts.parameters():
            parameter.copy_(parameter.bfloat16())  # as they will be written
        for parameter in tower.parameters():
            parameter.copy_(parameter.bfloat16())
    each, picture, cut = new("attract", np.random.default_rng(4), "training")
    row = lay_out(speaker.tokenizer, each, "reasoning")
    with torch.no_grad():
        features = look(tower, torch.from_numpy(np.stack([np.asarray(tile) for tile in cut.tiles])))
        packed = speak.pack([row], speaker.letters)
        wanted = speak.run(speaker.language, packed, speaker.projector(features))[0]
    info = export(tower, speaker, tmp_path / "bundle")
    model = evaluate.load(tmp_path / "bundle")
    assert not info.embedded and info.answering == "reasoning" and model.views.enlarge == 1.0
    asked = prompts.ask(model.tokenizer, each.question, cut.grid)
    batch = model.batch([asked], [model.features(model.cut(picture).tiles)],
                        answers=[prompts.answer(model.tokenizer, each.question, "reasoning")])  # fmt: skip
    assert batch.labels is not None
    with torch.no_grad():
        found = model.logits(model.hidden(batch)[:, :-1][batch.labels[:, 1:] >= 0])
    assert torch.allclose(found, wanted, atol=2e-3)
    told = evaluate.score(model, "attract", "held-out", 2, 0)
    assert told.right.total == 2 and told.chance == 0.5 and not told.readable
    scores = {"attract": told.to_json(), "layers": {**told.to_json(), "readable": True}}
    shipped = ship(tmp_path / "bundle", scores, tmp_path / "shipped")
    assert shipped.families == {"layers": round(told.right.value, 3)} and "| attract |" in table(scores)
    (tmp_path / "bundle").rename(tmp_path / "gone")
    assert evaluate.answers(
        evaluate.load(tmp_path / "shipped"), [draw("attract", np.random.default_rng(0), "training")]
    )


def test_soft_tokens_are_read_patch_by_patch(fonts: list[Font]) -> None:
    tower, projector = build_tower(0), Projector(WIDTH, 32, merge=2, text_rms=1.0)
    kept = collect(tower, fonts, 4, 1)
    assert set(examine(projector, SoftHeads(32), kept)) >= {"digits", "letters"}
    heads = SoftHeads(32)
    soft = torch.zeros(1, TOKENS, 32)
    soft[0, 9] = 1  # second row, second column: patches 2 and 3 of rows 2 and 3
    told = (heads.patches(soft) - heads.patches(torch.zeros(1, TOKENS, 32))).abs().sum(-1) > 0
    assert told.nonzero().flatten().tolist() == [2 * CELLS + 2, 2 * CELLS + 3, 3 * CELLS + 2, 3 * CELLS + 3]
