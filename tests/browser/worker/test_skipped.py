"""What the pages of an order do not load because the pack says that they do not need it; the order is the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from poolwright.concurrency import SystemClock
from poolwright.domain.ids import WorkerId
from poolwright.domain.options import BrowserOptions, Sandbox, Skipped
from poolwright.portal.triage import Verdict
from poolwright.worker.guard.blocked_requests import recording_blocked
from poolwright.worker.page.request_guard import guard_requests
from poolwright.worker.page.visit import visit
from poolwright.worker.session import SessionSpec, open_session
from tests.browser.worker.test_visits import ORDER, PACK
from tests.support.portal import CHROMIUM, SHELL, needs_chromium
from tests.support.sites import Answer, Served, serving

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

ALL = tuple(Skipped)


def page_of(other: str) -> Answer:
    """A page with one resource of each kind, and a script of another host."""
    return Answer(
        body=f"""<!doctype html><style>@font-face {{ font-family: own; src: url(/own.woff2); }}
        body {{ font-family: own; background: url(/background); }}</style>
        <body><div id=order>Order</div><img src=/image><video preload=auto src=/media></video>
        <script src="{other}/ads.js"></script><script src=/own.js></script><ul id=done></ul>"""
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What one visit has asked for."""

    verdict: Verdict
    own: set[str]
    other: list[str]
    blocked: str
    withheld: list[str]


async def load(
    browser: str | None,
    tmp_path: Path,
    served: Served,
    other: Served,
    skip: tuple[Skipped, ...],
    hosts: tuple[str, ...],
) -> Loaded:
    """Open the order's page in a browser of its own."""
    rules = {"skip": skip, "skip_hosts": hosts, "hosts": (other.url.replace("127.0.0.1", "localhost"),)}
    pack = PACK.model_copy(update={"site": PACK.site.model_copy(update=rules)})
    served.asked.clear()
    other.asked.clear()
    spec = SessionSpec(
        worker_id=WorkerId("worker-1"),
        browser=BrowserOptions(executable_path=browser or "", sandbox=Sandbox.OFF, skip=skip),
        profile_path=tmp_path / "profile",
        downloads_path=tmp_path / "downloads",
        clock=SystemClock().now,
        observe=lambda _: None,
        notify=lambda _, __: None,
    )
    async with open_session(spec, None) as session:
        page = await session.driver.new_page()
        with recording_blocked() as record:
            async with guard_requests(page, pack, served.url) as guard:
                found = await visit(page, pack, served.url, served.url + ORDER, portal_number="1000", guard=guard)
                await page.wait_for_load_state("load")
    return Loaded(
        verdict=found.verdict,
        own={one.split("/")[-1] for one in served.asked},
        other=other.asked[:],
        blocked=record.text,
        withheld=guard.withheld,
    )


@pytest.mark.parametrize("browser", [CHROMIUM, SHELL], ids=["whole", "shell"])
@pytest.mark.parametrize(
    ("skip", "hosts", "own", "other"),
    [
        ((), (), {"image", "background", "own.woff2", "media"}, 1),
        ((Skipped.IMAGE,), (), {"own.woff2", "media"}, 1),
        ((Skipped.FONT,), (), {"image", "background", "media"}, 1),
        ((Skipped.MEDIA,), (), {"image", "background", "own.woff2"}, 1),
        (ALL, ("localhost",), set[str](), 0),
    ],
)
async def test_what_a_page_does_not_need_is_not_asked_for_and_the_rest_is(
    browser: str | None, tmp_path: Path, skip: tuple[Skipped, ...], hosts: tuple[str, ...], own: set[str], other: int
) -> None:
    async with serving({"/ads.js": Answer(kind="text/javascript")}) as beside:
        site = {ORDER: page_of(beside.url.replace("127.0.0.1", "localhost")), "/own.js": Answer(kind="text/javascript")}
        async with serving(site) as served:
            loaded = await load(browser, tmp_path, served, beside, skip, hosts)

    assert loaded.verdict is Verdict.READY
    assert loaded.own & {"image", "background", "own.woff2", "media"} == own
    assert {"1000", "own.js"} <= loaded.own
    assert len(loaded.other) == other
    # It was the pack's wish, so nobody is told that something is missing.
    assert (loaded.blocked, loaded.withheld) == ("", [])
