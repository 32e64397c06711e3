"""What a model answers, to compare models by."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from PIL import Image
from torch import Tensor

from studio.scienceqa.model import prompts
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.questions.record import Question


@pytest.fixture(scope="session")
def asked(question: Question, picture: Image.Image) -> Callable[[GemmaClip], Tensor]:
    """Ask a model about the picture, and return its logits at every place: ``[L, vocabulary]``."""

    def ask(model: GemmaClip) -> Tensor:
        cut = model.cut(picture)
        prompt = prompts.ask(model.tokenizer, question, cut.grid, template=model.info.template)
        with torch.no_grad():
            return model.logits(model.hidden(model.batch([prompt], [model.features(cut.tiles)])))[0]

    return ask
