"""The shape of the house: which part may know which, what stays light, and how long a piece of code may be.

All of it is read from the source with ``ast``, so that an import inside a function counts like any other.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STUDIO = ROOT / "studio"
MODULES = sorted(STUDIO.rglob("*.py"))

FEATURES = {"grading", "embeddings", "scienceqa", "palette", "inspection"}
LAYERS = [
    {"errors", "events", "config", "settings"},
    {"files", "tables", "device", "modelstate", "jobstore", "joblog", "joblocks", "charts", "reportpage"},
    {"images", "deep", "cache", "models", "jobs", "context"},
    {"gemma", "embedded", "training"},
    FEATURES,
    {"tasks"},
    {"ui"},
    {"serve"},
    {"console", "__main__"},
]
"""From the ground up: a part may import what stands below it, and its own layer where the rules say no more."""

HEAVY = {"torch", "gradio", "transformers"}
MAY_IMPORT_GRADIO = {"ui", "serve"}
LONGEST_MODULE, LONGEST_FUNCTION = 300, 50  # lines


def part(path: Path) -> str:
    """The part of the house a file belongs to: ``grading`` for ``studio/grading/lut.py``."""
    return path.relative_to(STUDIO).parts[0].removesuffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, by its full name; ``from a import b`` gives ``a.b``, since b may be a module."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            yield from (".".join([*base, *filter(None, [node.module, alias.name])]) for alias in node.names)


def known_parts(path: Path) -> set[str]:
    """The parts of the studio that a file imports, its own aside."""
    names = [name.split(".") for name in imports(path)]
    return {name[1] for name in names if name[0] == "studio" and len(name) > 1} - {part(path), "__version__"}


def lines(node: ast.stmt) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def layer(name: str) -> int:
    return next(index for index, parts in enumerate(LAYERS) if name in parts)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_part_has_its_layer() -> None:
    parts = {part(path) for path in MODULES} - {"__init__"}
    assert parts <= set().union(*LAYERS), "a new part needs a place in LAYERS"
    assert {"errors", "jobs", "models", "images", "cache", "files", "gemma", "grading"} <= parts


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_imports_point_downwards(path: Path) -> None:
    if part(path) == "__init__":
        assert not known_parts(path), "importing the package loads nothing"
        return
    upwards = {name for name in known_parts(path) if layer(name) > layer(part(path))}
    assert not upwards, f"{named(path)} imports {upwards} from above"


def test_features_never_import_one_another() -> None:
    for path in MODULES:
        if part(path) in FEATURES:
            assert not known_parts(path) & FEATURES, named(path)


def test_jobs_know_no_task_and_no_model_and_models_no_job() -> None:
    assert known_parts(STUDIO / "jobs.py") <= {"errors", "events", "jobstore", "joblog", "joblocks"}
    assert known_parts(STUDIO / "jobstore.py") <= {"errors", "events", "files", "joblog"}
    for name in ("models", "modelstate", "device", "images", "cache", "files"):
        assert not known_parts(STUDIO / f"{name}.py") & {"jobs", "jobstore", "context"}, name


def test_only_the_browser_s_side_imports_gradio() -> None:
    found = {part(path) for path in MODULES if any(name.split(".")[0] == "gradio" for name in imports(path))}
    assert found <= MAY_IMPORT_GRADIO


def test_imports_of_every_form_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["import a.b as c", "from studio import ui", "from . import jobs", "from ..cache import Cache"]
    source = "\n".join([*lines, "def f():", "    import d"])
    (tmp_path / "studio" / "grading").mkdir(parents=True)
    path = tmp_path / "studio" / "grading" / "x.py"
    path.write_text(source)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    monkeypatch.setattr(sys.modules[__name__], "STUDIO", tmp_path / "studio")
    assert set(imports(path)) == {"a.b", "studio.ui", "studio.grading.jobs", "studio.cache.Cache", "d"}
    assert known_parts(path) == {"ui", "cache"}


def loaded(*arguments: str) -> set[str]:
    """The top-level packages that a run of Python imports."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = (line.rpartition("|")[2].strip() for line in run.stderr.splitlines() if line.startswith("import time:"))
    return {name.split(".")[0] for name in names}


def light_modules() -> list[str]:
    configs = [f"studio.{path.parent.name}.config" for path in STUDIO.glob("*/config.py")]
    return ["studio", "studio.tasks", "studio.images", "studio.models", "studio.jobs", "studio.cache", *configs]


@pytest.mark.parametrize("module", light_modules())
def test_importing_it_loads_nothing_heavy(module: str) -> None:
    packages = loaded("-c", f"import {module}")
    assert "studio" in packages and not packages & HEAVY


@pytest.mark.parametrize("arguments", [["--help"], ["optimize", "--help"], ["jobs", "--help"], ["serve", "--help"]])
def test_the_command_line_explains_itself_without_loading_anything_heavy(arguments: list[str]) -> None:
    packages = loaded("-m", "studio", *arguments)
    assert "argparse" in packages and not packages & HEAVY


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_modules_and_functions_can_be_read_in_one_sitting(path: Path) -> None:
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {function.name: lines(function) for function in functions}
    tables = [node for node in tree(path).body if isinstance(node, ast.Assign | ast.AnnAssign)]  # looked up, not read
    length = len(path.read_text("utf-8").splitlines()) - sum(map(lines, tables))
    assert length <= LONGEST_MODULE
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
