"""The command line, made from the table of tasks."""

from __future__ import annotations

import argparse
import collections
import json
import sys
import tempfile
import time
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studio import __version__
from studio.config import Config, validate
from studio.errors import StudioError
from studio.events import Event
from studio.jobs import Job, State
from studio.settings import Settings
from studio.tasks import TASKS, Studio, Task, load_preset

ALIASES = {"apply": ["infer"]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0 done, 1 failed, 130 interrupted."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = build_parser().parse_args([_hyphens(argument) for argument in given])
    try:
        status: int = options.command(options)
        return status
    except StudioError as error:
        print(f"gemma-studio: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _hyphens(argument: str) -> str:
    """Make ``--image_folder`` mean ``--image-folder``; leave values alone."""
    flag, equals, value = argument.partition("=")
    return flag.replace("_", "-") + equals + value if flag.startswith("--") else argument


def build_parser() -> argparse.ArgumentParser:
    """Return the whole command line: a command for each task, and those of the job store, the models and the app."""
    parser = argparse.ArgumentParser(prog="gemma-studio", description="Grade photographs with words, on one device.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for task in TASKS.values():
        _add_task(commands, task)
    listing = _add(commands, "jobs", "List the jobs.", _jobs)
    listing.add_argument("--remove", metavar="ID", help="forget a finished job and its files")
    for name, sentence, command in (
        ("watch", "Follow a job until it ends.", _watch),
        ("cancel", "Stop a job within one step.", _cancel),
        ("resume", "Go on with a stopped job, here.", _resume),
    ):
        _add(commands, name, sentence, command).add_argument("id", help="the job, or the end of its id")
    _add(commands, "models", "List the models the studio knows.", _models)
    serve = _add(commands, "serve", "Open the studio in the browser.", _serve)
    serve.add_argument("--host", help="address to serve on (default 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to serve on (default 7860)")
    serve.add_argument("--share", action="store_true", help="also open a public link; credentials are demanded")
    serve.add_argument("--open", action="store_true", help="open the browser")
    return parser


def _add(commands: Any, name: str, sentence: str, command: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=sentence, description=sentence, aliases=ALIASES.get(name, []), allow_abbrev=False
    )
    parser.set_defaults(command=command)
    parser.add_argument("--json", action="store_true", help="print the result as JSON on the last line")
    return parser


def _add_task(commands: Any, task: Task) -> None:
    parser = _add(commands, task.name, task.sentence, lambda options: _run_task(task, options))
    parser.add_argument("--preset", metavar="NAME", help="fill what the flags leave out from a preset")
    for name, field in task.config.model_fields.items():
        extra = typing.cast(dict[str, Any], field.json_schema_extra)
        keywords: dict[str, Any] = {"help": _help(field), "default": argparse.SUPPRESS, "metavar": name.upper()}
        if typing.get_origin(field.annotation) is tuple:
            keywords["nargs"] = "+"
        if typing.get_origin(field.annotation) is typing.Literal:
            keywords |= {"choices": typing.get_args(field.annotation), "metavar": None}
        if field.annotation is bool:
            keywords = {**keywords, "action": argparse.BooleanOptionalAction}
            del keywords["metavar"]
        if extra["positional"]:
            parser.add_argument(name, **{key: value for key, value in keywords.items() if key != "default"})
        else:
            parser.add_argument("--" + name.replace("_", "-"), dest=name, **keywords)


def _help(field: Any) -> str:
    unit = field.json_schema_extra["unit"]
    default = "required" if field.is_required() else f"default {field.default}{' ' + unit if unit else ''}"
    return f"{field.description} ({default})".replace("%", "%%")


def _values(task: Task, options: argparse.Namespace) -> dict[str, Any]:
    values = load_preset(task.name, options.preset) if options.preset else {}
    return values | {name: getattr(options, name) for name in task.config.model_fields if hasattr(options, name)}


def _run_task(task: Task, options: argparse.Namespace) -> int:
    config = validate(task.config, _values(task, options))
    studio = Studio(Settings.from_environment())
    try:
        if task.long:
            job = studio.submit(task.name, _absolute(config))
            print(f"Job {job.id}", file=sys.stderr)
            return _follow(studio, job.id, options.json, cancel=True)
        return _run_inline(studio, task, config, options.json)
    finally:
        studio.close()


def _absolute(config: Config) -> dict[str, Any]:
    """Resolve paths here, since a job may be resumed from another folder."""
    values = {}
    for name, value in config:
        values[name] = tuple(map(_resolved, value)) if isinstance(value, tuple) else _resolved(value)
    return values


def _resolved(value: Any) -> Any:
    return value.expanduser().resolve() if isinstance(value, Path) else value


def _run_inline(studio: Studio, task: Task, config: Config, as_json: bool) -> int:
    event = Event()
    with tempfile.TemporaryDirectory(prefix="gemma-studio-") as folder:
        for event in studio.run(task.name, dict(config), Path(folder)):
            if event.note:
                print(event.note, file=sys.stderr)
    if as_json:
        print(json.dumps({"metrics": dict(event.metrics), "artifacts": dict(event.artifacts)}))
    else:
        print("\n".join(f"{name}: {value:.4f}" for name, value in event.metrics.items()) or f"{event.done} done")
    return 0


def _follow(studio: Studio, job_id: str, as_json: bool, *, cancel: bool) -> int:
    """Show a job's progress until it ends; with `cancel`, Ctrl-C stops it and says how to go on."""
    job = studio.jobs.get(job_id)
    try:
        for job in studio.jobs.watch(job_id):
            _show(job)
    except KeyboardInterrupt:
        if cancel:
            studio.jobs.cancel(job_id)
            collections.deque(studio.jobs.watch(job_id), maxlen=0)  # wait for the step in hand
            print(f"\nStopped. Go on with: gemma-studio resume {job_id}", file=sys.stderr)
        return 130
    print(file=sys.stderr)
    if as_json:
        print(json.dumps(_describe(job)))
    elif job.state is State.DONE:
        print("\n".join(f"{name}: {job.folder / path}" for name, path in job.artifacts.items()))
    if job.state is State.FAILED:
        print(f"gemma-studio: {job.error} {job.todo}".rstrip(), file=sys.stderr)
    return 0 if job.state is State.DONE else 1


def _show(job: Job) -> None:
    event = job.last or Event()
    parts = [job.state.value]
    if event.total:
        parts.append(f"{event.done}/{event.total}")
    parts += [f"{name} {event.metrics[name]:.3f}" for name in ("score", "held_out") if name in event.metrics]
    if job.rate:
        parts.append(f"{job.rate:.1f}/s")
    if job.seconds_left is not None:
        parts.append(f"{job.seconds_left:.0f} s left")
    line = "  ".join([*parts, event.note])
    print(f"\r\033[K{line}" if sys.stderr.isatty() else line, end="" if sys.stderr.isatty() else "\n", file=sys.stderr)


def _describe(job: Job) -> dict[str, Any]:
    """A job as plain data, its artifacts as absolute paths."""
    return {
        "id": job.id,
        "task": job.task,
        "title": job.title,
        "state": job.state.value,
        "done": job.last.done if job.last else 0,
        "total": job.last.total if job.last else None,
        "metrics": dict(job.last.metrics) if job.last else {},
        "artifacts": {name: str(job.folder / path) for name, path in job.artifacts.items()},
        "error": job.error,
        "todo": job.todo,
    }


def _store() -> Studio:
    return Studio(Settings.from_environment(), start=False)


def _find_job(studio: Studio, text: str) -> str:
    matches = [job.id for job in studio.jobs.list() if job.id.endswith(text)]
    if len(matches) != 1:
        raise StudioError(f"{len(matches)} jobs have an id ending in '{text}'.", "gemma-studio jobs lists them.")
    return matches[0]


def _jobs(options: argparse.Namespace) -> int:
    studio = _store()
    if options.remove:
        studio.jobs.remove(_find_job(studio, options.remove))
    jobs = studio.jobs.list()
    for job in jobs:
        created = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.created))
        if not options.json:
            print(f"{job.id}  {created}  {job.state.value:<11}  {job.task}  {job.title}")
    if options.json:
        print(json.dumps([_describe(job) for job in jobs]))
    return 0


def _watch(options: argparse.Namespace) -> int:
    studio = _store()
    return _follow(studio, _find_job(studio, options.id), options.json, cancel=False)


def _cancel(options: argparse.Namespace) -> int:
    studio = _store()
    job = studio.jobs.cancel(_find_job(studio, options.id))
    print(json.dumps(_describe(job)) if options.json else f"{job.id} is asked to stop")
    return 0


def _resume(options: argparse.Namespace) -> int:
    studio = Studio(Settings.from_environment())
    try:
        job = studio.jobs.resume(_find_job(studio, options.id))
        return _follow(studio, job.id, options.json, cancel=True)
    finally:
        studio.close()


def _models(options: argparse.Namespace) -> int:
    from studio.gemma.catalog import MODEL_TYPES, resolve

    checkpoints = [resolve(name) for name in MODEL_TYPES]
    if options.json:
        print(json.dumps([{"name": each.name, "title": each.title, "source": each.source} for each in checkpoints]))
    else:
        print("\n".join(f"{each.name:<18} {each.title}" for each in checkpoints))
    return 0


def _serve(options: argparse.Namespace) -> int:
    from studio.serve import serve

    serve(Settings.from_environment(), host=options.host, port=options.port, share=options.share, browser=options.open)
    return 0


if __name__ == "__main__":
    sys.exit(main())
