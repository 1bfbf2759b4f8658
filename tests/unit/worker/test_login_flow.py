"""A login that takes too long is the portal's fault, not that of the login: no person is asked, and no order fails."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest

from poolwright.portal.login_schema import LoginStep
from poolwright.worker.errors import CannotLogInError, PortalDownError
from poolwright.worker.login.login_flow import Credentials, LoginFlow


def flow(*ladder: LoginStep, hangs: bool = True, is_headed: bool = True) -> LoginFlow:
    """A login by these steps at a portal that never answers, or that always shows its login page."""

    async def goto(*_: object) -> None:
        if hangs:
            await anyio.sleep_forever()

    async def required_login_step(*_: object) -> str:
        return "it shows its login page"

    limits = SimpleNamespace(page_s=0.001, person_s=0.001)
    pack = SimpleNamespace(limits=limits, login=SimpleNamespace(ladder=ladder, start="/login", actions=()))
    probe = SimpleNamespace(pack=pack, goto=goto, required_login_step=required_login_step)
    page = SimpleNamespace(on=lambda *_: None, remove_listener=lambda *_: None)
    return LoginFlow(
        probe=cast("Any", probe),
        page=cast("Any", page),
        driver=cast("Any", None),
        credentials=Credentials(is_headed=is_headed, profile_name="acme"),
        notify=lambda *_: None,
    )


async def test_a_login_that_the_portal_does_not_answer_in_time_is_the_portals_fault() -> None:
    with anyio.fail_after(10), pytest.raises(PortalDownError, match=r"in time \(revisit: no answer within 0.01 s\)"):
        await flow(LoginStep.REVISIT).run(0.01)


async def test_a_person_who_does_not_come_is_no_fault_of_the_portal() -> None:
    with anyio.fail_after(10), pytest.raises(CannotLogInError, match=r"human: no answer within 0.001 s"):
        await flow(LoginStep.HUMAN).run(0.01)


async def test_a_login_page_that_comes_again_in_time_is_a_login_that_failed() -> None:
    with pytest.raises(CannotLogInError, match="revisit: it shows its login page"):
        await flow(LoginStep.REVISIT, hangs=False).run(60)


@pytest.mark.parametrize(
    ("step", "command"), [(LoginStep.COOKIES, "(poolwright profile login acme)"), (LoginStep.HUMAN, "login acme)")]
)
async def test_a_login_that_a_person_has_to_make_is_told_with_the_name_of_the_profile(
    step: LoginStep, command: str
) -> None:
    with pytest.raises(CannotLogInError) as caught:
        await flow(step, is_headed=False).run(60)

    assert command in str(caught.value)
