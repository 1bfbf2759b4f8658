"""The stream lane against a scripted network: what it asks, what it follows, and where it steps aside."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, cast

import anyio
import httpx
import pytest
from playwright.async_api import BrowserContext

from poolwright.concurrency import SystemClock
from poolwright.domain.options import BrowserOptions, PortalOptions, SizeLimits
from poolwright.portal import pack as packs
from poolwright.worker.errors import PortalBusyError
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.http_client import HttpClients, response_cookies
from poolwright.worker.transfer.http_downloader import (
    HttpDownloader,
    decode_sure,
    open_http_downloader,
    parse_retry_after,
)
from poolwright.worker.transfer.received_file import DownloadRefusedError
from poolwright.worker.transfer.validators import Validators

BASE = "https://portal.test"
PDF = b"%PDF-1.4\n%%EOF\n"
PACK = packs.load("demo")


class CookieStore:
    """A browser that keeps cookies and does nothing else."""

    def __init__(self, **cookies: str) -> None:
        self.cookies_set = [{"name": name, "value": value} for name, value in cookies.items()]

    async def cookies(self, url: str) -> list[dict[str, str]]:
        assert url
        return self.cookies_set

    async def add_cookies(self, cookies: list[dict[str, str]]) -> None:
        self.cookies_set.extend(cookies)


Answers = Callable[[httpx.Request], httpx.Response]


def stream_of(answers: Answers, jar: CookieStore | None = None) -> HttpDownloader:
    def unread(request: httpx.Request) -> httpx.Response:
        """As it comes from a network: an answer that was given its content has read it already."""
        answer = answers(request)
        if not answer.is_stream_consumed:
            return answer
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content))

    client = httpx.AsyncClient(transport=httpx.MockTransport(unread))
    portal = PortalOptions(pack_json="", base_url=BASE)
    return HttpDownloader(PACK, portal, cast("BrowserContext", jar or CookieStore()), HttpClients(default=client))


async def refusal_of(stream: HttpDownloader, part: Path, sizes: SizeLimits | None = None) -> DownloadRefusedError:
    with pytest.raises(DownloadRefusedError) as caught:
        await stream.fetch(f"{BASE}/f/1", part, DownloadAllowance(sizes or SizeLimits()), ())
    return caught.value


@pytest.fixture(autouse=True)
def _network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names lead where their first word says."""
    places = {"portal": "93.184.216.34", "bucket": "8.8.8.8", "inside": "10.0.0.8", "here": "127.0.0.1"}

    async def look_up(host: str, port: int) -> list[tuple[Any, ...]]:
        if host == "unknown.test":
            raise OSError
        return [(None, None, None, "", (places[host.partition(".")[0]], port))]

    monkeypatch.setattr(anyio, "getaddrinfo", look_up)


async def test_cookies_beyond_ascii_go_as_a_browser_sends_them(tmp_path: Path) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=PDF)

    await stream_of(answer, CookieStore(ü="ä€", a="1")).fetch(
        f"{BASE}/f/1", tmp_path / "part", DownloadAllowance(SizeLimits()), ()
    )

    sent = dict(asked[0].headers.raw)[b"Cookie"]
    assert sent == "ü=ä€; a=1".encode()


async def test_a_ticket_that_comes_with_a_redirect_is_brought_along(tmp_path: Path) -> None:
    jar = CookieStore()

    def answer(request: httpx.Request) -> httpx.Response:
        if "t=1" in str(request.url):
            return httpx.Response(200, content=PDF) if "ticket=7" in request.headers["cookie"] else httpx.Response(400)
        headers = {"location": "/f/1?t=1", "set-cookie": "ticket=7; Path=/f; HttpOnly"}
        return httpx.Response(302, headers=headers)

    received = await stream_of(answer, jar).fetch(f"{BASE}/f/1", tmp_path / "part", DownloadAllowance(SizeLimits()), ())

    assert received.final_url == f"{BASE}/f/1?t=1"
    assert (tmp_path / "part").read_bytes() == PDF
    assert [cookie["name"] for cookie in jar.cookies_set] == ["ticket"], "the browser sends it from now on"


