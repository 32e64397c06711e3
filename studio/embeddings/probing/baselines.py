"""What can be told without looking at any hidden state: the bar that a probe has to clear.

Each baseline is a logistic regression on something known of the question, or on how sure the model was of its first
token; it is fitted on the training side, its strength chosen on the validation side, as a linear probe is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from studio.embeddings.probing import wording
from studio.embeddings.probing.probes import fit_logistic
from studio.embeddings.probing.splits import Indices, Split

CATEGORY_COLUMNS = ("category", "question_type")
ANSWER_TYPES = ("yes/no", "number", "other")

Features = Callable[[pd.DataFrame, Indices], Any]
"""Features of all questions ``[N, F]``, fitted on the training side, whose indices come second."""


@dataclass(frozen=True)
class Baseline:
    """A baseline: its name, what it knows in a few words, and how to see it."""

    name: str
    title: str
    features: Features


def answer_types(questions: pd.DataFrame) -> pd.Series[str]:
    """Return each question's answer type: as the column ``answer_type`` says, else one of `ANSWER_TYPES` by truth."""
    derived = pd.Series(
        map(_answer_type, questions["ground_truth_answer"].astype(str)), index=questions.index, dtype=str
    )
    if "answer_type" not in questions:
        return derived
    given = questions["answer_type"].astype(str).str.strip()
    return given.where(given != "", derived)


def categories(questions: pd.DataFrame) -> pd.Series[str] | None:
    """Return each question's category, or None where no column says one."""
    for name in CATEGORY_COLUMNS:
        if name in questions:
            return questions[name].astype(str).str.strip()
    return None


def available(questions: pd.DataFrame) -> tuple[list[Baseline], list[str]]:
    """Return the baselines that the questions allow, and a sentence for each that they do not."""
    found, missing = [], []
    of_category = categories(questions)
    if of_category is None:
        missing.append(f"No category baseline: the questions have no column {' or '.join(CATEGORY_COLUMNS)}.")
    elif of_category.nunique() < 2:
        missing.append("No category baseline: all questions are of one category.")
    else:
        found.append(Baseline("category", "question category", lambda rows, _: _one_hot(of_category)))
    types = answer_types(questions)
    if types.nunique() < 2:
        missing.append("No answer-type baseline: all answers are of one type.")
    else:
        found.append(Baseline("answer_type", "answer type", lambda rows, _: _one_hot(types)))
    if any(map(wording.tokens, map(wording.plain, questions["question"].astype(str)))):
        found.append(Baseline("question_text", "question text", _text))
    else:
        missing.append("No text baseline: the questions hold no words.")
    found.append(Baseline("question_length", "question length", _length))
    if questions["first_token_probability"].isna().all():
        missing.append("No first-token baseline: the run holds no probabilities of first tokens.")
    else:
        found.append(Baseline("first_token", "first-token probability", _first_token))
    return found, missing


def fit(
    baseline: Baseline, questions: pd.DataFrame, labels: NDArray[np.int64], split: Split
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Fit a baseline and score every question.

    Returns:
        P(hallucination) ``[N]``, of which those of the test side were seen by nothing; and how it was fitted.
    """
    features = baseline.features(questions, split.train)
    train, validation = split.train, split.validation
    model, card = fit_logistic(features[train], labels[train], features[validation], labels[validation])
    scores: NDArray[np.float64] = model.predict_proba(features)[:, 1].astype(np.float64)
    return scores, card


def _answer_type(truth: str) -> str:
    first = next(iter(wording.aliases(truth)), "")
    if wording.begins_with_yes_or_no(first) is not None and len(wording.clauses(first)[0]) == 1:
        return ANSWER_TYPES[0]
    short = len(wording.tokens(first)) <= 4
    return ANSWER_TYPES[1] if short and len(wording.numbers(first)) == 1 else ANSWER_TYPES[2]


def _one_hot(values: pd.Series[str]) -> Any:
    # Over all questions: a value that the training side does not know then has a weight of zero.
    return OneHotEncoder(dtype=np.float32).fit_transform(values.to_numpy()[:, None])


def _text(questions: pd.DataFrame, train: Indices) -> Any:
    texts = questions["question"].astype(str)
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b", dtype=np.float32)
    words.fit(texts.iloc[train])
    return words.transform(texts)


def _length(questions: pd.DataFrame, train: Indices) -> NDArray[np.float64]:
    texts = questions["question"].astype(str)
    counts = np.stack([texts.str.len(), texts.str.split().str.len()], axis=1).astype(np.float64)
    return _scaled(np.log1p(counts), train)


def _first_token(questions: pd.DataFrame, train: Indices) -> NDArray[np.float64]:
    chance = questions["first_token_probability"].to_numpy(np.float64)
    unknown = np.isnan(chance)
    middle = float(np.nanmedian(chance))
    chance = np.clip(np.where(unknown, middle, chance), 1e-6, 1 - 1e-6)
    return _scaled(np.stack([chance, np.log(chance), np.log1p(-chance), unknown], axis=1), train)


def _scaled(values: NDArray[np.float64], train: Indices) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = StandardScaler().fit(values[train]).transform(values)
    return scaled
