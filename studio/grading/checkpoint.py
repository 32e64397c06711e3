"""Where a training run stands, on disk after every step, so that a resumed run ends equal to an unbroken one."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from studio.errors import StudioError
from studio.files import write_atomic
from studio.grading.lut import ResidualLUT

_NAME = "training.safetensors"


class Progress:
    """The state of a run: step, curves, the best LUT so far, and the file that holds them.

    Attributes:
        step: Steps done.
        curves: Metric name to a list of [step, value].
        best_step: The step whose LUT did best on the measured photographs; -1 before the first measurement.
        best_loss: Its held-out loss.
    """

    def __init__(self, folder: Path, photographs: str) -> None:
        self.step = 0
        self.curves: dict[str, list[list[float]]] = {}
        self.best_step = -1
        self.best_loss = float("inf")
        self._best: dict[str, Tensor] = {}
        self._path = folder / _NAME
        self._photographs = photographs

    @classmethod
    def load(cls, folder: Path, lut: ResidualLUT, optimizer: torch.optim.Adam, photographs: str) -> Progress:
        """Continue where the folder's checkpoint stands, or begin.

        Args:
            folder: The job's folder.
            lut: Its grids are overwritten with the checkpoint's.
            optimizer: Its moments likewise.
            photographs: Fingerprint of the photographs.

        Raises:
            StudioError: The photographs are not those the run began with.
        """
        progress = cls(folder, photographs)
        if progress._path.is_file():
            progress._restore(lut, optimizer)
        return progress

    def consider(self, step: int, held_out_loss: float, lut: ResidualLUT) -> None:
        """Keep this LUT if no earlier one did better."""
        if held_out_loss < self.best_loss:
            self.best_loss, self.best_step = held_out_loss, step
            self._best = {f"best.{name}": value.detach().clone() for name, value in lut.state_dict().items()}

    def record(self, step: int, metrics: dict[str, float], lut: ResidualLUT, optimizer: torch.optim.Adam) -> None:
        """Add a step's metrics to the curves and put everything on disk."""
        self.step = step + 1
        for name, value in metrics.items():
            self.curves.setdefault(name, []).append([step + 1, round(value, 6)])
        tensors = dict(self._best)
        for index, grid in enumerate(lut.grids):
            tensors[f"grids.{index}"] = grid.detach()
            tensors |= {f"adam.{index}.{name}": value for name, value in optimizer.state[grid].items()}
        tensors = {name: value.contiguous().cpu() for name, value in tensors.items()}
        best = self.best_loss if self._best else None
        standing = {"step": self.step, "curves": self.curves, "best_step": self.best_step, "best_loss": best}
        metadata = {"progress": json.dumps(standing), "photographs": self._photographs}
        write_atomic(self._path, safetensors.torch.save(tensors, metadata))

    def best_table(self, lut: ResidualLUT) -> Tensor:
        """Load the best LUT into `lut` and return its table, [3, N, N, N]."""
        if self._best:
            lut.load_state_dict({name.removeprefix("best."): value for name, value in self._best.items()})
        return lut.table().detach()

    def _restore(self, lut: ResidualLUT, optimizer: torch.optim.Adam) -> None:
        with safetensors.safe_open(str(self._path), "pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        if metadata["photographs"] != self._photographs:
            raise StudioError("The photographs changed since this run began.", "Start a new run on them.")
        standing = json.loads(metadata["progress"])
        self.step, self.curves, self.best_step = standing["step"], standing["curves"], standing["best_step"]
        self.best_loss = float("inf") if standing["best_loss"] is None else standing["best_loss"]
        self._best = {name: value for name, value in tensors.items() if name.startswith("best.")}
        for index, grid in enumerate(lut.grids):
            grid.data.copy_(tensors[f"grids.{index}"])
            prefix = f"adam.{index}."
            state = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
            optimizer.state[grid] = {
                name: value if name == "step" else value.to(grid.device) for name, value in state.items()
            }
