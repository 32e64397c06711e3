"""The command line, made from the table of tasks."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from studio import __version__, console
from studio.config import Config, validate
from studio.errors import StudioError
from studio.events import Event
from studio.settings import Settings
from studio.tasks import PRESETS, TASKS, Studio, Task, load_preset

ALIASES = {"apply": ["infer"]}
SHORTEST_ID = 4
"""Characters of an id's end that name a job; fewer are too easily another's."""


class UnreadableCommand(SystemExit):
    """A command line that cannot be read; left alone, it ends the process with status 2."""

    def __init__(self, what: str) -> None:
        super().__init__(2)
        self.what = what


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        print(f"{self.prog}: error: {message}", file=sys.stderr)
        raise UnreadableCommand(message)


class _Joined(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        setattr(namespace, self.dest, ",".join([*filter(None, [getattr(namespace, self.dest, "")]), values]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0 done, 1 failed, 130 interrupted.

    With ``--json`` the last line of standard output is one JSON object with a ``state``, whatever the outcome.

    Raises:
        SystemExit: The command line cannot be read (2), or asked for help or the version (0).
    """
    given = [_hyphens(argument) for argument in (sys.argv[1:] if arguments is None else arguments)]
    as_json = "--json" in given
    try:
        return _run(given)
    except StudioError as error:
        return console.fail(error.what, error.todo, as_json)
    except KeyboardInterrupt:
        return console.interrupted(as_json)
    except BrokenPipeError:  # who read the output has left, as head does; nothing more can be said there
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return console.FAILED
    except OSError as error:
        what = f"{error.filename or 'A file'} cannot be used: {(error.strerror or str(error)).lower()}."
        return console.fail(what, "Check its rights and the room on its disk.", as_json)
    except (Exception, UnreadableCommand) as error:  # a script is told of what is a bug, too, before its trace
        what = error.what if isinstance(error, UnreadableCommand) else f"{type(error).__name__}: {error}"
        console.tell({"state": "failed", "error": what, "todo": ""}, "", as_json)
        raise


def _run(arguments: Sequence[str]) -> int:
    options = build_parser().parse_args(arguments)
    status: int = options.command(options)
    sys.stdout.flush()
    return status


def _hyphens(argument: str) -> str:
    """Make ``--image_folder`` mean ``--image-folder``; leave values alone."""
    flag, equals, value = argument.partition("=")
    return flag.replace("_", "-") + equals + value if flag.startswith("--") else argument


def build_parser() -> argparse.ArgumentParser:
    """Return the whole command line: a command for each task, and those of the job store, the models and the app."""
    parser = _Parser(prog="gemma-studio", description="Grade photographs with words, on one device.")
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
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object on the last line")
    return parser


def _add_task(commands: Any, task: Task) -> None:
    parser = _add(commands, task.name, task.sentence, lambda options: _run_task(task, options))
    if any((PRESETS / task.name).glob("*.toml")):
        parser.add_argument("--preset", metavar="NAME", help="fill what the flags leave out from a preset")
    for name, field in task.config.model_fields.items():
        extra = typing.cast(dict[str, Any], field.json_schema_extra)
        keywords: dict[str, Any] = {"help": _help(field), "default": argparse.SUPPRESS, "metavar": name.upper()}
        if typing.get_origin(field.annotation) is tuple:
            keywords["nargs"] = "+"
        if typing.get_origin(field.annotation) is typing.Literal:
            keywords |= {"choices": typing.get_args(field.annotation), "metavar": None}
        if extra["widget"] == "colours":  # said again, it adds to what was said
            keywords["action"] = _Joined
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
    preset = getattr(options, "preset", None)
    values = {} if preset is None else load_preset(task.name, preset)
    return values | {name: getattr(options, name) for name in task.config.model_fields if hasattr(options, name)}


