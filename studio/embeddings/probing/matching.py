"""Whether an answer is right, wrong or neither for sure, by rules that are tried in turn; the first that knows decides.

Every rule carries a sentence and examples, so that a page can show what it does and a test can hold it to that.
What no rule can decide stays undecided: a label that is a guess would teach a probe the guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from studio.embeddings.probing import wording
from studio.embeddings.probing.wording import content, numbers, stems, tokens

Verdict = Literal["right", "wrong", "unsure"]
Example = tuple[str, str, str, Verdict]
"""Question, truth, answer, verdict."""

_LONGEST_TRUTH = 6  # words that are looked for in an answer as they stand
_LONGEST_DENIAL = 15
_FEW = 4

_KINDS = (
    "red orange yellow green blue purple=violet pink brown black white grey=gray gold=golden silver",
    "left right",
    "above=over below=under=beneath=underneath",
    "top bottom",
    "front behind",
    "inside outside",
    "indoors=indoor outdoors=outdoor",
    "circle square triangle star cross pentagon hexagon octagon heart ring",
    "large=big small=little=tiny",
    "man=male woman=female",
    "day night",
    "open closed=shut",
)
"""Words of one kind exclude one another; those that mean the same are joined by an equals sign."""
_MEMBERS = {
    stem: (kind, group.split("=")[0])
    for kind, groups in enumerate(_KINDS)
    for group in groups.split()
    for stem in map(wording.stem, group.split("="))
}
"""Word stem to its kind and to the word it is counted as."""


@dataclass(frozen=True)
class Case:
    """One question with one of its truths and the model's answer, plain text each, see `wording.plain`."""

    question: str
    truth: str
    answer: str


@dataclass(frozen=True)
class Decision:
    """What was decided of an answer, by which rule, and why in a few words."""

    verdict: Verdict
    rule: str
    reason: str


Found = tuple[Verdict, str] | None


@dataclass(frozen=True)
class Rule:
    """A rule: its name, what it does in a sentence, examples of it, and the rule itself."""

    name: str
    sentence: str
    examples: tuple[Example, ...]
    decide: Callable[[Case], Found]


def decide(question: str, truth: str, answer: str) -> Decision:
    """Decide about an answer; of several truths one that is met suffices, and all must be missed.

    Args:
        question: The question.
        truth: The ground truth; several are parted by ``|`` or ``;`` or are a JSON list.
        answer: What the model said.
    """
    question, answer = wording.plain(question), wording.plain(answer)
    found = [_decide(Case(question, one, answer)) for one in wording.aliases(truth) or [""]]
    for verdict in ("right", "unsure"):
        for each in found:
            if each.verdict == verdict:
                return each
    return found[0]


def _decide(case: Case) -> Decision:
    for rule in RULES:
        found = rule.decide(case)
        if found is not None:
            return Decision(found[0], rule.name, found[1])
    raise AssertionError("the last rule always decides")


def _missing(case: Case) -> Found:
    if tokens(case.truth) and tokens(case.answer):
        return None
    return "unsure", "the answer is empty" if tokens(case.truth) else "the truth is empty"


def _cannot_tell(case: Case) -> Found:
    truth, answer = wording.hedges(case.truth), wording.hedges(case.answer)
    if truth:
        return ("right", "both say it cannot be told") if answer else ("wrong", "the truth is that it cannot be told")
    return ("unsure", "the answer says it cannot tell") if answer else None


def _same(case: Case) -> Found:
    return ("right", "the same words") if stems(tokens(case.truth)) == stems(tokens(case.answer)) else None


def _yes_or_no(case: Case) -> Found:
    truth = wording.begins_with_yes_or_no(case.truth)
    alone = len(next(iter(wording.clauses(case.truth)), ())) == 1
    if truth is None or not (alone or wording.asks_yes_or_no(case.question)):
        return None
    answer = wording.says_yes_or_no(case.answer, case.question)
    if answer is None:
        return "unsure", "the answer says neither yes nor no"
    said, true = ("yes" if each else "no" for each in (answer, truth))
    return ("right" if answer == truth else "wrong"), f"the answer says {said}, the truth {true}"


