"""Downloads trust whom the browser trusts, and show a certificate to the portal and to nobody else."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from poolwright.domain.options import BrowserOptions
from poolwright.worker.transfer.http_client import HttpClients, open_http_clients
from tests.support.certificates import make, secure_portal

ROOT = make("Company Root", is_authority=True)
STRANGER = make("Another Root", is_authority=True)
ANNA = make("anna", ROOT)
SERVER = make("portal", ROOT)


async def asked(options: BrowserOptions, url: str) -> str:
    async with open_http_clients(options, "test", 30.0) as clients:
        client = clients.client_for(url)
        assert client is not None
        return (await client.get(url)).text


async def test_an_own_authority_is_trusted_and_no_other(tmp_path: Path) -> None:
    with secure_portal(SERVER, tmp_path) as url:
        assert await asked(BrowserOptions(authorities=STRANGER.pem + ROOT.pem), url) == "hello nobody"
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await asked(BrowserOptions(authorities=STRANGER.pem), url)


async def test_a_certificate_is_shown_to_the_portal_alone(tmp_path: Path) -> None:
    wanting = secure_portal(SERVER, tmp_path, wants=ROOT)
    with wanting as portal, secure_portal(SERVER, tmp_path, wants=ROOT) as other:
        options = BrowserOptions(authorities=ROOT.pem, identity=ANNA.identity, http_origin=portal)

        assert await asked(options, f"{portal}/f") == "hello anna"
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
            await asked(options, f"{other}/f")
        shared = replace(options, identity=replace(ANNA.identity, hosts=("127.0.0.1",)))
        assert await asked(shared, f"{other}/f") == "hello anna"


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
