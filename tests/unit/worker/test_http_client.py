"""Downloads trust whom the browser trusts, and show a certificate to the portal and to nobody else."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest

from app.domain.options import BrowserOptions
from app.worker.http_client import open_clients
from tests.support.certificates import make, secure_portal

ROOT = make("Company Root", is_authority=True)
STRANGER = make("Another Root", is_authority=True)
ANNA = make("anna", ROOT)
SERVER = make("portal", ROOT)


async def asked(options: BrowserOptions, url: str) -> str:
    async with open_clients(options, "test", 30.0) as clients:
        client = clients.to(url)
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
