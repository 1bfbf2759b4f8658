"""Files of other hosts that the pack names, without encryption or by a wildcard."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.portal import needs_chromium
from tests.support.raw_portal import LOGIN_PAGE, answer, attached, pdf, raw_pack, raw_portal
from tests.support.raw_scenario import files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]


async def test_a_host_without_encryption_is_asked_and_gets_no_cookie_of_the_portal(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_portal() as storage:
        pack = raw_pack()
        pack = pack.model_copy(update={"site": pack.site.model_copy(update={"hosts": (storage.url,)})})
        async with raw_scenario(open_scenario, tmp_path, pack) as (portal, scenario):
            links = link(f"{storage.url}/f/1", "a.pdf") + link("/f/2", "b.pdf") + link(f"{storage.url}/f/3", "c.pdf")
            portal.order("1", links, "document.cookie = 'session=secret'")
            portal.routes["/f/2"] = (attached("b.pdf", pdf("b")),)
            storage.routes["/f/1"] = (attached("a.pdf", pdf("a")),)
            storage.routes["/f/3"] = (answer(LOGIN_PAGE, kind="text/html"),)

            report, saved = await files_of(scenario)

    assert saved == {"a.pdf": pdf("a"), "b.pdf": pdf("b")}
    assert report.reason is not Reason.ALL_SAVED
    assert [missed.label for missed in report.missed] == ["c.pdf"]
    assert "session=secret" in "".join(portal.heads)
    assert storage.asked == ["/f/1", "/f/3"], "no browser asked there"
    assert "session=secret" not in "".join(storage.heads)
