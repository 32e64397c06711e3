"""Put what `studio.grading.health` measured into words for a colourist: one plain line per measure, with a level.

A level says how much a line deserves a look, and not whether a look is beautiful: ``good`` needs none, ``fair`` is fine
where it is meant, ``poor`` is likely to break some picture. Black and white, tints and lifted blacks are never poor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from studio.grading.results import DOUBT

Level = Literal["good", "fair", "poor"]
LEVELS: tuple[Level, ...] = ("good", "fair", "poor")
NEVER = float("inf")


class Limit(NamedTuple):
    """The greatest figure that still is good, and fair, in the figure's own unit."""

    good: float
    fair: float


LIMITS: Mapping[str, Limit] = {
    # Mean ΔE2000 of photographs. Grades of this studio's presets move photographs by 8 to 20; a heavy one may be meant.
    "shift": Limit(20, NEVER),
    # L*, how far a grey falls below a darker one. 0.1 is less than one step of an 8-bit picture; an eye sees about 1.
    "drop": Limit(0.1, 1),
    # Chroma of grey. 5 is where a white wall begins to look coloured; any tint may be meant.
    "tint": Limit(5, NEVER),
    # ΔE2000 between neighbouring 8-bit greys beyond those of no grade (0.4 in sRGB): with them 1.0, which an eye just
    # sees side by side, and 2.3, the noticeable difference of Mahy et al. (1994).
    "step": Limit(0.6, 1.9),
    # L*, or a* and b*, by which a step differs from the one before. Steps are 0.4: at 0.5 one doubles, at 0.75 nearly
    # triples, which shows as an edge in a sky. Rounding a 33-point LUT to 4 bits gives 0.9, to 5 bits 0.2.
    "bend": Limit(0.5, 0.75),
    # Share of cells turned against the others. A thousandth are 33 of a 33-point LUT's cells, which photographs hardly
    # meet; a twentieth some photograph will.
    "folded": Limit(0.001, 0.05),
    # Share of the photographs' pixels newly clipped: a hundredth is a few lamps, a twentieth an area anyone sees.
    "clipped_pixels": Limit(0.01, 0.05),
    # Share of nodes newly clipped. Half of a LUT's nodes have a saturated colour, so that a vivid look clips many.
    "clipped_nodes": Limit(0.1, 0.25),
    # L* of black: sRGB's own viewing condition reflects 1 % of white, so that nothing under L* 9 is seen darker; of
    # white, 100 - L*: paper white in print is about 95. Both may be meant.
    "black": Limit(5, NEVER),
    "white": Limit(10, NEVER),
    # 100 - contrast, L* of white minus L* of black: under 30 a picture is a veil.
    "veil": Limit(70, 70),
    # Degrees a skin turns on a vectorscope. The chart's two skins lie 3 apart, people's within some 10 of the line at
    # 123; beyond 25 skin passes for another material.
    "turn": Limit(8, 25),
    # 1 - share of the cube's points that photographs reach: one photograph reaches 9 % (median), thirty 53 %.
    "unreached": Limit(0.8, 0.95),
    # Code values. 1/65535 is a step of a 16-bit picture, 1/510 half a step of an 8-bit one.
    "round_trip": Limit(1 / 65535, 1 / 510),
    # 1 - the judge's belief on held-out photographs, which is 0.97 untouched; `DOUBT` is where training itself warns.
    "disbelief": Limit(0.3, 1 - DOUBT),
}
"""Every threshold with its reason; figures without a source were found on LUTs with one planted fault each."""
COLOURLESS = 0.2
"""Skin with less of its chroma left has no hue to speak of."""
UNSEEN = 0.01
"""ΔE2000 that is rounding."""
LEAST_TINT = 0.5
"""C* of grey that nobody sees."""


@dataclass(frozen=True)
class Verdict:
    """One line of the report.

    Attributes:
        measure: What was measured, as `health.measure` names it.
        level: How much it deserves a look.
        sentence: What it means.
    """

    measure: str
    level: Level
    sentence: str


