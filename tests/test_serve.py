"""The door: closed to networks without credentials, and nothing of Gradio's left open behind it."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio import serve
from studio.errors import StudioError
from studio.settings import Settings
from tests.serving import served

ROOT = Path(__file__).parents[1]


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


def test_a_port_that_is_taken_is_named(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        variables = {"STUDIO_HOME": str(settings.home), "STUDIO_DEVICE": "cpu", "STUDIO_PORT": str(port)}
        ran = subprocess.run(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert ran.returncode == 1
    assert f"Port {port} is taken" in ran.stderr and "Traceback" not in ran.stderr


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    home = tmp_path_factory.mktemp("locked") / "home"
    with served(home, {"STUDIO_CREDENTIALS": "me:secret"}) as address:
        yield address, home


def get(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8", "replace")


@pytest.mark.parametrize(
    "path", ["/config", "/gradio_api/info", "/gradio_api/file=/etc/passwd", "/gradio_api/queue/status", "/monitoring"]
)
def test_without_signing_in_nothing_is_told(locked: tuple[str, Path], path: str) -> None:
    assert get(locked[0] + path)[0] in (401, 404)


def test_without_signing_in_the_pulse_is_not_answered(locked: tuple[str, Path]) -> None:
    asked = {"data": {"visitor": "me", "jobs": {"facts": ""}}, "component_id": 1, "fn_name": "versions"}
    request = urllib.request.Request(
        f"{locked[0]}/gradio_api/component_server/", json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    assert caught.value.code == 401
    caught.value.close()


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc"])
def test_the_route_list_is_not_published(locked: tuple[str, Path], path: str) -> None:
    status, text = get(locked[0] + path)
    assert status == 404 and "paths" not in text


def test_signed_in_files_of_the_home_stay_out_of_reach(locked: tuple[str, Path]) -> None:
    address, home = locked
    form = urllib.parse.urlencode({"username": "me", "password": "secret"}).encode()
    with urllib.request.urlopen(f"{address}/login", form, timeout=30) as answer:
        cookie = "; ".join(value.split(";")[0] for value in answer.headers.get_all("set-cookie"))
    secret = home / "jobs" / "secret.txt"
    secret.write_text("secret words")
    assert get(f"{address}/config", Cookie=cookie)[0] == 200
    for path in (secret, home / "cache" / "cache.db", Path("/etc/passwd"), Path(serve.__file__)):
        status, text = get(f"{address}/gradio_api/file={path}", Cookie=cookie)
        assert status in (403, 404) and "secret words" not in text


def test_a_foreign_page_may_not_ask(locked: tuple[str, Path]) -> None:
    request = urllib.request.Request(locked[0] + "/", headers={"Origin": "https://evil.example"})
    try:
        headers = urllib.request.urlopen(request, timeout=30).headers
    except urllib.error.HTTPError as error:
        with error:
            headers = error.headers
    assert headers.get("access-control-allow-origin") in (None, "")
