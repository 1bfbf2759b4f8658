"""A worker's session in a portal of raw answers, and what one order of it brings."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

from poolwright.demo.portal_client import PortalClient
from poolwright.domain.options import PageEvidence
from poolwright.domain.tasks import Report
from poolwright.portal.pack import Pack
from poolwright.worker.attempt import attempt
from tests.support.raw_portal import RawPortal, raw_pack, raw_portal
from tests.support.sessions import OpenScenario, Scenario, task_for


@contextlib.asynccontextmanager
async def raw_scenario(
    open_scenario: OpenScenario, folder: Path, pack: Pack | None = None, page_evidence: PageEvidence = PageEvidence.OFF
) -> AsyncGenerator[tuple[RawPortal, Scenario]]:
    """A portal of raw answers and a session in it. Where it is and who logs in is all that is asked of it."""
    async with (
        raw_portal() as portal,
        open_scenario(
            cast("PortalClient", portal), folder, pack=pack or raw_pack(), password="", page_evidence=page_evidence
        ) as scenario,
    ):
        yield portal, scenario


async def files_of(scenario: Scenario, number: str = "1") -> tuple[Report, dict[str, bytes]]:
    """What an attempt told, and what it saved."""
    report = await attempt(scenario.context, task_for(number), scenario.staging / number)
    return report, {file.name: (scenario.staging / number / "files" / file.name).read_bytes() for file in report.files}


def link(address: str, text: str) -> str:
    """A link that the pack takes for a file."""
    return f'<a class=att href="{address}">{text}</a>'


def button(script: str, text: str) -> str:
    """A button that the pack takes for a file."""
    return f'<button class=att onclick="{script}">{text}</button>'
