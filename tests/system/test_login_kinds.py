"""The whole program at portals of its user's own: a profile, a list, workers that restart, and a login that ends."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import login_portals as made
from tests.support.login_portals import AS_FORM, LoginPortal, login_portal, steps
from tests.support.portal import needs_chromium
from tests.support.program import Desk, Ended, environment_of

pytestmark = [needs_chromium, pytest.mark.timeout(600)]

NUMBERS = [str(number) for number in range(4001, 4007)]
QUESTION = steps(
    'fill = "#user"; value = "{user}"',
    'click = "#next"',
    'fill = "#password"; value = "{password}"',
    'click = "#next"',
    'click = "#next"; if_present = true',
)
BASIC_RULES = '[login.http]\nscheme = "basic"\n'
TOKEN_RULES = '[login.header]\nname = "X-Key"\nvalue = "Bearer {token}"\n'
SECRETS = (made.PASSWORD, made.TOKEN, b64encode(f"{made.USER}:{made.PASSWORD}".encode()).decode())


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A portal, what its pack says about the login, and how often one logs in at most if it ends within a list."""

    portal: LoginPortal
    rules: str
    ladder: str = '"revisit", "form"'
    #: For the profile, and by each of two workers for the list (the headless shell keeps no cookie without an expiry)
    #: and after the end: mostly one logs in for both, but not if the other asks just before the first is ready, or
    #: if the cookie that it gets was replaced meanwhile. None for an order or a restart.
    logins: int = 5


def kinds() -> dict[str, Kind]:
    """One portal for each."""
    return {
        "pages": Kind(portal=LoginPortal(pages=made.two_pages), rules=QUESTION),
        "provider": Kind(portal=LoginPortal(pages=made.provider), rules=f'hosts = ["localhost"]\n{AS_FORM}'),
        "rotating": Kind(
            portal=LoginPortal(pages=made.form, is_rotating=True), rules=AS_FORM.replace('"#', '"#login #')
        ),
        "sign_on": Kind(
            portal=LoginPortal(pages=made.sign_on),
            rules='[login.sign_on]\nbutton = "#sso"\n',
            ladder='"revisit", "sign_on"',
        ),
        "basic": Kind(portal=made.basic_portal(), rules=BASIC_RULES, ladder='"revisit"', logins=0),
        "token": Kind(portal=made.token_portal(), rules=TOKEN_RULES, ladder='"revisit"', logins=0),
    }


def desk_at(folder: Path, portal: LoginPortal, kind: Kind) -> Desk:
    """A desk with a pack of its user's own."""
    environment = environment_of(folder, portal.client) | {"POOLWRIGHT_LOGIN_TOKEN": made.TOKEN}
    environment["POOLWRIGHT_PROFILE"] = "mine"
    pack = made.pack_text(kind.rules, ladder=kind.ladder, page_s=30)
    (folder / "mine.toml").write_text(pack, encoding="utf-8")
    return Desk(folder=folder, portal=portal.client, environment=environment)


async def create_profile(desk: Desk, portal: LoginPortal) -> Ended:
    return await desk.run("profile", "create", "mine", "--portal", "mine.toml", "--base-url", portal.url)


def secrets_in(folder: Path) -> dict[str, str]:
    """Where a secret stands in clear text below a folder; a browser's own database of cookies holds none of them."""
    found: dict[str, str] = {}
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found |= {str(path): secret for secret in SECRETS if secret.encode() in content}
    return found


@pytest.mark.parametrize("name", kinds())
async def test_a_list_is_done_with_workers_that_restart_and_a_login_that_ends(name: str, tmp_path: Path) -> None:
    kind = kinds()[name]
    async with login_portal(kind.portal) as portal:
        desk = desk_at(tmp_path, portal, kind)
        created = await create_profile(desk, portal)
        assert created.code == 0, created
        assert "logged in" in created.out
        portal.expires_after = 4 if kind.logins else 0
        restarting = ("--workers", "2", "--tabs", "1", "--recycle-after-tasks", "2")
        ended = await desk.run("run", *NUMBERS, *restarting, "--json", "--folder-template", "{number}")

    assert ended.code == 0, (ended, desk.log())
    assert sorted(path.parent.name for path in desk.out.glob("*/*.pdf")) == NUMBERS
    assert portal.logins <= kind.logins
    assert {path.read_bytes() for path in desk.out.glob("*/*.pdf")} == {made.PDF}
    assert desk.left_over() == []
    assert secrets_in(tmp_path) == {}
    assert not any(secret in text for secret in SECRETS for text in (ended.out, ended.errors, created.out))
    attempts = re.findall(r'"attempts?":\s*(\d+)', ended.out)
    assert set(attempts) <= {"1"}, "a login that ended costs no attempt"


@pytest.mark.parametrize(("name", "sentence"), [("basic", "HTTP authentication"), ("token", "login_token")])
async def test_what_a_portal_refuses_is_told_as_a_login(name: str, sentence: str, tmp_path: Path) -> None:
    kind = kinds()[name]
    async with login_portal(kind.portal) as portal:
        desk = desk_at(tmp_path, portal, kind)
        desk.environment.update(POOLWRIGHT_PASSWORD="wrong", POOLWRIGHT_LOGIN_TOKEN="wrong")
        created = await create_profile(desk, portal)

    assert created.code == 4, created
    assert sentence in created.errors + created.out
