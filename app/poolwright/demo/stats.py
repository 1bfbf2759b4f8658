"""The request statistics of the demo portal, for tests such as "only once" or "at most four at a time"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum


class RequestKind(StrEnum):
    """A part of the portal, by the addresses that lead there."""

    ORDER_PAGE = "order_page"
    ATTACHMENT_LIST = "attachment_list"
    DOWNLOAD = "download"
    LOGIN = "login"
    ASSET = "asset"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts since the start, or since the last reset. Only what logged-in users asked for counts per order."""

    order_pages: dict[str, int]
    attachment_lists: dict[str, int]
    #: By attachment id. A HEAD request is no download.
    downloads: dict[str, int]
    logins: int
    refused_logins: int
    #: Requests that ended at the login page, or with 401, for want of a session.
    logged_out: int
    requests: dict[RequestKind, int]
    #: The most requests that were being answered at the same moment; ``all`` is over every room.
    concurrent_max: dict[str, int]
    #: Defects of the portal itself. Must be 0.
    server_errors: int


class Counters:
    """The running counts. One per portal, on its event loop."""

    def __init__(self) -> None:
        self._order_pages: Counter[str] = Counter()
        self._attachment_lists: Counter[str] = Counter()
        self._downloads: Counter[str] = Counter()
        self._facts: Counter[str] = Counter()
        self._requests: Counter[RequestKind] = Counter()
        self._under_way: Counter[str] = Counter()
        self._concurrent_max: Counter[str] = Counter()

    @contextmanager
    def count_request(self, room: RequestKind) -> Generator[None]:
        """Count a request while it is being answered."""
        self._requests[room] += 1
        for name in (room, "all"):
            self._under_way[name] += 1
            self._concurrent_max[name] = max(self._concurrent_max[name], self._under_way[name])
        try:
            yield
        finally:
            for name in (room, "all"):
                self._under_way[name] -= 1

    def count_order_page(self, number: str) -> None:
        """A user opened the page of that order, whatever it showed."""
        self._order_pages[number] += 1

    def count_attachment_list(self, number: str) -> None:
        """A page asked for the attachment list of that order."""
        self._attachment_lists[number] += 1

    def count_download(self, attachment_id: int) -> None:
        """A user asked for that file, whatever came."""
        self._downloads[str(attachment_id)] += 1

    def count_login(self, *, accepted: bool) -> None:
        """Somebody sent the login form."""
        self._facts["logins" if accepted else "refused_logins"] += 1

    def count_logged_out(self) -> None:
        """A request had no live session."""
        self._facts["logged_out"] += 1

    def count_server_error(self) -> None:
        """The portal itself failed."""
        self._facts["server_errors"] += 1

    def reset(self) -> None:
        """Begin again at zero; requests under way stay under way."""
        for counts in (self._order_pages, self._attachment_lists, self._downloads, self._facts, self._requests):
            counts.clear()
        self._concurrent_max = Counter(self._under_way)

    def stats(self) -> Stats:
        """The counts as they are now."""
        return Stats(
            order_pages=dict(self._order_pages),
            attachment_lists=dict(self._attachment_lists),
            downloads=dict(self._downloads),
            logins=self._facts["logins"],
            refused_logins=self._facts["refused_logins"],
            logged_out=self._facts["logged_out"],
            requests=dict(self._requests),
            concurrent_max=dict(self._concurrent_max),
            server_errors=self._facts["server_errors"],
        )
