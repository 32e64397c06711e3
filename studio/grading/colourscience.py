"""colour-science, imported when first used, and quietly."""

from __future__ import annotations

import atexit
import os
import sys
from functools import cache
from typing import Any


@cache
def load() -> Any:
    """Return the package ``colour``."""
    # Else it warns of SciPy and Matplotlib, which none of the studio's uses need.
    os.environ.setdefault("COLOUR_SCIENCE__FILTER_USAGE_WARNINGS", "True")
    import colour

    atexit.register(_let_go)
    return colour


def _let_go() -> None:
    """Drop what colour-science holds of OpenImageIO; when a process ends that would be called a leak, line by line."""
    for name, module in list(sys.modules.items()):
        if name.startswith("colour.io") and hasattr(module, "ImageSpec"):
            del module.ImageSpec
            getattr(module, "MAPPING_BIT_DEPTH", {}).clear()
