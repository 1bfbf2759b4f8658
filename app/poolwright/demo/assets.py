"""CSS, scripts and images of the demo portal, each as large as those of real portals, and cacheable.

The hand-written parts are in ``static/``; the appended filler is valid (rules, strings, pixels), so that a browser
parses and keeps it.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from poolwright.demo.documents.writers import noise
from poolwright.demo.order_page import PHOTOS
from poolwright.demo.pages import read_static

CSS_BYTES = 80_000
JS_BYTES = 150_000

_PHOTO_PIXELS = 96
_ICON_PIXELS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One static file."""

    content: bytes
    media_type: str
    etag: str


def make_assets() -> Mapping[str, Asset]:
    """Return all assets by name. Takes a few milliseconds; called once at the start."""
    css = _weighted_css(read_static("portal.css"))
    scripts = {name: read_static(name) for name in ("ballast.js", "abyss.js")}
    scripts["portal.js"] = _weighted_js(read_static("portal.js"))
    images = {name: _png(name, _PHOTO_PIXELS, _PHOTO_PIXELS) for name in PHOTOS}
    images |= {"logo.png": _png("logo", 112, 28), "icon.png": _png("icon", _ICON_PIXELS, _ICON_PIXELS)}
    return {
        "portal.css": _asset(css.encode(), "text/css; charset=utf-8"),
        **{name: _asset(text.encode(), "text/javascript; charset=utf-8") for name, text in scripts.items()},
        **{name: _asset(content, "image/png") for name, content in images.items()},
    }


def _asset(content: bytes, media_type: str) -> Asset:
    digest = hashlib.sha256(content).hexdigest()
    return Asset(content=content, media_type=media_type, etag=f'"{digest[:20]}"')


def _weighted_css(text: str) -> str:
    rules = [text]
    size = len(text)
    number = 0
    while size < CSS_BYTES:
        rule = f".u-{number} {{ margin: {number % 40}px; padding: {number % 24}px; color: #{number % 4096:03x}; }}\n"
        rules.append(rule)
        size += len(rule)
        number += 1
    return "".join(rules)


def _weighted_js(text: str) -> str:
    entries: list[str] = []
    size = len(text)
    number = 0
    while size < JS_BYTES:
        entry = f'  "orders.labels.label_{number}": (count) => `${{count}} entries under heading {number}`,\n'
        entries.append(entry)
        size += len(entry)
        number += 1
    return f"{text}window.dictionary = {{\n{''.join(entries)}}};\n"


def _png(title: str, width: int, height: int) -> bytes:
    """Return a PNG image of coloured noise, about three bytes per pixel."""
    pixels = noise(title, width * height * 3)
    rows = b"".join(b"\0" + pixels[row * width * 3 : (row + 1) * width * 3] for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