def judge(measures: Mapping[str, Any]) -> list[Verdict]:
    """Return the verdicts, in the order of `TOLD`; a measure that is missing or None has none."""
    found = ((name, tell(measures[name])) for name, tell in TOLD.items() if measures.get(name) is not None)
    return [Verdict(name, level, sentence) for name, (level, sentence) in found]


def told(verdicts: list[Verdict]) -> list[str]:
    """Return verdicts as lines of text."""
    return [f"{one.level:<5} {TITLES[one.measure]}: {one.sentence}" for one in verdicts]


def summary(verdicts: list[Verdict]) -> str:
    """Say in one sentence what deserves a look."""
    names = {level: [TITLES[each.measure].lower() for each in verdicts if each.level == level] for level in LEVELS}
    if names["poor"]:
        return f"Look at {_listed(names['poor'])} before you use this LUT."
    if names["fair"]:
        return f"Sound, if meant: {_listed(names['fair'])}."
    return "Sound in every measure."


def level(**figures: float) -> Level:
    """Return the worst level of figures by the names of their limits."""
    worst = 0
    for name, figure in figures.items():
        limit = LIMITS[name]
        worst = max(worst, 2 if figure > limit.fair else 1 if figure > limit.good else 0)
    return LEVELS[worst]


def _shift(found: Mapping[str, Any]) -> tuple[Level, str]:
    if found["cube"]["max"] < UNSEEN:
        return "good", "The LUT changes nothing."
    seen = found["photographs"]
    worst = level(shift=seen["mean"]) if seen else "good"
    where, seen = ("the photographs", seen) if seen else ("the whole cube", found["cube"])
    far = f"ΔE {seen['mean']:.1f} on average, {seen['p95']:.1f} for the most changed twentieth"
    return (
        worst,
        f"Colours of {where} move by {far}{'' if worst == 'good' else ': a heavy grade, fine where it is meant'}.",
    )


def _neutrals(found: Mapping[str, Any]) -> tuple[Level, str]:
    ordered, bent = level(drop=found["drop"]), level(bend=found["tint_bend"])
    order = "Greys stay in order" if ordered == "good" else f"Greys change order, by up to {found['drop']:.1f} L*"
    smooth = "smooth" if bent == "good" else "with edges" if bent == "poor" else "not quite smooth"
    seen = found["tint"] >= LEAST_TINT
    tint = f"the tint on grey is at most {found['tint']:.1f} C*, {smooth}" if seen else "grey stays grey"
    meant = ", fine where it is meant" if level(tint=found["tint"]) == "fair" else ""
    return level(drop=found["drop"], tint=found["tint"], bend=found["tint_bend"]), f"{order}; {tint}{meant}."


def _banding(found: Mapping[str, Any]) -> tuple[Level, str]:
    worst = level(step=found["step"] - found["base_step"], bend=found["bend"])
    words = {"good": "No banding", "fair": "Banding may show in smooth skies", "poor": "Banding will show"}[worst]
    steps = f"neighbouring 8-bit greys end at most ΔE {found['step']:.1f} apart ({found['base_step']:.1f} ungraded)"
    return worst, f"{words}: {steps}, with bends up to {found['bend']:.2f} L*, and make {found['distinct']} colours."


def _folding(found: Mapping[str, Any]) -> tuple[Level, str]:
    if found["mirrored"]:
        return "poor", "Colours are mirrored, as when channels are swapped or the picture is inverted."
    worst = level(folded=found["folded"])
    flat = f"; {found['flat']:.0%} of it is flat, as drained and clipped colours are" if found["flat"] >= 0.5 else ""
    if worst == "good":
        return worst, f"Colour space is not folded{flat}."
    return worst, f"{found['folded']:.1%} of colour space is folded: there, neighbouring colours change places{flat}."


def _clipping(found: Mapping[str, Any]) -> tuple[Level, str]:
    nodes, pixels = found["nodes"], found["pixels"]
    worst = level(clipped_nodes=nodes["either"], clipped_pixels=pixels["either"] if pixels else 0)
    share, where = (pixels, "the photographs' pixels") if pixels else (nodes, "the LUT")
    of_lut = f"; {nodes['either']:.1%} of the LUT" if pixels else ""
    if worst == "good" and max(share["either"], nodes["either"]) < 5e-4:
        return worst, "Nothing clips that did not clip before."
    ends = f"to 0 in {share['black']:.1%} and to 1 in {share['white']:.1%} of {where}{of_lut}"
    lost = "" if worst == "good" else "; what clips cannot be brought back, so it should be meant"
    return worst, f"A channel clips {ends}{lost}."


