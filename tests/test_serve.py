"""The door: closed to networks without credentials, and nothing of Gradio's left open behind it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio import serve
from studio.errors import StudioError
from studio.settings import Settings


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("SPACE_ID", "GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    yield
    Image.MAX_IMAGE_PIXELS = limit


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "studio.example"])
def test_a_network_without_credentials_is_refused(settings: Settings, host: str) -> None:
    with pytest.raises(StudioError, match="would stand open") as caught:
        serve.serve(dataclasses.replace(settings, host=host))
    assert "STUDIO_CREDENTIALS" in caught.value.todo


def test_a_public_link_without_credentials_is_refused(settings: Settings) -> None:
    with pytest.raises(StudioError, match="public link"):
        serve.serve(settings, share=True)


@pytest.mark.parametrize("host", serve.LOOPBACK)
def test_the_machine_itself_needs_none(settings: Settings, host: str) -> None:
    here = dataclasses.replace(settings, host=host)
    assert serve.exposed(here, share=False) == here


@pytest.mark.parametrize("credentials", ["nobody", "nobody:", ":password"])
def test_half_credentials_are_none(settings: Settings, credentials: str) -> None:
    with pytest.raises(StudioError, match="STUDIO_CREDENTIALS"):
        serve.exposed(dataclasses.replace(settings, host="0.0.0.0", credentials=credentials), share=False)


def test_credentials_can_be_made_once_and_are_printed(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    asked = dataclasses.replace(settings, host="0.0.0.0", credentials="auto")
    one, two = serve.exposed(asked, False).credentials, serve.exposed(asked, False).credentials
    assert one != two and one.startswith("studio:") and len(one) > 20
    assert one.partition(":")[2] in capsys.readouterr().err


def test_a_space_listens_where_the_space_asks(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "me/studio")
    there = serve.exposed(settings, share=False)
    assert (there.host, there.port) == ("0.0.0.0", serve.SPACE_PORT)


def test_uploads_pass_through_a_private_folder_and_bombs_do_not(settings: Settings) -> None:
    from PIL import Image

    serve.prepare(settings)
    passing = Path(os.environ["GRADIO_TEMP_DIR"])
    assert passing.is_relative_to(settings.home) and passing.stat().st_mode & 0o777 == 0o700
    assert settings.max_pixels == Image.MAX_IMAGE_PIXELS
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"


def test_the_launch_is_closed(settings: Settings) -> None:
    closed = serve.options(dataclasses.replace(settings, credentials="me:secret:word"))
    assert closed["auth"] == ("me", "secret:word")
    assert not any(closed[name] for name in ("show_error", "run_history", "enable_monitoring", "allowed_paths"))
    assert closed["strict_cors"] and closed["max_file_size"] == serve.UPLOAD_LIMIT
    assert {closed["app_kwargs"][name] for name in ("openapi_url", "docs_url", "redoc_url")} == {None}
    assert serve.options(settings)["auth"] is None
