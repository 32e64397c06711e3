"""Who is asking, and what they may name.

On the machine itself every job and every folder belongs to the person at it. On a public Space every browser
keeps a random word of its own, sees only the jobs made with it, and may name no path of the server.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from pathlib import Path

from studio.errors import StudioError
from studio.gemma.catalog import MODEL_TYPES
from studio.jobs import Job, Jobs
from studio.settings import Settings


def is_loopback(host: str) -> bool:
    """Return whether an address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public() -> bool:
    """Return whether strangers are the visitors, as on a Hugging Face Space."""
    return "SPACE_ID" in os.environ


def is_local(settings: Settings) -> bool:
    """Return whether only this machine can reach the server, so that a visitor may name its folders."""
    return is_loopback(settings.host) and not is_public()


def new_visitor() -> str:
    """Return a word nobody can guess, for a browser to keep."""
    return secrets.token_urlsafe(16)


def owner(visitor: str | None) -> str:
    """Return the owner to note on a job: the visitor where strangers meet, else nobody."""
    return (visitor or "nobody") if is_public() else ""


def own_job(jobs: Jobs, job_id: str, visitor: str | None) -> Job:
    """Return a job of the visitor's; of another's nobody may learn that there is one.

    Raises:
        StudioError: There is none.
    """
    job = jobs.get(job_id)
    if job.owner != owner(visitor) and is_public():
        raise StudioError(f"There is no job '{job_id}'.")
    return job


def admit_path(path: Path, settings: Settings, own: tuple[Path, ...]) -> Path:
    """Let a path pass when the visitor may read it.

    Args:
        path: What the visitor named.
        settings: The studio's settings.
        own: Folders of the studio that anybody may name.

    Raises:
        StudioError: The path lies elsewhere and the server is open to other machines.
    """
    resolved = path.expanduser().resolve()
    if is_local(settings) or any(resolved.is_relative_to(folder.resolve()) for folder in own):
        return resolved
    raise StudioError("Paths of the server cannot be named from another machine.", "Upload the files instead.")


def admit_model(model_type: str, settings: Settings) -> str:
    """Let a model type pass; a folder of the server only on the machine itself.

    Raises:
        StudioError: A visitor from elsewhere named something that is not in the catalogue.
    """
    if is_local(settings) or model_type in MODEL_TYPES:
        return model_type
    raise StudioError(f"'{model_type}' is not a known model.", f"Use one of {', '.join(MODEL_TYPES)}.")
