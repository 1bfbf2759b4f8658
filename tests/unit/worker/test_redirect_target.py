"""Where a redirect of a download may lead."""

from __future__ import annotations

import pytest

from poolwright.portal import pack as packs
from poolwright.worker.transfer.download_limits import is_signed_url, target_problem
from poolwright.worker.transfer.network_scope import NetworkScope, network_problem, network_scope

BASE = "https://portal.test"
_DEMO = packs.load("demo")
PACK = _DEMO.model_copy(update={"site": _DEMO.site.model_copy(update={"hosts": ("files.portal.test",)})})
S3 = "https://bucket.s3.amazonaws.com/k?response-content-disposition=attachment%3B%20filename%3D%22SSO%20Form.pdf%22"


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("8.8.8.8", NetworkScope.PUBLIC),
        ("2600::1", NetworkScope.PUBLIC),
        ("10.1.2.3", NetworkScope.PRIVATE),
        ("192.168.0.1", NetworkScope.PRIVATE),
        ("100.64.0.1", NetworkScope.PRIVATE),
        ("fd00::1", NetworkScope.PRIVATE),
        ("169.254.169.254", NetworkScope.LINK_LOCAL),
        ("fe80::1%eth0", NetworkScope.LINK_LOCAL),
        ("127.0.0.1", NetworkScope.LOOPBACK),
        ("127.9.9.9", NetworkScope.LOOPBACK),
        ("::1", NetworkScope.LOOPBACK),
        ("::ffff:127.0.0.1", NetworkScope.LOOPBACK),
        ("::ffff:169.254.169.254", NetworkScope.LINK_LOCAL),
        ("::ffff:10.0.0.1", NetworkScope.PRIVATE),
        ("2002:7f00:1::", NetworkScope.LOOPBACK),
        ("64:ff9b::7f00:1", NetworkScope.LOOPBACK),
        ("64:ff9b::808:808", NetworkScope.PUBLIC),
        ("64:ff9b:1::a00:1", NetworkScope.PRIVATE),
        ("2001:0:808:808:0:0:f5ff:fffe", NetworkScope.PRIVATE),
        ("fec0::1", NetworkScope.PRIVATE),
        ("::127.0.0.1", NetworkScope.RESERVED),
        ("0.0.0.0", NetworkScope.RESERVED),  # noqa: S104 - an address to judge
        ("224.0.0.1", NetworkScope.RESERVED),
        ("portal.test", NetworkScope.RESERVED),
    ],
)
def test_each_address_is_in_a_network(address: str, reach: NetworkScope) -> None:
    assert network_scope(address) is reach


@pytest.mark.parametrize(
    "url",
    [
        "https://portal.test/documents/login-manual.pdf",
        "https://files.portal.test/a.pdf",
        S3,
        "https://bucket.s3.eu-central-1.amazonaws.com/k?X-Amz-Signature=ab&X-Amz-Date=1",
        "https://storage.googleapis.com/b/k?GoogleAccessId=x&Expires=1&Signature=y",
        "https://acc.blob.core.windows.net/c/k?sv=2024&sig=abc",
        "https://d111.cloudfront.net/k?Policy=x&Signature=y&Key-Pair-Id=z",
        "https://dl.box.test/d/1/b1!Xk3kT9aQ2mN7pR5sV8wY1zB4/download",
        "https://cdn.test/0f8fad5b-d9cb-469f-a165-70867728950e/offer.pdf",
    ],
)
def test_the_portal_its_hosts_and_signed_storage_are_followed(url: str) -> None:
    assert target_problem(PACK, BASE, url) == ""


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mailto:buyer@portal.test", "invalid web address"),
        ("file:///etc/passwd", "invalid web address"),
        ("javascript:alert(1)", "invalid web address"),
        ("https://user@portal.test/a.pdf", "invalid web address"),
        ("http://[bad/x.pdf", "invalid web address"),
        ("https://elsewhere.test/offer.pdf", "does not name: elsewhere.test"),
        ("https://elsewhere.test/offer-2024-final-version-of-the-day.pdf", "does not name"),
        ("http://169.254.169.254/latest/meta-data/", "without encryption"),
        ("http://bucket.s3.amazonaws.com/k?X-Amz-Signature=ab", "without encryption"),
    ],
)
def test_other_places_are_not_followed(url: str, said: str) -> None:
    assert said in target_problem(PACK, BASE, url)


def test_a_portal_without_encryption_may_use_storage_without_it() -> None:
    assert target_problem(PACK, "http://portal.test", S3.replace("https", "http")) == ""
    assert target_problem(PACK, "http://127.0.0.1:8000", "http://127.0.0.1:18999/healthz") != ""


@pytest.mark.parametrize(
    ("addresses", "scope"),
    [
        (["8.8.8.8"], ""),
        (["2600::1", "8.8.8.8"], ""),
        ([], ""),
        (["10.0.0.2"], "a private network"),
        (["127.0.0.1"], "this machine"),
        (["169.254.169.254"], "the local link"),
        (["8.8.8.8", "127.0.0.1"], "this machine"),
        (["0.0.0.0"], "a reserved network"),  # noqa: S104 - an address to judge
    ],
)
def test_a_host_that_the_pack_does_not_name_is_only_asked_on_the_internet(addresses: list[str], scope: str) -> None:
    said = f"its address leads to host.test in {scope}, and the portal pack does not name that host"
    assert network_problem("host.test", addresses) == (said if scope else "")


def test_an_ordinary_address_is_not_signed() -> None:
    assert not is_signed_url("https://elsewhere.test/files/2024/offer.pdf?id=4711&lang=de")