async def test_a_host_that_the_pack_does_not_name_is_connected_to_at_the_address_that_was_checked(
    tmp_path: Path,
) -> None:
    asked: list[tuple[str, str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        name = request.extensions.get("sni_hostname", "")
        asked.append((request.url.host, request.headers["host"], name))
        if len(asked) == 1:
            return httpx.Response(302, headers={"location": "https://bucket.test:8443/k?X-Amz-Signature=a"})
        if len(asked) == 2:
            return httpx.Response(302, headers={"location": "/l?X-Amz-Signature=b"})
        return httpx.Response(200, content=PDF)

    received = await stream_of(answer).fetch(f"{BASE}/f/1", tmp_path / "part", DownloadAllowance(SizeLimits()), ())

    checked = ("8.8.8.8", "bucket.test:8443", "bucket.test")
    assert asked == [("portal.test", "portal.test", ""), checked, checked]
    assert received.final_url == "https://bucket.test:8443/l?X-Amz-Signature=b"


async def test_a_name_that_leads_elsewhere_at_a_second_look_is_not_looked_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    async def look_up(host: str, port: int) -> list[tuple[Any, ...]]:
        looks.append(host)
        return [(None, None, None, "", ("8.8.8.8" if len(looks) == 1 else "127.0.0.1", port))]

    monkeypatch.setattr(anyio, "getaddrinfo", look_up)
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if len(asked) > 1:
            return httpx.Response(200, content=PDF)
        return httpx.Response(302, headers={"location": "https://bucket.test/k?X-Amz-Signature=a"})

    await stream_of(answer).fetch(f"{BASE}/f/1", tmp_path / "part", DownloadAllowance(SizeLimits()), ())

    assert (asked, looks) == (["portal.test", "8.8.8.8"], ["bucket.test"])


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://elsewhere.test/s.pdf", "does not name"),
        ("https://unknown.test/k?X-Amz-Signature=a", "unknown.test cannot be found"),
        ("https://inside.test/k?X-Amz-Signature=a", "a private network"),
        ("https://here.test/k?X-Amz-Signature=a", "this machine"),
        ("http://bucket.test/k?X-Amz-Signature=a", "without encryption"),
        ("file:///etc/passwd", "redirects to an invalid web address"),
    ],
)
async def test_a_redirect_out_of_bounds_is_not_followed(tmp_path: Path, location: str, said: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"location": location})

    refusal = await refusal_of(stream_of(answer), tmp_path / "part")

    assert said in str(refusal)
    assert asked == [f"{BASE}/f/1"], "nobody else was asked"
    assert not refusal.is_for_browser


async def test_signed_storage_is_followed(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "portal.test":
            return httpx.Response(302, headers={"location": "https://bucket.test/k?X-Amz-Signature=a#x"})
        return httpx.Response(200, content=PDF, headers={"content-disposition": 'attachment; filename="SSO Form.pdf"'})

    received = await stream_of(answer).fetch(f"{BASE}/f/1", tmp_path / "part", DownloadAllowance(SizeLimits()), ())

    assert received.disposition.name == "SSO Form.pdf"
    assert (received.source_url, received.final_url) == (f"{BASE}/f/1", "https://bucket.test/k?X-Amz-Signature=a")


@pytest.mark.parametrize(
    ("answer", "is_retryable", "is_for_browser", "is_in_doubt"),
    [
        (httpx.Response(206, content=b"a"), True, False, False),
        (httpx.Response(202), True, False, False),
        (httpx.Response(204), False, False, False),
        (httpx.Response(304), False, False, False),
        (httpx.Response(410), False, False, False),
        *((httpx.Response(status), False, False, False) for status in (205, 413, 501)),
        *((httpx.Response(status), True, False, False) for status in (408, 425, 500, 502, 503, 504)),
        # A server may refuse a program with any other status, and a browser takes whatever it does not know.
        *((httpx.Response(status), False, True, False) for status in (226, 299, 300, 404, 405, 406, 412)),
        *((httpx.Response(status), False, True, False) for status in (415, 418, 421, 426, 428, 431, 451, 999)),
        (httpx.Response(401), False, True, True),
        (httpx.Response(403), False, True, True),
        (httpx.Response(400), False, True, False),
        (httpx.Response(407), False, True, False),
        (httpx.Response(302, headers={"location": "/f/1"}), True, True, False),
        (httpx.Response(302, headers={"location": "http://[bad/x.pdf"}), False, False, False),
        (httpx.Response(200, headers={"content-encoding": "br"}, content=b"x"), True, True, False),
        (httpx.Response(200, headers={"content-encoding": "x-gzip"}, content=b"x"), True, True, False),
        (httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(PDF)), True, True, False),
    ],
)
async def test_what_brings_no_file_says_what_can_be_done(
    tmp_path: Path, answer: httpx.Response, is_retryable: bool, is_for_browser: bool, is_in_doubt: bool
) -> None:
    refusal = await refusal_of(stream_of(lambda _: answer), tmp_path / "part")

    assert refusal.is_retryable is is_retryable
    assert refusal.is_for_browser is is_for_browser
    assert refusal.is_session_in_doubt is is_in_doubt


