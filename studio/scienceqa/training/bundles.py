"""What a run leaves: the best model and the last one as bundles, and a copy of the best where it was asked for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from studio.errors import StudioError
from studio.scienceqa.config import TrainScienceqaConfig
from studio.scienceqa.model import bundle
from studio.scienceqa.model.bundle import BundleInfo
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.prompts import Form

BEST, LAST = "bundle", "last"


def answering_form(config: TrainScienceqaConfig, start: BundleInfo) -> Form:
    """Return the form in which what is trained is validated, and answers.

    Where both are taught, it is that of the bundle that training starts from, and of a new model the letter at once.
    """
    if config.answer_form != "both":
        return config.answer_form
    return "letter" if start.projector is None else start.answering


class Bundles:
    """The bundles of a run, in the job's folder; each is whole at any moment.

    Args:
        config: The run's; its output folder is made, or looked at, now.
        folder: The job's.

    Raises:
        StudioError: The output folder cannot be written, or holds something other than a bundle.
    """

    def __init__(self, config: TrainScienceqaConfig, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self._output = config.output_dir.expanduser().resolve()
        try:
            self._output.mkdir(parents=True, exist_ok=True)
            foreign = any(self._output.iterdir()) and not (self._output / bundle.FILE).is_file()
        except OSError as error:
            what = f"The bundle cannot be written to '{self._output}': {error.strerror}."
            raise StudioError(what, "Name another output folder.") from None
        if foreign:
            raise StudioError(
                f"The folder {self._output} holds something other than a bundle.", "Name an empty folder, or a new one."
            )
        if not os.access(self._output, os.W_OK):
            raise StudioError(f"The folder '{self._output}' cannot be written to.", "Name another output folder.")

    def keep(self, which: str, model: GemmaClip, measured: Mapping[str, float]) -> None:
        """Write the model as it stands.

        Args:
            which: ``BEST`` or ``LAST``.
            model: What to write.
            measured: What is known of it, such as ``step`` and ``accuracy``.
        """
        told = {**self._config.model_dump(mode="json"), "validation": dict(measured)}
        facts = {
            "name": self._output.name,
            "training": told,
            "answering": answering_form(self._config, model.info),
            "families": {},
        }
        bundle.save(model, self._folder / which, **facts)

    def known(self) -> dict[str, str]:
        """Return the artifacts there are."""
        return {which: which for which in (BEST, LAST) if (self._folder / which / bundle.FILE).is_file()}

    def deliver(self) -> str:
        """Copy the best bundle to the output folder, and return a sentence's end that says where it is.

        A failure is told and not raised, since the bundle is safe in the job's folder.
        """
        try:
            with bundle.drafted(self._output) as draft:
                shutil.copytree(self._folder / BEST, draft, dirs_exist_ok=True)
        except (OSError, StudioError) as error:
            return f"the bundle is {self._folder / BEST}, since '{self._output}' could not be written ({error})"
        return f"the bundle is {self._output}"
