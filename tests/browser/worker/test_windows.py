"""What a page opens beside itself goes with it, and what it asks keeps nothing waiting."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.failures import Reason
from app.portal.tables import Dialogs
from app.worker.attempt import attempt
from app.worker.windows import OPEN_MAX
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenStage, task_for
from tests.support.sites import Answer, pack_of, portal_at, serving

pytestmark = [needs_chromium, pytest.mark.timeout(60), pytest.mark.asyncio(loop_scope="session")]

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


async def test_windows_are_closed_with_the_page_that_opened_them(tmp_path: Path, open_stage: OpenStage) -> None:
    chat = Answer(body="<script>window.open('/more')</script>")
    site = {"/order/1000": Answer(body=OPENING), "/chat": chat, "/hang": Answer(delay_s=30)}
    async with serving(site) as served:
        portal, pack = portal_at(served.url), pack_of(RULES)
        async with open_stage(portal, tmp_path, pack=pack, is_authenticated=False) as stage:
            report = await attempt(stage.bench, task_for("1000"), stage.staging / "1000")
            addresses = [page.url for page in stage.session.driver.pages]

    assert report.reason is Reason.NONE_LISTED
    assert addresses == ["about:blank"], "the keeper alone is left"


@pytest.mark.parametrize(("answer", "reason"), [("accept", Reason.NONE_LISTED), ("dismiss", Reason.PORTAL_CHANGED)])
async def test_questions_are_answered_as_the_pack_says(
    tmp_path: Path, open_stage: OpenStage, answer: str, reason: Reason
) -> None:
    async with serving({"/order/1000": Answer(body=ASKING)}) as served:
        pack = pack_of(f'{RULES}\ndialogs = "{Dialogs(answer)}"', page_s=3)
        async with open_stage(portal_at(served.url), tmp_path, pack=pack, is_authenticated=False) as stage:
            report = await attempt(stage.bench, task_for("1000"), stage.staging / "1000")

    assert report.reason is reason


FLOODING = """<!doctype html><div id=order>Order</div><p class=none>None</p><script>
const open = () => { window.open("/chat"); setTimeout(open, 5); };
open();
</script>"""
MANY = f"""<!doctype html><div id=order>Order</div><p class=none>None</p><script>
for (let i = 0; i < {OPEN_MAX + 3}; i++) window.open("/chat");
</script>"""


async def test_a_page_that_opens_windows_without_end_is_given_up_and_leaves_none(
    tmp_path: Path, open_stage: OpenStage
) -> None:
    async with serving({"/order/1000": Answer(body=FLOODING, delay_s=0.1), "/chat": Answer(body="x")}) as served:
        pack = pack_of('settled = [".never"]', page_s=60)
        async with open_stage(portal_at(served.url), tmp_path, pack=pack, is_authenticated=False) as stage:
            report = await attempt(stage.bench, task_for("1000"), stage.staging / "1000")
            addresses = [page.url for page in stage.session.driver.pages]

    assert (report.reason, report.detail) == (Reason.GIVEN_UP, "The page opens windows without end.")
    assert addresses == ["about:blank"], "the keeper alone is left"


async def test_a_few_windows_too_many_cost_no_order(tmp_path: Path, open_stage: OpenStage) -> None:
    async with (
        serving({"/order/1000": Answer(body=MANY), "/chat": Answer(body="x")}) as served,
        open_stage(portal_at(served.url), tmp_path, pack=pack_of(RULES), is_authenticated=False) as stage,
    ):
        report = await attempt(stage.bench, task_for("1000"), stage.staging / "1000")
        addresses = [page.url for page in stage.session.driver.pages]

    assert report.reason is Reason.NONE_LISTED
    assert addresses == ["about:blank"]
