"""The documents say what is so: the reference is current, commands do what they say, links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from studio.__main__ import build_parser, main
from studio.tasks import TASKS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])
README = (ROOT / "README.md").read_text("utf-8")


def commands(text: str, program: str) -> list[str]:
    """Return the calls of a program in fenced blocks and inline code, without comments and redirections."""
    fenced = "\n".join(re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL))
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    found = [line.strip() for line in [*fenced.splitlines(), *inline]]
    return [line for line in found if line.startswith(program + " ")]


def test_the_reference_is_current(tmp_path: Path) -> None:
    made = tmp_path / "reference.md"
    subprocess.run([sys.executable, "-m", "docs.generate", str(made)], cwd=ROOT, check=True)
    assert made.read_text("utf-8") == (ROOT / "docs/reference.md").read_text("utf-8"), "run: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_in_a_page_is_one_that_can_be_read(page: Path) -> None:
    for command in commands(page.read_text("utf-8"), "gemma-studio"):
        words = shlex.split(command, comments=True)[1:]
        if len(words) == 1:  # a command named in a sentence
            assert words[0] in (*build_parser().format_help().split(), "COMMAND")
        elif "[" not in command:
            build_parser().parse_args(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_target_of_make_in_a_page_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for command in commands(page.read_text("utf-8"), "make"):
        assert {word for word in shlex.split(command, comments=True)[1:] if "=" not in word} <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_named_file_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target:
            file, _, anchor = target.partition("#")
            assert (page.parent / file).exists(), target
            assert not anchor or re.search(rf"^#+ {anchor}$", (page.parent / file).read_text("utf-8"), re.M), target
    for name in re.findall(r"`((?:studio|tests|benchmarks|docs|recipes)/[\w./]+)`", text):
        assert (ROOT / name).exists() or "colourfulness" in name, name


def test_the_commands_in_the_readme_do_their_work_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "studio").symlink_to(ROOT / "studio")
    monkeypatch.chdir(tmp_path)
    for name, value in (("HOME", str(tmp_path / "home")), ("DEVICE", "cpu"), ("THREADS", "1")):
        monkeypatch.setenv(f"STUDIO_{name}", value)
    written = [shlex.split(command, comments=True)[1:] for command in commands(README, "gemma-studio")]
    whole = [words for words in written if words[0] in {*TASKS, "jobs"} and len(words) != 2]
    shown = ["vqa-demo", "extract", "probe", "draw-questions", "scienceqa-data"]
    shown += ["evaluate-scienceqa", "train-scienceqa"]
    shown += ["optimize", "apply", "judge", "lut-report", "export-lut", "library", "jobs"]
    assert [words[0] for words in whole] == shown
    shorter = {
        "optimize": ["--steps", "2"],
        "library": ["--steps", "2"],
        "vqa-demo": ["--questions", "320"],
        "probe": ["--kinds", "linear", "--bootstrap", "100"],
        "draw-questions": ["--train", "16", "--val", "4", "--test", "4"],
        "train-scienceqa": ["--num-train-epochs", "1"],
    }
    for words in whole:
        assert main([*words, *shorter.get(words[0], [])]) == 0, capsys.readouterr().err
    made = {"demo", "run", "probes", "drawn", "counted", "scores", "mine"}
    made |= {"teal.cube", "teal.json", "graded", "report", "teal.3dl", "looks"}
    assert made <= {path.name for path in tmp_path.iterdir()}


def test_the_head_of_the_readme_makes_a_space() -> None:
    head = dict(re.findall(r"^(\w+): (.+)$", README.split("---\n")[1], re.MULTILINE))
    assert head["sdk"] == "gradio" and (ROOT / head["app_file"]).is_file()
    assert len(head["short_description"]) <= 60
    wanted = re.search(r"^gradio>=([\d.]+),<(\d+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert wanted is not None
    version = tuple(map(int, head["sdk_version"].split(".")))
    assert tuple(map(int, wanted[1].split("."))) <= version < (int(wanted[2]),)


def test_the_changelog_knows_the_version_or_has_an_unreleased_part() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "## [Unreleased]" in text


def test_requirements_have_ranges_torch_ends_where_it_must_and_torchvision_is_not_wanted() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert "torch>=2.8,<=2.13.0" in wanted
    assert all(re.search(r"[<>]=?", line) for line in wanted) and not any("torchvision" in line for line in wanted)
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"] == ">=3.11"
