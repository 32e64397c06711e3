"""A real server in a process of its own, for the tests that come through its door."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

START = 90.0  # seconds a cold machine may take to import gradio and open the door


@contextmanager
def served(home: Path, environment: Mapping[str, str] | None = None, *, port: int = 0) -> Iterator[str]:
    """Serve a studio with its home in a folder, and give its address; the process is gone afterwards."""
    port = port or free_port()
    variables = {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}
    variables |= {"STUDIO_HOME": str(home), "STUDIO_DEVICE": "cpu", "STUDIO_THREADS": "2", "HF_HUB_OFFLINE": "1"}
    variables |= environment or {}
    log = home.parent / "server.log"
    with open(log, "ab") as output:
        command = [sys.executable, "-m", "studio", "serve", "--port", str(port)]
        process = subprocess.Popen(command, env=variables, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError as error:
            error.close()
            return  # the door is open; it only asks who is there
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.3)
    raise AssertionError(f"The server did not open its door.\n{log.read_text(errors='replace')}")
