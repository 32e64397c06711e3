"""The locks that tell which process runs a job, and whose turn it is on the device.

They belong to the operating system, so a process that is killed lets go of them.
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from studio.errors import StudioError

SHARED_LANE = "device"
"""The lane whose jobs run one after another across processes, since the device is only one."""


class JobLocks:
    """The locks of the jobs in a folder.

    Args:
        folder: Where the jobs live.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, FileLock] = {}
        self._turn = _lock(folder / f"{SHARED_LANE}.lock")

    def __contains__(self, job_id: str) -> bool:
        """Whether the job is held here."""
        return job_id in self._held

    def of(self, job_id: str) -> FileLock:
        """Return a fresh lock of a job."""
        return _lock(self._folder / job_id / "lock")

    def hold(self, job_id: str) -> None:
        """Take a job.

        Raises:
            StudioError: Another process holds it.
        """
        lock = self.of(job_id)
        try:
            lock.acquire(timeout=1.0)
        except Timeout:
            raise StudioError(f"The job {job_id} is held by another process.", "Wait for it.") from None
        self._held[job_id] = lock

    def release(self, job_id: str) -> None:
        """Let go of a job."""
        self._held.pop(job_id).release()

    def take_turn(self, lane: str) -> bool:
        """Take the lane for one job unless another process has it; return whether it is taken."""
        try:
            if lane == SHARED_LANE:
                self._turn.acquire(blocking=False)
        except OSError:  # a Timeout, or a disk so full that the lock cannot be made: both may pass
            return False
        return True

    def end_turn(self, lane: str) -> None:
        """Give the lane back."""
        if lane == SHARED_LANE:
            self._turn.release()


def _lock(path: Path) -> FileLock:
    # Submitting, running and cancelling happen in different threads, so a lock must not belong to one.
    return FileLock(path, thread_local=False)
