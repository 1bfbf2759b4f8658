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
from tests.support.program import Ended, ProgramFolder, environment_of

pytestmark = [needs_chromium, pytest.mark.timeout(600)]

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
    #: Two where workers hand a login to each other that is made in several steps, or changes all the time.
    workers: int = 1
    #: Whether the login ends within the list.
    ends: bool = True

    @property
    def numbers(self) -> list[str]:
        """Orders enough for a restart of every worker, and for one more order after it."""
        return [str(number) for number in range(4001, 4001 + 3 * self.workers)]

    @property
    def logins(self) -> int:
        """How often one logs in at most.

        For the profile, and by each worker for the list (the headless shell keeps no cookie without an expiry) and
        after the end: mostly one of two logs in for both, but not if the other asks just before the first is ready,
        or if the cookie that it gets was replaced meanwhile. None for an order or a restart.
        """
        return 1 + 2 * self.workers if self.ends else 0


def kinds() -> dict[str, Kind]:
    """One portal for each."""
    return {
        "pages": Kind(portal=LoginPortal(pages=made.two_pages), rules=QUESTION, workers=2),
        "provider": Kind(portal=LoginPortal(pages=made.provider), rules=f'hosts = ["localhost"]\n{AS_FORM}'),
        "rotating": Kind(
            portal=LoginPortal(pages=made.form, is_rotating=True),
            rules=AS_FORM.replace('"#', '"#login #'),
            workers=2,
        ),
        "sign_on": Kind(
            portal=LoginPortal(pages=made.sign_on),
            rules='[login.sign_on]\nbutton = "#sso"\n',
            ladder='"revisit", "sign_on"',
        ),
        "basic": Kind(portal=made.basic_portal(), rules=BASIC_RULES, ladder='"revisit"', ends=False),
        "token": Kind(portal=made.token_portal(), rules=TOKEN_RULES, ladder='"revisit"', ends=False),
    }


def desk_at(folder: Path, portal: LoginPortal, kind: Kind) -> ProgramFolder:
    """A folder with a pack of its user's own."""
    environment = environment_of(folder, portal.client) | {"POOLWRIGHT_LOGIN_TOKEN": made.TOKEN}
    environment["POOLWRIGHT_PROFILE"] = "mine"
    pack = made.pack_text(kind.rules, ladder=kind.ladder, page_s=30)
    (folder / "mine.toml").write_text(pack, encoding="utf-8")
    return ProgramFolder(folder=folder, portal=portal.client, environment=environment)


async def create_profile(program: ProgramFolder, portal: LoginPortal) -> Ended:
    return await program.run("profile", "create", "mine", "--portal", "mine.toml", "--base-url", portal.url)


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
        program = desk_at(tmp_path, portal, kind)
        created = await create_profile(program, portal)
        assert created.code == 0, created
        assert "logged in" in created.out
        portal.expires_after = len(kind.numbers) - 2 if kind.ends else 0
        restarting = ("--workers", str(kind.workers), "--tabs", "1", "--recycle-after-tasks", "2")
        ended = await program.run("run", *kind.numbers, *restarting, "--json", "--folder-template", "{number}")

    assert ended.code == 0, (ended, program.log())
    assert sorted(path.parent.name for path in program.out.glob("*/*.pdf")) == kind.numbers
    moves = [line["transition"] for line in ended.objects() if line["type"] == "moved"]
    assert ("worker", "RESTARTING") in {(move["machine"], move["target"]) for move in moves}
    assert portal.logins <= kind.logins
    assert {path.read_bytes() for path in program.out.glob("*/*.pdf")} == {made.PDF}
    assert program.left_over() == []
    assert secrets_in(tmp_path) == {}
    assert not any(secret in text for secret in SECRETS for text in (ended.out, ended.errors, created.out))
    attempts = re.findall(r'"attempts?":\s*(\d+)', ended.out)
    assert set(attempts) <= {"1"}, "a login that ended costs no attempt"


@pytest.mark.parametrize(("name", "sentence"), [("basic", "HTTP authentication"), ("token", "login_token")])
async def test_what_a_portal_refuses_is_told_as_a_login(name: str, sentence: str, tmp_path: Path) -> None:
    kind = kinds()[name]
    async with login_portal(kind.portal) as portal:
        program = desk_at(tmp_path, portal, kind)
        program.environment.update(POOLWRIGHT_PASSWORD="wrong", POOLWRIGHT_LOGIN_TOKEN="wrong")
        created = await create_profile(program, portal)

    assert created.code == 4, created
    assert sentence in created.errors + created.out
