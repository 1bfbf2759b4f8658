"""A password comes from the keyring when settings lack it; what keeps it from that is told, and no error."""

from __future__ import annotations

import sys

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked
from pydantic import SecretStr

from poolwright.portal import pack as packs
from poolwright.portal.login_schema import TokenHeader
from poolwright.service.keyring import fill_from_keyring
from poolwright.settings import Settings

PACK = packs.load("demo")


class MemoryKeyring(KeyringBackend):
    """A keyring that lies in memory, and notes what it is asked for."""

    priority = 1  # pyright: ignore[reportAssignmentType] - the library takes a number as well

    def __init__(self, **entries: str) -> None:
        self.entries = {("poolwright", name.replace("_totp", "/totp")): secret for name, secret in entries.items()}
        self.asked: list[str] = []

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append(username)
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password


class LockedKeyring(MemoryKeyring):
    """A keyring whose owner is away."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("its owner is away")


def use(monkeypatch: pytest.MonkeyPatch, backend: KeyringBackend) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)


def settings(user: str = "anna", password: str = "", totp_secret: str = "") -> Settings:
    return Settings.model_construct(
        user=user,
        password=SecretStr(password),
        totp_secret=SecretStr(totp_secret),
        login_token=SecretStr(""),
        profile="mine",
    )


def test_password_and_secret_are_taken_from_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, MemoryKeyring(anna="hunter2", anna_totp="JBSWY3DPEHPK3PXP"))

    found, notice = fill_from_keyring(settings(), PACK)

    assert (found.password.get_secret_value(), found.totp_secret.get_secret_value()) == ("hunter2", "JBSWY3DPEHPK3PXP")
    assert notice == ""


def test_what_is_set_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    drawer = MemoryKeyring(anna="other", anna_totp="other")
    use(monkeypatch, drawer)
    given = settings(password="hunter2", totp_secret="JBSWY3DPEHPK3PXP")

    found, notice = fill_from_keyring(given, PACK)

    assert (found.password, found.totp_secret) == (given.password, given.totp_secret)
    assert (notice, drawer.asked) == ("", [])


def test_without_a_user_or_a_form_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    drawer = MemoryKeyring()
    use(monkeypatch, drawer)
    formless = PACK.model_copy(update={"login": PACK.login.model_copy(update={"form": None})})

    assert fill_from_keyring(settings(user=""), PACK)[1] == ""
    assert fill_from_keyring(settings(), formless)[1] == ""
    assert drawer.asked == []


def test_the_secret_is_asked_for_only_where_the_portal_wants_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    drawer = MemoryKeyring(anna="hunter2")
    use(monkeypatch, drawer)
    codeless = PACK.model_copy(update={"login": PACK.login.model_copy(update={"second_factor": None})})

    fill_from_keyring(settings(), codeless)

    assert drawer.asked == ["anna"]


@pytest.mark.parametrize(
    ("backend", "why"),
    [
        (fail.Keyring(), "this system has no keyring"),
        (null.Keyring(), "`keyring set poolwright anna` stores one"),
        (LockedKeyring(), "its owner is away"),
    ],
    ids=["none", "empty", "locked"],
)
def test_a_password_that_is_nowhere_is_told_and_is_no_error(
    monkeypatch: pytest.MonkeyPatch, backend: KeyringBackend, why: str
) -> None:
    use(monkeypatch, backend)

    found, notice = fill_from_keyring(settings(), PACK)

    assert found.password.get_secret_value() == ""
    if sys.platform != "darwin":
        assert sys.modules["keyring.backends.macOS.api"] is None, "its import would start a compiler"
    assert notice.startswith("No password is known for anna: POOLWRIGHT_PASSWORD is not set, and ")
    assert why in notice


def with_token() -> packs.Pack:
    """The demo portal, were it to know its visitors by a token."""
    header = TokenHeader(name="X-Key", value="{token}")
    return PACK.model_copy(update={"login": PACK.login.model_copy(update={"form": None, "header": header})})


def test_a_token_is_that_of_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    drawer = MemoryKeyring(**{"mine/token": "tok-4711"})
    use(monkeypatch, drawer)

    found, notice = fill_from_keyring(settings(user=""), with_token())

    assert (found.login_token.get_secret_value(), notice) == ("tok-4711", "")
    assert drawer.asked == ["mine/token"]


def test_a_token_that_is_nowhere_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, MemoryKeyring())

    found, notice = fill_from_keyring(settings(user=""), with_token())

    assert found.login_token.get_secret_value() == ""
    assert notice.startswith("No token is known: POOLWRIGHT_LOGIN_TOKEN is not set, and ")


def test_a_token_that_is_set_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    drawer = MemoryKeyring()
    use(monkeypatch, drawer)
    given = settings(user="").model_copy(update={"login_token": SecretStr("tok-4711")})

    assert fill_from_keyring(given, with_token()) == (given, "")
    assert drawer.asked == []
