"""Reads passwords from the system keyring, only for what the login form needs and the settings do not give.

Entries lie under the service ``poolwright``: the user's name holds the password, ``<user>/totp`` the secret of the
one-time codes, the path of a private key's file its passphrase. A machine without a keyring is no error; that is told
to whoever needs the password.
"""

from __future__ import annotations

from pydantic import SecretStr

from poolwright.portal.pack import Pack
from poolwright.settings import Settings, variable_name

SERVICE_NAME = "poolwright"


def fill_from_keyring(settings: Settings, pack: Pack) -> tuple[Settings, str]:
    """Complete the settings with what the login form needs.

    Args:
        settings: As they were given.
        pack: Says whether there is a form, and whether it wants a one-time code.

    Returns:
        The settings to go on with, and what keeps anybody from filling in the form: empty where nothing does, or where
        no user is set and so nobody means to.
    """
    if not settings.user or pack.login.form is None:
        return settings, ""
    found: dict[str, SecretStr] = {}
    why = ""
    if not settings.password.get_secret_value():
        password, why = read_secret(settings.user)
        found["password"] = SecretStr(password)
    if pack.login.second_factor is not None and not settings.totp_secret.get_secret_value() and not why:
        secret, _ = read_secret(f"{settings.user}/totp")
        found["totp_secret"] = SecretStr(secret)
    notice = (
        f"No password is known for {settings.user}: {variable_name('password')} is not set, and {why}." if why else ""
    )
    return settings.model_copy(update=found), notice


def read_secret(entry: str) -> tuple[str, str]:
    """Return a secret from the keyring, and why it is empty if it is."""
    import keyring  # noqa: PLC0415 - it looks for every keyring of the system, which takes time that few runs need
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
