"""Where a training run stands, on disk after every step, so that a resumed run ends equal to an unbroken one."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from studio.errors import StudioError
from studio.files import write_atomic
from studio.grading.lut import ResidualLUT

_STATE = "training.safetensors"
_CURVES = "curves.jsonl"


class Progress:
    """The state of a run: step, curves, the best LUT so far, and the files that hold them.

    Attributes:
        step: Steps done.
        curves: Metric name to a list of [step, value].
        best_step: Steps done when the LUT did best on the measured photographs; 0 is the untouched picture.
        best: The measurements of that LUT; empty before the first.
        untouched: The measurements of the LUT that changes nothing.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self.step = 0
        self.curves: dict[str, list[list[float]]] = {}
        self.best_step = 0
        self.best: dict[str, float] = {}
        self.untouched: dict[str, float] = {}
        self._best_lut: dict[str, Tensor] = {}
        self._folder = folder
        self._run = run

    @classmethod
    def load(cls, folder: Path, lut: ResidualLUT, optimizer: torch.optim.Adam, run: str) -> Progress:
        """Continue where the folder's checkpoint stands, or begin.

        Args:
            folder: The job's folder.
            lut: Its grids are overwritten with the checkpoint's.
            optimizer: Its moments likewise.
            run: Identifies what the run depends on beside its configuration: its photographs and its judge.

        Raises:
            StudioError: The run began with other photographs or another judge.
        """
        progress = cls(folder, run)
        if (folder / _STATE).is_file():
            progress._restore(lut, optimizer)
        progress._restore_curves()
        return progress

    def consider(self, scores: Mapping[str, float], lut: ResidualLUT) -> bool:
        """Keep this LUT, and return True, if no earlier one had a lower ``measured_loss``."""
        if not self.untouched:
            self.untouched = dict(scores)
        better = not self.best or scores["measured_loss"] < self.best["measured_loss"]
        if better:
            self.best, self.best_step = dict(scores), self.step
            self._best_lut = {f"best.{name}": value.detach().clone() for name, value in lut.state_dict().items()}
        return better

    def record(self, metrics: Mapping[str, float], lut: ResidualLUT, optimizer: torch.optim.Adam) -> None:
        """Add the metrics of the step just done to the curves, and put everything on disk."""
        line = {name: round(value, 6) for name, value in metrics.items()}
        self._draw(self.step, line)
        with (self._folder / _CURVES).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": self.step, **line}) + "\n")
        tensors = dict(self._best_lut)
        for index, grid in enumerate(lut.grids):
            tensors[f"grids.{index}"] = grid.detach()
            tensors |= {f"adam.{index}.{name}": value for name, value in optimizer.state[grid].items()}
        tensors = {name: value.contiguous().cpu() for name, value in tensors.items()}
        standing = {name: getattr(self, name) for name in ("step", "best_step", "best", "untouched")}
        metadata = {"progress": json.dumps(standing), "run": self._run}
        write_atomic(self._folder / _STATE, safetensors.torch.save(tensors, metadata))

    def best_table(self, lut: ResidualLUT) -> Tensor:
        """Return the table of the best LUT, [3, N, N, N]; of `lut` as it is before the first measurement."""
        best = copy.deepcopy(lut)
        kept = {name.removeprefix("best."): value for name, value in self._best_lut.items()}
        best.load_state_dict(kept or lut.state_dict())
        return best.table().detach()

    def _draw(self, step: int, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            self.curves.setdefault(name, []).append([step, value])

    def _restore(self, lut: ResidualLUT, optimizer: torch.optim.Adam) -> None:
        with safetensors.safe_open(str(self._folder / _STATE), "pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        if metadata["run"] != self._run:
            raise StudioError("The photographs or the judge changed since this run began.", "Start a new run.")
        for name, value in json.loads(metadata["progress"]).items():
            setattr(self, name, value)
        self._best_lut = {name: value for name, value in tensors.items() if name.startswith("best.")}
        for index, grid in enumerate(lut.grids):
            grid.data.copy_(tensors[f"grids.{index}"])
            prefix = f"adam.{index}."
            state = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
            optimizer.state[grid] = {
                name: value if name == "step" else value.to(grid.device) for name, value in state.items()
            }

    def _restore_curves(self) -> None:
        """Read the curves up to the checkpoint; a step that was drawn but not kept will be drawn again."""
        path = self._folder / _CURVES
        lines = path.read_text("utf-8").splitlines(keepends=True)[: self.step] if path.is_file() else []
        write_atomic(path, "".join(lines))
        for line in lines:
            metrics = json.loads(line)
            self._draw(metrics.pop("step"), metrics)