async def test_what_was_cut_off_on_its_way_is_no_file(tmp_path: Path) -> None:
    packed = gzip.compress(b"4711;bolt\n" * 900)[:-20]
    headers = {"content-encoding": "gzip"}
    answer = httpx.Response(200, headers=headers, stream=httpx.ByteStream(packed))

    refusal = await refusal_of(stream_of(lambda _: answer), tmp_path / "part")

    assert "its end is missing" in str(refusal)
    assert refusal.is_retryable
    assert not refusal.is_for_browser, "it would keep what there is"


async def test_what_was_packed_for_its_way_has_no_size_that_was_announced(tmp_path: Path) -> None:
    answer = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(gzip.compress(PDF)))

    received = await stream_of(lambda _: answer).fetch(
        f"{BASE}/f/1", tmp_path / "part", DownloadAllowance(SizeLimits()), ()
    )

    assert (tmp_path / "part").read_bytes() == PDF
    assert received.declared_bytes is None


@pytest.mark.parametrize(
    ("content_range", "size_bytes"),
    [("bytes 0-14/15", 15), ("bytes 0-14/16", None), ("bytes 1-15/16", None), ("bytes 0-14/*", None), ("", None)],
)
async def test_a_part_is_taken_where_it_is_all_there_is(
    tmp_path: Path, content_range: str, size_bytes: int | None
) -> None:
    answer = httpx.Response(206, headers={"content-range": content_range}, content=PDF)
    fetch = stream_of(lambda _: answer).fetch(f"{BASE}/f/1", tmp_path / "part", DownloadAllowance(SizeLimits()), ())

    if size_bytes is None:
        with pytest.raises(DownloadRefusedError):
            await fetch
    else:
        assert (await fetch).declared_bytes == size_bytes


async def test_a_length_beside_chunks_counts_for_nothing(tmp_path: Path) -> None:
    headers = {"transfer-encoding": "chunked", "content-length": "5"}
    answer = httpx.Response(200, headers=headers, stream=httpx.ByteStream(PDF))
    stream = stream_of(lambda _: answer)

    received = await stream.fetch(f"{BASE}/f/1", tmp_path / "part", DownloadAllowance(SizeLimits()), ())

    assert received.declared_bytes is None


async def test_an_empty_answer_that_leads_on_is_left_to_the_browser(tmp_path: Path) -> None:
    answer = httpx.Response(200, headers={"refresh": "0;url=/f/2"})

    assert (await refusal_of(stream_of(lambda _: answer), tmp_path / "part")).is_for_browser


