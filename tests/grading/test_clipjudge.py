from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import cosine_similarity

from studio.context import Context
from studio.errors import StudioError
from studio.gemma.clip import Clip, load_clip
from studio.grading import judging, measuring, training
from studio.grading.clipjudge import FRAME, NEUTRAL, Calibration, ClipJudge, directional
from studio.grading.config import ClipForm, JudgeConfig, OptimizeConfig
from studio.grading.judges import open_judge
from studio.models import ModelSpec
from tests import checkpoints

PROMPTS = ["warm golden hour", "cold rain"]
OWN = {"directional": [9.0, -3.0], "single": [5.0, -1.0], "floor": 0.2}
FORMS = pytest.mark.parametrize("form", ["directional", "single"])
torch.set_num_threads(1)


@pytest.fixture(scope="module", params=[None, OWN], ids=["default calibration", "its own"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    extra = {"judge_calibration": request.param} if request.param else {}
    folder = checkpoints.save_clip(tmp_path_factory.mktemp("clip"), seed=3, **extra)
    return load_clip(ModelSpec("clip", str(folder)), torch.device("cpu"))


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    """``[3, 3, 56, 56]`` views of photographs, whole 8-bit levels."""
    from skimage import data

    shots = [Image.fromarray(getattr(data, name)()).resize((56, 56)) for name in ("astronaut", "coffee", "chelsea")]
    return torch.from_numpy(np.stack([np.asarray(shot) for shot in shots])).permute(0, 3, 1, 2) / 255


def grade(pictures: torch.Tensor) -> torch.Tensor:
    """A different warm grade for each picture."""
    strength = torch.linspace(0.1, 0.3, len(pictures))[:, None, None, None]
    warm = torch.tensor([1.0, 0.2, -0.8])[:, None, None]
    return (pictures + strength * warm * pictures * (1 - pictures)).clamp(0, 1)


def plain(bundle: Clip, before: torch.Tensor, after: torch.Tensor, prompt: str, form: ClipForm) -> torch.Tensor:
    """The plain way for one pair ``[3, S, S]``: the processor's text, the whole model, and the cosines as named."""
    mean, std = (
        torch.tensor(getattr(bundle.processor.image_processor, name))[:, None, None]
        for name in ("image_mean", "image_std")
    )
    texts = bundle.processor(text=[FRAME.format(prompt=prompt), NEUTRAL], padding=True, return_tensors="pt")
    out = bundle.model(**texts, pixel_values=(torch.stack((after, before)) - mean) / std)
    (to, origin), (asked, neutral) = out.image_embeds, out.text_embeds
    by = Calibration.of(bundle, form)
    if form == "single":
        return by.slope * (cosine_similarity(to, asked, 0) - cosine_similarity(to, neutral, 0)) + by.offset
    change, length = to - origin, (to - origin).norm()
    short = length / (length**2 + by.floor**2).sqrt()  # what the floor takes from the cosine
    return by.slope * short * cosine_similarity(change, asked - neutral, 0) + by.offset


@FORMS
def test_margins_and_gradients_equal_the_plain_way(bundle: Clip, pictures: torch.Tensor, form: ClipForm) -> None:
    index = [2, 0, 1, 0]
    leaves = [grade(pictures[index]).requires_grad_() for _ in range(2)]
    pairs = list(zip(pictures[index], leaves[0], strict=True))
    wanted = torch.stack([torch.stack([plain(bundle, *pair, prompt, form) for prompt in PROMPTS]) for pair in pairs])
    got = ClipJudge(bundle, form).open(pictures, PROMPTS).margin(leaves[1], torch.tensor(index))
    gradients = [torch.autograd.grad(each.sum(), leaf)[0] for each, leaf in zip((wanted, got), leaves, strict=True)]
    assert got.dtype == torch.float32 and got.shape == (4, 2)
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)
    assert gradients[0].norm() > 0
    assert (gradients[1] - gradients[0]).norm() / gradients[0].norm() < 1e-3


@FORMS
def test_one_prompt_alone_scores_as_it_does_among_others(bundle: Clip, pictures: torch.Tensor, form: ClipForm) -> None:
    judge, after = ClipJudge(bundle, form), grade(pictures)
    together = judge.open(pictures, PROMPTS).margin(after, [0, 1, 2])
    for column, prompt in enumerate(PROMPTS):
        alone = judge.open(pictures, [prompt]).margin(after, [0, 1, 2])
        torch.testing.assert_close(alone, together[:, [column]], rtol=1e-4, atol=1e-4)
    assert (together[:, 0] - together[:, 1]).abs().min() > 1e-4


@FORMS
def test_photographs_can_be_added_later(bundle: Clip, pictures: torch.Tensor, form: ClipForm) -> None:
    judge = ClipJudge(bundle, form)
    later = judge.open(pictures[:0], PROMPTS)
    assert [later.extend(pictures[:1]), later.extend(pictures[1:])] == [range(1), range(1, 3)]
    assert len(later) == 3 and later.extend(pictures[:0]) == range(3, 3)
    together = judge.open(pictures, PROMPTS)
    torch.testing.assert_close(later.margin(grade(pictures), range(3)), together.margin(grade(pictures), range(3)))


def test_only_the_direction_hangs_on_the_photograph(bundle: Clip, pictures: torch.Tensor) -> None:
    after = grade(pictures)
    for form, told in (("directional", True), ("single", False)):
        session = ClipJudge(bundle, form).open(pictures, PROMPTS)
        apart = (session.margin(after, [0, 1, 2]) - session.margin(after, [1, 2, 0])).abs()
        assert (apart.min() > 1e-4) if told else (apart.max() == 0)


def test_an_untouched_picture_is_a_clear_no_with_a_gradient_towards_yes(bundle: Clip, pictures: torch.Tensor) -> None:
    judge = ClipJudge(bundle)
    leaf = pictures.clone().requires_grad_()
    margin = judge.open(pictures, PROMPTS).margin(leaf, [0, 1, 2], exact=True)
    (gradient,) = torch.autograd.grad(margin.sum(), leaf)
    torch.testing.assert_close(margin, torch.full((3, 2), judge.calibration.offset))
    assert margin.max() <= -3
    assert torch.isfinite(gradient).all() and gradient.flatten(1).norm(dim=1).min() > 0


def test_the_cosine_grows_with_the_change_up_to_that_of_its_direction() -> None:
    random = torch.Generator().manual_seed(0)
    before, way, neutral, prompt = torch.randn(4, 16, generator=random).unbind()
    steps = torch.tensor([0.0, 0.01, 0.1, 1.0, 100.0])[:, None]
    cosines = directional(before.expand(5, -1), before + steps * way, neutral, prompt[None], floor=0.1)[:, 0]
    full = cosine_similarity(way, prompt - neutral, 0)
    assert cosines[0] == 0
    assert (cosines.abs().diff() > 0).all()
    torch.testing.assert_close(cosines[-1], full)


@FORMS
def test_exact_scores_are_those_of_saved_pictures(bundle: Clip, form: ClipForm) -> None:
    from skimage import data

    before = torch.from_numpy(data.coffee().copy()).permute(2, 0, 1)[None] / 255  # type: ignore[no-untyped-call]
    after = (before * torch.tensor([1.0, 0.9, 0.7])[:, None, None]).clamp(0, 1)
    saved = (after * 255).round() / 255
    session = ClipJudge(bundle, form).open(before, PROMPTS)
    assert torch.equal(session.margin(after, [0], exact=True), session.margin(saved, [0], exact=True))


def test_the_whole_frame_is_seen(bundle: Clip) -> None:
    wide = torch.full((1, 3, 40, 120), 0.5)
    edged = wide.clone()
    edged[..., :8] = torch.tensor([0.9, 0.3, 0.1])[:, None, None]  # outside the centre that CLIP's processor cuts out
    judge = ClipJudge(bundle)
    assert not torch.allclose(judge.look(wide, exact=True), judge.look(edged, exact=True))


def test_a_prompt_that_is_too_long_is_one_sentence(bundle: Clip, pictures: torch.Tensor) -> None:
    judge = ClipJudge(bundle)
    rest = bundle.text_length - len(bundle.processor.tokenizer(FRAME.format(prompt="warm"))["input_ids"])
    assert len(judge.open(pictures, ["warm" + " warm" * rest])) == 3
    with pytest.raises(StudioError, match="78 tokens, and this CLIP reads 77"):
        judge.open(pictures, ["teal", "warm" + " warm" * (rest + 1)])


def test_control_tokens_in_a_prompt_are_refused(bundle: Clip, pictures: torch.Tensor) -> None:
    with pytest.raises(StudioError, match="control token"):
        ClipJudge(bundle).open(pictures, ["warm<|endoftext|> cold"])


def test_braces_in_a_prompt_are_words(bundle: Clip, pictures: torch.Tensor) -> None:
    session = ClipJudge(bundle).open(pictures, ["a {weird} {0} look"])
    assert torch.isfinite(session.margin(pictures, [0, 1, 2])).all()


def test_without_its_own_calibration_a_clip_has_a_documented_one(tmp_path: Path) -> None:
    bundle = load_clip(ModelSpec("clip", str(checkpoints.save_clip(tmp_path))), torch.device("cpu"))
    assert Calibration.of(bundle, "single").slope == pytest.approx(bundle.model.logit_scale.exp().item())
    assert Calibration.of(bundle, "directional").offset == -4


def test_a_model_is_opened_as_the_judge_it_is(bundle: Clip) -> None:
    judge = open_judge(bundle, phrasings=3, clip_form="single")
    assert isinstance(judge, ClipJudge) and judge.form == "single" and judge.size == 56


def test_clip_trains_a_lut_and_another_judge_looks_on(
    photographs: Path, judge_folder: Path, house: Callable[[str], Context], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = checkpoints.save_clip(tmp_path / "clip")
    monkeypatch.setattr(measuring, "SECOND", {str(folder): str(judge_folder)})
    config = OptimizeConfig(
        prompt="warm | cold: 2", image_folder=photographs, model_type=str(folder), steps=8, lut_size=9, views=1,
        batch_size=2, learning_rate=0.02, image_regularization=0,
    )  # fmt: skip
    *_, last = events = list(training.run(config, house("job")))
    margins = [event.metrics["margin"] for event in events if "margin" in event.metrics]
    assert margins[-1] > margins[0]
    assert {"second_opinion", "look_2"} <= last.metrics.keys() and last.metrics["second_opinion"] != 0.5
    assert (tmp_path / "job" / last.artifacts["lut"]).stat().st_size > 500


@FORMS
def test_a_pair_is_judged_in_either_form(
    form: ClipForm, photographs: Path, house: Callable[[str], Context], tmp_path: Path
) -> None:
    folder, after = checkpoints.save_clip(tmp_path / "clip"), tmp_path / "after.png"
    before = photographs / "coffee.jpg"
    Image.fromarray((np.asarray(Image.open(before)) * [1.0, 0.9, 0.7]).astype(np.uint8)).save(after)
    config = JudgeConfig(before=before, after=after, prompt="warm", model_type=str(folder), clip_form=form)
    (event,) = judging.run(config, house("job"))
    pictures = [torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)[None] / 255 for path in (before, after)]
    judge = ClipJudge(load_clip(ModelSpec("clip", str(folder)), torch.device("cpu")), form)
    wanted = judge.open(pictures[0], ["warm"]).margin(pictures[1], [0], exact=True)
    assert event.metrics["margin"] == pytest.approx(wanted.item(), abs=1e-5)
