"""The certificates of a browser.

The authorities it trusts and the client certificate it shows, set before its launch.

On Linux Chrome and Chromium look for both in a database below HOME, and nowhere else. So the browser of a worker gets a
HOME of its own that holds such a database: what the user's own has, and what the settings name. On other systems both
lie in the store of the system, where a person puts them; there only the choice is made here. Never is a check of
certificates turned off.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import ssl
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import anyio.to_thread

from poolwright.domain.options import BrowserOptions, Identity
from poolwright.worker.browser.nss import CertificateDatabase, NssError, open_certificate_database
from poolwright.worker.errors import CannotStartError

#: Below HOME. Browsers take the first of these that is there.
_DATABASES = (Path(".pki", "nssdb"), Path(".local", "share", "pki", "nssdb"))
#: What such a database is made of. A third file names programs for smart cards, and the place of the first two.
_FILES = ("cert9.db", "key4.db")
#: What else is looked for below HOME, by the variable that names its place.
_PLACES: Mapping[str, Path] = {
    "XAUTHORITY": Path(".Xauthority"),
    "XDG_CACHE_HOME": Path(".cache"),
    "XDG_CONFIG_HOME": Path(".config"),
    "XDG_DATA_HOME": Path(".local", "share"),
}
_PREFERENCES = Path("Default", "Preferences")
_CERTIFICATE_END = "-----END CERTIFICATE-----"
_NAME = "poolwright"


async def prepare_certificates(options: BrowserOptions, profile: Path) -> dict[str, str] | None:
    """Tell a browser before its launch; the environment that it is to have, or nothing for the usual one.

    Args:
        options: What it is to trust and to show.
        profile: Its user-data folder.

    Raises:
        CannotStartError: It cannot be told.
    """
    if not options.authorities and options.identity is None:
        return None
    try:
        return await anyio.to_thread.run_sync(_write_certificates, options, profile)
    except NssError as error:
        msg = (
            f"ca_file or client_cert cannot be set up: the certificate database below HOME reports an error "
            f"({error}). Without them the browser uses your own database, which `certutil` can change."
        )
        raise CannotStartError(msg) from error
    except (OSError, ValueError) as error:
        msg = f"ca_file or client_cert cannot be set up for the browser ({error})."
        raise CannotStartError(msg) from error


def _write_certificates(options: BrowserOptions, profile: Path) -> dict[str, str] | None:
    if options.identity is not None:
        _choose(options.identity, options.http_origin, profile / _PREFERENCES)
    if not sys.platform.startswith("linux"):
        return None
    inherited = os.environ  # noqa: TID251 - the browser inherits it, and nothing of it is a setting of ours
    home = Path(tempfile.gettempdir(), "home")
    own = Path(inherited["HOME"]) if inherited.get("HOME") else None
    _furnish(home, own, options)
    return browser_environment(inherited, own, home)


def browser_environment(inherited: Mapping[str, str], own: Path | None, home: Path) -> dict[str, str]:
    """That of a browser with another HOME, which finds all else where it was.

    Args:
        inherited: What it would have without.
        own: The user's own home, where there is one.
        home: The other one.
    """
    usual = {} if own is None else {name: str(own / place) for name, place in _PLACES.items()}
    return {**usual, **inherited, "HOME": str(home)}


def _furnish(home: Path, own: Path | None, options: BrowserOptions) -> None:
    """Make the other home anew: an earlier browser may have been killed in it."""
    shutil.rmtree(home, ignore_errors=True)
    database = home / _DATABASES[0]
    database.mkdir(mode=0o700, parents=True)
    if own is not None:
        _copy(own, database)
    with open_certificate_database(database) as opened:
        for number, certificate in enumerate(parse_certificates(options.authorities)):
            opened.add_authority(certificate, f"{_NAME} authority {number}")
        if options.identity is not None:
            _introduce(options.identity, opened)


def _copy(own: Path, database: Path) -> None:
    """Have what the user's own database holds; one that nobody may read here is as good as none."""
    for place in _DATABASES:
        with contextlib.suppress(FileNotFoundError, PermissionError):
            for name in _FILES:
                shutil.copyfile(own / place / name, database / name)
            return


def _introduce(identity: Identity, database: CertificateDatabase) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - few workers have a certificate to show
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415 - see above

    key = serialization.load_pem_private_key(identity.key.text.encode(), None)
    match key:
        case rsa.RSAPrivateKey():
            modulus = key.public_key().public_numbers().n
            public = modulus.to_bytes((modulus.bit_length() + 7) // 8)
        case ec.EllipticCurvePrivateKey():
            form = serialization.PublicFormat.UncompressedPoint
            public = key.public_key().public_bytes(serialization.Encoding.X962, form)
        case _:
            msg = "browsers cannot use a key of this type"
            raise ValueError(msg)
    plain = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    database.add_key(plain, public, _NAME)
    for number, certificate in enumerate(parse_certificates(identity.chain)):
        database.add_certificate(certificate, f"{_NAME} {number}" if number else _NAME)


def parse_certificates(text: str) -> Iterator[bytes]:
    """Every certificate of a PEM text, as DER."""
    for part in text.split(_CERTIFICATE_END)[:-1]:
        yield ssl.PEM_cert_to_DER_cert(part.strip() + "\n" + _CERTIFICATE_END)


def _choose(identity: Identity, origin: str, preferences: Path) -> None:
    """Have the browser show this certificate to the portal, and who else may see it, without asking anybody."""
    settings: dict[str, Any] = json.loads(preferences.read_bytes()) if preferences.exists() else {}
    section = settings
    for name in ("profile", "content_settings", "exceptions"):
        section = cast("dict[str, Any]", section.setdefault(name, {}))
    chosen = {"SUBJECT": {"CN": identity.name}} if identity.name else {}
    places = (_with_port(origin), *map(_anywhere_at, identity.hosts))
    section["auto_select_certificate"] = {f"{place},*": {"setting": {"filters": [chosen]}} for place in places}
    preferences.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = preferences.with_name("Preferences.poolwright")
    draft.write_text(json.dumps(settings), encoding="utf-8")
    draft.replace(preferences)


def _with_port(origin: str) -> str:
    """As a browser writes the patterns of its settings: with the port, though it be the usual one."""
    parts = urlsplit(origin)
    return origin if parts.port else f"{origin}:{443 if parts.scheme == 'https' else 80}"


def _anywhere_at(host: str) -> str:
    """Every port of a host, or of all hosts below a name, as a browser writes it."""
    return f"https://[*{host[:1]}]{host[1:]}" if host.startswith(".") else f"https://{host}"