def _run_task(task: Task, options: argparse.Namespace) -> int:
    config = validate(task.config, _values(task, options))
    studio = Studio(Settings.from_environment())
    try:
        if task.is_long(config):
            job = studio.submit(task.name, _absolute(config))
            return console.follow(studio.jobs, job.id, options.json, own=True)
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
    return Path(os.path.expanduser(value)).resolve() if isinstance(value, Path) else value


def _run_inline(studio: Studio, task: Task, config: Config, as_json: bool) -> int:
    event = Event()
    with tempfile.TemporaryDirectory(prefix="gemma-studio-") as folder, console.Notes() as notes:
        for event in studio.run(task.name, dict(config), Path(folder)):
            notes.show(event.note)
        report = console.report(Path(folder), event)
    kept = {name: path for name, path in event.artifacts.items() if Path(path).is_absolute()}  # the folder is gone
    outcome = {"state": "done", "metrics": dict(event.metrics), "artifacts": kept}
    figures = [f"{name}: {value:.4f}" for name, value in event.metrics.items()]
    lines = report.get("lines") or figures or [f"{event.done} done"]
    places = [f"{name}: {path}" for name, path in kept.items() if report]
    text = "\n".join([line for line in lines if not notes.seen(line)] + places)
    console.tell(outcome | ({"report": report} if report else {}), console.shown(text), as_json)
    return console.DONE


def _store() -> Studio:
    return Studio(Settings.from_environment(), start=False)


def _find_job(studio: Studio, text: str) -> str:
    if len(text) < SHORTEST_ID:
        what = f"'{text}' is too short to name a job."
        raise StudioError(what, f"Give {SHORTEST_ID} or more characters of its id's end; gemma-studio jobs lists them.")
    matches = [job.id for job in studio.jobs.list() if job.id.endswith(text)]
    if len(matches) != 1:
        raise StudioError(f"{len(matches)} jobs have an id ending in '{text}'.", "gemma-studio jobs lists them.")
    return matches[0]


def _jobs(options: argparse.Namespace) -> int:
    studio = _store()
    if options.remove is not None:
        studio.jobs.remove(_find_job(studio, options.remove))
    jobs, lines = studio.jobs.list(), []
    for job in jobs:
        created = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.created))
        lines.append(f"{job.id}  {created}  {job.state.value:<11}  {job.task}  {job.title}")
    console.tell({"state": "done", "jobs": [console.describe(job) for job in jobs]}, "\n".join(lines), options.json)
    return console.DONE


def _watch(options: argparse.Namespace) -> int:
    studio = _store()
    return console.follow(studio.jobs, _find_job(studio, options.id), options.json, own=False)


def _cancel(options: argparse.Namespace) -> int:
    studio = _store()
    job = studio.jobs.cancel(_find_job(studio, options.id))
    text = f"{job.id} has already finished: {job.state}" if job.state.finished else f"{job.id} is asked to stop"
    console.tell(console.describe(job), text, options.json)
    return console.DONE


def _resume(options: argparse.Namespace) -> int:
    studio = Studio(Settings.from_environment())
    try:
        job = studio.jobs.resume(_find_job(studio, options.id))
        return console.follow(studio.jobs, job.id, options.json, own=True)
    finally:
        studio.close()


def _models(options: argparse.Namespace) -> int:
    from studio.gemma.catalog import CHECKPOINTS, problem

    rows, lines = [], []
    for each in CHECKPOINTS.values():
        missing = problem(each)
        rows.append({"name": each.name, "title": each.title, "source": each.source, "missing": missing})
        lines.append(f"{each.name:<18} {each.title}{f' (missing: {missing})' if missing else ''}")
    console.tell({"state": "done", "models": rows}, "\n".join(lines), options.json)
    return console.DONE


def _serve(options: argparse.Namespace) -> int:
    from studio.serve import serve

    serve(Settings.from_environment(), host=options.host, port=options.port, share=options.share, browser=options.open)
    console.tell({"state": "done"}, "", options.json)
    return console.DONE


if __name__ == "__main__":
    sys.exit(main())
