"""Reads passwords from the system keyring, only for what the login form needs and the settings do not give.

Entries of the service ``poolwright``: the user's name for the password, ``<user>/totp`` for the secret of the one-time
codes, ``<profile>/token`` for the token of a profile, the path of a private key file for its passphrase. A machine
without a keyring is no error; the functions return the reason why a secret is not available.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

from pydantic import SecretStr

from poolwright.portal.login_schema import SecretName
from poolwright.portal.pack import Pack
from poolwright.settings import Settings, variable_name

SERVICE_NAME = "poolwright"


def fill_from_keyring(settings: Settings, pack: Pack) -> tuple[Settings, str]:
    """Complete the settings with what the login of the portal needs.

    Args:
        settings: The settings of the user.
        pack: Defines which secrets its login uses.

    Returns:
        The completed settings, and why the password or the token is not known; empty if it is, or if no user is set
        and so no password is used.
    """
    if SecretName.TOKEN in pack.login.secrets and not settings.login_token.get_secret_value():
        token, problem = read_secret(f"{settings.profile}/token")
        if problem:
            return settings, f"No token is known: {variable_name('login_token')} is not set, and {problem}."
        settings = settings.model_copy(update={"login_token": SecretStr(token)})
    if not settings.user or SecretName.PASSWORD not in pack.login.secrets:
        return settings, ""
    secrets: dict[str, SecretStr] = {}
    problem = ""
    if not settings.password.get_secret_value():
        password, problem = read_secret(settings.user)
        secrets["password"] = SecretStr(password)
    if SecretName.CODE in pack.login.secrets and not settings.totp_secret.get_secret_value() and not problem:
        secret, _ = read_secret(f"{settings.user}/totp")
        secrets["totp_secret"] = SecretStr(secret)
    notice = (
        f"No password is known for {settings.user}: {variable_name('password')} is not set, and {problem}."
        if problem
        else ""
    )
    return settings.model_copy(update=secrets), notice


def read_secret(entry: str) -> tuple[str, str]:
    """Return a secret from the keyring, and why it is empty if it is."""
    if sys.platform != "darwin":
        # It imports what is for macOS alone on every system, which starts a compiler to look for libraries of macOS.
        sys.modules.setdefault("keyring.backends.macOS.api", cast("ModuleType", None))
    import keyring  # noqa: PLC0415 - its import searches all keyrings of the system, which is slow and which few runs need
    from keyring.errors import KeyringError, NoKeyringError  # noqa: PLC0415 - see above

    try:
        secret = keyring.get_password(SERVICE_NAME, entry)
    except NoKeyringError:
        return "", "this system has no keyring"
    except KeyringError as error:
        return "", f"the system keyring can't be opened ({error})"
    if not secret:
        return "", f"the system keyring has no entry for it (`keyring set {SERVICE_NAME} {entry}` stores one)"
    return secret, ""
