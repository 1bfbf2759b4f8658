"""Saves the page that a browser shows as HTML, with its frames and open shadow roots, and without secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from urllib.parse import urldefrag

import anyio
from playwright.async_api import Page
from pydantic import BaseModel, ConfigDict

from poolwright.portal.examination.saved_page import SCREENSHOT_NAME, SavedDocument
from poolwright.portal.examination.secret_filter import SecretFilter
from poolwright.portal.pack import Pack
from poolwright.worker.page.devtools import isolated_world

_SCRIPT = resources.files("poolwright.worker").joinpath("copy.js").read_text(encoding="utf-8")
#: A page of 300,000 elements is copied in some 5 s on a small machine.
COPY_LIMIT_S = 30.0
#: Limit for each frame of another origin.
_FRAME_LIMIT_S = 5.0
SCREENSHOT_LIMIT_S = 10.0
_MAIN_NAME = "page.html"


class _Shown(BaseModel):
    """A document within a page that has an address of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str
    #: Empty for a frame that stayed blank.
    media_type: str
    html: str


class _Copied(BaseModel):
    """What ``copy.js`` returns. Validated, because a page is data from outside."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str
    html: str
    documents: tuple[_Shown, ...]


async def save_page(
    page: Page, pack: Pack, may_read: Callable[[str], bool], folder: Path, secrets: SecretFilter
) -> tuple[SavedDocument, ...]:
    """Save the HTML of a page and of its frames, and a screenshot; return the saved documents, the page's own first.

    Args:
        page: The page; nobody changes it meanwhile.
        pack: The portal's rules.
        may_read: Return whether the frame at an address may be read.
        folder: The folder for the files.
        secrets: Takes the secrets out.

    Raises:
        PageNavigatedError: The page is navigating.
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: The page's main thread hangs.
        OSError: The folder is not writable.
    """
    world, spec = await isolated_world(page), {"kept": _kept_selectors(pack)}
    copies = [_Copied.model_validate(await world.evaluate(_SCRIPT, spec, COPY_LIMIT_S))]
    frames = await world.evaluate_in_frames(may_read, _SCRIPT, spec, _FRAME_LIMIT_S)
    copies += [_Copied.model_validate(frame) for frame in frames]
    documents = [await _write(document, folder, secrets) for document in _named(copies)]
    await page.screenshot(path=folder / SCREENSHOT_NAME, full_page=True, timeout=SCREENSHOT_LIMIT_S * 1000)
    return tuple(documents)


def _kept_selectors(pack: Pack) -> list[str]:
    """Return the selectors of elements whose value the pack reads, so that it is kept even in a hidden field."""
    count = pack.attachments.count
    return [
        *([count.selector] if count else []),
        *(selector for rule in pack.fields.values() for selector in rule.selector),
    ]


def _named(copies: list[_Copied]) -> Iterator[tuple[str, _Shown]]:
    """Yield each document with the name of its file."""
    number = 0
    for copy in copies:
        name = _MAIN_NAME if copy is copies[0] else f"frame-{(number := number + 1)}.html"
        yield name, _Shown(address=copy.address, media_type="text/html", html=copy.html)
        for document in copy.documents:
            yield (f"frame-{(number := number + 1)}.html" if document.html else ""), document


async def _write(named: tuple[str, _Shown], folder: Path, secrets: SecretFilter) -> SavedDocument:
    name, document = named
    if name:
        content = secrets.clean(document.html)
        await anyio.Path(folder / name).write_text(content, encoding="utf-8", errors="replace")
    address = secrets.clean(urldefrag(document.address).url)
    return SavedDocument(address=address, file=name, media_type=document.media_type)
