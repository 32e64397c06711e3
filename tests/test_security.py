"""What the studio must never do, read from its source: run what it was given, or trust what it found."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("studio", "recipes", "benchmarks", "docs")
SOURCES = sorted([*ROOT.glob("*.py"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))])

UNPICKLERS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
FORBIDDEN_CALLS = {"eval", "exec", "os.system", "os.popen", "gr.load", "gradio.load", "yaml.load", "pd.read_pickle"}
FORBIDDEN_KEYWORDS = {"shell": True, "allow_pickle": True, "weights_only": False}
WEIGHTS = {".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib", ".npy"}  # formats that hold or may hold pickles


def findings(source: str) -> Iterator[str]:
    """Everything forbidden in a piece of source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in UNPICKLERS)
        elif isinstance(node, ast.ImportFrom):
            yield from [node.module] if node.module and node.module.split(".")[0] in UNPICKLERS else []
        elif isinstance(node, ast.Call):
            yield from _call(node)
        elif isinstance(node, ast.Constant) and node.value == "trust_remote_code":
            yield "trust_remote_code"


def _call(node: ast.Call) -> Iterator[str]:
    name = ast.unparse(node.func)
    if name in FORBIDDEN_CALLS:
        yield name
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    if name == "torch.load" and "weights_only" not in given:
        yield "torch.load without weights_only"
    trusted = given.get("trust_remote_code")
    if trusted is not None and not (isinstance(trusted, ast.Constant) and trusted.value is False):
        yield "trust_remote_code"  # a plain False is the one thing it may be: it also keeps transformers from asking
    for keyword, value in FORBIDDEN_KEYWORDS.items():
        if keyword in given and not (isinstance(given[keyword], ast.Constant) and given[keyword].value is not value):
            yield f"{keyword}={ast.unparse(given[keyword])}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_forbidden_is_done(path: Path) -> None:
    assert list(findings(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from pickle import loads", "import dill as d", "eval('1')", "exec(text)", "os.system('ls')",
     "subprocess.run('ls', shell=True)", "subprocess.run('ls', shell=flag)", "gr.load('x')", "torch.load('x')",
     "torch.load('x', weights_only=False)", "np.load('x', allow_pickle=True)", "f('x', trust_remote_code=True)",
     "f('x', trust_remote_code=given)", "f(**{'trust_remote_code': True})", "yaml.load(text)"],
)  # fmt: skip
def test_each_forbidden_thing_is_found(source: str) -> None:
    assert list(findings(source))


@pytest.mark.parametrize(
    "source",
    ["model.eval()", "subprocess.run(['ls'])", "subprocess.run(['ls'], shell=False)", "import json",
     "np.load('x', allow_pickle=False)", "torch.load('x', weights_only=True)", "yaml.safe_load(text)"],
)  # fmt: skip
def test_what_is_allowed_is_not(source: str) -> None:
    assert not list(findings(source))


def test_no_weights_are_shipped_that_may_hold_pickles() -> None:
    found = [path for folder in ("studio", "presets", "recipes") for path in (ROOT / folder).rglob("*")]
    assert [path for path in found if path.suffix.lower() in WEIGHTS or path.name == "pytorch_model.bin"] == []
