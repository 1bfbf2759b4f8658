from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolwright.portal.addresses import is_sent_to
from poolwright.portal.pack import Pack, PackError, load, parse_toml
from tests.support.pace import UNHURRIED
from tests.unit.portal.authoring import written

PACK = parse_toml(written({"site.hosts": ["Files.Portal.test"]}), "acme.toml")
BASE = "https://portal.test"


def may_fetch(url: str, base_url: str = BASE, pack: Pack = PACK) -> bool:
    return pack.may_fetch(base_url, url)


@pytest.mark.parametrize(
    ("number", "address"),
    [
        ("4500012345", "https://portal.test/po/4500012345"),
        ("45/12", "https://portal.test/po/45%2F12"),
        ("a?b#c", "https://portal.test/po/a%3Fb%23c"),
        ("50% & more", "https://portal.test/po/50%25%20%26%20more"),
        ("Größe", "https://portal.test/po/Gr%C3%B6%C3%9Fe"),
        ("{number}", "https://portal.test/po/%7Bnumber%7D"),
    ],
)
def test_an_order_has_its_own_page_whatever_its_number_holds(number: str, address: str) -> None:
    assert PACK.order_url(BASE, number) == address


@UNHURRIED
@given(number=st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_number_never_leaves_its_place_in_the_address(number: str) -> None:
    parts = urlsplit(PACK.order_url(BASE, number))

    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("https", "portal.test", "", "")
    assert parts.path.count("/") == 2
    assert unquote(parts.path.removeprefix("/po/")) == number


def test_a_number_may_stand_anywhere_in_the_address() -> None:
    pack = parse_toml(written({"site.order": "/show?po={number}&again={number}"}), "acme.toml")

    assert pack.order_url(BASE, "1&2") == "https://portal.test/show?po=1%262&again=1%262"


@pytest.mark.parametrize(
    "url",
    [
        "https://portal.test",
        "https://portal.test/attachment/1?x=http://evil.test/",
        "HTTPS://Portal.TEST/attachment/1",
        "https://portal.test:443/attachment/1",
        "https://files.portal.test/1",
        "https://FILES.portal.test:443/1",
    ],
)
def test_the_portal_and_the_hosts_of_its_pack_may_be_asked_for_files(url: str) -> None:
    assert may_fetch(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/attachment/1",
        "https://portal.test.evil.test/",
        "https://evil-portal.test/",
        "https://sub.portal.test/",
        "http://portal.test/attachment/1",
        "ftp://portal.test/attachment/1",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/plain,x",
        "blob:https://portal.test/1",
        "https://portal.test:8443/attachment/1",
        "https://portal.test:80/attachment/1",
        "http://files.portal.test/1",
        "https://files.portal.test:8443/1",
        "https://portal.test@evil.test/",
        "https://portal.test:443@evil.test/",
        "https://evil.test\\@portal.test/",
        "https://portal.test\\@evil.test/",
        "https://user:pass@files.portal.test/",
        "https://evil.test\\@files.portal.test/",
        "//portal.test/attachment/1",
        "/attachment/1",
        "https:///attachment/1",
        "https://portal.test:port/",
        "https://portal.test:99999/",
        "https://[::1/",
        "https://portal.test\N{FULLWIDTH SOLIDUS}.evil.test/",
        "https://",
        "",
    ],
)
def test_nobody_else_is_asked_for_files(url: str) -> None:
    assert not may_fetch(url)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/1"),
        ("http://[::1]:8080", "http://[::1]:8080/1"),
        ("http://portal.test:80", "http://portal.test/1"),
        ("http://portal.test", "http://portal.test:80/1"),
        ("https://Portal.test/app", "https://portal.test/other/1"),
        ("https://bücher.test", "https://xn--bcher-kva.test/1"),
    ],
)
def test_the_same_origin_may_be_written_in_other_ways(base_url: str, url: str) -> None:
    assert may_fetch(url, base_url)


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8081/1"),
        ("http://127.0.0.1:8080", "http://127.0.0.1/1"),
        ("http://portal.test", "http://portal@evil.test/"),
        ("http://portal.test", "http://portal.test@evil.test/"),
        ("http://portal.test", "https://portal.test/1"),
    ],
)
def test_another_port_or_scheme_is_another_portal(base_url: str, url: str) -> None:
    assert not may_fetch(url, base_url)


@UNHURRIED
@given(url=st.text(st.characters(codec=None)) | st.from_regex(r"https?://[^a-z]{0,9}portal\.test[^a-z]{0,9}.*"))
def test_any_text_has_an_answer(url: str) -> None:
    assert may_fetch(url) in {True, False}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://acme.example/order_headers/4500012345", True),
        ("https://acme.example/order_headers/4500012345?tab=files", True),
        ("https://acme.example/order_headers/4500012345/edit", True),
        ("https://acme.example/order_headers", False),
        ("https://acme.example/dashboard", False),
        ("https://acme.example/order_headers/45000123456", False),
        ("https://elsewhere.example/order_headers/4500012345", False),
    ],
)
def test_only_the_orders_own_address_is_its_page(url: str, expected: bool) -> None:
    assert load("coupa").is_order_page("https://acme.example", "4500012345", url) is expected


