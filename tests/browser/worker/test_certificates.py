"""Certificates of one's own in real browsers: whom they trust, and what they show to whom."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Error as PlaywrightError

from app.domain.options import BrowserOptions
from app.worker.browser import launch, open_driver
from app.worker.nss import open_database
from app.worker.unanswered import told
from tests.support.certificates import make, new_key, secure_portal
from tests.support.sessions import CHROMIUM, browser_options

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere browsers go by the system's own store")

ROOT = make("Company Root", is_authority=True)
STRANGER = make("Another Root", is_authority=True)
SERVER = make("portal", ROOT)
OF_STRANGER = make("portal", STRANGER)
#: The headless shell shows no certificates.
WHOLE = replace(browser_options(CHROMIUM), authorities=ROOT.pem)


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each worker has a temporary folder of its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


async def shown(options: BrowserOptions, folder: Path, *urls: str) -> list[str]:
    """What pages say in a browser of its own, or what people are told where there is none."""
    found: list[str] = []
    async with open_driver() as playwright:
        context = await launch(playwright, options, folder / "profile", folder)
        page = await context.new_page()
        for url in urls:
            try:
                await page.goto(url)
                found.append(await page.inner_text("body"))
            except PlaywrightError as error:
                found.append(told(url, error))
        await context.close()
    return found


async def test_the_shell_trusts_an_own_authority_beside_the_users_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = make("Root of the user", is_authority=True)
    database = tmp_path / "user" / ".local" / "share" / "pki" / "nssdb"
    database.mkdir(parents=True)
    with open_database(database) as opened:
        opened.trust(users.der, "mine")
    before = (database / "cert9.db").read_bytes()
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    options = replace(browser_options(), authorities=ROOT.pem)
    with (
        secure_portal(make("portal", users), tmp_path) as known,
        secure_portal(SERVER, tmp_path) as ours,
        secure_portal(OF_STRANGER, tmp_path) as theirs,
        secure_portal(SERVER, tmp_path, wants=ROOT) as asking,
    ):
        here, of_user, there, unknown = await shown(options, tmp_path, ours, known, theirs, asking)

    assert (here, of_user) == ("hello nobody", "hello nobody")
    assert (database / "cert9.db").read_bytes() == before
    assert "POOLWRIGHT_CA_FILE" in there
    assert "cannot be opened" in unknown
    assert "POOLWRIGHT_CLIENT_CERT" in unknown


@pytest.mark.parametrize("is_rsa", [True, False])
async def test_a_certificate_is_shown_to_the_portal_and_checks_stay(*, is_rsa: bool, tmp_path: Path) -> None:
    anna = make("anna", ROOT, key=new_key(is_rsa=is_rsa))
    with (
        secure_portal(SERVER, tmp_path, wants=ROOT) as portal,
        secure_portal(SERVER, tmp_path, wants=ROOT) as sso,
        secure_portal(SERVER, tmp_path) as ours,
        secure_portal(OF_STRANGER, tmp_path) as theirs,
    ):
        identity = replace(anna.identity, hosts=("127.0.0.1",))
        options = replace(WHOLE, identity=identity, http_origin=portal)
        visited, by_name, here, there = await shown(options, tmp_path, portal, sso, ours, theirs)

    assert (visited, by_name, here) == ("hello anna", "hello anna", "hello nobody")
    assert "POOLWRIGHT_CA_FILE" in there


async def test_a_portal_that_refuses_its_visitor_is_told_as_such(tmp_path: Path) -> None:
    with secure_portal(SERVER, tmp_path, wants=STRANGER) as portal:
        options = replace(WHOLE, identity=make("anna", ROOT).identity, http_origin=portal)
        (sentence,) = await shown(options, tmp_path, portal)

    assert "cannot be opened" in sentence
    assert "POOLWRIGHT_CLIENT_CERT" in sentence
