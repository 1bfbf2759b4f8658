"""A pack that was learned from saved pages brings every file of its portal, of orders that were never shown too."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

import pytest

from poolwright.demo.portal_client import PortalClient
from poolwright.domain.outcomes import Reason
from poolwright.learn.learner import learn, seen_pages
from tests.support.portal import needs_chromium
from tests.support.raw_stage import files_of
from tests.support.sessions import OpenStage
from tests.support.taught_pages import observed, shown_pages
from tests.support.taught_portals import NAMES, serving_taught, taught_portal

pytestmark = [needs_chromium, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("name", NAMES)
async def test_every_file_comes_by_its_sha256(name: str, tmp_path: Path, open_stage: OpenStage) -> None:
    async with serving_taught(taught_portal(name)) as portal:
        observations, sources = observed(shown_pages(portal))
        pack = learn(name, observations, seen_pages(observations, sources)).pack
        saved: dict[str, dict[str, str]] = {}
        reasons: dict[str, Reason] = {}
        suppliers: dict[str, str] = {}
        client = cast("PortalClient", portal)
        async with open_stage(client, tmp_path, pack=pack, password=portal.password) as stage:
            for number in [*portal.orders, portal.missing]:
                report, files = await files_of(stage, number)
                reasons[number] = report.reason
                saved[number] = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
                suppliers[number] = report.fields.get("supplier", "")

    orders = portal.orders.values()
    wanted = {
        order.number: {file: hashlib.sha256(order.content(file)).hexdigest() for file in order.files}
        for order in orders
    }
    assert saved == {**wanted, portal.missing: {}}
    expected = {
        order.number: Reason.NO_PERMISSION
        if order.is_forbidden
        else (Reason.ALL_SAVED if order.files else Reason.NONE_LISTED)
        for order in orders
    }
    assert reasons == {**expected, portal.missing: Reason.PORTAL_SAYS_MISSING}
    assert {number: suppliers[number] for number, files in wanted.items() if files} == {
        order.number: order.supplier for order in orders if order.files
    }
