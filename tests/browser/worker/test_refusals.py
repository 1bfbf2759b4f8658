"""What a portal refuses may be refused for want of a login: it counts only when the session is proven."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from poolwright.domain.outcomes import Outcome
from poolwright.domain.tasks import Report
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.attempt import attempt
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario, task_for
from tests.support.sites import Answer, Answering, pack_of, portal_at, serving

pytestmark = [needs_chromium, pytest.mark.timeout(60), pytest.mark.asyncio(loop_scope="session")]

ORDER = Answer(body="<!doctype html><div id=order>Order</div><a class=att href=/file/1>a.pdf</a>")
IN, OUT = Answer(body="<!doctype html><div id=orders></div>"), Answer(status=302, location="/login")


async def test_a_file_that_is_refused_in_place_is_proven_first(tmp_path: Path, open_scenario: OpenScenario) -> None:
    site = {"/order/1000": ORDER, "/file/1": Answer(status=403, body="<p>Sign in</p>"), "/orders": IN}
    async with serving(site) as served:
        stage_of = open_scenario(portal_at(served.url), tmp_path, pack=pack_of("", page_s=3), is_authenticated=False)
        async with stage_of as scenario:
            report = await attempt(scenario.context, task_for("1000"), scenario.staging / "1")
            site["/orders"] = OUT
            with pytest.raises(SessionLostError, match=r"^the portal refuses a\.pdf and asks for a login$"):
                await attempt(scenario.context, task_for("1000"), scenario.staging / "2")

    assert report.outcome is Outcome.FAILED
    assert [file.label for file in report.missed] == ["a.pdf"]


PDF = Answer(body="%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n", kind="application/pdf")
LOGIN = "<!doctype html><form id=login><input name=user><input type=password></form>"
SECURE = (
    "<!doctype html><title>Secure message</title><form action=https://open.invalid><input type=password>Open</form>"
)
ATTACHED = ('Content-Disposition: attachment; filename="securedoc.html"',)


def in_turn(*answers: Answer) -> Answering:
    """Answers one after the other, the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


async def fetched(
    tmp_path: Path, open_scenario: OpenScenario, site: Mapping[str, Answer | Answering], *, more: str = ""
) -> Report | str:
    """What an order of a site brings, or why its session is taken for lost."""
    async with (
        serving({"/order/1000": ORDER, "/orders": IN, **site}) as served,
        open_scenario(
            portal_at(served.url), tmp_path, pack=pack_of("", more=more, page_s=5), is_authenticated=False
        ) as scenario,
    ):
        try:
            return await attempt(scenario.context, task_for("1000"), scenario.staging / "1")
        except SessionLostError as error:
            return str(error)


async def brought(
    tmp_path: Path, open_scenario: OpenScenario, site: Mapping[str, Answer | Answering], *, more: str = ""
) -> Report:
    """What an order of a site brings while its session is logged in."""
    result = await fetched(tmp_path, open_scenario, site, more=more)
    assert isinstance(result, Report), result
    return result


@pytest.mark.parametrize("status", [200, 401, 403])
async def test_a_file_that_asks_for_a_login_is_tried_again_where_the_order_is_still_shown(
    status: int, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    """Another worker may have logged in since: no attempt is spent, and no file is told as refused."""
    asks = Answer(status=status, body=LOGIN)
    report = await brought(
        tmp_path, open_scenario, {"/file/1": in_turn(asks, asks, asks if status == 200 else PDF, PDF)}
    )

    assert report.outcome is Outcome.COMPLETED, report


@pytest.mark.parametrize("status", [200, 401, 403])
async def test_a_log_out_that_a_file_shows_gives_the_order_back(
    status: int, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    out = Answer(status=403, body=LOGIN)
    site = {"/order/1000": in_turn(ORDER, out), "/orders": Answer(), "/file/1": Answer(status=status, body=LOGIN)}

    assert "the portal asks for a login at" in str(await fetched(tmp_path, open_scenario, site))


async def test_a_file_that_always_asks_for_a_login_is_told_with_its_status(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    report = await brought(tmp_path, open_scenario, {"/file/1": Answer(status=403, body=LOGIN)})

    assert [file.problem for file in report.missed] == ["the portal answered 403 and asks for a login"]


async def test_json_in_place_of_a_file_may_be_a_log_out(tmp_path: Path, open_scenario: OpenScenario) -> None:
    """The probe page of this portal cannot tell, but the order's own page can."""
    expired = Answer(body='{"error": "session expired"}', kind="application/json")
    site = {"/order/1000": in_turn(ORDER, Answer(status=403, body=LOGIN)), "/file/1": expired}

    assert "the portal asks for a login at" in str(await fetched(tmp_path, open_scenario, site))


async def test_the_json_of_a_refused_file_is_judged_by_the_marks_of_responses(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    marks = (
        "[[triage.second_factor]]\nresponse = [{ address = '^/file/', status = [403], field = 'code', values = [7] }]\n"
    )
    asks = Answer(status=403, body='{"code": 7}', kind="application/json")

    report = await brought(tmp_path, open_scenario, {"/file/1": asks}, more=marks)

    assert report.missed[0].problem.startswith("the portal answered 403 and asks for a second factor")


BUTTON = Answer(body="<!doctype html><div id=order></div><button class=att onclick='fetch(`/file/1`)'>a.pdf</button>")


async def test_a_click_that_is_refused_tells_the_status(tmp_path: Path, open_scenario: OpenScenario) -> None:
    report = await brought(tmp_path, open_scenario, {"/order/1000": BUTTON, "/file/1": Answer(status=403, body="{}")})

    assert [file.problem for file in report.missed] == ["no file was downloaded; the portal answered 403"]


async def test_a_click_that_is_refused_may_be_a_log_out(tmp_path: Path, open_scenario: OpenScenario) -> None:
    site = {"/order/1000": in_turn(BUTTON, Answer(status=403)), "/orders": Answer(), "/file/1": Answer(status=401)}

    assert "no longer shows the order" in str(await fetched(tmp_path, open_scenario, site))


async def test_a_refusal_that_comes_as_an_attachment_is_told_with_its_status(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    link = Answer(
        body="<!doctype html><div id=order></div><button class=att onclick='location = `/file/1`'>a.pdf</button>"
    )
    refused = Answer(status=403, body="no", kind="application/octet-stream", headers=ATTACHED)

    report = await brought(tmp_path, open_scenario, {"/order/1000": link, "/file/1": refused})

    assert "403" in report.missed[0].problem


@pytest.mark.parametrize("address", ["/file/1", "/login/securedoc.html"])
async def test_a_page_with_a_password_field_is_a_file_where_its_own_address_sends_it_as_one(
    address: str, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    links = f"<a class=att href={address}>message</a><a class=att href=/file/2>b.pdf</a>"
    site = {
        "/order/1000": Answer(body=f"<!doctype html><div id=order></div>{links}"),
        address: Answer(body=SECURE, headers=ATTACHED),
        "/file/2": PDF,
    }

    report = await brought(tmp_path, open_scenario, site)

    assert [file.name for file in report.files] == ["securedoc.html", "b.pdf"], report


async def test_a_page_with_a_password_field_is_none_behind_the_login_page(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    site = {"/file/1": Answer(status=302, location="/login"), "/login": Answer(body=SECURE, headers=ATTACHED)}

    assert "login page" in str(await fetched(tmp_path, open_scenario, site))
