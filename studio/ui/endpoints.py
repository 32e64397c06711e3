"""The client's endpoints, made from the table of tasks: what the command line can do, over HTTP and MCP.

A task's endpoint takes its configuration's fields and returns the job at once; `/watch`, `/cancel`, `/resume`,
`/jobs` and `/artifact` follow it. Where a task takes files, what another job wrote is named by that job's id. A new
row in the table is a new endpoint; nothing here knows a task by name.
"""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

import gradio as gr
from gradio.events import api
from pydantic.fields import FieldInfo

from studio.errors import StudioError
from studio.jobs import Job
from studio.tasks import TASKS, Task, presets
from studio.ui import access, forms, uploads

if TYPE_CHECKING:
    from studio.tasks import Studio

FILES = ("images", "file", "folder")  # widgets whose values name files


def add(studio: Studio) -> None:
    """Add every endpoint to the Blocks being built."""
    for task in TASKS.values():
        api(_submit(studio, task), api_name=task.name.replace("-", "_"))
    for verb in (_watch, _cancel, _resume, _jobs, _presets, _artifact):
        function = verb(studio)
        api(function, api_name=function.__name__, concurrency_limit=None)


def describe(job: Job) -> dict[str, Any]:
    """Return a job as plain data, without any path of the server."""
    return {
        "id": job.id,
        "task": job.task,
        "title": job.title,
        "state": job.state.value,
        "done": job.last.done if job.last else 0,
        "total": job.last.total if job.last else None,
        "note": job.last.note if job.last else "",
        "metrics": dict(job.last.metrics) if job.last else {},
        "artifacts": sorted(job.artifacts),
        "position": job.position,
        "seconds_left": job.seconds_left,
        "error": job.error,
        "todo": job.todo,
    }


def _submit(studio: Studio, task: Task) -> Callable[..., dict[str, Any]]:
    def submit(*given: Any, **named: Any) -> dict[str, Any]:
        bound = signature.bind(*given, **named)
        request = bound.arguments.pop("request", None)
        values = {name: value for name, value in bound.arguments.items() if value is not None}
        with told():
            visitor = request.session_hash if request else None
            fields = task.config.model_fields
            admitted = {name: _admit(studio, fields[name], value, visitor) for name, value in values.items()}
            admitted |= _own_folders(studio, task)
            return describe(studio.submit(task.name, admitted, owner=access.owner(visitor)))

    signature = _signature(task)
    submit.__signature__ = signature  # type: ignore[attr-defined]
    submit.__annotations__ = {name: one.annotation for name, one in signature.parameters.items()}
    submit.__annotations__["return"] = dict[str, Any]
    submit.__name__ = task.name.replace("-", "_")
    submit.__doc__ = _docstring(task)
    return submit


def _signature(task: Task) -> inspect.Signature:
    required: list[inspect.Parameter] = []
    optional: list[inspect.Parameter] = []
    for name in forms.fields(task.config):
        field = task.config.model_fields[name]
        default = inspect.Parameter.empty if field.is_required() else _plain(field.default)
        one = inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=_hint(field))
        (required if field.is_required() else optional).append(one)
    request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=gr.Request)
    return inspect.Signature([*required, *optional, request], return_annotation=dict[str, Any])


def _own_folders(studio: Studio, task: Task) -> dict[str, Path]:
    """Give results that would land in the server's working folder a place of their own in the home."""
    return {name: studio.settings.folder("exports") / secrets.token_hex(8) for name in _places(task)}


def _places(task: Task) -> list[str]:
    """Name the hidden fields that say where a task writes."""
    hidden = set(task.config.model_fields) - set(forms.fields(task.config))
    return [name for name in sorted(hidden) if isinstance(task.config.model_fields[name].default, Path)]


def _written(studio: Studio, value: str, visitor: str | None) -> Path | None:
    """Return the folder that a job wrote into, where a client names one of its jobs instead of a path."""
    try:
        job = access.own_job(studio.jobs, value, visitor)
    except StudioError:
        return None
    places = _places(TASKS[job.task]) if job.task in TASKS else []
    return Path(job.config[places[0]]) if places else None