@pytest.mark.parametrize(
    ("error", "is_for_browser"),
    [
        (httpx.ConnectError("no"), True),
        (httpx.ConnectTimeout("no"), True),
        (httpx.ProxyError("407"), True),
        (httpx.RemoteProtocolError("illegal header line"), True),
        (ssl.SSLError("certificate required"), True),
        (httpx.ReadTimeout("slow"), False),
    ],
)
async def test_a_browser_is_asked_where_this_client_gets_no_answer(
    tmp_path: Path, error: Exception, is_for_browser: bool
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    assert (await refusal_of(stream_of(answer), tmp_path / "part")).is_for_browser is is_for_browser


async def test_a_portal_that_is_busy_is_told_as_such(tmp_path: Path) -> None:
    stream = stream_of(lambda _: httpx.Response(503, headers={"retry-after": "7"}))

    with pytest.raises(PortalBusyError) as caught:
        await stream.fetch(f"{BASE}/f/1", tmp_path / "part", DownloadAllowance(SizeLimits()), ())

    assert caught.value.retry_after_s == 7


@pytest.mark.parametrize("headers", [{"content-length": "3000"}, {"content-encoding": "gzip"}, {}])
async def test_no_more_is_written_than_may_be(tmp_path: Path, headers: dict[str, str]) -> None:
    content = gzip.compress(bytes(30_000_000)) if headers.get("content-encoding") else bytes(3000)

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(content))

    refusal = await refusal_of(stream_of(answer), tmp_path / "part", SizeLimits(file_bytes=2000))

    assert "the limit for one file" in str(refusal)
    assert not refusal.is_retryable
    assert not (tmp_path / "part").exists() or (tmp_path / "part").stat().st_size <= 2000


