"""The request statistics of the demo portal, for tests such as "only once" or "at most four at a time"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum


class RequestKind(StrEnum):
    """Kinds of requests, by their paths."""

    ORDER_PAGE = "order_page"
    ATTACHMENT_LIST = "attachment_list"
    DOWNLOAD = "download"
    LOGIN = "login"
    ASSET = "asset"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts since the start or the last reset. Counts per order include only requests of logged-in users."""

    order_pages: dict[str, int]
    attachment_lists: dict[str, int]
    #: By attachment id, without HEAD requests.
    downloads: dict[str, int]
    logins: int
    refused_logins: int
    #: Requests without a session, which were redirected to the login page or answered with 401.
    logged_out: int
    requests: dict[RequestKind, int]
    #: Maximum number of concurrent requests of each kind; ``all`` for all kinds together.
    concurrent_max: dict[str, int]
    #: Internal errors of the portal; must be 0.
    server_errors: int


class Counters:
    """The counts of one portal, used in its event loop only."""

    def __init__(self) -> None:
        self._order_pages: Counter[str] = Counter()
        self._attachment_lists: Counter[str] = Counter()
        self._downloads: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()
        self._requests: Counter[RequestKind] = Counter()
        self._in_progress: Counter[str] = Counter()
        self._concurrent_max: Counter[str] = Counter()

    @contextmanager
    def count_request(self, kind: RequestKind) -> Generator[None]:
        """Count a request, and count it as concurrent for the duration of the block."""
        self._requests[kind] += 1
        for name in (kind, "all"):
            self._in_progress[name] += 1
            self._concurrent_max[name] = max(self._concurrent_max[name], self._in_progress[name])
        try:
            yield
        finally:
            for name in (kind, "all"):
                self._in_progress[name] -= 1

    def count_order_page(self, number: str) -> None:
        """Count a request for an order page, whatever its response."""
        self._order_pages[number] += 1

    def count_attachment_list(self, number: str) -> None:
        """Count a request for an attachment list."""
        self._attachment_lists[number] += 1

    def count_download(self, attachment_id: int) -> None:
        """Count a request for a file, whatever its response."""
        self._downloads[str(attachment_id)] += 1

    def count_login(self, *, accepted: bool) -> None:
        """Count a submitted login form."""
        self._totals["logins" if accepted else "refused_logins"] += 1

    def count_logged_out(self) -> None:
        """Count a request without a valid session."""
        self._totals["logged_out"] += 1

    def count_server_error(self) -> None:
        """Count an internal error of the portal."""
        self._totals["server_errors"] += 1

    def reset(self) -> None:
        """Set all counts to zero; requests in progress still count as concurrent."""
        for counts in (self._order_pages, self._attachment_lists, self._downloads, self._totals, self._requests):
            counts.clear()
        self._concurrent_max = Counter(self._in_progress)

    def stats(self) -> Stats:
        """Return the current counts."""
        return Stats(
            order_pages=dict(self._order_pages),
            attachment_lists=dict(self._attachment_lists),
            downloads=dict(self._downloads),
            logins=self._totals["logins"],
            refused_logins=self._totals["refused_logins"],
            logged_out=self._totals["logged_out"],
            requests=dict(self._requests),
            concurrent_max=dict(self._concurrent_max),
            server_errors=self._totals["server_errors"],
        )
