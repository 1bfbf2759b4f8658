"""Collects the pages that a person shows, and writes them as a folder of saved pages with ``observations.toml``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from poolwright.learn.actions.json_lists import list_request
from poolwright.learn.observations import ObservedCall, ShownKind
from poolwright.worker.teaching.list_evidence import ListEvidence

#: The file that `portal learn` reads beside the pages.
_OBSERVATIONS_FILE = "observations.toml"
#: No page that a person reads is larger.
_PAGE_MAX_CHARS = 40_000_000
_REQUESTS_MAX = 20
_PASSWORD_FIELD = re.compile(r"""type=["']?password""", re.IGNORECASE)
#: Searches that are remembered; a page may be large.
_SEARCHES_MAX = 10
#: Orders that the learned pack is tried on.
_PROOFS_MAX = 2

#: What is still to be shown, by the button that is missing; in the order of showing.
_NEXT_STEPS = {
    "login": "Log out, if you are logged in; on the login page press the first button.",
    "home": "Log in, and press the second button on the page that you see then.",
    "with": "Open an order with attachments, and press its button.",
    "without": "Open an order without attachments, and press its button.",
    "not_found": "Open the address of a number that does not exist, and press its button.",
    "prove": (
        "Enough is shown; a second order with attachments makes it surer. Fill in the number of one or two other "
        "orders, press the button to try the pack on each, then Finish."
    ),
}
_SEARCH_STEP = (
    "The addresses of orders here do not have their numbers, so show how you search: search for one, press Search "
    "results, and click it. For a number that does not exist, search for it."
)
_UNSEEN_SEARCH = (
    "It was not seen how you searched. Open the page of the search anew, type the number, press Enter or its button, "
    "and show the results again."
)
_ENOUGH = "Enough is shown. Press Finish, or name a second order to try the pack on."


