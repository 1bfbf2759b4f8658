"""An order that is looked at again, on a real browser: what the portal says is the same is not sent again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.worker.attempt import attempt
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, pdf
from tests.support.raw_scenario import files_of, link, raw_scenario
from tests.support.sessions import OpenScenario, task_for

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]


def tagged(name: str, mark: str) -> bytes:
    return answer(pdf(mark), f'Content-Disposition: attachment; filename="{name}"', f'ETag: "{mark}"')


async def test_only_what_is_new_or_changed_is_sent_again(tmp_path: Path, open_scenario: OpenScenario) -> None:
    names = ("a.pdf", "b.pdf")
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", "".join(link(f"/f/{name}", name) for name in names))
        portal.routes |= {f"/f/{name}": (tagged(name, name),) for name in names}
        first, _ = await files_of(scenario)
        assert [file.etag for file in first.files] == ['"a.pdf"', '"b.pdf"']

        portal.order("1", "".join(link(f"/f/{name}", name) for name in (*names, "c.pdf")))
        portal.routes["/f/a.pdf"] = (answer(b"", status="304 Not Modified"),)
        portal.routes["/f/b.pdf"] = (tagged("b.pdf", "later"),)
        portal.routes["/f/c.pdf"] = (tagged("c.pdf", "c.pdf"),)
        staging = scenario.staging / "again"
        report = await attempt(scenario.context, replace(task_for("1"), known_files=first.files), staging)

    assert report.reason is Reason.ALL_SAVED, report
    assert report.files[0] == first.files[0]
    assert [(file.name, file.etag) for file in report.files[1:]] == [("b.pdf", '"later"'), ("c.pdf", '"c.pdf"')]
    assert {path.name for path in (staging / "files").iterdir()} == {"b.pdf", "c.pdf"}
    asked = [head for head in portal.heads if "if-none-match" in head.lower()]
    assert len(asked) == len(names)
