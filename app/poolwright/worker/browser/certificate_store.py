"""The certificates of a browser, set before its launch: the authorities that it trusts, and its client certificate.

On Linux, Chrome and Chromium read both from a database below HOME only. So the browser of a worker gets a HOME of its
own with such a database: a copy of the user's, with the certificates of the settings added. On other systems both are
in the store of the system, where a person puts them; here only the client certificate is selected. No check of
certificates is ever turned off.
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

#: Below HOME; browsers use the first one that exists.
_DATABASES = (Path(".pki", "nssdb"), Path(".local", "share", "pki", "nssdb"))
#: The files of a database that are copied. A third one holds smart card modules and the path of the first two.
_FILES = ("cert9.db", "key4.db")
#: Other paths below HOME, by the variable that can name them.
_HOME_PATHS: Mapping[str, Path] = {
    "XAUTHORITY": Path(".Xauthority"),
    "XDG_CACHE_HOME": Path(".cache"),
    "XDG_CONFIG_HOME": Path(".config"),
    "XDG_DATA_HOME": Path(".local", "share"),
}
_PREFERENCES = Path("Default", "Preferences")
_CERTIFICATE_END = "-----END CERTIFICATE-----"
_NAME = "poolwright"


async def prepare_certificates(options: BrowserOptions, profile: Path) -> dict[str, str] | None:
    """Set up the certificates of a browser before its launch; return its environment, or ``None`` for the default.

    Args:
        options: The authorities and the client certificate.
        profile: The user-data folder of the browser.

    Raises:
        CannotStartError: The certificates cannot be set up.
    """
    if not options.authorities and options.identity is None:
        return None
    try:
        return await anyio.to_thread.run_sync(_write_certificates, options, profile)
    except NssError as error:
        msg = (
            f"ca_file or client_cert cannot be set up: the certificate database below HOME reports an error "
            f"({error}). Remove both settings to use your own database, which `certutil` can change."
        )
        raise CannotStartError(msg) from error
    except (OSError, ValueError) as error:
        msg = f"ca_file or client_cert cannot be set up for the browser ({error})."
        raise CannotStartError(msg) from error


def _write_certificates(options: BrowserOptions, profile: Path) -> dict[str, str] | None:
    if options.identity is not None:
        _select_client_certificate(options.identity, options.http_origin, profile / _PREFERENCES)
    if not sys.platform.startswith("linux"):
        return None
    inherited = os.environ  # noqa: TID251 - the browser inherits it; it holds no setting of ours
    home = Path(tempfile.gettempdir(), "home")
    user_home = Path(inherited["HOME"]) if inherited.get("HOME") else None
    _make_home(home, user_home, options)
    return browser_environment(inherited, user_home, home)


def browser_environment(inherited: Mapping[str, str], user_home: Path | None, home: Path) -> dict[str, str]:
    """Return the environment of a browser with another HOME, whose other paths stay in the user's home.

    Args:
        inherited: The environment of this process.
        user_home: The user's home, if there is one.
        home: The HOME of the browser.
    """
    defaults = {} if user_home is None else {name: str(user_home / path) for name, path in _HOME_PATHS.items()}
    return {**defaults, **inherited, "HOME": str(home)}


def _make_home(home: Path, user_home: Path | None, options: BrowserOptions) -> None:
    """Create the HOME of the browser again, because an earlier browser may have been killed in it."""
    shutil.rmtree(home, ignore_errors=True)
    database = home / _DATABASES[0]
    database.mkdir(mode=0o700, parents=True)
    if user_home is not None:
        _copy_database(user_home, database)
    with open_certificate_database(database) as opened:
        for number, certificate in enumerate(parse_certificates(options.authorities)):
            opened.add_authority(certificate, f"{_NAME} authority {number}")
        if options.identity is not None:
            _add_client_certificate(options.identity, opened)


def _copy_database(user_home: Path, database: Path) -> None:
    """Copy the user's own database; one that cannot be read is skipped."""
    for path in _DATABASES:
        with contextlib.suppress(FileNotFoundError, PermissionError):
            for name in _FILES:
                shutil.copyfile(user_home / path / name, database / name)
            return


def _add_client_certificate(identity: Identity, database: CertificateDatabase) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - few workers have a client certificate
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415 - see above

    key = serialization.load_pem_private_key(identity.key.text.encode(), None)
    match key:
        case rsa.RSAPrivateKey():
            modulus = key.public_key().public_numbers().n
            public = modulus.to_bytes((modulus.bit_length() + 7) // 8)
        case ec.EllipticCurvePrivateKey():
            point_format = serialization.PublicFormat.UncompressedPoint
            public = key.public_key().public_bytes(serialization.Encoding.X962, point_format)
        case _:
            msg = "browsers cannot use a key of this type"
            raise ValueError(msg)
    key_der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    database.add_key(key_der, public, _NAME)
    for number, certificate in enumerate(parse_certificates(identity.chain)):
        database.add_certificate(certificate, f"{_NAME} {number}" if number else _NAME)


def parse_certificates(text: str) -> Iterator[bytes]:
    """Yield each certificate of a PEM text as DER."""
    for part in text.split(_CERTIFICATE_END)[:-1]:
        yield ssl.PEM_cert_to_DER_cert(part.strip() + "\n" + _CERTIFICATE_END)


def _select_client_certificate(identity: Identity, origin: str, preferences: Path) -> None:
    """Make the browser send this certificate to the portal and the named hosts without a prompt."""
    settings: dict[str, Any] = json.loads(preferences.read_bytes()) if preferences.exists() else {}
    section = settings
    for name in ("profile", "content_settings", "exceptions"):
        section = cast("dict[str, Any]", section.setdefault(name, {}))
    certificate_filter = {"SUBJECT": {"CN": identity.name}} if identity.name else {}
    patterns = (_with_port(origin), *map(_host_pattern, identity.hosts))
    section["auto_select_certificate"] = {
        f"{pattern},*": {"setting": {"filters": [certificate_filter]}} for pattern in patterns
    }
    preferences.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = preferences.with_name("Preferences.poolwright")
    part.write_text(json.dumps(settings), encoding="utf-8")
    part.replace(preferences)


def _with_port(origin: str) -> str:
    """Return an origin as a pattern of the browser's preferences, which has even the default port."""
    parts = urlsplit(origin)
    return origin if parts.port else f"{origin}:{443 if parts.scheme == 'https' else 80}"


def _host_pattern(host: str) -> str:
    """Return the pattern for every port of a host, or of all hosts below a name with a leading dot."""
    return f"https://[*{host[:1]}]{host[1:]}" if host.startswith(".") else f"https://{host}"
