"""On the machine itself everything may be named; from elsewhere, only what was uploaded."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.settings import Settings
from studio.ui import access


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.0.0.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("192.168.1.4", False), ("::", False), ("studio.example", False)],
)  # fmt: skip
def test_which_addresses_stay_on_the_machine(host: str, loopback: bool) -> None:
    assert access.is_loopback(host) is loopback


def test_a_visitor_from_elsewhere_names_no_path(settings: Settings, tmp_path: Path) -> None:
    own = settings.folder("uploads")
    open_to_network = dataclasses.replace(settings, host="0.0.0.0")
    assert access.admit_path(tmp_path, settings, (own,)) == tmp_path
    assert access.admit_path(own / "x", open_to_network, (own,)) == own / "x"
    for path in (tmp_path, own / ".." / "jobs", Path("~")):
        with pytest.raises(StudioError, match="cannot be named from another machine"):
            access.admit_path(path, open_to_network, (own,))


def test_a_visitor_from_elsewhere_names_no_folder_as_judge(settings: Settings, tmp_path: Path) -> None:
    open_to_network = dataclasses.replace(settings, host="0.0.0.0")
    assert access.admit_model("embedded", open_to_network) == "embedded"
    assert access.admit_model(str(tmp_path), settings) == str(tmp_path)
    with pytest.raises(StudioError, match="not a known model"):
        access.admit_model(str(tmp_path), open_to_network)


def test_on_a_space_every_browser_has_its_own_jobs(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert access.owner("somebody") == "" and access.is_local(settings)
    monkeypatch.setenv("SPACE_ID", "me/studio")
    assert access.owner("somebody") == "somebody" and access.owner(None) == "nobody" and not access.is_local(settings)
    assert access.new_visitor() != access.new_visitor()
