"""Certificates of one's own in real browsers: whom they trust, and what they show to whom."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.options import BrowserOptions, PortalOptions
from poolwright.portal.triage import Verdict
from poolwright.worker.browser.launcher import launch_browser, open_driver
from poolwright.worker.browser.nss import open_certificate_database
from poolwright.worker.errors import PortalDownError
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.page import traffic
from poolwright.worker.page.reachability import describe_failure
from poolwright.worker.page.visit import visit
from tests.support.certificates import dropping_portal, make, new_key, secure_portal
from tests.support.renegotiating_portal import renegotiating_portal
from tests.support.sessions import CHROMIUM, browser_options
from tests.support.sites import pack_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere browsers go by the system's own store")

ROOT = make("Company Root", is_authority=True)
UNTRUSTED = make("Another Root", is_authority=True)
SERVER = make("portal", ROOT)
OF_UNTRUSTED = make("portal", UNTRUSTED)
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
        context = await launch_browser(playwright, options, folder / "profile", folder)
        page = await context.new_page()
        for url in urls:
            try:
                await page.goto(url)
                found.append(await page.inner_text("body"))
            except PlaywrightError as error:
                found.append(describe_failure(url, error))
        await context.close()
    return found


async def test_the_shell_trusts_an_own_authority_beside_the_users_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = make("Root of the user", is_authority=True)
    database = tmp_path / "user" / ".local" / "share" / "pki" / "nssdb"
    database.mkdir(parents=True)
    with open_certificate_database(database) as opened:
        opened.add_authority(users.der, "mine")
    before = (database / "cert9.db").read_bytes()
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    options = replace(browser_options(), authorities=ROOT.pem)
    with (
        secure_portal(make("portal", users), tmp_path) as known,
        secure_portal(SERVER, tmp_path) as ours,
        secure_portal(OF_UNTRUSTED, tmp_path) as theirs,
        secure_portal(SERVER, tmp_path, wants=ROOT) as asking,
        dropping_portal() as dropping,
    ):
        here, of_user, there, unknown, dropped = await shown(options, tmp_path, ours, known, theirs, asking, dropping)

    assert (here, of_user) == ("hello nobody", "hello nobody")
    assert (database / "cert9.db").read_bytes() == before
    assert "POOLWRIGHT_CA_FILE" in there
    assert "cannot be opened" in unknown
    assert "POOLWRIGHT_CLIENT_CERT" in unknown
    assert "the connection was accepted and then closed" in dropped


@pytest.mark.parametrize("is_rsa", [True, False])
async def test_a_certificate_is_shown_to_the_portal_and_checks_stay(*, is_rsa: bool, tmp_path: Path) -> None:
    anna = make("anna", ROOT, key=new_key(is_rsa=is_rsa))
    with (
        secure_portal(SERVER, tmp_path, wants=ROOT) as portal,
        secure_portal(SERVER, tmp_path, wants=ROOT) as sso,
        secure_portal(SERVER, tmp_path) as ours,
        secure_portal(OF_UNTRUSTED, tmp_path) as theirs,
    ):
        identity = replace(anna.identity, hosts=("127.0.0.1",))
        options = replace(WHOLE, identity=identity, http_origin=portal)
        visited, by_name, here, there = await shown(options, tmp_path, portal, sso, ours, theirs)

    assert (visited, by_name, here) == ("hello anna", "hello anna", "hello nobody")
    assert "POOLWRIGHT_CA_FILE" in there


async def test_a_certificate_that_some_pages_alone_ask_for_is_shown_there(tmp_path: Path) -> None:
    with renegotiating_portal(SERVER, ROOT, tmp_path) as portal:
        options = replace(WHOLE, identity=make("anna", ROOT).identity, http_origin=portal)
        found = await shown(options, tmp_path, portal, f"{portal}/secure", portal)

    assert found[:2] == ["hello nobody", "hello anna"]


async def test_a_portal_that_refuses_its_visitor_is_told_as_such(tmp_path: Path) -> None:
    with secure_portal(SERVER, tmp_path, wants=UNTRUSTED) as portal:
        options = replace(WHOLE, identity=make("anna", ROOT).identity, http_origin=portal)
        (sentence,) = await shown(options, tmp_path, portal)

    assert "cannot be opened" in sentence
    assert "POOLWRIGHT_CLIENT_CERT" in sentence


async def test_a_host_that_asks_for_a_certificate_that_it_may_not_see_is_told_at_once_and_a_slow_one_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "_PATIENCE_S", 0.3)
    monkeypatch.setattr(traffic, "_LIMIT_S", 60.0)
    pack = pack_of("", page_s=300)
    with (
        secure_portal(SERVER, tmp_path, wants=ROOT) as sso,
        secure_portal(SERVER, tmp_path, leads_to=f"{sso}/sign-on") as portal,
        secure_portal(SERVER, tmp_path) as slow,
        secure_portal(OF_UNTRUSTED, tmp_path) as theirs,
    ):
        options = replace(WHOLE, identity=make("anna", ROOT).identity, http_origin=portal)
        async with open_driver() as playwright:
            context = await launch_browser(playwright, options, tmp_path / "profile", tmp_path)
            (page,) = context.pages
            door = PortalProbe(pack=pack, portal=PortalOptions(pack_json="", base_url=portal))
            demands = [await door.required_login_step(page) for _ in range(2)]
            late = await visit(page, pack, slow, f"{slow}/late")
            monkeypatch.delattr(traffic, "_needs_prompt")  # a host without a prompt is not checked again
            assert not await traffic._is_prompt_open(page, f"{slow}/later")
            with pytest.raises(PortalDownError) as untrusted:
                await replace(door, portal=PortalOptions(pack_json="", base_url=theirs)).required_login_step(page)
            count = len(context.pages)
            await context.close()

    cause = "its login page cannot be opened (net::ERR_SSL_CLIENT_AUTH_CERT_NEEDED)"
    begin = f"{cause}: the portal redirects to 127.0.0.1, and "
    assert demands[0] == demands[1]
    assert str(demands[0]).startswith(begin)
    assert "POOLWRIGHT_CLIENT_CERT_HOSTS" in str(demands[0])
    assert late.verdict is Verdict.READY
    assert str(untrusted.value).startswith(
        "The portal's page /orders cannot be opened (net::ERR_CERT_AUTHORITY_INVALID): "
    )
    assert count == 1, "what was opened to ask is closed"
