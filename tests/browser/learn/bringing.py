"""Whether a pack brings every file of a made-up portal, and tells what each order without files is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

from poolwright.demo.portal_client import PortalClient
from poolwright.domain.outcomes import Reason
from poolwright.portal.pack import Pack
from tests.support.raw_scenario import files_of
from tests.support.sessions import OpenScenario
from tests.support.taught_portals import TaughtOrder, TaughtPortal


async def brings_every_file(pack: Pack, portal: TaughtPortal, folder: Path, open_scenario: OpenScenario) -> None:
    """Bring orders of a portal, those that were never shown first of all, and compare everything with what is true."""
    tried = portal.tried or tuple(portal.orders)[2:]
    saved: dict[str, dict[str, str]] = {}
    told: dict[str, tuple[Reason, str]] = {}
    async with open_scenario(cast("PortalClient", portal), folder, pack=pack, password=portal.password) as scenario:
        for number in [*tried, portal.missing]:
            report, files = await files_of(scenario, number)
            saved[number] = {file: _digest(content) for file, content in files.items()}
            told[number] = report.reason, report.fields.get("supplier", "") if files else ""

    orders = [portal.orders[number] for number in tried]
    wanted = {
        order.number: {portal.filed.get(file, file): _digest(order.content(file)) for file in order.files}
        for order in orders
    }
    assert saved == {**wanted, portal.missing: {}}
    expected = {order.number: (_reason(order), order.supplier if order.files else "") for order in orders}
    assert told == {**expected, portal.missing: (Reason.PORTAL_SAYS_MISSING, "")}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _reason(order: TaughtOrder) -> Reason:
    if order.is_forbidden:
        return Reason.NO_PERMISSION
    return Reason.ALL_SAVED if order.files else Reason.NONE_LISTED