def pack_with(*hosts: str) -> Pack:
    return parse_toml(written({"site.hosts": list(hosts)}), "acme.toml")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("*.documentforce.com", "https://acme.documentforce.com/1"),
        ("*.documentforce.com", "https://acme--c.eu.DocumentForce.com/1"),
        ("http://files.test", "http://files.test/1"),
        ("http://files.test:8080", "http://files.test:8080/1"),
        ("https://files.test:8443", "https://files.test:8443/1"),
        ("http://*.files.test", "http://a.files.test/1"),
    ],
)
def test_a_pack_may_name_hosts_below_a_name_and_hosts_without_encryption(host: str, url: str) -> None:
    assert may_fetch(url, pack=pack_with(host))


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("*.documentforce.com", "https://documentforce.com/1"),
        ("*.documentforce.com", "https://evildocumentforce.com/1"),
        ("*.documentforce.com", "https://acme.documentforce.com.evil.test/1"),
        ("*.documentforce.com", "http://acme.documentforce.com/1"),
        ("*.documentforce.com", "https://acme.documentforce.com:8443/1"),
        ("http://files.test", "https://files.test/1"),
        ("http://files.test", "http://a.files.test/1"),
        ("http://files.test:8080", "http://files.test/1"),
    ],
)
def test_a_host_of_a_pack_is_taken_no_further_than_it_says(host: str, url: str) -> None:
    assert not may_fetch(url, pack=pack_with(host))


@pytest.mark.parametrize("host", ["*", "*.com", "a.*.test", "*files.test", "files.test:8080", "ftp://files.test", "*."])
def test_a_host_that_is_too_wide_or_unclear_is_refused(host: str) -> None:
    with pytest.raises(PackError, match=r"site\.hosts"):
        pack_with(host)


def test_cookies_go_only_to_the_portal_and_to_hosts_that_are_named_in_full() -> None:
    pack = pack_with("files.test", "*.store.test", "http://plain.test")

    assert pack.may_have_cookies(BASE, f"{BASE}/1")
    assert pack.may_have_cookies(BASE, "https://files.test/1")
    for url in ("https://a.store.test/1", "http://plain.test/1", "http://portal.test/1", "https://s3.test/1", "data:,"):
        assert not pack.may_have_cookies(BASE, url), url


def test_a_host_without_encryption_is_pointed_out_to_the_author() -> None:
    assert [notice for notice in pack_with("http://files.test").notices if "without encryption" in notice]
    assert not [notice for notice in pack_with("files.test").notices if "encryption" in notice]


@pytest.mark.parametrize(
    ("host", "domain", "is_sent"),
    [
        ("portal.test", "portal.test", True),
        ("portal.test", ".portal.test", True),
        ("eu.portal.test", ".Portal.test", True),
        ("eu.portal.test", "portal.test", False),
        ("myportal.test", ".portal.test", False),
        ("portal.test", "files.portal.test", False),
    ],
)
def test_a_cookie_belongs_to_the_hosts_of_its_domain(host: str, domain: str, *, is_sent: bool) -> None:
    assert is_sent_to(host, domain) is is_sent


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/{number:left2}/{number:drop2}", "/45/00%2F12"),
        ("/{number:left3}/{number:drop2}/{number:right1}", "/450/00%2F12/2"),
        ("/x?year={number:left2}&po={number}", "/x?year=45&po=4500%2F12"),
        ("/{number:left99}/{number:drop99}", "/4500%2F12/"),
    ],
)
def test_an_address_may_hold_parts_of_a_number(address: str, path: str) -> None:
    pack = parse_toml(written({"site.order": address}), "acme.toml")

    assert pack.order_url(BASE, "4500/12") == BASE + path


@pytest.mark.parametrize(
    "address",
    ["/{number:left4}", "/{number:drop4}", "/{number:left4}/{number:drop5}", "/{number:left4}/{number:right6}"],
)
def test_an_address_that_two_orders_could_share_is_refused(address: str) -> None:
    with pytest.raises(PackError, match="make up a whole number"):
        parse_toml(written({"site.order": address}), "acme.toml")


@pytest.mark.parametrize("part", ["{number:left0}", "{number:mid3}", "{number:left}", "{number!r}"])
def test_an_unknown_part_of_a_number_is_refused(part: str) -> None:
    with pytest.raises(PackError, match="none of"):
        parse_toml(written({"site.order": "/{number}/" + part}), "acme.toml")


def test_orders_of_another_kind_have_pages_of_their_own() -> None:
    orders = [
        {"match": "^45", "address": "/old/{number}"},
        {"match": "^(45|46)", "address": "/new/{number}"},
        {"match": "^a", "address": "/small/{number}"},
    ]
    pack = parse_toml(written({"site.orders": orders}), "acme.toml")

    for number, path in (("451", "/old/451"), ("461", "/new/461"), ("a1", "/small/a1"), ("A1", "/po/A1")):
        assert pack.order_url(BASE, number) == BASE + path
        assert pack.is_order_page(BASE, number, BASE + path)
    assert not pack.is_order_page(BASE, "451", f"{BASE}/po/451")