def _hint(field: FieldInfo) -> Any:
    if forms.extra(field, "widget") in FILES:
        return Any  # a path, an uploaded file, or a list of them
    hint = forms.kind(field)
    return str if hint is Path else hint


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _docstring(task: Task) -> str:
    lines = [f"{task.sentence} Returns the job at once; follow it with /watch.", "", "Args:"]
    for name in forms.fields(task.config):
        field = task.config.model_fields[name]
        unit = forms.extra(field, "unit")
        lines.append(f"    {name}: {field.description}{f' Unit: {unit}.' if unit else ''}")
    return "\n".join(lines)


def _admit(studio: Studio, field: FieldInfo, value: Any, visitor: str | None = None) -> Any:
    """Turn what a client sent for a field into what the task takes; see `studio.ui.access` for what may pass."""
    widget = forms.extra(field, "widget")
    if widget == "model":
        return access.admit_model(str(value), studio.settings)
    if widget not in FILES or value == field.default:
        return value
    several = get_origin(forms.kind(field)) is tuple
    given = value if isinstance(value, list) else [value]
    uploaded = [one["path"] for one in given if isinstance(one, Mapping) and isinstance(one.get("path"), str)]
    paths = [_place(studio, field, one, visitor) for one in given if isinstance(one, str)]
    if uploaded:
        folder = uploads.adopt(uploaded, studio.settings)
        paths += sorted(folder.iterdir()) if widget == "file" else [folder]
    if several:
        return paths
    if len(paths) != 1:
        raise StudioError(f"One path or upload is wanted here, not {len(paths)}.", "Put pictures into one folder.")
    return str(paths[0]) if forms.kind(field) is str else paths[0]


def _place(studio: Studio, field: FieldInfo, value: str, visitor: str | None) -> Path:
    """Return what a client named in words: a job's results, a path, or where a text is taken another name as it is."""
    if (written := _written(studio, value, visitor)) is not None:
        return written
    if forms.kind(field) is str and access.is_local(studio.settings) and not Path(value).expanduser().exists():
        return Path(value)
    return access.admit_path(Path(value), studio.settings, uploads.own_folders(studio.settings))


@contextmanager
def told() -> Iterator[None]:
    """Turn a StudioError into one a client may read."""
    try:
        yield
    except StudioError as error:
        raise gr.Error(str(error), print_exception=False) from None


def _watch(studio: Studio) -> Callable[..., Iterator[dict[str, Any]]]:
    def watch(id: str) -> Iterator[dict[str, Any]]:
        """Follow a job: its state again at every change, until it is finished.

        Args:
            id: The job.
        """
        with told():
            for job in studio.jobs.watch(id):
                yield describe(job)

    return watch


def _cancel(studio: Studio) -> Callable[..., dict[str, Any]]:
    def cancel(id: str) -> dict[str, Any]:
        """Stop a job within one step; it can be resumed.

        Args:
            id: The job.
        """
        with told():
            return describe(studio.jobs.cancel(id))

    return cancel


def _resume(studio: Studio) -> Callable[..., dict[str, Any]]:
    def resume(id: str) -> dict[str, Any]:
        """Go on with a stopped job from the last step it kept.

        Args:
            id: The job.
        """
        with told():
            return describe(studio.jobs.resume(id))

    return resume


def _jobs(studio: Studio) -> Callable[..., list[dict[str, Any]]]:
    def jobs(request: gr.Request) -> list[dict[str, Any]]:
        """List the jobs, newest first."""
        return [describe(job) for job in studio.jobs.list(access.owner(request.session_hash) or None)]

    return jobs


def _presets(studio: Studio) -> Callable[..., dict[str, Any]]:
    def presets_of(task: str = "optimize") -> dict[str, Any]:
        """List the presets of a task: name, and the values it sets.

        Args:
            task: The task.
        """
        with told():
            return presets(task)

    presets_of.__name__ = "presets"
    return presets_of


def _artifact(studio: Studio) -> Callable[..., dict[str, Any]]:
    def artifact(id: str, name: str) -> dict[str, Any]:
        """Download one file a job made.

        Args:
            id: The job.
            name: One of the job's artifacts, such as lut or report.
        """
        with told():
            job = studio.jobs.get(id)
            if name not in job.artifacts:
                known = ", ".join(sorted(job.artifacts)) or "none yet"
                raise StudioError(f"The job has no artifact '{name}'.", f"It has {known}.")
            path = uploads.serve(job.folder / job.artifacts[name])
            return {"path": path, "orig_name": Path(path).name, "meta": {"_type": "gradio.FileData"}}

    return artifact
