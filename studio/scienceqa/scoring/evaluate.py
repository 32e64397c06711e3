"""The task ``evaluate-scienceqa``: how many questions a model answers rightly, and on what its answers hang."""

from __future__ import annotations

import json
import platform
from collections.abc import Generator, Iterator, Sequence
from importlib.metadata import version
from typing import Any

from studio import __version__
from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.files import content_hash, write_atomic
from studio.scienceqa.answering.answer import locked
from studio.scienceqa.answering.naming import name_of, spec_of
from studio.scienceqa.config import EvaluateScienceqaConfig
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.prompts import Form
from studio.scienceqa.questions import reading
from studio.scienceqa.questions.record import Question, Rejected
from studio.scienceqa.scoring import ablations, families, results
from studio.scienceqa.scoring import page as resultpage
from studio.scienceqa.scoring.asking import Asker, windows
from studio.scienceqa.scoring.intervals import Share
from studio.scienceqa.scoring.ledger import ANSWERS, Ledger, Row
from studio.scienceqa.scoring.report import Evaluation, compose

REPORT, PAGE, RESULTS = "report.json", "report.html", "results.json"


def run(config: EvaluateScienceqaConfig, context: Context) -> Iterator[Event]:
    """Evaluate; what stands in ``answers.jsonl`` already is not asked again, and the report is the same to the byte.

    Yields:
        An `Event` a batch and for each way it is asked, counting questions; metrics are ``accuracy`` so far, and
        ``without_picture`` that of questions with a picture when it is taken away. Artifacts of the last one:
        ``report`` (report.json), ``page`` (report.html), ``results`` (the official results.json), ``answers``
        (answers.jsonl, a row for each question as `studio.scienceqa.scoring.ledger.Row` says).

    Raises:
        StudioError: The questions, the results or the model cannot be read, nothing can be scored, or the folder holds
            another evaluation.
    """
    data = reading.read(config.data, config.images_dir, splits=(config.split,), settings=context.settings)
    questions, unfit = _usable(data.questions)
    if not questions:
        what = f"The split {config.split} of {data.name} holds no question with choices and a right answer."
        raise StudioError(what, "Give another split or other questions.")
    questions = _evenly(questions, config.max_samples)
    rejected = [*data.rejected, *unfit]
    if config.results is not None:
        read = results.read(config.results, questions)
        rows: Sequence[Row] = [_scored(one, read.chosen[one.pid]) for one in questions]
        write_atomic(context.folder / ANSWERS, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        answered, notes, model = f"The file {config.results.name}", read.notes, {"results": str(config.results)}
    else:
        yield Event(0, len(questions) + 1, f"{len(questions):,} questions. Loading the model")
        with context.models.lease(spec_of(config, context.models)) as loaded:
            rows = yield from _ask(loaded, questions, config, context)
            answered, notes, model = name_of(loaded), (), _model_facts(loaded, config)
    unused = {"output_path"} if config.projector_path else {"output_path", "llm_name", "vision_name"}
    told = config.model_dump(mode="json", exclude=unused, exclude_none=True)
    facts = {"model": model, "config": told, "versions": _versions()}
    by_pid = {one.pid: one for one in questions}
    found = Evaluation(data.name, config.split, by_pid, rows, rejected, answered, facts, notes)
    report, artifacts = _write(found, config, context)
    total = len(questions) + 1
    yield Event(total, total, report["verdict"], _metrics(rows), artifacts)


def _ask(
    model: GemmaClip, questions: Sequence[Question], config: EvaluateScienceqaConfig, context: Context
) -> Generator[Event, None, Sequence[Row]]:
    form: Form = model.info.answering if config.answering == "auto" else config.answering
    ledger = Ledger(context.folder, _plan(model, questions, config))
    others = ablations.other_pictures(questions) if config.another_picture else {}
    compared = frozenset(one.pid for one in _evenly(questions, config.agreement)) if config.agreement else frozenset()
    asker = Asker(model, form, config, context.settings, others, compared)
    total = len(questions) + 1
    for window in windows(questions, config.batch_size):
        batches, failed = asker.prepare(window)
        if failed and not ledger.take([row["pid"] for row in failed]):
            ledger.add(failed)
        for batch in batches:
            if not ledger.take([one.question.pid for one in batch]):
                rows: list[Row] = []
                for known in locked(context.models, asker.ask(batch)):
                    rows[:] = known
                    yield Event(len(ledger.rows), total, _note(ledger.rows), _metrics(ledger.rows))
                ledger.add(rows)
            yield Event(len(ledger.rows), total, _note(ledger.rows), _metrics(ledger.rows))
    return ledger.rows


def _usable(questions: Sequence[Question]) -> tuple[list[Question], list[Rejected]]:
    """Part the questions that can be scored from those that cannot."""
    good: list[Question] = []
    unfit: list[Rejected] = []
    for one in questions:
        if len(one.choices) < 2:
            unfit.append(Rejected(one.pid, "It has no choices to choose from."))
        elif one.answer is None:
            unfit.append(Rejected(one.pid, "Its right answer is not known."))
        else:
            good.append(one)
    return good, unfit


def _evenly(questions: Sequence[Question], count: int) -> list[Question]:
    """Return so many of the questions at even distances; all for 0."""
    total = len(questions)
    if not 0 < count < total:
        return list(questions)
    return [questions[number * total // count] for number in range(count)]


def _scored(one: Question, chosen: int | None) -> Row:
    head = {"pid": one.pid, "family": families.family_of(one), "topic": one.topic, "answer": one.answer}
    return {**head, "chosen": chosen, "right": chosen == one.answer}


def _plan(model: GemmaClip, questions: Sequence[Question], config: EvaluateScienceqaConfig) -> str:
    """Identify what answers depend on."""
    info = model.info
    places = [info.projector, info.adapter and info.adapter / "adapter_model.safetensors"]
    weights = [path for path in places if path is not None and path.is_file()]
    settings = config.model_dump(mode="json", exclude={"output_path"})
    known = (f"{one!r} {content_hash(one.image) if isinstance(one.image, bytes) else one.image}" for one in questions)
    facts = json.dumps([settings, info.to_json(), __version__], sort_keys=True, default=str)
    return content_hash(facts, "\n".join(known), *weights)


def _model_facts(model: GemmaClip, config: EvaluateScienceqaConfig) -> dict[str, Any]:
    info = model.info
    form = info.answering if config.answering == "auto" else config.answering
    return {
        "model": name_of(model),
        "vision": info.vision,
        "language": info.language,
        "answering": form,
        "views": f"{info.views.kind} of {info.views.size} pixels" if info.views else "",
        "dtype": str(next(model.language.parameters()).dtype).removeprefix("torch."),
        **{f"{name} revision": value for name, value in info.revisions.items()},
    }


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("torch", "transformers", "peft")}
    return {"studio": __version__, "python": platform.python_version(), **packages}


def _metrics(rows: Sequence[Row]) -> dict[str, float]:
    asked = [row for row in rows if "failed" not in row]
    pairs = [row["without_picture"]["right"] for row in asked if "without_picture" in row]
    found = {"accuracy": Share.of(row["right"] for row in asked), "without_picture": Share.of(pairs)}
    return {name: share.value for name, share in found.items() if share.total}


def _note(rows: Sequence[Row]) -> str:
    told = [f"{value:.1%} {'right' if name == 'accuracy' else 'of those with a picture right without it'}"
            for name, value in _metrics(rows).items()]  # fmt: skip
    return ", ".join(told)


def _write(
    found: Evaluation, config: EvaluateScienceqaConfig, context: Context
) -> tuple[dict[str, Any], dict[str, str]]:
    """Write the report into the job's folder, and copy it where it was asked for; return it, and the files by name."""
    report = compose(found)
    files = {
        REPORT: json.dumps(report, indent=1, allow_nan=False, ensure_ascii=False),
        PAGE: resultpage.page(report, found, context.settings),
        RESULTS: results.official({row["pid"]: row["chosen"] for row in found.asked}),
    }
    for name, text in files.items():
        write_atomic(context.folder / name, text)
    artifacts = {"report": REPORT, "page": PAGE, "results": RESULTS, "answers": ANSWERS}
    if config.output_path is None:
        return report, artifacts
    try:
        for name in artifacts.values():
            write_atomic(config.output_path / name, (context.folder / name).read_bytes())
    except OSError as error:
        what = f"The results cannot be written into '{config.output_path}': {(error.strerror or str(error)).lower()}."
        raise StudioError(what, f"They lie in {context.folder}.") from None
    return report, {name: str((config.output_path / path).resolve()) for name, path in artifacts.items()}
