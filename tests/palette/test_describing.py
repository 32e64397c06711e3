"""Names, roles, colour vision, harmony, and the description that holds them all."""

from __future__ import annotations

import json

import numpy as np
import pytest

from studio.errors import StudioError
from studio.palette import colours, harmony, simulation
from studio.palette.colours import oklch_to_srgb, to_hex, to_lab
from studio.palette.contrast import ratio
from studio.palette.description import describe
from studio.palette.naming import nearest
from studio.palette.roles import ROLES, roles

SEED = ["#c5d70f", "#4dd70f", "#0fd749", "#0fd7c1"]
SIGNAL = ["#000000", "#ffffff", "#808080", "#ff0000"]


def test_colours_that_have_a_name_get_it() -> None:
    assert [each.name for each in nearest(SIGNAL)] == ["Black", "White", "Grey", "Red"]
    assert all(
        each.distance < 1e-9 and each.hex == colour for each, colour in zip(nearest(SIGNAL), SIGNAL, strict=True)
    )


def test_no_nearer_name_exists() -> None:
    some = to_hex(np.random.default_rng(0).random((50, 3)))
    from studio.palette.naming import names

    known, _, lab = names()
    for colour in some:
        (found,) = nearest([colour])
        gaps = colours.distances(to_lab([colour]), lab)[0]
        assert found.distance == gaps.min() < 8 and known[int(gaps.argmin())] == found.name


def test_two_colours_never_share_a_name_unless_they_are_one() -> None:
    close = ["#c5d70f", "#c5d710", "#c5d70f", "#c4d70f"]
    names = [each.name for each in nearest(close)]
    assert names[0] == names[2] and len(set(names)) == 3
    assert nearest(close[::-1])[::-1] == nearest(close), "the order does not matter"


@pytest.mark.parametrize(
    ("palette", "expected"),
    [
        (["#1b2a41", "#e0e1dd", "#778da9", "#ff6b6b"], ["text", "background", "surface", "accent"]),
        (["#222831", "#393e46", "#00adb5", "#eeeeee"], ["background", "surface", "accent", "text"]),
        (["#0d0221", "#ff2a6d", "#05d9e8", "#d1f7ff"], ["text", "accent", "surface", "background"]),
        (SIGNAL, ["text", "background", "surface", "accent"]),
    ],
)
def test_roles_are_a_designer_s(palette: list[str], expected: list[str]) -> None:
    assert roles(palette) == expected


def test_every_role_is_given_once_and_text_can_be_read() -> None:
    for palette in np.random.default_rng(0).random((100, 4, 3)):
        hexes = to_hex(palette)
        given = dict(zip(roles(hexes), hexes, strict=True))
        assert sorted(given) == sorted(ROLES)
        best = max(ratio(one, other) for one in hexes for other in hexes)
        assert ratio(given["text"], given["background"]) > 0.6 * min(best, 7)


def test_machado_s_matrices_are_colour_science_s() -> None:
    published = pytest.importorskip("colour").CVD_MATRICES_MACHADO2010
    for name, matrix in simulation.MATRICES.items():
        np.testing.assert_array_equal(matrix, published[name.replace("opia", "omaly").capitalize()][1.0])
        np.testing.assert_allclose(matrix.sum(1), 1, atol=2e-6)


def test_greys_look_the_same_to_everyone() -> None:
    greys = ["#000000", "#404040", "#808080", "#ffffff"]
    assert all(seen == greys for seen in simulation.simulate(greys).values())
    assert simulation.collapses(greys) == []


def test_red_and_green_collapse_and_blue_and_yellow_do_not() -> None:
    red_green = ["#b35900", "#738c00"]
    found = simulation.collapses([*red_green, "#0000ff", "#ffff00"])
    assert found and {(each.one, each.other) for each in found} == {tuple(red_green)}
    assert {each.deficiency for each in found} <= {"protanopia", "deuteranopia"}
    assert all(each.distance < 5 for each in found)


def test_a_pair_that_is_one_to_all_does_not_collapse() -> None:
    assert simulation.collapses(["#ff0000", "#fe0000"]) == []


