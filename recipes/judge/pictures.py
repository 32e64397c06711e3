"""The training pictures: drawn by this module, and crops of freely licensed photographs.

Every picture is 56 × 56 sRGB. The photographs come inside packages (scikit-image, scikit-learn,
matplotlib, and Debian's mate-backgrounds and plasma-workspace-wallpapers, unpacked into a folder);
which of them train, validate and test was fixed before the first training.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Picture = NDArray[np.float32]
SIZE = 56
_DRAW = 112  # pictures are drawn at twice the size

TRAINING = (
    "skimage.data/camera.png", "skimage.data/color.png", "skimage.data/grass.png", "skimage.data/gravel.png",
    "skimage.data/hubble_deep_field.jpg", "skimage.data/ihc.png", "skimage.data/retina.jpg",
    "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
    "Aqua", "Blinds", "FreshFlower", "GreenMeadow", "RainDrops", "TwoWings", "Wood", "Elephants",
    "Altai", "Autumn", "Canopee", "Cascade", "Cluster", "ColdRipple", "ColorfulCups", "DarkestHour", "Elarun",
    "FlyingKonqui", "Grey", "Honeywave", "IceCold", "Kay", "Kite", "Kokkini", "MilkyWay", "OneStandsOut", "Opal",
    "PastelHills", "Patak", "SafeLanding", "Shell",
)  # fmt: skip
VALIDATION = ("BytheWater", "Garden", "Storm", "YellowFlower")
TEST = (
    "sklearn.datasets.images/china.jpg", "sklearn.datasets.images/flower.jpg", "skimage.data/coffee.png",
    "skimage.data/astronaut.png", "skimage.data/chelsea.png", "skimage.data/rocket.jpg",
    "EveningGlow", "FallenLeaf", "Dune", "Volna", "Path", "LadyBird", "summer_1am",
)  # fmt: skip

# Hue, saturation and value of things that photographs are full of: sky, sea, leaves, soil, skin, stone, lamps.
_NATURAL = (
    (0.55, 0.4, 0.85), (0.6, 0.5, 0.6), (0.3, 0.45, 0.45), (0.25, 0.5, 0.35), (0.08, 0.45, 0.5), (0.07, 0.4, 0.75),
    (0.05, 0.35, 0.85), (0.1, 0.3, 0.6), (0.0, 0.0, 0.5), (0.0, 0.0, 0.85), (0.0, 0.7, 0.6), (0.58, 0.2, 0.9),
    (0.62, 0.5, 0.25), (0.0, 0.0, 0.12), (0.12, 0.6, 0.85), (0.35, 0.3, 0.3), (0.05, 0.55, 0.35),
)  # fmt: skip
_Y, _X = (grid.astype(np.float32) / _DRAW for grid in np.mgrid[0:_DRAW, 0:_DRAW])


def load(name: str, backgrounds: Path) -> Image.Image:
    """A photograph by package and file name, or by the name of a Debian background below ``backgrounds``."""
    if "/" in name:
        package, _, rest = name.partition("/")
        picture = Image.open(str(files(package) / rest))
    else:
        found = [p for p in backgrounds.rglob("*") if name in (p.stem, p.parent.parent.parent.name) and _is_picture(p)]
        if not found:
            raise FileNotFoundError(f"no background named {name!r} below {backgrounds}: see README.md, step 1")
        picture = Image.open(max(sorted(found), key=lambda p: p.stat().st_size))
    picture.draft("RGB", (1600, 1600))
    picture = picture.convert("RGB")
    picture.thumbnail((1200, 1200))
    return picture


def _is_picture(path: Path) -> bool:
    shown = path.suffix in (".jpg", ".png") and path.stem != "screenshot"
    return shown and path.parent.name != "images_dark"


def square(picture: Image.Image, side: int) -> Picture:
    """The middle square of a photograph, (side, side, 3) in [0, 1]."""
    short = min(picture.size)
    left, top = (picture.width - short) // 2, (picture.height - short) // 2
    box = (left, top, left + short, top + short)
    return np.asarray(picture.resize((side, side), Image.Resampling.LANCZOS, box=box), np.float32) / 255


def make(count: int, seed: int, photographs: Sequence[Image.Image], share: float) -> NDArray[np.uint8]:
    """``count`` pictures, the given share of them crops of photographs. Shape (count, 56, 56, 3), 8 bit."""
    random = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        if photographs and random.random() < share:
            picture = _crop(random, photographs[random.integers(len(photographs))])
        else:
            drawn = _DRAWERS[random.integers(len(_DRAWERS))](random)
            picture = _shrink(np.clip(drawn, 0, 1))
        pictures.append((_vary(random, picture) * 255 + 0.5).astype(np.uint8))
    return np.stack(pictures)


def _crop(random: np.random.Generator, picture: Image.Image) -> Picture:
    side = random.uniform(0.25, 1) * min(picture.size)
    left, top = random.uniform(0, picture.width - side), random.uniform(0, picture.height - side)
    box = (left, top, left + side, top + side)
    out = picture.resize((SIZE, SIZE), Image.Resampling.BILINEAR, box=box)
    if random.random() < 0.5:
        out = out.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return np.asarray(out, np.float32) / 255


def _vary(random: np.random.Generator, picture: Picture) -> Picture:
    """Exposure, cast, saturation, contrast and noise, as cameras and hands vary."""
    if random.random() < 0.65:
        picture = picture * random.uniform(0.55, 1.3) * (1 + random.normal(0, 0.07, 3))
        grey = picture.mean(-1, keepdims=True)
        picture = grey + (picture - grey) * random.uniform(0.3, 1.5)
        picture = picture.mean() + (picture - picture.mean()) * random.uniform(0.65, 1.25)
    if random.random() < 0.3:
        picture = picture + random.normal(0, random.uniform(0.005, 0.05), picture.shape)
    return np.clip(picture, 0, 1).astype(np.float32)


def _shrink(picture: Picture) -> Picture:
    image = Image.fromarray((picture * 255).astype(np.uint8))
    return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BOX), np.float32) / 255


def _colour(random: np.random.Generator) -> Picture:
    if random.random() < 0.7:
        hue, saturation, value = _NATURAL[random.integers(len(_NATURAL))]
        hue = (hue + random.normal(0, 0.03)) % 1
        saturation = np.clip(saturation + random.normal(0, 0.18), 0, 1)
        value = np.clip(value + random.normal(0, 0.15), 0.02, 1)
    else:
        hue, saturation, value = random.random(), random.random() ** 1.3, random.random() ** 0.8
    return np.array(colorsys.hsv_to_rgb(hue, saturation, value), np.float32)


def _mix(first: Picture, second: Picture, amount: Picture) -> Picture:
    return np.asarray(first * (1 - amount[..., None]) + second * amount[..., None], np.float32)


def _fractal(random: np.random.Generator, cells: int = 2, falloff: float = 0.55) -> Picture:
    """Cloud noise in [0, 1]: octaves of smooth random fields."""
    total = np.zeros((_DRAW, _DRAW), np.float32)
    for octave in range(5):
        side = cells * 2**octave
        if side > _DRAW:
            break
        field = Image.fromarray(random.random((side + 1, side + 1)).astype(np.float32))
        total += falloff**octave * np.asarray(field.resize((_DRAW, _DRAW), Image.Resampling.BICUBIC))
    total -= total.min()
    return np.asarray(total / (total.max() + 1e-6), np.float32)


def _gradient(random: np.random.Generator) -> Picture:
    angle = random.random() * 2 * np.pi
    along = np.clip((_X - 0.5) * np.cos(angle) + (_Y - 0.5) * np.sin(angle) + 0.5, 0, 1)
    colours = [_colour(random) for _ in range(random.integers(2, 5))]
    picture = np.broadcast_to(colours[0], (_DRAW, _DRAW, 3))
    for index, colour in enumerate(colours[1:]):
        picture = _mix(picture, colour, np.clip(along * (len(colours) - 1) - index, 0, 1))
    return picture


def _clouds(random: np.random.Generator) -> Picture:
    picture = _gradient(random)
    for _ in range(random.integers(1, 4)):
        mask = (_fractal(random, int(random.integers(2, 6))) - 0.35) * random.uniform(1.5, 5)
        picture = _mix(picture, _colour(random), np.clip(mask, 0, 1))
    return picture


def _landscape(random: np.random.Generator) -> Picture:
    sky = np.array(colorsys.hsv_to_rgb(0.56 + random.normal(0, 0.03), random.uniform(0.1, 0.7), random.uniform(0.3, 1)))
    if random.random() < 0.4:
        sky = _colour(random)
    horizon = _colour(random) * 0.4 + 0.6 * random.uniform(0.4, 1)
    picture = _mix(sky.astype(np.float32), horizon, _Y ** random.uniform(0.6, 2))
    if random.random() < 0.6:
        bright = np.full(3, random.uniform(0.5, 1), np.float32)
        picture = _mix(picture, bright, np.clip((_fractal(random) - 0.5) * 3, 0, 1) * 0.8)
    if random.random() < 0.4:
        distance = np.hypot(_X - random.random(), _Y - random.uniform(0.1, 0.5))
        disc = np.clip((random.uniform(0.03, 0.12) - distance) * 40, 0, 1)
        picture = _mix(picture, np.array([1, 0.95, 0.8], np.float32), disc)
    height = random.uniform(0.3, 0.7)
    for index in range(random.integers(1, 4)):
        line = Image.fromarray(random.random((1, int(random.integers(3, 14)))).astype(np.float32))
        ridge = np.asarray(line.resize((_DRAW, 1), Image.Resampling.BICUBIC))[0] - 0.5
        mask = np.clip((_Y - (height + 0.12 * index + ridge * 0.25)[None]) * 60, 0, 1)
        dark, light = _colour(random) * random.uniform(0.3, 1), _colour(random) * random.uniform(0.5, 1)
        ground = _mix(dark, light, _fractal(random, 8, 0.8))
        picture = np.asarray(picture * (1 - mask[..., None]) + ground * mask[..., None], np.float32)
    return picture


def _shapes(random: np.random.Generator) -> Picture:
    image = _image(_gradient(random) if random.random() < 0.6 else _clouds(random))
    draw = ImageDraw.Draw(image)
    for _ in range(random.integers(2, 12)):
        fill = _fill(_colour(random))
        (x, y), (w, h) = random.integers(-20, _DRAW, 2), random.integers(8, 70, 2)
        kind = random.integers(3)
        if kind == 0:
            draw.ellipse([x, y, x + w, y + h], fill=fill)
        elif kind == 1:
            draw.rectangle([x, y, x + w, y + h], fill=fill)
        else:
            draw.polygon([(int(a), int(b)) for a, b in random.integers(0, _DRAW, (3, 2))], fill=fill)
    if random.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(random.uniform(0.5, 6)))
    picture = _array(image)
    if random.random() < 0.7:
        picture = picture * (1 + (_fractal(random, 4, 0.8) - 0.5)[..., None] * random.uniform(0.2, 1.2))
    return np.asarray(picture, np.float32)


def _portrait(random: np.random.Generator) -> Picture:
    image = _image(_clouds(random) * random.uniform(0.3, 1)).filter(ImageFilter.GaussianBlur(5))
    draw = ImageDraw.Draw(image)
    x, y = random.uniform(0.3, 0.7) * _DRAW, random.uniform(0.3, 0.5) * _DRAW
    w = random.uniform(12, 30)
    h = w * 1.3
    tone = colorsys.hsv_to_rgb(random.uniform(0.03, 0.08), random.uniform(0.25, 0.65), random.uniform(0.25, 0.95))
    skin = np.array(tone, np.float32)
    draw.ellipse([x - w * 2.2, y + h * 0.9, x + w * 2.2, y + h * 4], fill=_fill(_colour(random)))
    draw.ellipse([x - w * 1.25, y - h * 1.2, x + w * 1.25, y + h * 0.8], fill=_fill(_colour(random) * 0.5))
    draw.ellipse([x - w, y - h * 0.9, x + w, y + h], fill=_fill(skin))
    draw.ellipse([x - w * 0.6, y - h * 0.6, x + w * 0.1, y + h * 0.4], fill=_fill(skin * 1.15))
    picture = _array(image.filter(ImageFilter.GaussianBlur(random.uniform(0.5, 2))))
    return np.asarray(picture * (1 + (_fractal(random, 3) - 0.5)[..., None] * 0.6), np.float32)


def _city(random: np.random.Generator) -> Picture:
    image = _image(_landscape(random) * random.uniform(0.3, 1))
    draw, x = ImageDraw.Draw(image), 0
    while x < _DRAW:
        width, top = int(random.integers(8, 26)), int(random.integers(20, 90))
        draw.rectangle([x, top, x + width, _DRAW], fill=_fill(_colour(random) * random.uniform(0.2, 1)))
        lamp = _fill(_colour(random) * 0.5 + np.array([0.6, 0.5, 0.3], np.float32))
        for row in range(top + 3, _DRAW - 3, 6):
            for column in range(x + 2, x + width - 2, 5):
                if random.random() < 0.5:
                    draw.rectangle([column, row, column + 2, row + 3], fill=lamp)
        x += width + int(random.integers(0, 8))
    return _array(image)


def _image(picture: Picture) -> Image.Image:
    return Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))


def _array(image: Image.Image) -> Picture:
    return np.asarray(image, np.float32) / 255


def _fill(colour: Picture) -> tuple[int, ...]:
    return tuple(int(value * 255) for value in np.clip(colour, 0, 1))


_DRAWERS: tuple[Callable[[np.random.Generator], Picture], ...] = (
    _gradient, _clouds, _landscape, _landscape, _shapes, _portrait, _portrait, _city,
)  # fmt: skip
