"""Where a redirect of a download may lead. Pure: addresses are looked up elsewhere.

The portal and the hosts of its pack may send a file from where they like among themselves. To another host a file is
followed as portals hand out files from storage: the address itself is the key. Never into a network in which the
portal is not: what answers on this machine, in its network or at a cloud's own address is no attachment.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit

from poolwright.portal.addresses import origin_of
from poolwright.portal.pack import Pack

#: What storage calls the parts of an address that it signed (S3, Google, Azure, CloudFront and their likes).
_SIGNED = re.compile(
    r"x-(?:amz|goog|oss|cos|obs|bz|ms)-.*|.*signature|sig|sign|hmac|token|access_?token|policy|key-pair-id|awsaccesskeyid|"
    r"googleaccessid|ossaccesskeyid|expires?|response-content-(?:disposition|type)|rscd|ticket|auth|verify|hash|jwt",
    re.IGNORECASE,
)
#: A part of an address that nobody can guess.
_KEY = re.compile(
    r"(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])(?=\D*\d)[\w=~!+-]{24,}|[0-9a-f]{32,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)


class Reach(StrEnum):
    """The scope of a network address."""

    PUBLIC = "the internet"
    PRIVATE = "a private network"
    LINK_LOCAL = "the link of this machine"
    LOOPBACK = "this machine"
    NOBODY = "nobody's network"


def reach_of(address: str) -> Reach:
    """Whose address this is, as numbers; a name is nobody's."""
    try:
        told = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return Reach.NOBODY
    within = getattr(told, "ipv4_mapped", None) or getattr(told, "sixtofour", None) or told
    if within.is_loopback:
        return Reach.LOOPBACK
    if within.is_link_local:
        return Reach.LINK_LOCAL
    if within.is_unspecified or within.is_multicast or within.is_reserved:
        return Reach.NOBODY
    return Reach.PUBLIC if within.is_global else Reach.PRIVATE


def is_signed(url: str) -> bool:
    """Whether an address is its own key, as those of storage are that a portal hands out."""
    parts = urlsplit(url)
    values = parse_qsl(parts.query, keep_blank_values=True)
    if any(_SIGNED.fullmatch(name) for name, _ in values):
        return True
    return any(_KEY.fullmatch(part) for part in (*(value for _, value in values), *parts.path.split("/")))


def wrong_target(pack: Pack, base_url: str, url: str) -> str:
    """Why an address may not be followed, by its text alone; empty when it may, if its network is right too."""
    target, portal = origin_of(url), origin_of(base_url)
    if target is None or portal is None:
        return f"its address redirects to an invalid web address: {url[:200]}"
    if pack.may_fetch(base_url, url):
        return ""
    if target.scheme == "http" and portal.scheme == "https":
        return f"its address redirects to {target.host} without encryption"
    if not is_signed(url):
        return f"its address redirects to another host, which the portal pack does not name: {target.host}"
    return ""


def wrong_network(host: str, addresses: Collection[str], portal_addresses: Collection[str]) -> str:
    """Why a host may not be asked, by the addresses that it has; empty when it may.

    Args:
        host: Its name, for the sentence.
        addresses: Those of the host; none where only a proxy knows it.
        portal_addresses: Those of the portal.
    """
    allowed = {Reach.PUBLIC, *map(reach_of, portal_addresses)} - {Reach.NOBODY}
    wrong = next((reach for reach in map(reach_of, addresses) if reach not in allowed), None)
    return "" if wrong is None else f"its address leads to {host}, which is in {wrong}, where the portal is not"
