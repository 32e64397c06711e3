import pytest
import torch

from studio.grading.looks import LOOKS, PARAMETER_COUNT, agreement, apply, match, vector


@pytest.fixture
def pictures() -> torch.Tensor:
    torch.manual_seed(3)
    smooth = torch.nn.functional.interpolate(torch.rand(4, 3, 4, 4), size=(24, 24), mode="bicubic")
    return smooth.clamp(0, 1)


def named(name: str) -> torch.Tensor:
    return next(look.parameters for look in LOOKS if look.name == name)


def test_there_are_enough_looks_and_no_phrase_means_two_of_them() -> None:
    phrases = [phrase for look in LOOKS for phrase in look.phrases]
    assert len(LOOKS) >= 44
    assert len(phrases) == len(set(phrases))
    assert all(look.name == look.phrases[0] and len(look.phrases) >= 10 for look in LOOKS)
    assert all(look.parameters.abs().sum() > 0 for look in LOOKS)


def test_the_zero_vector_is_the_identity(pictures: torch.Tensor) -> None:
    edges = torch.cat([pictures.flatten(2), torch.tensor([0.0, 1.0]).expand(4, 3, 2)], 2)
    assert torch.allclose(apply(torch.zeros(PARAMETER_COUNT), edges), edges, atol=5e-5)


def test_looks_do_what_they_are_called(pictures: torch.Tensor) -> None:
    assert (apply(named("warm"), pictures) - pictures)[:, 2].mean() < -0.02
    assert (apply(named("dark"), pictures) - pictures).mean() < -0.05
    noir = apply(named("noir"), pictures)
    assert (noir.amax(1) - noir.amin(1)).max() < 0.01


def test_every_look_stays_inside_the_gamut(pictures: torch.Tensor) -> None:
    for look in LOOKS:
        graded = apply(1.5 * look.parameters, pictures)
        assert graded.isfinite().all() and graded.min() >= 0 and graded.max() <= 1


def test_agreement_rises_with_strength_and_stops_at_the_look(pictures: torch.Tensor) -> None:
    asked = named("teal and orange").expand(4, 1, -1)
    graded = apply(named("teal and orange"), pictures)
    logits = [agreement(pictures, pictures.lerp(graded, x), asked).logit.mean() for x in (0.0, 0.3, 0.6, 1.0)]
    assert logits == sorted(logits)
    assert logits[0] < -3 and logits[-1] > 3
    assert agreement(pictures, graded, asked).progress.mean() == pytest.approx(1, abs=0.1)
    assert agreement(pictures, graded, asked).residual.max() < 0.1


@pytest.mark.parametrize("name", ["warm", "noir", "vibrant", "faded film"])
def test_agreement_refuses_other_grades_swaps_and_noise(pictures: torch.Tensor, name: str) -> None:
    grade = named(name)
    asked = grade.expand(4, 1, -1)
    graded = apply(grade, pictures)
    noisy = (graded + 0.3 * torch.randn_like(graded)).clamp(0, 1)
    other = apply(named("underwater"), pictures)
    for before, after in ((graded, pictures), (pictures, noisy), (pictures, other)):
        assert agreement(before, after, asked).logit.mean() < 0


def test_agreement_judges_many_looks_at_once(pictures: torch.Tensor) -> None:
    asked = torch.stack([look.parameters for look in LOOKS]).expand(4, -1, -1)
    for index in (0, 4, 8, 17):
        graded = apply(LOOKS[index].parameters, pictures)
        assert int(agreement(pictures, graded, asked).logit.mean(0).argmax()) == index


def test_match_reads_phrases_and_frames() -> None:
    found = match("Please make it look like Film Noir!")
    assert found is not None
    assert [(look.name, near) for look, near in found.looks] == [("noir", 1.0)]
    assert found.unknown == ()
    assert torch.equal(found.parameters, named("noir"))


def test_match_scales_by_words_of_strength() -> None:
    found, strong = match("a touch of warm"), match("very warm")
    assert found is not None and strong is not None
    assert torch.allclose(found.parameters, named("warm") * 0.5)
    assert torch.allclose(strong.parameters, named("warm") * 1.3)


def test_match_joins_looks() -> None:
    found = match("subtle sepia and very dark")
    assert found is not None
    assert [look.name for look, _ in found.looks] == ["sepia", "dark"]
    assert torch.allclose(found.parameters, 0.8 * (0.55 * named("sepia") + 1.3 * named("dark")))


def test_cinematic_beside_another_look_is_a_manner_of_speaking() -> None:
    for prompt, name in (("cinematic teal and orange", "teal and orange"), ("cinematic", "cinematic")):
        found = match(prompt)
        assert found is not None and [look.name for look, _ in found.looks] == [name]


def test_match_is_honest_about_what_it_does_not_know() -> None:
    assert match("zzz qqq") is None
    assert match("the look of it") is None
    assert match("") is None
    found = match("warm flibbertigibbet")
    assert found is not None and found.unknown == ("flibbertigibbet",)
    near = match("vintge")
    assert near is not None and near.looks[0][0].name == "faded film" and near.looks[0][1] < 1


def test_vector_refuses_a_parameter_that_does_not_exist() -> None:
    with pytest.raises(KeyError):
        vector(warmth=1.0)
