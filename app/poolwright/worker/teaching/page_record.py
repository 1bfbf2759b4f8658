"""Collects the pages that a person shows, and writes them as a folder of saved pages with ``observations.toml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from poolwright.learn.observations import ShownKind

#: The file that `portal learn` reads beside the pages.
_OBSERVATIONS_FILE = "observations.toml"
#: No page that a person reads is larger.
_PAGE_MAX_CHARS = 40_000_000
_REQUESTS_MAX = 20


class PanelMessage(BaseModel):
    """What the panel tells: a page that is shown now, or a wish. Validated, as it comes from a browser."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    kind: Literal["ready", "done", "login", "home", "order", "not_found", "forbidden"]
    address: str = ""
    html: str = Field(default="", max_length=_PAGE_MAX_CHARS)
    number: str = ""
    attachments: list[str] = Field(default_factory=list[str])
    supplier: str = ""


class PageRecord:
    """The pages that were shown so far. A page that is shown again replaces the earlier one."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, str], dict[str, Any]] = {}

    def add(self, message: PanelMessage, status: int, requests: list[str], *, served: bool = False) -> None:
        """Keep a page.

        Args:
            message: What it is, and its source.
            status: The HTTP status of its document.
            requests: Addresses that its scripts requested since it was opened.
            served: Whether the portal sent its list of attachments with it.
        """
        key = (message.kind, message.number or message.address)
        page: dict[str, Any] = {"kind": message.kind, "address": message.address, "status": status}
        if message.kind not in {ShownKind.HOME, ShownKind.LOGIN}:
            page["number"] = message.number
        if message.kind == ShownKind.ORDER:
            page |= {"attachments": [name.strip() or "?" for name in message.attachments], "supplier": message.supplier}
            page["served"] = served
            page["requests"] = [url for url in dict.fromkeys(requests) if message.number in url][:_REQUESTS_MAX]
        kept = {name: value for name, value in page.items() if value not in ("", [], False)}
        self._pages[key] = {**kept, "html": message.html}

    def counts(self) -> dict[str, int]:
        """Return how many pages of each button of the panel were shown."""
        counts: dict[str, int] = {}
        for page in self._pages.values():
            for name in _buttons_of(page):
                counts[name] = counts.get(name, 0) + 1
        return counts

    def next_step(self) -> str:
        """Return one sentence about what is still to be shown."""
        counts = self.counts()
        if not counts.get("login"):
            return "Log out, if you are logged in; on the login page press the first button."
        if not counts.get("home"):
            return "Log in, and press the second button on the page that you see then."
        if not counts.get("with"):
            return "Open an order with attachments, and press its button."
        if not counts.get("without"):
            return "Open an order without attachments, and press its button."
        if not counts.get("not_found"):
            return "Open the address of a number that does not exist, and press its button."
        return "Enough is shown. A second order with attachments makes it surer; then press Finish."

    def write(self, folder: Path, title: str) -> None:
        """Write all pages and what they are.

        Raises:
            OSError: They cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        tables: list[dict[str, Any]] = []
        for place, page in enumerate(self._pages.values(), 1):
            file = f"{place:02}-{page['kind']}.html"
            (folder / file).write_text(page["html"], encoding="utf-8")
            tables.append({"file": file, **{name: value for name, value in page.items() if name != "html"}})
        text = tomli_w.dumps({"title": title, "pages": tables})
        (folder / _OBSERVATIONS_FILE).write_text(text, encoding="utf-8")

    @staticmethod
    def describe(message: PanelMessage) -> str:
        """Return one sentence about a page that was noted."""
        if message.kind != ShownKind.ORDER:
            return f"Noted: {message.kind.replace('_', ' ')} {message.number or message.address}"
        supplier = f", supplier {message.supplier}" if message.supplier else ""
        return f"Noted: order {message.number}, {', '.join(message.attachments) or 'without attachments'}{supplier}"

    @property
    def title(self) -> str:
        """Return what the portal is called as long as nobody says otherwise: its host."""
        addresses = [str(page["address"]) for page in self._pages.values() if page["kind"] == ShownKind.ORDER]
        return (urlsplit(addresses[0]).hostname if addresses else None) or "Portal"


def _buttons_of(page: dict[str, Any]) -> list[str]:
    if page["kind"] != ShownKind.ORDER:
        return [page["kind"]]
    if not page.get("attachments"):
        return ["without"]
    return ["with", "supplier"] if page.get("supplier") else ["with"]