def _nothing_there(case: Case) -> Found:
    if len(tokens(case.truth)) > _LONGEST_DENIAL or not wording.denies(case.truth):
        return None
    said = set(numbers(case.answer))
    if not wording.denies(case.answer) and said != {0.0}:
        return "wrong", "the truth denies it, the answer does not"
    missing, denied = content(case.truth), content(case.answer)
    if said <= {0.0} and (not missing or not denied or missing & denied):
        return "right", "both deny it"
    return "unsure", "the answer may deny another thing"


def _number(case: Case) -> Found:
    wanted, said = numbers(case.truth), set(numbers(case.answer))
    if len(wanted) != 1 or len(tokens(case.truth)) > _FEW:
        return None
    if not said and wording.denies(case.answer):
        said = {0.0}
    if len(said) != 1:
        return ("unsure", "the answer names several numbers") if said else None
    (one,) = said
    if one != wanted[0]:
        return "wrong", f"{one:g} is not {wanted[0]:g}"
    counted = wording.is_number(case.truth) or wording.is_number(case.answer) or "how many" in case.question
    return ("right", f"both say {one:g}") if counted or content(case.truth) & content(case.answer) else None


def _contained(case: Case) -> Found:
    truth = stems(tokens(case.truth))
    if not 0 < len(truth) <= _LONGEST_TRUTH or wording.is_number(case.truth):
        return None
    places = [
        (clause, at)
        for clause in map(stems, wording.clauses(case.answer))
        for at in range(len(clause) - len(truth) + 1)
        if clause[at : at + len(truth)] == truth
    ]
    if not places:
        return None
    meant = [(clause, at) for clause, at in places if not wording.negated(clause, at)]
    if not meant:
        return "wrong", f"the answer negates “{case.truth}”"
    if any("or" in (*clause[max(0, at - 1) : at], *clause[at + len(truth) :][:1]) for clause, at in meant):
        return "unsure", "the answer leaves a choice"
    if any(len(found) > 1 for found in _named(case).values()):
        return "unsure", "the answer names others of the kind, too"
    return "right", f"the answer holds “{case.truth}”"


def _another(case: Case) -> Found:
    wanted = [_MEMBERS[word] for word in stems(tokens(case.truth)) if word in _MEMBERS]
    if len(wanted) != 1 or len(tokens(case.truth)) > _FEW:
        return None
    ((kind, member),) = wanted
    named = _named(case).get(kind, set())
    if not named:
        return None
    if member not in named:
        return "wrong", f"{' and '.join(sorted(named))} is not {member}"
    same = named == {member} and len(stems(tokens(case.truth))) == 1
    return ("right", f"both say {member}") if same else ("unsure", f"the answer says {member}, but not the same")


def _named(case: Case) -> dict[int, set[str]]:
    """Return what the answer names and does not negate, of the kinds the truth belongs to."""
    wanted = {_MEMBERS[word][0] for word in stems(tokens(case.truth)) if word in _MEMBERS}
    found: dict[int, set[str]] = {}
    for clause in map(stems, wording.clauses(case.answer)):
        for at, word in enumerate(clause):
            kind, member = _MEMBERS.get(word, (-1, ""))
            if kind in wanted and not wording.negated(clause, at):
                found.setdefault(kind, set()).add(member)
    return found


def _choice(case: Case) -> Found:
    words = stems(tokens(case.question))
    if words.count("or") != 1:
        return None
    at = words.index("or")
    offered = {words[at - 1], words[at + 1]} if 0 < at < len(words) - 1 else set()
    truth, answer = (offered & set(stems(tokens(text))) for text in (case.truth, case.answer))
    if len(truth) != 1 or len(answer) != 1:
        return None
    said = "".join(answer)
    return ("right", f"both choose {said}") if truth == answer else ("wrong", f"the answer chooses {said}")


def _denied(case: Case) -> Found:
    if len(tokens(case.truth)) > _LONGEST_TRUTH or not wording.denies(case.answer):
        return None
    return "wrong", "the answer denies what the truth affirms"


def _unsure(case: Case) -> Found:
    return "unsure", "no rule can decide"


