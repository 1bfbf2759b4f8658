"""What a page opens beside itself goes with it, and what it asks keeps nothing waiting."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.concurrency import periodic
from poolwright.domain.outcomes import LoginCheck, Reason
from poolwright.portal.pack_schema import DialogPolicy
from poolwright.worker.attempt import attempt
from poolwright.worker.page import popups
from poolwright.worker.page.devtools import SendCommand, cdp_session, session_sender
from poolwright.worker.page.popups import close_opened_windows
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf
from tests.support.raw_scenario import button, files_of, link, raw_scenario
from tests.support.sessions import OpenScenario, Scenario, task_for
from tests.support.sites import Answer, pack_of, portal_at, serving

pytestmark = [needs_chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

OPENING = """<!doctype html><div id=order>Order</div><p class=none>None</p><script>
for (let i = 0; i < 5; i++) window.open("/chat");
window.open("/hang");
</script>"""
ASKING = """<!doctype html><div id=order>Order</div><script>
alert("Welcome");
prompt("Name?");
document.body.insertAdjacentHTML("beforeend", confirm("Stay?") ? "<p class=none>None</p>" : "");
setInterval(() => alert("again"), 100);
onbeforeunload = (event) => event.preventDefault();
</script>"""
RULES = 'empty.selector = [".none"]'


@pytest.fixture
def few_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popups, "OPEN_MAX", FEW)
    monkeypatch.setattr(popups, "SHUT_MAX", FEW)


async def the_keeper_alone_is_left(scenario: Scenario) -> None:
    """Come back when it is so: the driver tells a little later what the browser has closed."""
    async for _ in periodic(0.1):
        if [page.url for page in scenario.session.driver.pages] == ["about:blank"]:
            return


async def test_windows_are_closed_with_the_page_that_opened_them(tmp_path: Path, open_scenario: OpenScenario) -> None:
    chat = Answer(body="<script>window.open('/more')</script>")
    site = {"/order/1000": Answer(body=OPENING), "/chat": chat, "/hang": Answer(delay_s=30)}
    async with serving(site) as served:
        portal, pack = portal_at(served.url), pack_of(RULES)
        async with open_scenario(portal, tmp_path, pack=pack, is_authenticated=False) as scenario:
            report = await attempt(scenario.context, task_for("1000"), scenario.staging / "1000")
            await the_keeper_alone_is_left(scenario)

    assert report.reason is Reason.NONE_LISTED


@pytest.mark.parametrize(("answer", "reason"), [("accept", Reason.NONE_LISTED), ("dismiss", Reason.PORTAL_CHANGED)])
async def test_questions_are_answered_as_the_pack_says(
    tmp_path: Path, open_scenario: OpenScenario, answer: str, reason: Reason
) -> None:
    async with serving({"/order/1000": Answer(body=ASKING)}) as served:
        pack = pack_of(f'{RULES}\ndialogs = "{DialogPolicy(answer)}"', page_s=3)
        async with open_scenario(portal_at(served.url), tmp_path, pack=pack, is_authenticated=False) as scenario:
            report = await attempt(scenario.context, task_for("1000"), scenario.staging / "1000")

    assert report.reason is reason


FLOODING = """<!doctype html><div id=order>Order</div><p class=none>None</p><script>
const open = () => { window.open("/chat"); setTimeout(open, 5); };
open();
</script>"""
#: A few windows tell the same as many, in a fraction of the time.
FEW = 3
MANY = f"""<!doctype html><div id=order>Order</div><p class=none>None</p><script>
for (let i = 0; i < {FEW + 2}; i++) window.open("/chat");
</script>"""


@pytest.mark.usefixtures("few_windows")
async def test_a_page_that_opens_windows_without_end_is_given_up_and_leaves_none(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with serving({"/order/1000": Answer(body=FLOODING, delay_s=0.1), "/chat": Answer(body="x")}) as served:
        pack = pack_of('settled = [".never"]', page_s=60)
        async with open_scenario(portal_at(served.url), tmp_path, pack=pack, is_authenticated=False) as scenario:
            report = await attempt(scenario.context, task_for("1000"), scenario.staging / "1000")
            await the_keeper_alone_is_left(scenario)

    assert (report.reason, report.detail) == (Reason.GIVEN_UP, "The page keeps opening windows.")


@pytest.mark.usefixtures("few_windows")
async def test_a_few_windows_too_many_cost_no_order(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with (
        serving({"/order/1000": Answer(body=MANY), "/chat": Answer(body="x")}) as served,
        open_scenario(portal_at(served.url), tmp_path, pack=pack_of(RULES), is_authenticated=False) as scenario,
    ):
        report = await attempt(scenario.context, task_for("1000"), scenario.staging / "1000")
        await the_keeper_alone_is_left(scenario)

    assert report.reason is Reason.NONE_LISTED


@pytest.mark.usefixtures("few_windows")
async def test_a_file_whose_address_opens_windows_without_end_is_missed_and_costs_no_other(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    """A page stands at its address that a browser may get past, and it does not get past this one."""
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/f/flood", "flood.pdf") + link("/f/good", "good.pdf"))
        portal.routes["/f/flood"] = (answer(FLOODING.encode(), kind="text/html"),)
        portal.routes["/f/good"] = (attached("good.pdf", pdf("good")),)
        portal.routes["/chat"] = (answer(b"x", kind="text/html"),)

        report, saved = await files_of(scenario)
        await the_keeper_alone_is_left(scenario)

    assert saved == {"good.pdf": pdf("good")}, report
    assert [missed.label for missed in report.missed] == ["flood.pdf"]


@pytest.mark.usefixtures("few_windows")
async def test_a_click_that_opens_windows_without_end_costs_its_file_alone(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    flooding = "const open = () => { window.open('/chat'); setTimeout(open, 5); }; open()"
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", button(flooding, "flood.pdf") + button("location='/f/good'", "good.pdf"))
        portal.routes["/f/good"] = (attached("good.pdf", pdf("good")),)
        portal.routes["/chat"] = (answer(b"x", kind="text/html"),)

        report, saved = await files_of(scenario)
        await the_keeper_alone_is_left(scenario)

    assert saved == {"good.pdf": pdf("good")}, report
    assert [missed.problem for missed in report.missed] == ["it keeps opening windows instead of a file"]


async def test_a_page_opens_no_window_while_it_closes(
    tmp_path: Path, open_scenario: OpenScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser lets scripts run again a moment before a page ends: no timer of it may be left by then."""
    real_close, opened = popups._close, list[set[str]]()
    chains = "<script>for (let n = 1; n < 9; n++) {{ {} }}</script>".format(
        "const open = () => { window.open('/chat'); setTimeout(open, 40 * n); }; open();"
    )

    async def close_slowly(target_id: str, send: SendCommand) -> None:
        if not page.is_closed() and not opened:
            with_page = session_sender(await cdp_session(page))
            opened.append(set(await popups._opened_ids(target_id, with_page)))
            await with_page("Emulation.setScriptExecutionDisabled", {"value": False})
            await page.evaluate("new Promise(done => setTimeout(done, 200))")
            opened.append(set(await popups._opened_ids(target_id, with_page)))
        await real_close(target_id, send)

    async with (
        serving({"/flood": Answer(body=chains), "/chat": Answer(body="x")}) as served,
        open_scenario(portal_at(served.url), tmp_path, pack=pack_of(RULES), is_authenticated=False) as scenario,
    ):
        page = await scenario.session.driver.new_page()
        await page.goto(f"{served.url}/flood")
        monkeypatch.setattr(popups, "_close", close_slowly)
        await close_opened_windows(page)
        await the_keeper_alone_is_left(scenario)

    before, later = opened
    assert before
    assert later == before


async def test_windows_that_the_page_after_a_login_opens_are_closed_and_the_keeper_stays(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    home = Answer(body="<div id=orders>Orders</div><script>window.open('/chat')</script>")
    async with (
        serving({"/orders": home, "/chat": Answer(body="x")}) as served,
        open_scenario(portal_at(served.url), tmp_path, pack=pack_of(RULES), is_authenticated=False) as scenario,
    ):
        results = [await scenario.session.login.check_login() for _ in range(2)]
        await the_keeper_alone_is_left(scenario)

    assert results == [LoginCheck.LOGGED_IN] * 2
