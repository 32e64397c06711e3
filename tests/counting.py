"""A small real task for the job tests: it draws numbers, keeps a running digest, and resumes exactly.

Run as a program it is a studio of one job, for the tests that kill one.
"""

from __future__ import annotations

import collections
import hashlib
import json
import random
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic
from studio.jobs import Jobs


def run(task: str, config: Mapping[str, Any], folder: Path) -> Iterator[Event]:
    """Count to ``total``; a task called something else than ``count`` ends at ``at`` in the way its name says."""
    total, checkpoint = config["total"], folder / "checkpoint.json"
    step, digest = json.loads(checkpoint.read_text()) if checkpoint.exists() else (0, "")
    try:
        while step < total:
            time.sleep(config.get("seconds", 0.0))
            if step == config.get("at") and task != "count":
                _end(task)
            drawn = random.Random(f"{config.get('seed', 0)} {step}").random()
            step, digest = step + 1, hashlib.sha256(f"{digest}{drawn}".encode()).hexdigest()
            write_atomic(checkpoint, json.dumps([step, digest]))
            yield Event(step, total, f"step {step}", {"drawn": drawn}, {"checkpoint": "checkpoint.json"})
        write_atomic(folder / "result.txt", digest)
        yield Event(total, total, "done", artifacts={"result": "result.txt"})
    finally:
        with open(folder / "cleaned.txt", "a") as file:
            file.write("cleaned\n")


def _end(how: str) -> None:
    endings = {
        "studio": StudioError("The photograph is gone.", "Put it back."),
        "value": ValueError("boom\nsecond line"),
        "memory": MemoryError("no room"),
        "device": RuntimeError("CUDA out of memory. Tried to allocate 9 GiB"),
        "leave": SystemExit(3),
    }
    raise endings[how]


if __name__ == "__main__":
    jobs = Jobs(Path(sys.argv[1]), run)
    job = jobs.submit("count", {"total": int(sys.argv[2]), "seconds": float(sys.argv[3])})
    print(job.id, flush=True)
    collections.deque(jobs.watch(job.id), maxlen=0)
    jobs.close()
