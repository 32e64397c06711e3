"""Launch the app safely: limits, credentials, and a refusal to stand open to a network without them."""

from __future__ import annotations

import dataclasses
import os
import secrets
import sys
import threading
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError
from studio.settings import Settings

if TYPE_CHECKING:
    from studio.tasks import Studio

LOOPBACK = ("localhost", "127.0.0.1", "::1")
UPLOAD_LIMIT = 200 * 2**20  # bytes in one uploaded file
QUEUE = 64  # requests waiting at most; jobs have their own queue
SPACE_PORT = 7860


def serve(
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    share: bool = False,
    browser: bool = False,
) -> None:
    """Serve the studio until interrupted.

    Args:
        settings: The studio's settings; its credentials are demanded from visitors.
        host: Address to serve on instead of the settings'.
        port: Port to serve on instead of the settings'.
        share: Also open a public link.
        browser: Open the browser.

    Raises:
        StudioError: The address can be reached from other machines, and there are no credentials.
    """
    settings = exposed(dataclasses.replace(settings, host=host or settings.host, port=port or settings.port), share)
    prepare(settings)
    from studio.tasks import Studio

    studio = Studio(settings)
    try:
        launch(studio, share=share, browser=browser)
    finally:
        studio.close()


def exposed(settings: Settings, share: bool) -> Settings:
    """Return the settings to serve with, or refuse.

    On a Space the door is the Space's own, so the app stands open there by design.

    Raises:
        StudioError: As `serve`.
    """
    if "SPACE_ID" in os.environ:
        return dataclasses.replace(settings, host="0.0.0.0", port=SPACE_PORT)
    open_to_others = share or settings.host not in LOOPBACK
    if open_to_others and not settings.credentials:
        raise StudioError(
            f"The studio would stand open on {'a public link' if share else settings.host} without credentials.",
            "Set STUDIO_CREDENTIALS=name:password, or STUDIO_CREDENTIALS=auto to have one made and printed.",
        )
    if settings.credentials == "auto":
        made = f"studio:{secrets.token_urlsafe(12)}"
        print(f"Sign in as 'studio' with the password {made.partition(':')[2]}", file=sys.stderr)
        return dataclasses.replace(settings, credentials=made)
    if settings.credentials and not all(settings.credentials.partition(":")):
        raise StudioError("STUDIO_CREDENTIALS is not of the form name:password.", "Give both, with a colon between.")
    return settings


def prepare(settings: Settings) -> None:
    """Set what must stand before gradio and Pillow are first used: private files, no telemetry, no picture bombs."""
    os.environ["GRADIO_TEMP_DIR"] = str(settings.folder("passing"))
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = settings.max_pixels


def launch(studio: Studio, *, share: bool = False, browser: bool = False) -> None:
    """Build the app and serve it until interrupted; `prepare` must have run.

    Args:
        studio: The assembled studio.
        share: Also open a public link.
        browser: Open the browser.

    Raises:
        StudioError: The port is taken.
    """
    from studio import ui
    from studio.ui import theme

    app = ui.build(studio)
    app.queue(max_size=QUEUE, default_concurrency_limit=8)
    try:
        app.launch(
            **options(studio.settings),
            share=share,
            inbrowser=browser,
            prevent_thread_lock=True,
            theme=theme.theme(),
            css_paths=theme.CSS,
            head=theme.HEAD,
            favicon_path=theme.ASSETS / "icon.png",
        )
    except OSError as error:
        if "empty port" not in str(error):
            raise
        taken = f"Port {studio.settings.port} is taken, perhaps by another studio."
        raise StudioError(taken, "Choose another with --port or STUDIO_PORT.") from None
    threading.Thread(target=warm, args=(studio,), name="warm", daemon=True).start()
    print(f"Gemma Studio is at {app.local_url}", file=sys.stderr)
    app.block_thread()


def options(settings: Settings) -> dict[str, Any]:
    """Return the launch options that keep the server closed."""
    from starlette.middleware import Middleware

    from studio.ui.theme import DarkByDefault

    name, _, password = settings.credentials.partition(":")
    return {
        "server_name": settings.host,
        "server_port": settings.port,
        "auth": (name, password) if settings.credentials else None,
        "max_file_size": min(settings.max_file_bytes, UPLOAD_LIMIT),
        "app_kwargs": {
            "openapi_url": None,
            "docs_url": None,
            "redoc_url": None,
            "middleware": [Middleware(DarkByDefault)],
        },
        "allowed_paths": [],
        "enable_monitoring": False,
        "footer_links": [],
        "quiet": True,
        "run_history": False,
        "show_error": False,
        "ssr_mode": False,
        "strict_cors": True,
    }


def warm(studio: Studio) -> None:
    """Load the heavy libraries behind the page, so that the first Start need not wait for them."""
    import colour  # noqa: F401 - imported for its side effect, being loaded
    import transformers  # noqa: F401 - likewise

    _ = studio.models.budget