def _points(found: Mapping[str, Any]) -> tuple[Level, str]:
    black, white = found["black"]["lightness"], found["white"]["lightness"]
    worst = level(black=black, white=100 - white, veil=100 - (white - black))
    if white <= black:
        return worst, f"Black comes out lighter (L* {black:.0f}) than white (L* {white:.0f})."
    low = "stays black, at" if level(black=black) == "good" else "is lifted to"
    high = "stays white, at" if level(white=100 - white) == "good" else "falls to"
    both = f"Black {low} L* {black:.0f}; white {high} L* {white:.0f}"
    if worst == "poor":
        return worst, f"{both}: hardly any contrast is left."
    return worst, f"{both}{'.' if worst == 'good' else ': a faded look, fine where it is meant.'}"


def _skin(found: Mapping[str, Any]) -> tuple[Level, str]:
    hued = {name: one for name, one in found.items() if one["chroma"] >= COLOURLESS}
    if not hued:
        return "good", "Skin loses its colour, as in black and white."
    worst = level(turn=max(abs(one["turn"]) for one in hued.values()))
    turns = [f"{name} skin {_turned(one['turn'])} with {one['chroma']:.0%} of its colour" for name, one in hued.items()]
    words = {
        "good": "",
        "fair": ": fine where it is meant",
        "poor": ": no longer a skin's colour, unless that is meant",
    }
    return worst, f"{_listed(turns).capitalize()}{words[worst]}."


def _turned(degrees: float) -> str:
    if abs(degrees) < 0.5:
        return "keeps its hue"
    return f"turns {abs(degrees):.0f}° towards {'yellow' if degrees > 0 else 'magenta'}"


def _coverage(found: Mapping[str, Any]) -> tuple[Level, str]:
    worst = level(unreached=1 - found["nodes"])
    more = "" if worst == "good" else "; more varied photographs would tell more"
    reach = f"The photographs reach {found['nodes']:.0%} of the cube"
    return worst, f"{reach}, {found['fullest']:.0%} of their pixels in its fullest 13%{more}."


def _round_trip(found: Mapping[str, Any]) -> tuple[Level, str]:
    worst = level(round_trip=max(found.values()))
    titles = {"opencolorio": "OpenColorIO", "colour": "colour-science", "ffmpeg": "ffmpeg"}
    if worst == "good":
        return worst, f"The file reads back as written; {_listed([titles[n] for n in found if n in titles])} agree."
    apart = _listed([f"{titles.get(name, name)} by {255 * figure:.2f}" for name, figure in found.items()])
    return worst, f"Programs read the file differently, in 8-bit steps: {apart}."


def _score(found: Mapping[str, Any]) -> tuple[Level, str]:
    worst = level(disbelief=1 - found["score"])
    untouched = f" (untouched: {found['untouched']:.0%})" if found.get("untouched") is not None else ""
    where = "photographs held out from training" if found["held_out"] else "the photographs it was trained on"
    return worst, f"The judge believes “{found['prompt']}” at {found['score']:.0%}{untouched}, on {where}."


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


TOLD: Mapping[str, Callable[[Mapping[str, Any]], tuple[Level, str]]] = {
    "score": _score,
    "shift": _shift,
    "neutrals": _neutrals,
    "banding": _banding,
    "folding": _folding,
    "clipping": _clipping,
    "points": _points,
    "skin": _skin,
    "coverage": _coverage,
    "round_trip": _round_trip,
}
TITLES: Mapping[str, str] = {
    "score": "Judge",
    "shift": "Colour shift",
    "neutrals": "Greys",
    "banding": "Banding",
    "folding": "Folding",
    "clipping": "Clipping",
    "points": "Black and white points",
    "skin": "Skin",
    "coverage": "Coverage",
    "round_trip": "Round trip",
}
