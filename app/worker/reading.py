"""What a page shows, read in one call that waits inside the page. See ``reading.js`` for what it reads.

One evaluation instead of selectors and locators: each of those costs the browser a second world and the driver a
retry loop, a quarter of the processor time of a whole order.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Response
from pydantic import BaseModel, ConfigDict, Field

from app.portal.pack import Marks, Pack
from app.portal.triage import ORDER, PageFacts, Verdict, judge, judge_visit, marks_of

#: Above the limit that the page keeps itself, for a page whose main thread hangs.
_GRACE_S = 5.0
#: A redirect in the middle of reading destroys the page's world; portals redirect once or twice.
_REDIRECT_COUNT_MAX = 4
_SCRIPT = resources.files("app.worker").joinpath("reading.js").read_text(encoding="utf-8")


class PageLink(BaseModel):
    """One element of the page that leads to a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Absolute; empty when only a click gives the file.
    address: str
    #: Finds the element again: the nth match of the selector.
    selector: str
    index: int
    #: What may name the file, by source.
    names: dict[str, str]


class Reading(BaseModel):
    """What the page gave back. Checked here: a page is data from outside."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    #: False when the limit ran out before the list had arrived.
    is_settled: bool
    present: list[str]
    texts: dict[str, str]
    links: list[PageLink]
    count: int | None
    fields: dict[str, str] = Field(default_factory=dict[str, str])


async def read_page(
    page: Page, pack: Pack, base_url: str, answer: Response | None, *, portal_number: str | None = None
) -> tuple[Reading, Verdict]:
    """Read the page as soon as it has told what it is, and judge the visit.

    Args:
        page: Navigated already.
        pack: The portal's rules.
        base_url: Where the portal is.
        answer: What the navigation was answered with.
        portal_number: The order that was visited, whose list of attachments is waited for; nothing for other pages.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: The page's main thread hangs.
    """
    reading, status, passed = None, answer.status if answer else 0, _redirects(answer)
    for _ in range(_REDIRECT_COUNT_MAX):
        is_plain = _verdict_without_page(pack, page.url, status) not in {Verdict.READY, Verdict.UNKNOWN}
        spec = _spec(pack, is_list_expected=portal_number is not None and not is_plain)
        passed.append(page.url)
        try:
            with anyio.fail_after(pack.limits.page_s + _GRACE_S):
                reading = Reading.model_validate(await page.evaluate(_SCRIPT, spec))
            break
        except PlaywrightError as error:
            if "Execution context was destroyed" not in error.message:
                raise
            await page.wait_for_load_state("domcontentloaded", timeout=pack.limits.page_s * 1000)
    if reading is None:
        msg = f"the page kept redirecting, last to {page.url}"
        raise PlaywrightError(msg)
    facts = PageFacts(url=reading.url, status=status, passed=passed, present=reading.present, texts=reading.texts)
    return reading, judge_visit(pack, base_url, facts, portal_number=portal_number)


def _redirects(answer: Response | None) -> list[str]:
    """Every address that the navigation asked for, first to last."""
    request, addresses = answer.request if answer else None, list[str]()
    while request is not None:
        addresses.insert(0, request.url)
        request = request.redirected_from
    return addresses


def _verdict_without_page(pack: Pack, url: str, status: int) -> Verdict:
    return judge(pack.triage, PageFacts(url=url, status=status))


def _spec(pack: Pack, *, is_list_expected: bool) -> dict[str, Any]:
    marks = {verdict: found for verdict in ORDER if (found := marks_of(pack.triage, verdict)) is not None}
    found = pack.attachments
    return {
        "selectors": _distinct(marks, "selector"),
        "within": _distinct(marks, "within"),
        "trouble": [
            {"selector": list(mark.selector), "text": list(mark.text), "within": list(mark.within)}
            for verdict, mark in marks.items()
            if verdict is not Verdict.READY
        ],
        "links": list(found.links),
        "clicks": list(found.clicks),
        "address_attributes": list(found.address_attributes),
        "count": found.count.model_dump() if found.count else None,
        "fields": {name: rule.model_dump(include={"selector", "attribute"}) for name, rule in pack.fields.items()},
        "settled": list(found.settled) if is_list_expected else [],
        "quiet_ms": pack.limits.quiet_ms if is_list_expected else 0,
        "limit_ms": pack.limits.page_s * 1000,
    }


def _distinct(marks: dict[Verdict, Marks], kind: str) -> list[str]:
    return sorted({selector for mark in marks.values() for selector in getattr(mark, kind)})
