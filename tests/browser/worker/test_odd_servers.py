"""Servers that do not speak HTTP, or that nobody can trust: the order says so, and nothing wrong is saved."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.certificates import make, secure_portal
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf, raw_pack
from tests.support.raw_scenario import button, files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]


def chunks(body: bytes, end: bytes) -> bytes:
    """An answer in chunks of 20 bytes, each with an extension."""
    pieces = (body[start : start + 20] for start in range(0, len(body), 20))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nTransfer-Encoding: chunked\r\n"
    coded = b"".join(b"%x;a=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return head + b"Trailer: X-Sum\r\nConnection: close\r\n\r\n" + coded + end


def moved(to: str, status: str) -> bytes:
    """An answer that leads on."""
    return answer(b"", f"Location: {to}", status=status)


def part(body: bytes, of: int) -> bytes:
    """An answer with a part that nobody asked for."""
    return answer(body, f"Content-Range: bytes 0-{len(body) - 1}/{of}", status="206 Partial Content")


EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
OLD = b"HTTP/1.0 200 OK\r\nContent-Type: application/pdf\r\n\r\n"
CSV = b"a;b\n" * 1000
#: Answers with which a file comes whole; each file says which it is.
WHOLE = {
    "old": OLD + pdf("old"),
    "early": EARLY + answer(pdf("early")),
    "continued": CONTINUE + answer(pdf("continued")),
    "trailer": chunks(pdf("trailer"), b"0\r\nX-Sum: 1\r\n\r\n"),
    "twice": answer(gzip.compress(gzip.compress(pdf("twice"))), "Content-Encoding: gzip, gzip"),
    "fragment": moved("/real/fragment#page=2", "302 Found"),
    "dots": moved("./x/../../real/./dots", "307 Temporary Redirect"),
    "range": part(pdf("range"), len(pdf("range"))),
    "created": answer(pdf("created"), status="201 Created"),
    "copied": answer(pdf("copied"), status="203 Non-Authoritative Information"),
}
#: Answers with which it does not.
NOT_WHOLE = {
    "cut": chunks(pdf("cut"), b""),
    "longer": b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 5000\r\nConnection: close\r\n\r\n" + CSV,
    "part": part(pdf("part")[:30], len(pdf("part"))),
    "nothing": answer(b""),
    "no_content": answer(b"", status="204 No Content"),
    "message": answer(b'{"error": "not available"}', kind="application/json"),
}
#: Headers that forbid scripts and more to a page, or keep it apart from others.
STRICT = (
    "Content-Security-Policy: default-src 'none'; script-src 'none'; sandbox",
    "Content-Security-Policy: require-trusted-types-for 'script'; trusted-types 'none'",
    "Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Embedder-Policy: require-corp",
    "Refresh: 0;url=/order/{number}?moved",
)
STRANGER = make("storage", make("An unknown authority", is_authority=True))
GOOD = {"good.pdf": pdf("good")}


async def test_an_answer_that_is_not_http_is_no_file_and_the_order_says_so(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/radio.pdf", "radio.pdf"))
        portal.routes["/radio.pdf"] = (b"ICY 200 OK\r\nContent-Type: application/pdf\r\n\r\n" + pdf("radio"),)
        report, files = await files_of(scenario)

    assert (report.reason, files) == (Reason.DOWNLOAD_FAILED, {})
    assert "answered in ICY" in report.missed[0].problem


async def test_an_odd_way_to_answer_brings_its_file_whole_or_not_at_all(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", "".join(link(f"/f/{name}", f"{name}.pdf") for name in (*WHOLE, *NOT_WHOLE)))
        portal.routes |= {f"/f/{name}": (said,) for name, said in (WHOLE | NOT_WHOLE).items()}
        portal.routes |= {f"/real/{name}": (answer(pdf(name)),) for name in WHOLE}
        report, files = await files_of(scenario)

    assert files == {f"{name}.pdf": pdf(name) for name in WHOLE}
    assert [missed.label for missed in report.missed] == [f"{name}.pdf" for name in NOT_WHOLE]
    assert report.reason is Reason.SOME_FILES_FAILED


async def test_a_page_that_is_shut_off_or_moves_on_by_its_headers_is_read_and_its_file_comes(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    found: list[tuple[Reason, dict[str, bytes]]] = []
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.routes["/good.pdf"] = (answer(pdf("good")),)
        for number, header in enumerate(STRICT):
            page = f"<!doctype html><div id=order>{number}</div>{link('/good.pdf', 'good.pdf')}".encode()
            first = b"<!doctype html>wait" if header.startswith("Refresh") else page
            portal.routes[f"/order/{number}"] = (answer(first, header.format(number=number), kind="text/html"),)
            portal.routes[f"/order/{number}?moved"] = (answer(page, kind="text/html"),)
            report, files = await files_of(scenario, str(number))
            found.append((report.reason, files))

    assert found == [(Reason.ALL_SAVED, GOOD)] * len(STRICT)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere browsers go by the system's own store")
async def test_a_storage_host_whose_certificate_nobody_trusts_costs_its_files_only_and_is_named(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    with secure_portal(STRANGER, tmp_path) as storage:
        pack = raw_pack()
        pack = pack.model_copy(update={"site": pack.site.model_copy(update={"hosts": (storage,)})})
        async with raw_scenario(open_scenario, tmp_path, pack) as (portal, scenario):
            good = link("/good.pdf", "good.pdf")
            leads = answer(b"", f"Location: {storage}/b.pdf", status="302 Found")
            portal.order("1", link(f"{storage}/a.pdf", "a.pdf") + link("/b.pdf", "b.pdf") + good)
            portal.order("2", button(f"location.href='{storage}/c.pdf'", "c.pdf"))
            portal.order("3", good)
            portal.routes |= {"/good.pdf": (attached("good.pdf", pdf("good")),), "/b.pdf": (leads,)}
            portal.routes["/order/4"] = (answer(b"", f"Location: {storage}/order/4", status="302 Found"),)
            partial, files = await files_of(scenario)
            clicked, _ = await files_of(scenario, "2")
            whole, files_after = await files_of(scenario, "3")
            moved, _ = await files_of(scenario, "4")

    told = "127.0.0.1: this machine does not trust the portal's certificate; set ca_file"
    assert (partial.reason, files) == (Reason.SOME_FILES_FAILED, GOOD)
    assert [(file.label, told in file.problem) for file in partial.missed] == [("a.pdf", True), ("b.pdf", True)]
    assert (clicked.reason, told in clicked.missed[0].problem) == (Reason.DOWNLOAD_FAILED, True)
    assert (whole.reason, files_after) == (Reason.ALL_SAVED, GOOD)
    assert (moved.reason, told in moved.detail) == (Reason.PORTAL_ERROR, True)
