"""The task ``ask``: one question, its reasoning as it is written, and a probability for each choice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic
from studio.scienceqa.answering import choices
from studio.scienceqa.answering.answer import Answer, Asked, locked, reply
from studio.scienceqa.answering.generation import Sampling
from studio.scienceqa.answering.naming import name_of, spec_of
from studio.scienceqa.config import AskConfig
from studio.scienceqa.questions.pictures import open_picture
from studio.scienceqa.questions.record import Question

ANSWER = "answer.json"


def run(config: AskConfig, context: Context) -> Iterator[Event]:
    """Ask.

    Yields:
        An `Event` a token, whose note is the text so far. The last one has the probability of each choice as metric,
        by letter, and as artifact ``answer`` (answer.json; also ``report``): the text, the likeliest choice, the
        probabilities, the choice that the reasoning ends on, and what is to be known about the answer.

    Raises:
        StudioError: There is no question, its choices or its picture cannot be read, or the model cannot be loaded.
    """
    if not config.question.strip():
        raise StudioError("There is no question.", "Ask something.")
    given = choices.parse(config.choices)
    question = Question("asked", "test", config.question, given, hint=config.context, image=config.image_path)
    picture = open_picture(question, context.settings)
    begun = time.monotonic()
    total = config.max_new_tokens + 1
    sampling = Sampling(config.max_new_tokens, config.temperature, config.top_p, config.seed)
    with context.models.lease(spec_of(config, context.models)) as model:
        with context.models.device_lock():
            cut = None if picture is None else model.cut(picture)
            asked = Asked(question) if cut is None else Asked(question, cut.grid, model.features(cut.tiles))
        with closing(locked(context.models, reply(model, asked, sampling))) as steps:
            for step in steps:
                if not isinstance(step, Answer):
                    yield Event(min(len(step.ids), config.max_new_tokens), total, step.text)
        assert isinstance(step, Answer)
        told = {**step.to_json(), "seconds": round(time.monotonic() - begun, 3), "model": name_of(model)}
    write_atomic(context.folder / ANSWER, json.dumps(told, indent=1, ensure_ascii=False))
    metrics = dict(zip("ABCDEFGHIJ", step.probabilities, strict=False))
    yield Event(total, total, step.said.text, metrics, {"answer": ANSWER, "report": ANSWER})
