"""Visits that end in no page, in one that fights back, or in one that nobody could use."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest
from playwright.async_api import Browser, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.portal.triage import Verdict
from poolwright.worker.page import page_reader
from poolwright.worker.page.page_content import ReadEnd
from poolwright.worker.page.reachability import is_portal_unreachable
from poolwright.worker.page.request_guard import guard_requests
from poolwright.worker.page.visit import visit
from tests.support.portal import needs_chromium
from tests.support.sites import Answer, Served, pack_of, serving

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

ORDER = "/order/1000"
TWO = "<a class=att href=/file/1>a.pdf</a><a class=att href=/file/2>b.pdf</a>"
SHOWN = f"<!doctype html><div id=order>Order</div><ul id=done></ul>{TWO}"
PACK = pack_of('settled = ["#done"]', page_s=5)
#: What pages of old libraries, and hostile ones, do to what a page function needs.
HOSTILE = """
Array.prototype.toJSON = Object.prototype.toJSON = function () { return "x"; };
Array.prototype.flatMap = Array.prototype.some = Array.prototype.push = undefined;
window.Set = window.Map = window.Promise = window.URL = window.MutationObserver = window.JSON = undefined;
window.setTimeout = () => 1;
document.querySelectorAll = () => [];
Element.prototype.getAttribute = () => null;
window.console = undefined;
"""
#: Elements named after all that could be asked of a form or of a document, where these take them for their own.
NAMES = """
const kinds = [EventTarget, Node, Element, HTMLElement, HTMLFormElement, Document, HTMLDocument];
const names = [...new Set(kinds.flatMap((kind) => Object.getOwnPropertyNames(kind.prototype)))];
const inputs = names.map((name) => `<input type=hidden name=${name}>`).join("");
const images = names.map((name) => `<img hidden name=${name}>`).join("");
"""
#: An order's page that says in a form what it is and that it has no files; one stands in a frame, one in a shadow root.
CLOBBERED = f"""<!doctype html><script>{NAMES}
document.write("<form id=order>No attachments. " + inputs + "<span id=host></span>"
  + "<a class=att href=file/1>a.pdf</a></form><iframe src=/frame></iframe>" + images);
const host = Document.prototype.getElementById.call(document, "host");
const root = Element.prototype.attachShadow.call(host, {{mode: "open"}});
root.innerHTML = `<form>${{inputs}}<a class=att href=file/3>c.pdf</a></form>`;
</script>"""
IN_FRAME = f"""<!doctype html><script>{NAMES}
document.write(`<form>${{inputs}}<a class=att href=file/2>b.pdf</a></form>` + images)</script>"""


@asynccontextmanager
async def open_page(shell: Browser) -> AsyncGenerator[Page]:
    """A page in a context of its own."""
    context = await shell.new_context()
    try:
        yield await context.new_page()
    finally:
        await context.close()


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Answer(status=404), Verdict.NOT_FOUND),
        (Answer(status=403), Verdict.FORBIDDEN),
        (Answer(status=503), Verdict.BUSY),
        (Answer(status=500), Verdict.PORTAL_ERROR),
        (Answer(status=410), Verdict.UNKNOWN),
        (Answer(status=401, headers=("WWW-Authenticate: Basic realm=x",)), Verdict.SESSION_LOST),
        (Answer(status=204), Verdict.PORTAL_ERROR),
        (Answer(status=302, location=ORDER), Verdict.PORTAL_ERROR),
        (
            Answer(body="%PDF", kind="application/pdf", headers=("Content-Disposition: attachment",)),
            Verdict.PORTAL_ERROR,
        ),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answer) else None,
)
async def test_an_answer_without_a_page_is_judged_by_what_it_says(
    shell: Browser, answer: Answer, verdict: Verdict
) -> None:
    async with serving({ORDER: answer}) as served, open_page(shell) as page:
        begun = anyio.current_time()
        found = await visit(page, PACK, served.url, served.url + ORDER, portal_number="1000")
        took_s = anyio.current_time() - begun

    assert found.verdict is verdict
    assert took_s < PACK.limits.page_s


async def test_a_line_that_goes_dead_is_no_answer_and_the_portal_is_there_all_the_same(shell: Browser) -> None:
    async with serving({ORDER: Answer(is_broken=True)}) as served, open_page(shell) as page:
        with pytest.raises(PlaywrightError, match="net::ERR_EMPTY_RESPONSE"):
            await visit(page, PACK, served.url, served.url + ORDER, portal_number="1000")
        is_gone = await is_portal_unreachable(page.context, served.url)
    async with open_page(shell) as page:
        is_gone_after = await is_portal_unreachable(page.context, served.url)

    assert (is_gone, is_gone_after) == (False, True)


async def test_a_page_cannot_change_how_it_is_read(shell: Browser) -> None:
    body = f"<script>{HOSTILE}</script>{SHOWN}"
    async with serving({ORDER: Answer(body=body)}) as served, open_page(shell) as page:
        found = await visit(page, PACK, served.url, served.url + ORDER, portal_number="1000")

    assert (found.verdict, found.doubt) == (Verdict.READY, "")
    assert [link.names["text"] for link in found.reading.links] == ["a.pdf", "b.pdf"]


async def test_names_that_a_page_gives_its_elements_hide_nothing_of_it(shell: Browser) -> None:
    pack = pack_of('empty.text = ["no attachments"]\nempty.within = ["form"]', page_s=5)
    site = {ORDER: Answer(body=CLOBBERED), "/frame": Answer(body=IN_FRAME)}
    async with serving(site) as served, open_page(shell) as page:
        found = await visit(page, pack, served.url, served.url + ORDER, portal_number="1000")

    links = {link.names["text"]: link.address.removeprefix(served.url) for link in found.reading.links}
    assert (found.verdict, found.doubt) == (Verdict.READY, "")
    assert links == {"a.pdf": "/order/file/1", "b.pdf": "/file/2", "c.pdf": "/order/file/3"}
    assert found.reading.is_said_empty, "what a form says is read"


@pytest.mark.parametrize("limit", ["ELEMENT_COUNT_MAX", "LINK_COUNT_MAX"])
async def test_a_page_beyond_all_measure_is_left_at_once(
    shell: Browser, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(page_reader, limit, 50)
    body = SHOWN + "".join(f"<a class=att href=/file/{number}>x</a>" for number in range(60))
    async with serving({ORDER: Answer(body=body)}) as served, open_page(shell) as page:
        found = await visit(page, PACK, served.url, served.url + ORDER, portal_number="1000")

    assert found.reading.end is ReadEnd.TOO_LARGE
    assert found.reading.links == []


SENDING = """<script>
fetch("/order/1000", {method: "DELETE"}).catch(() => 0);
fetch("/save", {method: "POST", body: "x"}).catch(() => 0);
fetch("/rpc", {method: "POST", body: "list"})
  .then((answer) => answer.text())
  .then((text) => document.body.insertAdjacentHTML("beforeend", text));
