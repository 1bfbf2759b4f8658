"""A banner or a page of terms that the pack allows to be clicked away does not stop a run; any other needs a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import LoginCheck, Outcome
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.attempt import attempt
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario, task_for
from tests.support.sites import Answer, Answering, pack_of, portal_at, serving

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

CONSENT = '[triage.consent]\nselector = ["#banner"]\n'
CLICK = f'{CONSENT}click = ["#banner .hidden", "#banner button.agree"]\n'
FILE = Answer(body="%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n", kind="application/pdf")
LIST = "<div id=order>1</div><a class=att href=/file/1>a.pdf</a>"
BANNER = (
    "<div id=banner>Cookies<button>Settings</button><button class=hidden style='display:none'>x</button>"
    "<button class=agree onclick='{script}'>Agree</button></div>"
)
FORM = "<form id=banner method=post action=/agree><button class=agree>Agree</button></form>"


def order(script: str) -> Answer:
    """An order with a banner over its list."""
    return Answer(body=f"<!doctype html>{BANNER.format(script=script)}{LIST}")


@pytest.mark.parametrize(
    "script",
    [
        "banner.remove()",
        "setTimeout(() => banner.remove(), 300)",
        "fetch(`/settings`).then(() => banner.remove())",
        "fetch(`/settings`, {method: `POST`}).then(() => banner.remove())",
    ],
    ids=["at once", "later", "after a request", "after a form"],
)
async def test_a_banner_over_the_list_is_clicked_away(script: str, tmp_path: Path, open_scenario: OpenScenario) -> None:
    site = {"/order/1000": order(script), "/file/1": FILE, "/settings": Answer(delay_s=1.2)}
    async with (
        serving(site) as served,
        open_scenario(
            portal_at(served.url), tmp_path, pack=pack_of("", more=CLICK), is_authenticated=False
        ) as scenario,
    ):
        report = await attempt(scenario.context, task_for("1000"), scenario.staging / "1")

    assert [file.name for file in report.files] == ["a.pdf"], report


@pytest.mark.parametrize("start", ["/order/1000", "/home"], ids=["back to the order", "to another page"])
async def test_terms_on_a_page_of_their_own_are_accepted_once(
    start: str, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    def terms_first(request: str) -> Answer:
        agreed = "agreed=1" in request
        return Answer(body=f"<!doctype html>{LIST}") if agreed else Answer(status=302, location="/terms")

    site: dict[str, Answer | Answering] = {
        "/order/1000": terms_first,
        "/terms": Answer(body=f"<!doctype html>{FORM}"),
        "/agree": Answer(status=302, location=start, headers=("Set-Cookie: agreed=1; Path=/",), delay_s=1.2),
        "/home": Answer(body="<!doctype html><div id=orders></div>"),
        "/file/1": FILE,
    }
    async with (
        serving(site) as served,
        open_scenario(
            portal_at(served.url), tmp_path, pack=pack_of("", more=CLICK), is_authenticated=False
        ) as scenario,
    ):
        report = await attempt(scenario.context, task_for("1000"), scenario.staging / "1")

    assert report.outcome is Outcome.COMPLETED, report
    assert served.asked.count("POST /agree") == 1


async def test_the_probe_page_is_found_behind_its_banner(tmp_path: Path, open_scenario: OpenScenario) -> None:
    site = {"/orders": Answer(body=f"<!doctype html>{BANNER.format(script='banner.remove()')}<div id=orders></div>")}
    async with (
        serving(site) as served,
        open_scenario(
            portal_at(served.url), tmp_path, pack=pack_of("", more=CLICK), is_authenticated=False
        ) as scenario,
    ):
        assert await scenario.session.login.check_login() is LoginCheck.LOGGED_IN


@pytest.mark.parametrize(
    ("marks", "script"),
    [(CONSENT, "banner.remove()"), (CLICK, ""), (CLICK, "throw 1")],
    ids=["not allowed", "dead", "broken"],
)
async def test_a_consent_that_no_click_gives_needs_a_person(
    marks: str, script: str, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    site = {"/order/1000": order(script)}
    async with (
        serving(site) as served,
        open_scenario(
            portal_at(served.url), tmp_path, pack=pack_of("", more=marks), is_authenticated=False
        ) as scenario,
    ):
        with pytest.raises(SessionLostError, match="a consent that only a person can give"):
            await attempt(scenario.context, task_for("1000"), scenario.staging / "1")
