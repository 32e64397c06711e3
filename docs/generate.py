"""Write docs/reference.md, or the file named, from what it documents: configurations, commands, settings, endpoints."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from studio.__main__ import build_parser
from studio.config import Config
from studio.files import write_atomic
from studio.settings import Settings
from studio.tasks import PRESETS, TASKS, Studio, presets

PAGE = Path(__file__).with_name("reference.md")
HEAD = """# Reference

Made by `make docs` from the configurations themselves; a test checks that it is current. Change them, not this page.
"""


def reference() -> str:
    """Return the page, as Markdown."""
    return "\n".join([HEAD, *_commands(), *_presets(), *_settings(), *_endpoints()])


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    yield "`gemma-studio COMMAND`, or `python -m studio COMMAND`. Hyphens and underscores in flags are the same."
    yield "`--json` prints the outcome, whatever it is, as one JSON object with a `state` on the last line; progress"
    yield "goes to standard error. Status 0 is done, 1 failed, 2 a command that cannot be read, 130 interrupted.\n"
    parser = build_parser()
    table = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for choice in table._choices_actions:
        command = table.choices[choice.dest.split(" ")[0]]
        yield from _command(choice.dest.split(" ")[0], command)


def _command(name: str, command: argparse.ArgumentParser) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"{command.description}\n"
    if name in TASKS:
        yield f"```\n{_usage(name)}\n```\n"
        yield from _fields(TASKS[name].config)
        return
    usage = " ".join(command.format_usage().removeprefix("usage: ").split())
    yield f"```\n{usage}\n```\n"
    rows = [
        (f"`{', '.join(action.option_strings) or action.dest}`", action.help)
        for action in command._actions
        if action.dest not in ("help", "json")
    ]
    if rows:
        yield from _table(("flag", "what it is"), rows)


def _usage(name: str) -> str:
    needed = []
    for key, field in TASKS[name].config.model_fields.items():
        if _extra(field, "positional"):
            needed.append(key.upper())
        elif field.is_required():
            needed.append(f"{_flag(key)} {key.upper()}")
    preset = ["[--preset NAME]"] if presets(name) else []
    return " ".join(["gemma-studio", name, *needed, *preset, "[--json] [flags]"])


def _fields(config: type[Config]) -> Iterator[str]:
    rows = []
    for name, field in config.model_fields.items():
        label = name.upper() if _extra(field, "positional") else _flag(name)
        default = "required" if field.is_required() else "" if field.default is None else str(field.default)
        rows.append((f"`{label}`", default, _range(field), _extra(field, "unit"), field.description))
    yield from _table(("flag", "default", "range", "unit", "what it is"), rows)


def _range(field: FieldInfo) -> str:
    low = next((each.ge for each in field.metadata if hasattr(each, "ge")), None)
    high = next((each.le for each in field.metadata if hasattr(each, "le")), None)
    if low is not None or high is not None:
        return f"{low} … {high}"
    return " or ".join(getattr(field.annotation, "__args__", ())) if "Literal" in str(field.annotation) else ""


def _presets() -> Iterator[str]:
    yield "## Presets\n"
    for task in TASKS:
        rows = []
        for name, values in presets(task).items():
            comment = (PRESETS / task / f"{name}.toml").read_text("utf-8").partition("\n")[0].removeprefix("# ")
            given = ", ".join(f"{key} = {value!r}" for key, value in values.items())
            rows.append((f"`{name}`", f"`{given}`", comment))
        if rows:
            yield f"### of {task}\n"
            yield from _table(("preset", "sets", "the look"), rows)


def _settings() -> Iterator[str]:
    yield "## Settings\n"
    yield "Environment variables; an unknown one is refused, an empty one means the default.\n"
    sentences = _attributes(inspect.getdoc(Settings) or "")
    rows = [
        (f"`STUDIO_{field.name.upper()}`", f"`{field.default}`" if str(field.default) else "", sentences[field.name])
        for field in dataclasses.fields(Settings)
    ]
    yield from _table(("variable", "default", "what it is"), rows)


def _attributes(docstring: str) -> dict[str, str]:
    """Read the sentences of a docstring's Attributes, without the variables' names: those have their own column."""
    block = docstring.partition("Attributes:\n")[2]
    entries = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", block, re.MULTILINE)
    named = re.compile(r" \(``STUDIO_\w+``(.*?)\)")
    return {name: named.sub(r"\1", " ".join(text.split())).replace("``", "`") for name, text in entries}


def _endpoints() -> Iterator[str]:
    yield "## Endpoints\n"
    yield "For `gradio_client` and plain HTTP (`/gradio_api/call/v2/NAME`). A task's endpoint takes its flags with"
    yield "underscores and returns the job at once, as JSON.\n"
    with tempfile.TemporaryDirectory() as home:
        studio = Studio(Settings(home=Path(home), device="cpu"), start=False)
        try:
            from studio import ui

            described: dict[str, Any] = ui.build(studio).get_api_info()["named_endpoints"]
        finally:
            studio.close()
    rows = []
    for name, endpoint in described.items():
        given = [f"`{one['parameter_name']}`" for one in endpoint["parameters"]]
        of_task = name.strip("/").replace("_", "-") in TASKS
        rows.append((f"`{name}`", "see the command" if of_task else ", ".join(given), endpoint["description"]))
    yield from _table(("endpoint", "takes", "what it does"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _extra(field: FieldInfo, key: str) -> Any:
    return field.json_schema_extra[key]  # type: ignore[index]  # `option` always writes a mapping


if __name__ == "__main__":
    write_atomic(Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE, reference())