navigator.sendBeacon("/beacon", "x");
const form = document.createElement("form");
form.method = "post";
form.action = "/form";
document.documentElement.append(form);
form.submit();
</script>"""


def asked(served: Served) -> set[str]:
    """What came that could change anything."""
    return {one for one in served.asked if not one.startswith(("GET ", "HEAD "))}


async def test_nothing_that_changes_anything_leaves_an_orders_page_but_what_the_pack_names(shell: Browser) -> None:
    site = {ORDER: Answer(body=f"<!doctype html><body><div id=order>Order</div>{SENDING}"), "/rpc": Answer(body=TWO)}
    pack = PACK.model_copy(update={"site": PACK.site.model_copy(update={"posts": ("^/rpc$",)})})
    pack = pack.model_copy(update={"attachments": pack_of("").attachments})
    async with serving(site) as served, open_page(shell) as page, guard_requests(page, pack, served.url) as guard:
        found = await visit(page, pack, served.url, served.url + ORDER, portal_number="1000", guard=guard)

    assert asked(served) == {"POST /rpc"}
    assert (found.verdict, len(found.reading.links), found.doubt) == (Verdict.READY, 2, "")
    assert {one.split("/", 3)[3] for one in guard.withheld} == {"order/1000", "save", "form"}


async def test_a_page_that_goes_on_to_one_that_does_not_come_says_nothing_of_the_session(shell: Browser) -> None:
    site = {ORDER: Answer(body="<script>location = '/order/1000/all'</script>"), f"{ORDER}/all": Answer(is_broken=True)}
    async with serving(site) as served, open_page(shell) as page:
        with pytest.raises(PlaywrightError, match="net::ERR_CONNECTION_FAILED"):
            await visit(page, PACK, served.url, served.url + ORDER, portal_number="1000")


async def test_when_the_work_is_over_nothing_leaves_either(shell: Browser) -> None:
    body = f"<!doctype html><div id=order>Order</div><ul id=done></ul>{TWO}"
    site = {ORDER: Answer(body=body)}
    async with serving(site) as served, open_page(shell) as page:
        async with guard_requests(page, PACK, served.url) as guard:
            await visit(page, PACK, served.url, served.url + ORDER, portal_number="1000", guard=guard)
        await page.evaluate("() => void fetch('/late', {method: 'POST'})")
        await page.screenshot()
        await page.close()

    assert asked(served) == set()


async def test_a_page_that_is_sent_to_another_host_is_a_lost_session_and_goes_nowhere(shell: Browser) -> None:
    async with serving({}) as other:
        site = {ORDER: Answer(status=302, location=f"{other.url}/sign-on")}
        async with serving(site) as served, open_page(shell) as page, guard_requests(page, PACK, served.url) as guard:
            found = await visit(page, PACK, served.url, served.url + ORDER, portal_number="1000", guard=guard)

    assert found.verdict is Verdict.SESSION_LOST
    assert other.asked == []


ELSEWHERE = "<script>history.pushState({}, '', '/elsewhere')</script>"
DRAWN = "<script>document.body.insertAdjacentHTML('beforeend', '<a class=att href=/file/3>c.pdf</a>')</script>"


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (SHOWN + ELSEWHERE, Verdict.READY),
        (SHOWN + DRAWN + ELSEWHERE, Verdict.UNKNOWN),
        ("<!doctype html><div id=order>Order</div><ul id=done></ul>" + ELSEWHERE, Verdict.UNKNOWN),
        (SHOWN + ELSEWHERE.replace("/elsewhere", "/login"), Verdict.SESSION_LOST),
        (SHOWN + ELSEWHERE.replace("push", "replace").replace("/elsewhere", ORDER + "?tab=files"), Verdict.READY),
    ],
    ids=["all as the portal gave it", "a file of a script's own", "no file", "the login", "the order still"],
)
async def test_a_page_that_takes_another_address_is_the_orders_if_the_portal_gave_every_file_of_it(
    shell: Browser, body: str, verdict: Verdict
) -> None:
    async with serving({ORDER: Answer(body=body)}) as served, open_page(shell) as page:
        found = await visit(page, PACK, served.url, served.url + ORDER, portal_number="1000")

    assert found.verdict is verdict
    assert verdict is not Verdict.READY or len(found.reading.links) == 2
