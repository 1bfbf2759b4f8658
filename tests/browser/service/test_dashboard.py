"""The dashboard's page with a daemon's answers made up: what it draws of them, however many there are."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, Page, Route, expect

from poolwright.domain.outcomes import REASON_SENTENCES, REASONS, Reason
from poolwright.service.api.app import find_pages
from tests.support.portal import needs_chromium

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

PLACE = "http://pool.test"
LIST_COUNT = 450
#: As the daemon tells it: two orders stand in every list, and count once.
OUTCOMES = {"NOT_FOUND": 1, "COMPLETED": 451, "PARTIAL": 1200}
STATUS = {
    "version": "1.2.3",
    "started_at": "2026-11-30T08:00:00Z",
    "pool": {"status": "READY", "holds": [], "open_count": 0},
    "workers": [],
    "tabs_per_worker": 2,
    "counts": {"QUEUED": 0, "ASSIGNED": 0, "RUNNING": 0, "DONE": 1652, "CANCELLED": 0},
    "ended_count": 1652,
    "outcomes": OUTCOMES,
    "groups": [],
    "memory": {"used_bytes": 0, "limit_bytes": 0, "peak_bytes": 0},
    "rate_per_min": 0.0,
    "eta_s": None,
    "is_draining": False,
    "is_ready": True,
    "reasons": [],
}


def lists(offset: int, limit: int) -> list[dict[str, object]]:
    return [
        {
            "list_id": f"list {number}",
            "source": f"list {number}.xlsx",
            "accepted_at": "2026-11-30T08:00:00Z",
            "counts": {"QUEUED": 0, "ASSIGNED": 0, "RUNNING": 0, "DONE": 3, "CANCELLED": 0},
            "open_count": 0,
            "ended_count": 3,
            "outcomes": {"COMPLETED": 2, "NOT_FOUND": 1},
            "checking": None,
            "refresh": {"order_count": 3, "changed_count": 1, "failed_count": 2} if number == 1 else None,
        }
        for number in range(offset, min(offset + limit, LIST_COUNT))
    ]


FAILURES = [
    {
        "reason": reason,
        "sentence": REASON_SENTENCES[reason],
        "outcome": REASONS[reason].outcome,
        "action": REASONS[reason].action,
        "next_step": REASONS[reason].next_step,
        "count": 2,
        "orders": [],
    }
    for reason in (Reason.PORTAL_CHANGED, Reason.WORKER_LOST)
]


async def answer(route: Route) -> None:
    """What a daemon would say."""
    address = urlsplit(route.request.url)
    pages = find_pages()
    if page := pages.get(address.path):
        await route.fulfill(body=bytes(page.body), headers=dict(page.headers))
        return
    asked = {name: int(values[0]) for name, values in parse_qs(address.query).items() if values[0].isdigit()}
    headers = {"Content-Type": "application/json"}
    told: object = {"/api/v1/status": STATUS, "/api/v1/failures": FAILURES}.get(
        address.path, {"orders": [], "next": None}
    )
    if route.request.method == "POST":
        told = {"source": "typed here", "new_count": 1, "done_count": 0, "invalid": [], "notices": []}
    elif address.path == "/api/v1/lists":
        told = lists(asked["offset"], asked["limit"])
        if asked["offset"] + asked["limit"] < LIST_COUNT:
            headers["Link"] = '<?>; rel="next"'
    await route.fulfill(body=json.dumps(told), headers=headers)


@asynccontextmanager
async def opened(shell: Browser, **others: Callable[[Route], Awaitable[None]]) -> AsyncGenerator[Page]:
    """The page; ``others`` answer what is asked for below the last word of its path."""
    context = await shell.new_context(viewport={"width": 1200, "height": 900})
    try:
        page = await context.new_page()
        await page.route(f"{PLACE}/**", answer)
        for name, other in others.items():
            await page.route(f"**/api/v1/**/{name}", other)
        await page.goto(f"{PLACE}/#token=a-token-of-the-daemon")
        yield page
    finally:
        await context.close()


async def test_totals_are_the_daemons_however_many_lists_there_are_and_are_shown(shell: Browser) -> None:
    async with opened(shell) as page:
        shown = page.locator("#outcomes li")
        await expect(shown).to_have_text(["451 completed", "1,200 partial", "1 not found"])
        await expect(page.locator("#counts")).to_have_text("1,652 of 1,652 orders ended")
        await expect(page.locator("#lists tr")).to_have_count(200)
        for count in (400, LIST_COUNT):
            await page.locator("#more-lists").click()
            await expect(page.locator("#lists tr")).to_have_count(count)

        await expect(page.locator("#more-lists")).to_be_hidden()
        assert await shown.all_text_contents() == ["451 completed", "1,200 partial", "1 not found"]


async def test_a_failure_is_shown_as_a_sentence_and_its_code_stays_for_scripts(shell: Browser) -> None:
    async with opened(shell) as page:
        titles = page.locator("#failures strong")

        await expect(titles).to_have_text(
            [REASON_SENTENCES[Reason.PORTAL_CHANGED], REASON_SENTENCES[Reason.WORKER_LOST]]
        )
        await expect(page.locator("#failures [data-retry=portal_changed]")).to_have_text("Retry 2")
        assert "portal_changed" not in (await page.locator("#failures").text_content() or "")


LONG_NAME = "Werk Süd / Verwaltung und Beschaffung der nördlichen Niederlassungen"
GROUPS = [
    {
        "name": "2000",
        "cause": "The group 2000 was set aside: 3 orders of it in a row were refused for lack of access, the last one "
        "PO4500012345.",
        "set_aside_at": "2026-11-30T09:00:00Z",
        "order_count": 41,
        "resume_command": "poolwright resume-group 2000",
    },
    {
        "name": LONG_NAME,
        "cause": "The group was set aside: 1 order of it was refused for lack of access, the last one PO1.",
        "set_aside_at": "2026-11-30T09:00:00Z",
        "order_count": 1,
        "resume_command": f'poolwright resume-group "{LONG_NAME}"',
    },
]


async def test_groups_that_are_set_aside_are_named_with_the_command_and_resumed_by_a_click(shell: Browser) -> None:
    waiting = {group["name"]: group for group in GROUPS}

    async def tell_status(route: Route) -> None:
        await route.fulfill(json={**STATUS, "groups": list(waiting.values())})

    async def resume(route: Route) -> None:
        waiting.pop(json.loads(route.request.post_data or "")["group"])
        await route.fulfill(status=202, json={"count": 41})

    async with opened(shell, status=tell_status, resume=resume) as page:
        first = page.locator(".group", has_text="2000")
        await expect(first).to_contain_text("3 orders of it in a row were refused for lack of access")
        await expect(first.locator("code")).to_have_text("poolwright resume-group 2000")
        await expect(page.locator("#groups-sum")).to_have_text("42 orders not processed")
        await page.set_viewport_size({"width": 390, "height": 844})
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390

        await first.get_by_role("button", name="Resume").click()

        await expect(page.locator(".group")).to_have_count(1)
        await page.get_by_role("button", name="Resume the group Werk").click()
        await expect(page.locator("#groups-part")).to_be_hidden()


async def test_orders_that_are_to_be_looked_at_again_are_sent_so_and_a_list_says_what_came_of_it(
    shell: Browser,
) -> None:
    async with opened(shell) as page:
        await expect(page.locator("#lists tr").nth(1)).to_contain_text(
            "3 looked at again, 1 changed, 2 without success"
        )
        await page.get_by_label("Look at finished orders again").check()
        await page.locator("#numbers").fill("PO1")
        async with page.expect_request(f"{PLACE}/api/v1/lists") as sent:
            await page.locator("#numbers").press("Enter")

        assert (await sent.value).post_data_json == {"numbers": ["PO1"], "name": "typed here", "refresh": True}
