"""A question's family is told from a few of its words, and no family's words are another's."""

from __future__ import annotations

import pytest

from studio.scienceqa.config import FAMILIES
from studio.scienceqa.questions.record import Question
from studio.scienceqa.scoring import families

ASKED = [
    ("force", "Compare the magnetic force of both. What is true?", ("It is greater in Pair 1.", "It is the same.")),
    ("attract", "Do these magnets attract or repel each other?", ("attract", "repel")),
    ("concentration", "Which solution has the higher concentration of dots?", ("neither", "Solution A")),
    ("temperature", "Which sample has the higher temperature?", ("sample A", "sample B")),
    ("temperature", "Look at the average kinetic energies. Which is warmer?", ("sample A", "sample B")),
    ("punnett", "What ratio of offspring is to be expected?", ("1:3", "2:2")),
    ("punnett", "What is the probability that a plant of this cross is tall?", ("1/4", "2/4")),
    ("membrane", "Where did more of them go?", ("to the left than to the right", "to the right than to the left")),
    ("layers", "Which of these fossils is older?", ("fern", "snail")),
    ("grid", "What is in row B?", ("the park", "the school")),
    ("grid", "In which column is the school?", ("1", "2")),
    ("bars", "Which month has the lowest average precipitation here?", ("March", "July")),
    ("heat", "While that went on, thermal energy was transferred from ().", ("each pie . . . the surroundings", "b")),
    ("capital", "What is the capital of Idaho?", ("Boise", "Salem")),
    ("highlighted", "Which ocean is highlighted?", ("the Arctic Ocean", "the Indian Ocean")),
    ("colony", "What is the name of the colony shown?", ("Georgia", "Ohio")),
    ("farthest", "Which of these is farthest south?", ("Ohio", "Iowa")),
    ("marked", "Which of these cities is marked on the map?", ("Chicago", "Boston")),
    ("latitude", "Which continent does the equator cross?", ("Asia", "Africa")),
    ("molecule", "Complete the statement.\nMethane is ().", ("a compound", "an elementary substance")),
    ("web", "Which consumer is in this food web?", ("bear", "moss")),
    ("web", "Follow the arrows. Which living thing eats moss?", ("bear", "fox")),
    ("push", "Which kind of force closes the drawer?", ("push", "pull")),
    ("other", "Which animal has more stripes?", ("zebra", "horse")),
    ("other", "What does the force of the wind do to a compound leaf?", ("it breaks", "it bends")),
]


@pytest.mark.parametrize(("family", "question", "choices"), ASKED, ids=[f"{one[0]}-{one[1][:12]}" for one in ASKED])
def test_each_template_is_known_by_its_words(family: str, question: str, choices: tuple[str, ...]) -> None:
    assert families.recognise(question, choices) == family
    matching = [
        one.name for one in families.FAMILIES
        if one.question.search(question) and (one.choices is None or any(map(one.choices.search, choices)))
    ]  # fmt: skip
    assert matching == [family] * (family != families.OTHER)


def test_every_family_is_tried_and_every_drawn_one_is_known() -> None:
    assert {one[0] for one in ASKED} == {*families.TITLES, families.OTHER}
    assert set(FAMILIES) <= set(families.TITLES) and len(families.TITLES) == len(families.FAMILIES)


def test_a_question_s_own_word_counts_and_text_alone_belongs_to_no_template() -> None:
    words = ("1", "test", "What is the capital of Idaho?", ("Boise", "Salem"))
    assert families.family_of(Question(*words)) == families.OTHER
    assert families.family_of(Question(*words, image=b"x")) == "capital"
    assert families.family_of(Question(*words, family="grid")) == "grid"
    assert families.title("grid") == "letter-number grid" and families.title("mine") == "mine"
