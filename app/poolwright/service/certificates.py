"""Certificates of one's own, read once at the start: authorities beside the system's, and what a portal is shown.

Both act in browsers and in downloads. What cannot be used is told before anything else is begun.
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
    #: What there is, for a person: one text for each of the two.
    found: tuple[str, ...] = ()
    #: When the first of them ends.
    ends: datetime | None = None


def find_certificates(settings: Settings) -> Certificates:
    """Read the files that the settings name.

    Raises:
        OptionsError: One cannot be read, is of another kind, has ended, or does not open.
    """
    if settings.client_cert is None and (settings.client_key or settings.client_cert_hosts):
        named = "client_key" if settings.client_key else "client_cert_hosts"
        msg = f"{named} is set but client_cert is not. Set client_cert, too ({variable_name('client_cert')})."
        raise OptionsError(msg)
    if settings.ca_file is None and settings.client_cert is None:
        return Certificates()
    from poolwright.service import certificate_files as files  # noqa: PLC0415 - few runs need its library, which takes time

    now = SystemClock().now()
    authorities = () if settings.ca_file is None else files.read_authorities(settings.ca_file, now)
    own = () if settings.client_cert is None else (files.read_client_certificate(settings, settings.client_cert, now),)
    named = [("ca_file", authorities)] if authorities else []
    named += [("client_cert", one.certificates[:1]) for one in own]
    return Certificates(
        authorities=files.to_pem(authorities),
        identity=next((files.to_identity(one, settings.client_cert_hosts) for one in own), None),
        found=tuple(f"{name}: {files.describe_certificates(certificates)}" for name, certificates in named),
        ends=min((one.not_valid_after_utc for _, certificates in named for one in certificates), default=None),
    )