RULES: tuple[Rule, ...] = (
    Rule(
        "missing",
        "Without a truth or an answer there is nothing to compare.",
        (("What is it?", "", "A dog.", "unsure"), ("What is it?", "dog", "", "unsure")),
        _missing,
    ),
    Rule(
        "cannot tell",
        "Where the truth is that it cannot be told, the answer must say so; an answer that only evades is not decided.",
        (
            ("Who is behind the door?", "It cannot be determined", "I can't tell from the image.", "right"),
            ("Who is behind the door?", "unanswerable", "A woman.", "wrong"),
            ("Is there a dog?", "yes", "I am not sure.", "unsure"),
        ),
        _cannot_tell,
    ),
    Rule(
        "same words",
        "The same words are right; case, articles, plurals and full stops do not count.",
        (("What is it?", "The dog", "Dogs.", "right"), ("What is it?", "canine | dog", "a dog", "right")),
        _same,
    ),
    Rule(
        "yes or no",
        "Yes and no are compared as whole words, and a plain statement as the yes or no that it means.",
        (
            ("Is there another dog?", "no", "Yes, another dog.", "wrong"),
            ("Is there a car?", "y, e, s", "No, there is no car.", "wrong"),
            ("Is there a car?", "n, o", "No, none.", "right"),
            ("Is there a cat?", "yes", "There isn't one.", "wrong"),
            ("Is there a cat?", "yes", "A cat is on the mat.", "right"),
            ("Is there a cat?", "no", "Yes and no.", "unsure"),
        ),
        _yes_or_no,
    ),
    Rule(
        "nothing there",
        "Where the truth denies that something is there, the answer must deny it, too; zero is a denial.",
        (
            ("How many sharks are there?", "There are no sharks", "three sharks", "wrong"),
            ("What colour is the shark?", "There is no shark in the image", "Blue.", "wrong"),
            ("What colour is the shark?", "There is no shark", "There isn't a shark.", "right"),
            ("How many sharks are there?", "None", "0", "right"),
            ("What colour is the shark?", "There is no shark", "There is no boat.", "unsure"),
        ),
        _nothing_there,
    ),
    Rule(
        "number",
        "Numbers are compared by value, in digits or in words; several different ones are not decided.",
        (
            ("How many fingers?", "Six fingers", "five fingers", "wrong"),
            ("How many dogs?", "21", "There are twenty-one dogs.", "right"),
            ("How many people?", "1,200", "one thousand two hundred", "right"),
            ("How many dogs?", "3", "There are no dogs.", "wrong"),
            ("How many dogs?", "3", "Two or three.", "unsure"),
        ),
        _number,
    ),
    Rule(
        "contained",
        "A short truth that the answer holds in whole words, not negated, is right; beside rivals it is undecided.",
        (
            ("What is the man riding?", "horse", "He is riding a brown horse.", "right"),
            ("What animal is it?", "cat", "It is a caterpillar.", "unsure"),
            ("What colour is it?", "red", "It is not red.", "wrong"),
            ("What is it?", "dog", "A dog or a wolf.", "unsure"),
            ("What colour is it?", "red", "Red and white.", "unsure"),
        ),
        _contained,
    ),
    Rule(
        "another of its kind",
        "Basic colours, simple shapes, sides, sizes and the like exclude one another; grey is gray.",
        (
            ("What colour is it?", "blue", "red", "wrong"),
            ("What colour is it?", "grey", "It's gray.", "right"),
            ("Where is the cup?", "on the left", "To the right of the plate.", "wrong"),
            ("What colour is it?", "dark blue", "Blue.", "unsure"),
        ),
        _another,
    ),
    Rule(
        "offered choice",
        "Of two that the question offers, the answer must choose the one of the truth.",
        (
            ("Is it a cat or a dog?", "dog", "This looks like a cat.", "wrong"),
            ("Is the tea or coffee hot?", "the tea is hot", "the tea", "right"),
        ),
        _choice,
    ),
    Rule(
        "denied",
        "An answer that denies what a short truth affirms is wrong.",
        (("What colour is the hat?", "turquoise", "There is no hat.", "wrong"),),
        _denied,
    ),
    Rule(
        "unsure",
        "What no rule can decide stays unlabelled: other words may mean the same.",
        (("What is it?", "sofa", "A couch.", "unsure"), ("What is happening?", "a race", "They run.", "unsure")),
        _unsure,
    ),
)
"""In the order in which they are tried."""
