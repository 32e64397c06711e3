"""Words around the looks: templates, strengths, and the words that only validation and test may use."""

from __future__ import annotations

# The words of strength are the studio's own: studio.grading.looks.STRENGTHS.

TEMPLATES = (
    "{}", "{}", "{}", "{} look", "{} film look", "cinematic {}", "{} color grade", "{} style", "{} mood",
    "a {} feeling", "{} tones", "{} aesthetic", "{} photo", "make it {}", "{} movie", "in the style of {}",
    "like {}", "{} vibes", "{} atmosphere", "give it a {} look", "the look of {}", "{} lighting", "{} colors",
    "{} grade", "{} palette", "{} scene", "feels {}", "a {} picture", "{} film", "{} effect", "{} filter",
    "{} feel", "an image with a {} mood", "{} image", "{} grading", "please make this {}", "{} tint", "{} please",
    "turn it {}", "more {}", "{} shot", "an overall {} tone", "with {} colors", "{} ambience",
)  # fmt: skip
"""Frames of the training prompts; the bare phrase most often."""

HELD_TEMPLATES = (
    "{} vibe cinematic", "{} film aesthetic", "a {} look", "make this photo feel {}", "i want a {} mood please",
    "the picture should look {}", "{} color tones", "a movie with {} lighting", "grade with a {} palette",
    "photo in {} colors",
)  # fmt: skip
"""Frames that only tests use; "new phrasings" are known synonyms in these."""

JOINTS = ("{} and {}", "{} with {}", "{}, {}", "{} {}", "{} but also {}", "{} plus {}", "{} meets {}")

VALIDATION_WORDS = {
    "warm": "sultry", "cool": "gelid", "sunset": "scorching", "black and white": "colorless",
    "high contrast": "vehement",
    "moody dark": "doleful, lugubrious", "bright airy": "lightsome", "vibrant": "jubilant, gay", "muted": "unobtrusive",
    "moonlight night": "moonless", "forest green": "sylvan, grassy", "rose": "carnation", "lavender": "heliotrope",
    "teal": "cerulean", "amber": "ocher", "winter": "hibernal, frosty", "dark": "gloomful, lightless",
    "bright": "gleaming, lustrous", "horror": "gruesome, ghastly", "dreamy": "amorous", "mustard": "maize",
    "crimson": "vermilion", "coffee": "sienna", "summer": "estival", "post apocalyptic": "devastated",
    "foggy": "nebulous", "rainy": "pluvial", "underwater": "submersed", "spring": "vernal", "candlelight": "lamplit",
}  # fmt: skip
"""Words no prompt of the training holds, for choosing between designs."""

TEST_WORDS = {
    "warm": "balmy, snug", "cool": "nippy", "golden hour": "gilded, aureate", "sunset": "sundown",
    "faded film": "yellowed, weathered, timeworn", "black and white": "achromatic, colourless, uncolored",
    "high contrast": "stark", "moody dark": "somber, melancholy, dour, morose",
    "bright airy": "gossamer, diaphanous", "vibrant": "brilliant, spirited", "muted": "drab, lackluster",
    "moonlight night": "nocturnal, moonstruck", "forest green": "verdant, leafy, woodsy", "rose": "roseate, fuchsia",
    "cyberpunk neon": "electrified", "lavender": "lilac, mauve", "teal": "turquoise", "amber": "tangerine, tawny",
    "winter": "snowy, glacial, wintery", "pastel": "powdery", "dark": "shadowy, murky, tenebrous",
    "bright": "radiant, luminous, effulgent", "horror": "creepy, macabre, frightful, ghoulish",
    "dreamy": "starry eyed, amatory", "blue hour": "gloaming", "blue": "sapphire, cobalt", "mustard": "lemon, xanthous",
    "crimson": "scarlet, ruby", "coffee": "mocha, chestnut, umber", "summer": "summerlike, tropic",
    "post apocalyptic": "barren, godforsaken", "foggy": "vaporous, brumous", "rainy": "showery, squally",
    "underwater": "undersurface", "spring": "burgeoning, flowering", "candlelight": "firelit",
    "noir": "hardboiled", "sepia": "daguerreotype", "retro 70s": "nostalgic", "low contrast": "flattish",
    "technicolor": "gaudy", "autumn": "autumny",
}  # fmt: skip
"""Unknown synonyms of the test: chosen by hand before training; no training prompt holds any of their words."""

NONSENSE = (
    "zzz", "qqq", "flibbertigibbet", "qwerty", "asdf jkl", "lorem ipsum dolor", "tax return", "committee meeting",
    "spreadsheet formula", "grommet", "xylophone lesson", "blorp", "snarfle wumpus", "parliament vote",
    "seven hammers", "plumber invoice", "zxcvb", "algebra", "invoice number nine", "bicycle pump",
)  # fmt: skip
"""Prompts of the test that ask for no grade at all: a LUT trained for one should not convince the judge."""


def held_words() -> set[str]:
    """Every single word that training must not see."""
    lists = [*VALIDATION_WORDS.values(), *TEST_WORDS.values(), *NONSENSE]
    return {word for line in lists for word in line.replace(",", " ").split()} - {"eyed", "number", "nine", "seven"}
