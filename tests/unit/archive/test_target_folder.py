"""Two accounts in one output tree whose memory somebody removed: neither takes the other's folders for its own."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.archive.manifest import MANIFEST_NAME, Manifest
from poolwright.archive.output_tree import PRIVATE_NAME, OutputTree
from poolwright.domain.account import Account
from poolwright.domain.ports import Filed
from tests.support.archive_orders import StoppedClock, contents, report_for, stage, task_for

OURS = Account.at("https://portal.example", portal="demo", profile="work")
OTHER_ADDRESS = Account.at("https://acme.example", portal="demo", profile="work")
OTHER_PROFILE = Account.at("https://portal.example", portal="demo", profile="guest")


def file(out: Path, account: Account | None, files: dict[str, bytes], *, page_url: str | None = None) -> Filed:
    staged = stage(out.parent / "staged", files)
    report = report_for(files)
    report = replace(report, page_url=report.page_url if page_url is None else page_url)
    filed = OutputTree(out, clock=StoppedClock(), account=account).file(task_for("PO1"), report, staged)
    shutil.rmtree(staged)
    return filed


def forget(out: Path) -> None:
    shutil.rmtree(out / PRIVATE_NAME)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.mark.parametrize(("other", "named"), [(OTHER_ADDRESS, "https://acme.example"), (OTHER_PROFILE, "guest")])
def test_an_order_of_another_account_stays_where_it_is_and_is_told(out: Path, other: Account, named: str) -> None:
    file(out, other, {"a.pdf": b"theirs"})
    forget(out)

    filed = file(out, OURS, {"a.pdf": b"ours"})

    assert filed.folder == "Acme/PO1 (2)"
    assert contents(out / "Acme" / "PO1") == {"a.pdf": b"theirs"}
    assert contents(out / "Acme" / "PO1 (2)") == {"a.pdf": b"ours"}
    (told,) = filed.notices
    assert told.startswith("Acme/PO1 contains the order with this number from ")
    assert named in told


def test_an_order_that_a_newer_version_filed_stays_where_it_is_and_is_told(out: Path) -> None:
    file(out, OURS, {"a.pdf": b"theirs"})
    page = out / "Acme" / "PO1" / MANIFEST_NAME
    page.write_text(page.read_text().replace('"schema": 1', '"schema": 2', 1))

    filed = file(out, OURS, {"a.pdf": b"ours"})

    assert filed.folder == "Acme/PO1 (2)"
    assert contents(out / "Acme" / "PO1") == {"a.pdf": b"theirs"}
    assert filed.notices == ("Acme/PO1 was filed by a newer version of Poolwright; it is kept.",)


def test_both_accounts_find_their_own_again(out: Path) -> None:
    file(out, OTHER_ADDRESS, {"a.pdf": b"theirs"})
    forget(out)
    file(out, OURS, {"a.pdf": b"ours"})
    forget(out)

    again = file(out, OURS, {"a.pdf": b"ours, changed"})

    assert again.folder == "Acme/PO1 (2)"
    assert contents(out / "Acme" / "PO1") == {"a.pdf": b"theirs"}
    assert contents(out / "Acme" / "PO1 (2)") == {
        "a.pdf": b"ours, changed",
        "superseded/2026-11-23T12-00-00Z/a.pdf": b"ours",
    }


@pytest.mark.parametrize(
    ("page_url", "is_ours"),
    [
        ("https://portal.example/orders/1", True),
        ("https://www.portal.example:443/orders/1", True),
        ("https://acme.example/orders/1", False),
        ("https://portal.example:8443/orders/1", False),
        ("", True),
        ("about:blank", True),
    ],
)
def test_a_manifest_of_an_earlier_poolwright_is_judged_by_its_page(out: Path, page_url: str, is_ours: bool) -> None:
    file(out, None, {"a.pdf": b"first"}, page_url=page_url)
    forget(out)

    filed = file(out, OURS, {"a.pdf": b"second"})

    assert filed.folder == ("Acme/PO1" if is_ours else "Acme/PO1 (2)")
    assert bool([told for told in filed.notices if "order with this number" in told]) is not is_ours


def test_what_the_ledger_knows_is_ours_whatever_address_the_portal_had(out: Path) -> None:
    """A portal that moved: the journal was given to its new address by a person."""
    file(out, OTHER_ADDRESS, {"a.pdf": b"same"})

    filed = file(out, OURS, {"a.pdf": b"same"})

    assert (filed.folder, filed.notices) == ("Acme/PO1", ())
    manifest = Manifest.read(out / "Acme" / "PO1")
    assert manifest.may_be_of(OURS)
    assert not manifest.may_be_of(OTHER_ADDRESS)


def test_where_no_account_is_known_the_number_alone_counts(out: Path) -> None:
    file(out, OTHER_ADDRESS, {"a.pdf": b"same"})
    forget(out)

    assert file(out, None, {"a.pdf": b"same"}).folder == "Acme/PO1"


def test_the_manifest_says_whose_order_it_is(out: Path) -> None:
    file(out, OURS, {"a.pdf": b"x"})

    page = json.loads((out / "Acme" / "PO1" / MANIFEST_NAME).read_text(encoding="utf-8"))
    assert page["account"] == {"portal": "demo", "address": "https://portal.example", "profile": "work"}