def hues(*degrees: float, chroma: float = 0.09) -> list[str]:
    return to_hex(oklch_to_srgb(np.array([[0.68, chroma, degree % 360] for degree in degrees])))


@pytest.mark.parametrize("start", range(0, 360, 45))
@pytest.mark.parametrize(
    ("degrees", "kind"),
    [
        ((0, 5, 10, 15), "monochromatic"),
        ((0, 25, 50, 75), "analogous"),
        ((0, 3, 180, 184), "complementary"),
        ((0, 3, 120, 124), "contrasting"),
        ((0, 3, 155, 205), "split complementary"),
        ((0, 120, 240, 244), "triadic"),
        ((0, 90, 180, 270), "tetradic"),
        ((0, 60, 180, 240), "tetradic"),
        ((0, 40, 150, 200), "free"),
    ],
)
def test_schemes_are_found_anywhere_on_the_circle(start: int, degrees: tuple[int, ...], kind: str) -> None:
    found = harmony.describe(hues(*(start + each for each in degrees)))
    assert found.kind == kind and found.sentence.startswith(kind.capitalize() + ": ")
    assert found.hues[0] == pytest.approx(start % 360, abs=3) or found.hues[0] == pytest.approx(start + 360, abs=3)


@pytest.mark.parametrize(
    ("palette", "sentence"),
    [
        (SEED, "Analogous: neighbouring hues from yellow-green to turquoise, 66° of the circle."),
        (SIGNAL, "Accented neutral: red as the only hue, with black, white and grey."),
        (["#000000", "#ffffff", "#808080", "#cccccc"], "Achromatic: black, white, grey and light grey alone, no hue."),
        (
            ["#0d0221", "#ff2a6d", "#05d9e8", "#d1f7ff"],
            "Complementary: cyan against pink, 162° apart, with black.",
        ),
    ],
)
def test_harmonies_read_well(palette: list[str], sentence: str) -> None:
    assert harmony.describe(palette).sentence == sentence


@pytest.mark.parametrize(
    ("colour", "family"),
    [
        ("#ff0000", "red"), ("#ffa500", "orange"), ("#ffd700", "yellow"), ("#8b4513", "brown"), ("#808000", "olive"),
        ("#00ff00", "green"), ("#008080", "teal"), ("#40e0d0", "turquoise"), ("#00ffff", "cyan"),
        ("#000080", "dark blue"), ("#87ceeb", "blue"), ("#4b0082", "dark violet"), ("#800080", "purple"),
        ("#ff00ff", "magenta"), ("#ff69b4", "pink"), ("#ffc0cb", "pale pink"), ("#d2b48c", "beige"),
        ("#708090", "muted blue"), ("#000000", "black"), ("#ffffff", "white"), ("#444444", "dark grey"),
    ],
)  # fmt: skip
def test_colours_are_called_what_people_call_them(colour: str, family: str) -> None:
    assert harmony.describe([colour]).families == (family,)


def test_a_description_is_plain_data() -> None:
    found = describe(["C5D70F", "4dd70f", "#0fd749", "#0fd7c1"])
    assert [each.hex for each in found.colours] == SEED
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert len(data["contrast"]) == len(data["repairs"]) == 6
    assert data["harmony"]["kind"] == "analogous" and len(data["simulation"]["protanopia"]) == 4
    assert {each["role"] for each in data["colours"]} == set(ROLES)
    assert data["nearest"] < data["within"]


def test_a_description_says_what_to_do() -> None:
    notes = describe(SEED).notes
    assert "text needs 4.5: make " in notes[1] and any("protanopia these look alike" in note for note in notes)
    good = describe(["#1b2a41", "#e0e1dd", "#778da9", "#ff6b6b"]).notes
    assert good[1].endswith("10.99 to 1, which is AAA.") and good[2].startswith("All four stay apart")
    assert sum("look alike to everyone" in note for note in describe(["#abc", "#abc", "#000", "#fff"]).notes) == 1


@pytest.mark.parametrize("wrong", [[], ["#000"], ["#000"] * 5])
def test_a_palette_has_four_colours(wrong: list[str]) -> None:
    with pytest.raises(
        StudioError, match=r"^A palette has 4 colours, and (one is|\d are) given\. Give exactly four\.$"
    ):
        describe(wrong)