async def test_a_proxy_that_only_a_browser_can_use_leaves_the_files_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "weird://proxy.test:1")
    portal = PortalOptions(pack_json="", base_url=BASE)

    async with open_http_downloader(
        PACK, portal, cast("BrowserContext", CookieStore()), "test", BrowserOptions()
    ) as stream:
        refusal = await refusal_of(stream, tmp_path / "part")

    assert refusal.is_for_browser


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("a=1", {"name": "a", "value": "1", "domain": "portal.test", "path": "/f", "expires": -1.0}),
        ("a=1; Domain=portal.test; Path=/", {"domain": ".portal.test", "path": "/"}),
        ("a=1; Secure; HttpOnly; SameSite=Lax", {"secure": True, "httpOnly": True, "sameSite": "Lax"}),
    ],
)
def test_a_cookie_reaches_the_browser_as_it_was_set(header: str, told: dict[str, object]) -> None:
    answer = httpx.Response(200, headers={"set-cookie": header}, request=httpx.Request("GET", f"{BASE}/f/1"))

    (cookie,) = response_cookies(answer)

    assert told.items() <= dict(cookie).items()


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("\\f\\2", f"{BASE}/f/2"),
        (" /f/2 ", f"{BASE}/f/2"),
        ("2?path=a\\b", f"{BASE}/f/2?path=a\\b"),
        ("./../f/2#page=3", f"{BASE}/f/2"),
        ("?v=2", f"{BASE}/f/1?v=2"),
    ],
)
async def test_a_redirect_leads_to_where_a_browser_goes(tmp_path: Path, location: str, target: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if str(request.url) == f"{BASE}/f/1":
            return httpx.Response(302, headers={"location": location})
        return httpx.Response(200, content=str(request.url).encode())

    received = await stream_of(answer).fetch(f"{BASE}/f/1", tmp_path / "part", DownloadAllowance(SizeLimits()), ())

    assert received.path.read_text() == target


def test_no_cookie_is_taken_for_another_host() -> None:
    headers = {"set-cookie": "a=1; Domain=elsewhere.test"}
    answer = httpx.Response(200, headers=headers, request=httpx.Request("GET", f"{BASE}/f/1"))

    assert list(response_cookies(answer)) == []


@pytest.mark.parametrize(
    ("header", "told_s"),
    [
        ("7", 7.0),
        ("0", 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
        ("Wed, 21 Oct 2026 07:29:30 GMT", 90.0),
        ("Wed, 21 Oct 2026 09:29:30 +0200", 90.0),
        ("Wed, 21 Oct 2026 07:29:30 -0000", 90.0),
        ("-5", None),
        ("1.5", None),
        ("²", None),
    ],
)
def test_a_retry_after_holds_whole_seconds_or_a_date(header: str | None, told_s: float | None) -> None:
    assert parse_retry_after(header, "Wed, 21 Oct 2026 07:28:00 GMT") == told_s


@pytest.mark.parametrize("sent_at", [None, "", "no date"])
def test_without_a_date_of_the_portal_the_clock_of_this_machine_counts(sent_at: str | None) -> None:
    later = format_datetime(SystemClock().now() + timedelta(hours=2), usegmt=True)
    told_s = parse_retry_after(later, sent_at)

    assert told_s is not None
    assert 3600.0 < told_s <= 7200.0


async def test_cookies_of_the_portal_stay_with_the_portal(tmp_path: Path) -> None:
    jar = CookieStore()
    for name, domain in (("of_portal", "portal.test"), ("of_company", ".test"), ("of_bucket", "bucket.test")):
        jar.cookies_set.append({"name": name, "value": "1", "domain": domain})
    asked: dict[str, str] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        asked[request.headers["host"]] = request.headers.get("cookie", "")
        if request.headers["host"] == "bucket.test":
            return httpx.Response(200, content=PDF)
        return httpx.Response(302, headers={"location": "https://bucket.test/k?X-Amz-Signature=a"})

    await stream_of(answer, jar).fetch(f"{BASE}/f/1", tmp_path / "part", DownloadAllowance(SizeLimits()), ())

    assert asked == {"portal.test": "of_portal=1; of_company=1; of_bucket=1", "bucket.test": "of_bucket=1"}


@pytest.mark.parametrize(
    ("known", "header"),
    [(Validators(etag='"1"'), "if-none-match"), (Validators(last_modified="then"), "if-modified-since")],
)
async def test_a_file_that_the_portal_says_is_the_same_is_not_written(
    tmp_path: Path, known: Validators, header: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(304 if header in request.headers else 200)

    received = await stream_of(answer).fetch(
        f"{BASE}/f/1", tmp_path / "part", DownloadAllowance(SizeLimits()), (), known
    )

    assert (received.is_unchanged, received.source_url) == (True, f"{BASE}/f/1")
    assert not (tmp_path / "part").exists()


async def test_a_file_that_is_another_one_is_written_with_what_was_told_of_it(tmp_path: Path) -> None:
    received = await stream_of(lambda _: httpx.Response(200, content=PDF, headers={"etag": '"2"'})).fetch(
        f"{BASE}/f/1", tmp_path / "part", DownloadAllowance(SizeLimits()), (), Validators(etag='"1"')
    )

    assert (received.is_unchanged, received.validators) == (False, Validators(etag='"2"'))
    assert (tmp_path / "part").read_bytes() == PDF


async def test_an_answer_that_nobody_asked_for_is_no_file(tmp_path: Path) -> None:
    refusal = await refusal_of(stream_of(lambda _: httpx.Response(304)), tmp_path / "part")

    assert "304" in str(refusal)


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        (b"plain", "", "plain"),
        ("Gr\u00f6\u00dfe".encode(), "utf-8", "Gr\u00f6\u00dfe"),
        ("Gr\u00f6\u00dfe".encode(), "", None),
        (b'<meta charset="utf-8">' + "Gr\u00f6\u00dfe".encode(), "", '<meta charset="utf-8">Gr\u00f6\u00dfe'),
        (b"<meta http-equiv=Content-Type content='text/html; charset=utf-8'>\xe2\x82\xac", "", "*"),
        (b"5 \x80", "iso-8859-1", "5 \u20ac"),
        (b"Gr\xf6\xdfe", "utf-8", None),
        (b"Gr\xf6\xdfe", "no-such", None),
    ],
)
def test_a_text_is_read_as_a_browser_reads_it_or_not_at_all(content: bytes, charset: str, text: str | None) -> None:
    read = decode_sure(content, charset)

    assert (read is not None and read.endswith("\u20ac")) if text == "*" else read == text
