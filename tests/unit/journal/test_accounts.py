"""A journal knows whose orders it holds: another portal address or profile never gets their outcomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.account import Account
from poolwright.domain.errors import OptionsError
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report
from poolwright.journal.errors import JournalAccountError
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.earlier_journals import EARLIER, build
from tests.support.journal_audit import query
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, orders, task_id

ACME = Account.at("https://acme.example", portal="demo", profile="work")


def at(address: str = "https://acme.example", *, portal: str = "demo", profile: str = "work") -> Account:
    return Account.at(address, portal=portal, profile=profile)


async def fill(path: Path, page_url: str, reason: Reason = Reason.PORTAL_SAYS_MISSING) -> None:
    """A journal of a time when nobody asked whose orders it holds."""
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(1))
        await journal.fetch(BATCH, 1)
        await journal.finish(task_id(1), Report(reason=reason, page_url=page_url), "")


async def test_the_first_account_is_written_down_and_comes_back_however_its_address_is_written(path: Path) -> None:
    for address in ("https://acme.example", "https://ACME.example:443/"):
        async with SqliteJournal(path, ManualClock()) as journal:
            await journal.claim_account(at(address))

    assert query(path, "SELECT * FROM accounts") == [("demo", "https://acme.example", "work")]


@pytest.mark.parametrize(
    "other", [at("https://beta.example"), at("https://acme.example/b"), at(profile="guest")], ids=str
)
async def test_another_account_is_refused_with_the_way_out_and_nothing_is_changed(path: Path, other: Account) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.claim_account(ACME)

        with pytest.raises(JournalAccountError) as refusal:
            await journal.claim_account(other)

    assert isinstance(refusal.value, OptionsError)
    assert str(refusal.value).startswith(
        f"The journal {path} holds orders of https://acme.example, profile work, but this run is for {other}"
    )
    assert "Choose another --out" in str(refusal.value)
    assert query(path, "SELECT * FROM accounts") == [("demo", "https://acme.example", "work")]


async def test_portals_of_other_packs_have_their_own_ids_and_live_beside_it(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.claim_account(ACME)
        await journal.claim_account(at("https://beta.example", portal="coupa"))

        with pytest.raises(JournalAccountError):
            await journal.claim_account(at("https://gamma.example", portal="coupa"))


async def test_whoever_says_so_gets_the_orders(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.claim_account(ACME)
        await journal.transfer_account(at("https://moved.example"))
        await journal.claim_account(at("https://moved.example"))

        with pytest.raises(JournalAccountError):
            await journal.claim_account(ACME)


@pytest.mark.parametrize("schema", [EARLIER[0], EARLIER[-1]], ids=lambda file: file.stem)
async def test_an_earlier_journal_is_taken_up_by_the_portal_that_its_pages_are_from(path: Path, schema: Path) -> None:
    build(path, schema)
    async with SqliteJournal(path, ManualClock()) as journal:
        with pytest.raises(JournalAccountError, match=r"holds orders of https://portal\.example, but this run is for"):
            await journal.claim_account(ACME)

        await journal.claim_account(at("https://portal.example"))
        assert (await journal.accept(orders(1, 4))).done_count == 2


@pytest.mark.parametrize(
    ("page_url", "reason"),
    [
        ("", Reason.PORTAL_SAYS_MISSING),
        ("https://acme.example/orders/1", Reason.ALL_SAVED),
        ("https://login.example/sso", Reason.ASKS_FOR_LOGIN),  # where a failure ended tells nothing
    ],
)
async def test_a_journal_that_tells_nothing_else_is_taken_up(path: Path, page_url: str, reason: Reason) -> None:
    await fill(path, page_url, reason)

    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.claim_account(ACME)


async def test_pages_of_another_portal_tell_nothing_of_this_one(path: Path) -> None:
    await fill(path, "https://beta.example/orders/1")

    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.claim_account(at(portal="dem"))
        await journal.claim_account(at(portal="demos"))
        with pytest.raises(JournalAccountError, match=r"holds orders of https://beta\.example"):
            await journal.claim_account(ACME)
