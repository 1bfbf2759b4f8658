"""The dashboard: one page of HTML, style and script as a browser gets them; nothing is built or comes from outside."""

from __future__ import annotations

from importlib.resources import files

#: Media types of its files by their names.
PARTS = {
    "index.html": "text/html; charset=utf-8",
    "dashboard.css": "text/css; charset=utf-8",
    "dashboard.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def content(name: str) -> bytes:
    """One of ``PARTS``."""
    return files(__name__).joinpath(name).read_bytes()
