"""Files as real portals send them, each order with the files that are right, in one session for all of them.

The pages, the raw answers (Latin-1, with pauses in seconds between their pieces) and what is right are in
``tests/data/known_files/cases.json``: an outcome, and for each file the names that it may have (``*`` for any) and a
mark that its content has.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict, cast

import anyio
import pytest

from poolwright.demo.portal_client import PortalClient
from poolwright.domain.tasks import Report
from poolwright.portal.pack import Pack
from poolwright.worker.guard.browser_requests import open_browser_requests
from tests.support.paths import ROOT
from tests.support.portal import needs_chromium
from tests.support.raw_portal import Piece, RawPortal, answer, raw_pack, raw_portal
from tests.support.raw_scenario import files_of
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]

#: Two thirds of the pauses as they were seen: a stream stands still for 10 s then, and a late file comes after 6 s.
SCALE = 2 / 3
LIMITS = "\n[limits]\nstall_s = 5\npage_s = 10\n"
ORDERS_AT_ONCE = 10
#: Two files with the same bytes are one; which of two files is kept under which number does not matter.
ONE_FILE: dict[str, list[tuple[list[str], str]]] = {
    "D25": [(["offer.pdf"], "D25-1"), (["offer (2).pdf"], "D25-3"), (["OFFER (3).PDF"], "D25-4")]
}


HOME = answer(b"<!DOCTYPE html><html><body><div id=home>Home</div></body></html>", kind="text/html")


class Case(TypedDict, total=False):
    """One order, and what is right."""

    says: str
    outcome: str
    expect: list[tuple[list[str], str]]
    page: str
    script: str
    headers: list[str]
    needs_referer: bool
    routes: dict[str, list[str | float]]
    storage: dict[str, list[str | float]]


CASES: dict[str, Case] = json.loads((ROOT / "tests/data/known_files/cases.json").read_text(encoding="utf-8"))


def pack_for(portal: RawPortal, settled: str) -> Pack:
    """The portal's pack, which names the host of the storage."""
    pack = raw_pack("[attachments.empty]\nselector = ['.none']\n", settled=settled, limits=LIMITS)
    return pack.model_copy(update={"site": pack.site.model_copy(update={"hosts": (storage_of(portal),)})})


def storage_of(portal: RawPortal) -> str:
    """The address of another host, where some files are."""
    return portal.url.replace("127.0.0.1", "localhost")


def serve(portal: RawPortal, number: str, case: Case) -> None:
    """Put the page and the answers of one order into the portal."""

    def pieces(raw: list[str | float]) -> tuple[Piece, ...]:
        texts = (piece.replace("@STORAGE@", storage_of(portal)) if isinstance(piece, str) else piece for piece in raw)
        return tuple(piece.encode("latin-1") if isinstance(piece, str) else piece * SCALE for piece in texts)

    page = (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><div id="order">Order {number}</div>'
        f'<ul id="attachments">{case.get("page", "")}</ul><script>{case.get("script", "")}</script></body></html>'
    )
    portal.routes[f"/order/{number}"] = (answer(page.encode(), *case.get("headers", []), kind="text/html"),)
    answers = {**case.get("routes", {}), **case.get("storage", {})}
    portal.routes |= {address: pieces(raw) for address, raw in answers.items()}
    portal.routes |= dict.fromkeys(("/app", "/"), (HOME,))
    if case.get("needs_referer"):
        portal.referred |= frozenset(answers)


def problem_of(number: str, case: Case, report: Report, saved: dict[str, bytes]) -> str:
    """What is not right; empty if all is."""
    wanted, found = ONE_FILE.get(number, case.get("expect", [])), dict(saved)
    for names, mark in wanted:
        held = [name for name, content in found.items() if mark.encode() in content]
        good = [name for name in held if names[0].startswith("*") or name in names]
        if not good:
            return f"{number}: {mark} should be {names[0]}, but is {held}; {sorted(saved)} ({report.detail})"
        del found[good[0]]
    if found:
        return f"{number}: {sorted(found)} are no files ({report.detail})"
    return "" if report.outcome == case.get("outcome") else f"{number}: {report.outcome} ({report.detail})"


@pytest.mark.parametrize("settled", ['["#attachments"]', "[]"], ids=["a sign of the list", "no sign"])
async def test_each_order_has_the_files_that_are_right(
    settled: str, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    problems: list[str] = []
    async with (
        raw_portal() as portal,
        open_scenario(cast("PortalClient", portal), tmp_path, pack=pack_for(portal, settled), password="") as scenario,
        open_browser_requests(scenario.session.driver),
        anyio.create_task_group() as orders,
    ):
        limit = anyio.CapacityLimiter(ORDERS_AT_ONCE)

        async def fetch(number: str, case: Case) -> None:
            async with limit:
                report, saved = await files_of(scenario, number)
                problems.append(problem_of(number, case, report, saved))

        for number, case in CASES.items():
            serve(portal, number, case)
        for number, case in CASES.items():
            orders.start_soon(fetch, number, case)

    assert "\n".join(sorted(filter(None, problems))) == ""
