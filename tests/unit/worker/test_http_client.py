"""Downloads trust whom the browser trusts, and show a certificate to the portal and to nobody else."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from poolwright.domain.options import BrowserOptions, PortalHeader, Secret
from poolwright.worker.transfer.http_client import HttpClients, PortalAuth, open_http_clients
from tests.support.certificates import make, secure_portal
from tests.support.sites import Answer, serving

ROOT = make("Company Root", is_authority=True)
UNTRUSTED = make("Another Root", is_authority=True)
ANNA = make("anna", ROOT)
SERVER = make("portal", ROOT)


async def asked(options: BrowserOptions, url: str) -> str:
    async with open_http_clients(options, "test", 30.0) as clients:
        client = clients.client_for(url)
        assert client is not None
        return (await client.get(url)).text


async def test_an_own_authority_is_trusted_and_no_other(tmp_path: Path) -> None:
    with secure_portal(SERVER, tmp_path) as url:
        assert await asked(BrowserOptions(authorities=UNTRUSTED.pem + ROOT.pem), url) == "hello nobody"
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await asked(BrowserOptions(authorities=UNTRUSTED.pem), url)


async def test_a_certificate_is_shown_to_the_portal_alone(tmp_path: Path) -> None:
    wanting = secure_portal(SERVER, tmp_path, wants=ROOT)
    with wanting as portal, secure_portal(SERVER, tmp_path, wants=ROOT) as other:
        options = BrowserOptions(authorities=ROOT.pem, identity=ANNA.identity, http_origin=portal)

        assert await asked(options, f"{portal}/f") == "hello anna"
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
            await asked(options, f"{other}/f")
        shared = replace(options, identity=replace(ANNA.identity, hosts=("127.0.0.1",)))
        assert await asked(shared, f"{other}/f") == "hello anna"


async def test_only_the_browser_keeps_cookies() -> None:
    """Else a cookie that it keeps from a host, or has no more, would be sent there."""
    site = {"/": Answer(headers=("Set-Cookie: login=anna; Path=/",)), "/f": lambda request: Answer(body=request)}
    async with serving(site) as portal, open_http_clients(BrowserOptions(), "test", 30.0) as clients:
        client = clients.client_for(portal.url)
        assert client is not None
        set_before = (await client.get(portal.url)).headers["set-cookie"]
        asked_then = (await client.get(f"{portal.url}/f")).text

    assert set_before
    assert "anna" not in asked_then


@pytest.mark.parametrize(
    ("url", "may_see"),
    [
        ("https://portal.test/f", True),
        ("https://portal.test:8443/f", False),
        ("http://portal.test/f", False),
        ("https://sso.test:8443/f", True),
        ("http://sso.test/f", False),
        ("https://nosso.test/f", False),
        ("https://a.b.company.test/f", True),
        ("https://company.test/f", True),
        ("https://mycompany.test/f", False),
    ],
)
def test_other_hosts_see_it_where_settings_name_them(url: str, *, may_see: bool) -> None:
    showing = httpx.AsyncClient()
    clients = HttpClients(
        default=None, with_certificate=showing, portal="https://portal.test", hosts=("sso.test", ".company.test")
    )

    assert clients.client_for(url) is (showing if may_see else None)


HEADER = PortalHeader(name="X-Key", value=Secret(text="tok-4711"))


def auth(header: PortalHeader | None = None, user: str = "") -> PortalAuth:
    return PortalAuth(header, user, Secret(text="hunter2"))


@pytest.mark.parametrize(
    ("url", "is_given"),
    [
        ("https://portal.test/f", True),
        ("https://PORTAL.test:443/f", True),
        ("http://portal.test/f", False),
        ("https://portal.test:8443/f", False),
        ("https://files.portal.test/f", False),
        ("https://portal.test.evil.test/f", False),
        ("https://portal.test@evil.test/f", False),
    ],
)
def test_what_a_portal_knows_its_visitor_by_is_for_its_own_origin(url: str, *, is_given: bool) -> None:
    given = auth(HEADER, "anna")
    clients = HttpClients(default=None, portal="https://portal.test", auth=given)

    assert clients.auth_for(url) is (given if is_given else None)


async def test_where_only_a_browser_can_log_in_nothing_else_asks_the_portal() -> None:
    options = BrowserOptions(http_origin="https://portal.test", is_login_of_browser=True)
    async with (
        open_http_clients(options, "test", 30.0) as clients,
        open_http_clients(replace(options, is_login_of_browser=False), "test", 30.0) as others,
    ):
        assert clients.client_for("https://portal.test/f") is None
        assert clients.client_for("https://files.test/f") is not None
        assert others.client_for("https://portal.test/f") is not None


@pytest.mark.parametrize(
    ("given", "challenge", "sent"),
    [
        (auth(HEADER), 'Basic realm="x"', [("tok-4711", False)]),
        (auth(HEADER, "anna"), 'Basic realm="x"', [("tok-4711", False), ("tok-4711", True)]),
        (auth(user="anna"), 'Negotiate, basic realm="a, b"', [("", False), ("", True)]),
        (auth(user="anna"), "Negotiate", [("", False)]),
    ],
)
async def test_user_and_password_are_given_when_they_are_asked_for_and_once(
    given: PortalAuth, challenge: str, sent: list[tuple[str, bool]]
) -> None:
    seen: list[tuple[str, bool]] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        seen.append((request.headers.get("x-key", ""), "authorization" in request.headers))
        return httpx.Response(401, headers={"WWW-Authenticate": challenge})

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as client:
        answer = await client.get("https://portal.test/f", auth=given)

    assert (answer.status_code, seen) == (401, sent)
