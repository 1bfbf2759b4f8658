"""What came in place of a file: its status, and the page that is shown, judged by the pack's marks for files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Response

from poolwright.portal.pack import Pack
from poolwright.portal.triage import DEMANDS, Verdict
from poolwright.portal.triage_marks import PageKind
from poolwright.worker.errors import raise_if_closed
from poolwright.worker.page.page_activity import PageActivity
from poolwright.worker.page.page_reader import PageReader
from poolwright.worker.page.traffic import watch_traffic

#: Statuses that a lost login can cause.
LOGIN_STATUSES = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
#: What the answer to a visit or a click can be; images and styles belong to the page.
_ANSWERS = frozenset({"document", "xhr", "fetch", "other"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAnswer:
    """What came in place of a file."""

    #: HTTP status of the refusal; 0 if there was none.
    status: int = 0
    verdict: Verdict = Verdict.UNKNOWN

    @property
    def asks_for_login(self) -> bool:
        """Whether it asks for a login, by the pack's marks."""
        return self.verdict in DEMANDS

    @property
    def is_session_in_doubt(self) -> bool:
        """Whether a lost login may be the cause."""
        return self.asks_for_login or self.status in LOGIN_STATUSES

    @property
    def sentence(self) -> str:
        """What the portal did, without a capital letter; empty if nothing is known."""
        answered = f"the portal answered {self.status}" if self.status else ""
        if self.asks_for_login:
            return f"{answered} and asks for {DEMANDS[self.verdict]}" if answered else _asked(self.verdict)
        return answered


def _asked(verdict: Verdict) -> str:
    return f"the portal asks for {DEMANDS[verdict]}"


async def read_answer(
    address: str, pages: Sequence[Page], activity: PageActivity, pack: Pack, base_url: str
) -> FileAnswer:
    """Return what is shown after a visit or click that brought no file.

    Args:
        address: The address of the file; empty if only a click brings it.
        pages: The pages that may show it; those of other hosts are not judged.
        activity: What happened on them.
        pack: The portal's rules.
        base_url: The address of the portal.

    Raises:
        playwright.async_api.Error: The browser is gone.
    """
    refused = [one.status for one in activity.responses if _is_refusal(one)]
    status = refused[-1] if refused else 0
    for page in pages:
        if not page.is_closed() and pack.may_fetch(base_url, page.url):
            verdict = await _verdict(address, page, activity, pack, base_url)
            if verdict in DEMANDS:
                return FileAnswer(status=status, verdict=verdict)
    return FileAnswer(status=status)


def _is_refusal(response: Response) -> bool:
    return response.status >= HTTPStatus.BAD_REQUEST and response.request.resource_type in _ANSWERS


async def _verdict(address: str, page: Page, activity: PageActivity, pack: Pack, base_url: str) -> Verdict:
    """Return the verdict on one page; ``UNKNOWN`` for a page that cannot be read."""
    shown = [one for one in activity.responses if one.url == page.url and one.request.resource_type == "document"]
    with watch_traffic(page) as traffic:
        traffic.visited.append(address)
        traffic.response = shown[-1] if shown else None
        traffic.script_responses += [one for one in activity.responses if one.request.resource_type in _ANSWERS]
        traffic.dialog_texts += activity.dialog_texts
        reader = PageReader(page, traffic, pack, base_url, is_any_page=True, kind=PageKind.FILE)
        try:
            return (await reader.read()).verdict
        except (PlaywrightError, TimeoutError) as error:
            raise_if_closed(error)
            return Verdict.UNKNOWN
