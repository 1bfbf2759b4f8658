"""The configured certificates, read once at the start: additional authorities, and a client certificate.

Both are used by browsers and for downloads. Files that cannot be used are reported before anything else starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from poolwright.concurrency import SystemClock
from poolwright.domain.errors import OptionsError
from poolwright.domain.options import Identity
from poolwright.settings import Settings, variable_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """The certificates that the settings name."""

    #: Authorities, as PEM text; empty for none.
    authorities: str = ""
    identity: Identity | None = None
    #: Descriptions for people, one for each of the two.
    found: tuple[str, ...] = ()
    #: When the first of them expires.
    ends: datetime | None = None


def find_certificates(settings: Settings) -> Certificates:
    """Read the files that the settings name.

    Raises:
        OptionsError: A file cannot be read or decrypted, is of another kind, or has expired.
    """
    if settings.client_cert is None and (settings.client_key or settings.client_cert_hosts):
        named = "client_key" if settings.client_key else "client_cert_hosts"
        msg = f"{named} is set but client_cert is not. Set client_cert, too ({variable_name('client_cert')})."
        raise OptionsError(msg)
    if settings.ca_file is None and settings.client_cert is None:
        return Certificates()
    from poolwright.service import certificate_files as files  # noqa: PLC0415 - its library is slow to import, and few runs need it

    now = SystemClock().now()
    authorities = () if settings.ca_file is None else files.read_authorities(settings.ca_file, now)
    own = () if settings.client_cert is None else (files.read_client_certificate(settings, settings.client_cert, now),)
    named = [("ca_file", authorities)] if authorities else []
    named += [("client_cert", client.certificates[:1]) for client in own]
    return Certificates(
        authorities=files.to_pem(authorities),
        identity=next((files.to_identity(client, settings.client_cert_hosts) for client in own), None),
        found=tuple(f"{name}: {files.describe_certificates(certificates)}" for name, certificates in named),
        ends=min((item.not_valid_after_utc for _, certificates in named for item in certificates), default=None),
    )