class PanelMessage(BaseModel):
    """What the panel tells: a page that is shown now, or a wish. Validated, as it comes from a browser."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    kind: Literal["ready", "done", "login", "home", "order", "not_found", "forbidden", "search", "results", "prove"]
    address: str = ""
    html: str = Field(default="", max_length=_PAGE_MAX_CHARS)
    number: str = ""
    attachments: list[str] = Field(default_factory=list[str])
    supplier: str = ""
    #: The text of the button to the next page of the list.
    next: str = ""
    #: What the result of a search says that leads to the order.
    result: str = ""
    #: Of a search: whether its results came while the number was typed.
    typed: bool = False
    #: Sources of the page of an order while its content arrived.
    early: list[str] = Field(default_factory=list[str])


class PageRecord:
    """The pages that were shown so far. A page that is shown again replaces the earlier one."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, str], dict[str, Any]] = {}
        self._proofs: list[str] = []
        self._searches: list[PanelMessage] = []

    def add(
        self,
        message: PanelMessage,
        status: int,
        requests: Sequence[str],
        *,
        calls: Sequence[ObservedCall] = (),
        challenge: Literal["", "basic"] = "",
        evidence: ListEvidence | None = None,
    ) -> None:
        """Keep a page, or the number of an order that the pack is tried on; of several numbers the last two.

        Args:
            message: What it is, and its source.
            status: The HTTP status of its document.
            requests: Addresses that its scripts requested since it was opened.
            calls: What its scripts sent by another way than GET since its document was loaded.
            challenge: How the server itself asked for user and password.
            evidence: What was seen of its list of attachments.
        """
        if message.kind == "prove":
            others = [number for number in self._proofs if number != message.number]
            self._proofs = [*others, message.number][-_PROOFS_MAX:]
            return
        evidence = evidence or ListEvidence()
        self._keep_early(message, evidence.early)
        page: dict[str, Any] = {"kind": message.kind, "address": message.address, "status": status}
        if message.kind == ShownKind.LOGIN:
            page["challenge"] = challenge
        else:
            page["calls"] = [call.model_dump(exclude_defaults=True, mode="json") for call in calls]
        if message.kind not in {ShownKind.HOME, ShownKind.LOGIN, ShownKind.SEARCH}:
            page["number"] = message.number
        if message.kind == ShownKind.ORDER:
            page |= _list_keys(message, requests, evidence)
        page |= {"result": message.result, "next": message.next, "typed": message.typed}
        kept = {name: value for name, value in page.items() if value not in ("", [], False)}
        self._pages[_key_of(message)] = {**kept, "html": message.html}

    def _keep_early(self, message: PanelMessage, sources: Sequence[str]) -> None:
        """Keep earlier states of the page of an order."""
        for place, source in enumerate(sources):
            state = {"kind": ShownKind.LOADING, "address": message.address, "number": message.number}
            self._pages[ShownKind.LOADING, f"{message.number} {place}"] = {**state, "html": source}

    def remember_search(self, message: PanelMessage) -> None:
        """Remember the page of a search as it was before; it is kept once the results are shown too."""
        self._searches = [*self._searches, message][-_SEARCHES_MAX:]

    def search_for(self, number: str) -> PanelMessage | None:
        """Return the page on which a number was searched for, as it was before the first search on it."""
        address = next((one.address for one in reversed(self._searches) if one.number.strip() == number), None)
        return next((one for one in self._searches if one.address == address), None)

    def counts(self) -> dict[str, int]:
        """Return how many pages of each button of the panel were shown."""
        counts: dict[str, int] = {}
        for page in self._pages.values():
            for name in _buttons_of(page):
                counts[name] = counts.get(name, 0) + 1
        return counts | ({"prove": len(self._proofs)} if self._proofs else {})

    def next_step(self) -> str:
        """Return one sentence about what is still to be shown."""
        counts = self.counts()
        if counts.get("with") and not counts.get("results") and self._has_bare_address(ShownKind.ORDER):
            return _SEARCH_STEP
        if not counts.get("search") and self._has_bare_address(ShownKind.RESULTS):
            return _UNSEEN_SEARCH
        return next((sentence for name, sentence in _NEXT_STEPS.items() if not counts.get(name)), _ENOUGH)

    def _has_bare_address(self, kind: ShownKind) -> bool:
        """Return whether the address of an order, or of a search for it, does not have its number."""
        pages = [page for page in self._pages.values() if page["kind"] == kind]
        shown = ((re.sub(r"\D", "", page["number"]), re.sub(r"[^\d/?=&#]", "", page["address"])) for page in pages)
        return any(number not in address for number, address in shown)

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
            table = {"file": file, **{name: value for name, value in page.items() if name not in {"html", "answers"}}}
            responses: list[dict[str, str]] = []
            for address, answer in self._list_answers(page):
                responses.append({"address": address, "file": f"{place:02}-{len(responses) + 1}.json"})
                (folder / responses[-1]["file"]).write_text(answer, encoding="utf-8")
            tables.append(table | ({"responses": responses} if responses else {}))
        proofs = {"prove": self._proofs} if self._proofs else {}
        text = tomli_w.dumps({"title": title, **proofs, "pages": tables})
        (folder / _OBSERVATIONS_FILE).write_text(text, encoding="utf-8")

    def _list_answers(self, page: dict[str, Any]) -> list[tuple[str, str]]:
        """Return the JSON of a page that came from where the list of an order with attachments came."""
        lists = {
            list_request(address, one["number"], one["address"])
            for one in self._pages.values()
            if one.get("attachments")
            for address, _ in one.get("answers", ())
        }
        answers: list[tuple[str, str]] = page.get("answers", [])
        return [one for one in answers if list_request(one[0], page["number"], page["address"]) in lists]

    @staticmethod
    def describe(message: PanelMessage) -> str:
        """Return one sentence about a page that was noted."""
        if message.kind == "prove":
            return f"Noted: the pack will be tried on order {message.number}"
        if message.kind != ShownKind.ORDER:
            return f"Noted: {message.kind.replace('_', ' ')} {message.number or message.address}"
        supplier = f", supplier {message.supplier}" if message.supplier else ""
        supplier += f", next page by {message.next}" if message.next else ""
        return f"Noted: order {message.number}, {', '.join(message.attachments) or 'without attachments'}{supplier}"

    @property
    def title(self) -> str:
        """Return what the portal is called as long as nobody says otherwise: its host."""
        addresses = [str(page["address"]) for page in self._pages.values() if page["kind"] == ShownKind.ORDER]
        return (urlsplit(addresses[0]).hostname if addresses else None) or "Portal"


def _key_of(message: PanelMessage) -> tuple[str, str]:
    """Return what is the same for a page that is shown again."""
    if message.kind == ShownKind.LOGIN and not _PASSWORD_FIELD.search(message.html):
        return message.kind, f"{message.address} user"  # a login of two pages may have one address
    return message.kind, (message.number if message.kind != ShownKind.SEARCH else "") or message.address


def _list_keys(message: PanelMessage, requests: Sequence[str], evidence: ListEvidence) -> dict[str, Any]:
    return {
        "attachments": [name.strip() or "?" for name in message.attachments],
        "supplier": message.supplier,
        "served": evidence.served,
        "answers": list(evidence.answers),
        "requests": [url for url in dict.fromkeys(requests) if message.number in url][:_REQUESTS_MAX],
    }


def _buttons_of(page: dict[str, Any]) -> list[str]:
    if page["kind"] != ShownKind.ORDER:
        return [page["kind"]]
    if not page.get("attachments"):
        return ["without"]
    return ["with", *(name for name in ("supplier", "next") if page.get(name))]
