"""Baselines see what they should and no more, and one that the questions do not allow is left out with a sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from studio.embeddings.probing import baselines
from studio.embeddings.probing.splits import split


def questions(count: int = 600, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Questions of which a hallucination can be told a little by each thing known."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)

    def lean(yes: str, no: str) -> list[str]:
        return [yes if rng.random() < (0.8 if label else 0.2) else no for label in labels]

    asked = [f"Is there a {word} {'x' * int(rng.integers(20))}?" for word in lean("shark", "dog")]
    frame = pd.DataFrame(
        {
            "question": asked,
            "ground_truth_answer": lean("no", "3"),
            "category": lean("absent", "count"),
            "first_token_probability": np.clip(rng.normal(0.7 - 0.2 * labels, 0.15), 0.01, 0.99),
        }
    )
    return frame, labels.astype(np.int64)


def scores(name: str, frame: pd.DataFrame, labels: np.ndarray) -> float:
    made = split(labels, np.arange(len(labels)), 0)
    one = next(each for each in baselines.available(frame)[0] if each.name == name)
    found, card = baselines.fit(one, frame, labels, made)
    assert 0 <= found.min() <= found.max() <= 1 and card["strength"] > 0
    return float(roc_auc_score(labels[made.test], found[made.test]))


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("category", 0.7, 0.9),
        ("answer_type", 0.7, 0.9),
        ("question_text", 0.68, 0.9),
        ("first_token", 0.7, 0.95),
        ("question_length", 0.4, 0.9),
    ],
)
def test_a_baseline_tells_what_can_be_told_from_what_it_sees(name: str, low: float, high: float) -> None:
    frame, labels = questions()
    assert low < scores(name, frame, labels) < high


@pytest.mark.parametrize("name", ["category", "answer_type", "question_text", "first_token"])
def test_what_it_does_not_see_does_not_help_it(name: str) -> None:
    frame, labels = questions()
    rng = np.random.default_rng(5)
    column = {
        "category": "category", "answer_type": "ground_truth_answer", "question_text": "question",
        "first_token": "first_token_probability",
    }[name]  # fmt: skip
    frame[column] = rng.permutation(frame[column].to_numpy())
    assert scores(name, frame, labels) < 0.62


def test_a_word_only_the_test_side_knows_says_nothing() -> None:
    frame, labels = questions(200)
    made = split(labels, np.arange(200), 0)
    texts = frame["question"].copy()
    texts.iloc[made.test] = "zebra"
    frame["question"] = texts
    one = next(each for each in baselines.available(frame)[0] if each.name == "question_text")
    found, _ = baselines.fit(one, frame, labels, made)
    assert len(set(found[made.test])) == 1


def test_what_is_missing_is_said() -> None:
    frame, labels = questions(200)
    bare = frame.assign(question="?!", ground_truth_answer="no", first_token_probability=np.nan).drop(
        columns="category"
    )
    found, missing = baselines.available(bare)
    assert [each.name for each in found] == ["question_length"]
    assert len(missing) == 4 and "no column category or question_type" in missing[0]
    assert "of one category" in baselines.available(frame.assign(category="x"))[1][0]
    frame.loc[::3, "first_token_probability"] = np.nan
    assert scores("first_token", frame, labels) > 0.55


def test_answer_types_are_the_column_s_or_derived() -> None:
    frame = pd.DataFrame({"ground_truth_answer": ["Yes", "n, o", "twelve", "3 dogs", "a dog", "", "no dogs at all"]})
    derived = ["yes/no", "yes/no", "number", "number", "other", "other", "other"]
    assert baselines.answer_types(frame).tolist() == derived
    given = frame.assign(answer_type=["binary", "", "", " count ", "", "", ""])
    assert baselines.answer_types(given).tolist() == ["binary", "yes/no", "number", "count", "other", "other", "other"]
