"""What a run leaves: adapters while it runs, and at its end a whole model that any library loads."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from studio.errors import StudioError
from studio.files import draft_of, write_atomic
from studio.gemma import adapters
from studio.palette.config import TrainPaletteConfig
from studio.palette.loading import PaletteModel, stored_dtype

BEST, LAST, CHECKPOINTS = "best", "last", "checkpoints"
ADAPTER = "adapter"
FACTS = "palette.json"
"""What says that a folder was written by this task, and how its model was trained."""


class Bundles:
    """The adapters of a run, in the job's folder, each whole at any moment; and the output folder.

    Args:
        config: The run's; its output folder is made, or looked at, now.
        folder: The job's.
        base: What the adapters belong to: a folder, or a name of the Hub.

    Raises:
        StudioError: The output folder cannot be written, or holds something other than a model of this task.
    """

    def __init__(self, config: TrainPaletteConfig, folder: Path, base: str) -> None:
        self._config, self._folder, self._base = config, folder, base
        self._output = config.output_dir.expanduser().resolve()
        try:
            self._output.mkdir(parents=True, exist_ok=True)
            foreign = any(self._output.iterdir()) and not (self._output / FACTS).is_file()
        except OSError as error:
            what = f"The model cannot be written to '{self._output}': {error.strerror}."
            raise StudioError(what, "Name another output folder.") from None
        if foreign:
            raise StudioError(
                f"The folder {self._output} holds something other than a palette model.",
                "Name an empty folder, or a new one.",
            )
        if not os.access(self._output, os.W_OK):
            raise StudioError(f"The folder '{self._output}' cannot be written to.", "Name another output folder.")

    def keep(self, which: str, model: PaletteModel, measured: Mapping[str, float]) -> None:
        """Write the adapters as they stand.

        Args:
            which: ``BEST`` or ``LAST``.
            model: Whose they are.
            measured: What is known of them, such as ``step`` and ``validation_loss``.
        """
        with draft_of(self._folder / which) as draft:
            adapters.save(model.language, draft, self._base)
            model.tokenizer.save_pretrained(draft)
            self._tell(draft, measured)

    def checkpoint(self, model: PaletteModel, step: int) -> None:
        """Write a checkpoint, and remove those that are no longer kept."""
        self.keep(f"{CHECKPOINTS}/{step:06d}", model, {"step": step})
        kept = sorted(path for path in (self._folder / CHECKPOINTS).iterdir() if path.name.isdigit())
        for path in kept[: -self._config.save_total_limit]:
            shutil.rmtree(path)

    def known(self) -> dict[str, str]:
        """Return the artifacts there are."""
        return {which: which for which in (BEST, LAST, CHECKPOINTS) if (self._folder / which).is_dir()}

    def deliver(self, model: PaletteModel) -> str:
        """Write the best adapters, merged into the model, to the output folder; the model is of no use afterwards.

        Beside the merged model, in the base's own number format, lies the adapter in PEFT's layout.

        Returns:
            A sentence's end that says where it is. A failure is told and not raised, since the adapters are safe.
        """
        merged = adapters.merge(model.language, self._folder / BEST)
        try:
            with draft_of(self._output) as draft:
                merged.to(getattr(torch, stored_dtype(self._base))).save_pretrained(draft)
                model.tokenizer.save_pretrained(draft)
                shutil.copytree(self._folder / BEST, draft / ADAPTER)
                for name in (FACTS, "README.md"):
                    (draft / ADAPTER / name).replace(draft / name)
        except OSError as error:
            return f"the adapter is {self._folder / BEST}, since '{self._output}' could not be written ({error})"
        return f"the model is {self._output}"

    def _tell(self, folder: Path, measured: Mapping[str, float]) -> None:
        facts: dict[str, Any] = {"base": self._base, "training": self._config.model_dump(mode="json"), **measured}
        write_atomic(folder / FACTS, json.dumps(facts, indent=1))
        write_atomic(folder / "README.md", _card(self._output.name, self._base, self._config, measured))


def _card(name: str, base: str, config: TrainPaletteConfig, measured: Mapping[str, float]) -> str:
    numbers = "".join(f"* {key.replace('_', ' ')}: {value:g}\n" for key, value in measured.items())
    return (
        f"# {name}\n\nA palette model of Gemma Studio: `{Path(base).name}` fine-tuned with LoRA (rank {config.lora_r}) "
        f"on `{config.data.name}`. It answers the prompt of `studio.palette.prompt` with four colours.\n\n{numbers}\n"
        "Licence and terms of use are those of the model it was made from, and of the data.\n"
    )
