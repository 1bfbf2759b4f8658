"""What a portal refuses may be refused for want of a login: it counts only when the session is proven."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Outcome
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.attempt import attempt
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenStage, task_for
from tests.support.sites import Answer, pack_of, portal_at, serving

pytestmark = [needs_chromium, pytest.mark.timeout(60), pytest.mark.asyncio(loop_scope="session")]

ORDER = Answer(body="<!doctype html><div id=order>Order</div><a class=att href=/file/1>a.pdf</a>")
IN, OUT = Answer(body="<!doctype html><div id=orders></div>"), Answer(status=302, location="/login")


async def test_a_file_that_is_refused_in_place_is_proven_first(tmp_path: Path, open_stage: OpenStage) -> None:
    site = {"/order/1000": ORDER, "/file/1": Answer(status=403, body="<p>Sign in</p>"), "/orders": IN}
    async with serving(site) as served:
        stage_of = open_stage(portal_at(served.url), tmp_path, pack=pack_of("", page_s=3), is_authenticated=False)
        async with stage_of as stage:
            report = await attempt(stage.bench, task_for("1000"), stage.staging / "1")
            site["/orders"] = OUT
            with pytest.raises(SessionLostError, match=r"^the portal refuses a\.pdf and asks for a login$"):
                await attempt(stage.bench, task_for("1000"), stage.staging / "2")

    assert report.outcome is Outcome.FAILED
    assert [file.label for file in report.missed] == ["a.pdf"]
