from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.settings import Settings, parse_bytes


def test_variables_fill_the_settings(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "STUDIO_HOME": str(tmp_path / "a" / ".." / "home"),
            "STUDIO_DEVICE": "cuda:1",
            "STUDIO_MEMORY_BUDGET": "1.5GiB",
            "STUDIO_MAX_FILE_BYTES": "20 MB",
            "STUDIO_PORT": "8000",
            "PATH": "/usr/bin",
        }
    )
    assert settings.home == tmp_path / "home"
    assert (settings.device, settings.memory_budget, settings.port) == ("cuda:1", 3 * 2**29, 8000)
    assert settings.max_file_bytes == 20_000_000


@pytest.mark.parametrize("home", ["~/studio", Path("~/studio")])
def test_the_home_is_absolute_however_it_is_given(home: Path | str) -> None:
    assert Settings(home=Path(home)).home == Path.home().resolve() / "studio"
    assert Settings.from_environment({"STUDIO_HOME": str(home)}).home == Path.home().resolve() / "studio"


@pytest.mark.parametrize("name", Settings.__dataclass_fields__)
def test_an_empty_variable_means_the_default(name: str) -> None:
    assert Settings.from_environment({f"STUDIO_{name.upper()}": " "}) == Settings()


def test_an_unknown_variable_is_refused_and_the_known_are_listed() -> None:
    with pytest.raises(StudioError, match=r"STUDIO_HOEM is not a setting.*STUDIO_HOME"):
        Settings.from_environment({"STUDIO_HOEM": "x"})


@pytest.mark.parametrize(
    ("name", "text"),
    [("STUDIO_PORT", "eighty"), ("STUDIO_THREADS", "1.5"), ("STUDIO_MEMORY_BUDGET", "much"),
     ("STUDIO_HOME", "~nobody-here/studio"), ("STUDIO_PORT", "70000"), ("STUDIO_MAX_FILES", "-1"),
     ("STUDIO_MAX_PIXELS", "0")],
)  # fmt: skip
def test_a_value_that_does_not_parse_is_named(name: str, text: str) -> None:
    with pytest.raises(StudioError, match=name):
        Settings.from_environment({name: text})


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("12", 12), ("6GiB", 6 * 2**30), ("500 MB", 500_000_000), ("1.5kib", 1536), (" 7 b ", 7)],
)  # fmt: skip
def test_amounts_of_memory(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "GiB", "2g", "-1", "1 TB", "6 gigabytes", "1e9", "nan"])
def test_what_is_no_amount_of_memory(text: str) -> None:
    with pytest.raises(StudioError, match="Write it like 6GiB"):
        parse_bytes(text)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_folders_are_private(tmp_path: Path) -> None:
    folder = Settings(home=tmp_path / "deep" / "home").folder("cache")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StudioError, match=r"file.*cannot be made: .*Set STUDIO_HOME"):
        Settings(home=tmp_path / "file" / "home").folder("jobs")


@pytest.mark.parametrize("value", [{"port": -1}, {"port": 65536}, {"max_files": 0}, {"threads": -1}])
def test_limits_are_checked_however_they_are_given(value: dict[str, int]) -> None:
    with pytest.raises(StudioError, match="STUDIO_"):
        Settings(**value)  # type: ignore[arg-type]
