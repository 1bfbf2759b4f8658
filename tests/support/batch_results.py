"""What a run of the program left in its output folder, beside what the portal says that it must leave there."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Protocol

from poolwright.demo.catalogue.truth import OrderTruth
from poolwright.demo.portal_client import PortalClient

QUIET = ("--quiet", "--tabs", "2")


class OutputPlace(Protocol):
    """Where files landed."""

    @property
    def out(self) -> Path:
        """The output folder."""
        ...


async def numbers_of(portal: PortalClient, count: int) -> list[str]:
    """The first orders of the portal's list."""
    return [order.number for order in await portal.orders(count)]


async def some_good_number(portal: PortalClient) -> str:
    """An order that has files and nothing odd."""
    return next(
        truth.number for truth in (await portal.truth()).values() if truth.is_listed and truth.outcome == "COMPLETED"
    )


def filed_digests(program: OutputPlace) -> dict[str, list[str]]:
    """Digests of the files of every order folder, by number; an order with two folders fails here."""
    filed: dict[str, list[str]] = {}
    for manifest in program.out.glob("*/*/manifest.json"):
        number = json.loads(manifest.read_text())["portal_number"]
        assert number not in filed, f"{number} has two folders"
        files = [path for path in manifest.parent.iterdir() if path.is_file() and path != manifest]
        filed[number] = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
    return filed


def expected_digests(truths: dict[str, OrderTruth]) -> dict[str, list[str]]:
    """What must lie on disk."""
    digests = {
        truth.number: sorted(file.sha256 for file in truth.attachments if file.good)
        for truth in truths.values()
        if truth.outcome in {"COMPLETED", "PARTIAL"}
    }
    return {number: files for number, files in digests.items() if files}


def reported(program: OutputPlace, stem: str = "orders") -> list[dict[str, str]]:
    """The rows of the report."""
    path = program.out / "reports" / f"{stem}-report.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def assert_all_right(program: OutputPlace, truths: dict[str, OrderTruth]) -> None:
    """Every order has its true outcome in the report, and its files and no others on disk."""
    assert filed_digests(program) == expected_digests(truths)
    outcomes = {row["PO_NUMBER"].removeprefix("PO"): row["Outcome"] for row in reported(program)}
    assert outcomes == {truth.number: truth.outcome for truth in truths.values()}
