"""What leaves an order's page by ways that its own page does not show: frames, windows, workers, sockets, networks."""

from __future__ import annotations

import anyio
import pytest
from playwright.async_api import Browser, Page

from poolwright.portal.triage import Verdict
from poolwright.worker.guard.blocked_requests import BlockedRequests, recording_blocked
from poolwright.worker.page.request_guard import guard_requests
from poolwright.worker.page.visit import visit
from tests.browser.worker.test_visits import ORDER, PACK, asked, open_page
from tests.support.portal import needs_chromium
from tests.support.sites import Answer, Answering, Served, serving

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]


def sending(name: str) -> str:
    """A script that tries to change something in each way that it has, and then says that it has run."""
    return f"""
fetch("/{name}-fetch", {{method: "POST", body: "x"}}).catch(() => 0);
self.navigator.sendBeacon?.("/{name}-beacon", "x");
if (self.XMLHttpRequest) {{ const x = new XMLHttpRequest(); x.open("PUT", "/{name}-xhr"); x.send("x"); }}
if (self.document) new WebSocket(location.origin.replace("http", "ws") + "/{name}-socket");
fetch("/{name}-done");
"""


def page_of(name: str, more: str = "") -> Answer:
    return Answer(
        body=f"<!doctype html><body><div id=order>Order</div><ul id=done></ul><script>{sending(name)}{more}</script>"
    )


def script(name: str, more: str = "") -> Answer:
    return Answer(body=f"{sending(name)}{more}", kind="text/javascript")


class Runs:
    """Waits for scripts that say that they have run."""

    def __init__(self, *names: str) -> None:
        self._events = {name: anyio.Event() for name in names}
        self.site: dict[str, Answer | Answering] = {f"/{name}-done": self._answering(name) for name in names}

    def _answering(self, name: str) -> Answering:
        def answer(_: str) -> Answer:
            self._events[name].set()
            return Answer()

        return answer

    async def wait(self) -> None:
        for name, event in self._events.items():
            with anyio.move_on_after(20):
                await event.wait()
            assert event.is_set(), f"{name} has not run"


OPENING = """
window.open("/popup");
window.open("/apart", "_blank", "noopener");
new Worker("/worker.js");
new SharedWorker("/shared.js");
navigator.serviceWorker.register("/service.js");
"""


async def visited(page: Page, served: Served, runs: Runs) -> tuple[Verdict, BlockedRequests, list[str]]:
    """Open the order's page under guard, and wait until its scripts have run."""
    with recording_blocked() as record:
        async with guard_requests(page, PACK, served.url) as guard:
            found = await visit(page, PACK, served.url, served.url + ORDER, portal_number="1000", guard=guard)
            await runs.wait()
    return found.verdict, record, guard.withheld


async def test_no_frame_window_or_worker_of_an_orders_page_gets_anything_past_the_guard(shell: Browser) -> None:
    frames = "<iframe srcdoc='<script>fetch(`/inner-fetch`,{method:`POST`});fetch(`/inner-done`)<\\/script>'></iframe>"
    names = ("page", "popup", "apart", "worker", "shared", "service", "inner")
    runs = Runs(*names)
    site = {
        ORDER: page_of("page", OPENING + f'document.body.insertAdjacentHTML("beforeend", "{frames}");'),
        "/popup": page_of("popup"),
        "/apart": page_of("apart"),
        "/worker.js": script("worker"),
        "/shared.js": script("shared"),
        "/service.js": script("service"),
        **runs.site,
    }
    async with serving(site) as served, open_page(shell) as page:
        verdict, record, withheld = await visited(page, served, runs)

    assert verdict is Verdict.READY
    assert f"WebSocket {served.url}/page-socket" in withheld or len(withheld) == 5
    assert asked(served) == set()
    sockets = {one.removeprefix("GET /") for one in served.asked if "socket" in one}
    assert sockets <= {"apart-socket"}, "no script can be put into a window without an opener before its own"
    assert f"WebSocket {served.url}/page-socket: it could change something" in record.text
    for name in names:
        assert f"POST {served.url}/{name}-fetch: it could change something" in record.text


async def test_a_frame_with_a_process_of_its_own_sends_nothing_either(shell: Browser) -> None:
    runs = Runs("far")
    async with serving({"/frame": page_of("far"), **runs.site}) as other:
        address = other.url.replace("127.0.0.1", "localhost")
        frame = f"<iframe src='{address}/frame'></iframe>"
        pack = PACK.model_copy(update={"site": PACK.site.model_copy(update={"hosts": (address,)})})
        site = {ORDER: Answer(body=f"<!doctype html><div id=order>Order</div><ul id=done></ul>{frame}")}
        async with (
            serving(site) as served,
            open_page(shell) as page,
            guard_requests(page, pack, served.url) as guard,
        ):
            await visit(page, pack, served.url, served.url + ORDER, portal_number="1000", guard=guard)
            await runs.wait()

    assert asked(other) == set()
    assert not [one for one in other.asked if "socket" in one]


async def test_a_socket_that_the_pack_names_is_opened(shell: Browser) -> None:
    runs = Runs("page")
    pack = PACK.model_copy(update={"site": PACK.site.model_copy(update={"posts": ("^/page-socket$",)})})
    opened = Runs("page-socket")
    site = {ORDER: page_of("page"), **runs.site, "/page-socket": opened.site["/page-socket-done"]}
    async with (
        serving(site) as served,
        open_page(shell) as page,
        guard_requests(page, pack, served.url) as guard,
    ):
        await visit(page, pack, served.url, served.url + ORDER, portal_number="1000", guard=guard)
        await runs.wait()
        await opened.wait()

    assert "GET /page-socket" in served.asked


#: Calls of a page, by what their address ends with, and whether they may go.
CALLS = {
    "read": ("JSON.stringify({method: 'read', text: 'x'.repeat(2e5)})", "application/json", True),
    "blob": ("new Blob([new Blob(['{\"method\":']), '\"read\"}'])", "text/plain", True),
    "bytes": ('new TextEncoder().encode(\'{"method": "read"}\')', "application/json", True),
    "form": ("new URLSearchParams({method: 'read', id: '\u00e9'})", "application/x-www-form-urlencoded", True),
    "erase": ("JSON.stringify({method: 'unlink'})", "application/json", False),
    "parts": ("new Blob(['--x--'])", "multipart/form-data; boundary=x", False),
    "empty": ("''", "application/json", False),
}


async def test_a_call_that_the_pack_lists_by_its_body_goes_with_no_other_body(shell: Browser) -> None:
    runs = Runs("page")
    rules = PACK.site.model_dump() | {"posts": ({"address": "^/rpc/", "body": {"method": "read"}},)}
    pack = PACK.model_copy(update={"site": type(PACK.site).model_validate(rules)})
    calls = "".join(
        f"await fetch('/rpc/{name}', {{method: 'POST', body: {body}, headers: {{'Content-Type': '{kind}'}} }})"
        ".catch(() => 0);"
        for name, (body, kind, _) in CALLS.items()
    )
    site = {
        ORDER: Answer(
            body="<!doctype html><body><div id=order>Order</div><ul id=done></ul><script>(async () => {"
            f"{calls} new WebSocket(location.origin.replace('http', 'ws') + '/rpc/socket'); fetch('/page-done'); }})()"
            "</script>"
        ),
        **{f"/rpc/{name}": Answer(body="{}", kind="application/json") for name in CALLS},
        **runs.site,
    }
    async with serving(site) as served, open_page(shell) as page:
        with recording_blocked() as record:
            async with guard_requests(page, pack, served.url) as guard:
                await visit(page, pack, served.url, served.url + ORDER, portal_number="1000", guard=guard)
                await runs.wait()

    assert asked(served) == {f"POST /rpc/{name}" for name, (_, _, may_go) in CALLS.items() if may_go}
    assert f"{served.url}/rpc/erase: site.posts names its address, but its body has method = 'unlink'" in record.text
    assert f"{served.url}/rpc/parts: site.posts names its address, but its body cannot be read" in record.text
    assert f"POST {served.url}/rpc/erase (its body has method = 'unlink')" in guard.withheld
    assert "GET /rpc/socket" not in served.asked


async def test_no_request_of_a_page_enters_a_network_in_which_the_pack_names_no_host(shell: Browser) -> None:
    """The portal is ``localhost``; what it does not name is at 127.0.0.1, in forms that hide it, or by a redirect."""
    runs = Runs("page")
    async with serving({"/x": Answer(headers=("Access-Control-Allow-Origin: *",))}) as other:
        port = other.url.rpartition(":")[2]
        places = [f"http://127.0.0.1:{port}/x", f"http://2130706433:{port}/x", f"http://0x7f.1:{port}/x"]
        tries = "".join(
            f"await fetch('{place}').catch(() => 0); await new Promise((done) => {{ const image = new Image();"
            f"image.onerror = image.onload = done; image.src = '{place}?image'; }});"
            for place in [*places, "/away"]
        )
        frame = (
            f"const frame = document.createElement('iframe'); frame.src = '{places[0]}'; document.body.append(frame);"
        )
        body = (
            "<!doctype html><body><div id=order>Order</div><ul id=done></ul><script>"
            f"(async () => {{ {frame} {tries} fetch('/page-done'); }})();</script>"
        )
        site = {ORDER: Answer(body=body), "/away": Answer(status=302, location=places[0]), **runs.site}
        async with serving(site) as served, open_page(shell) as page:
            base_url = served.url.replace("127.0.0.1", "localhost")
            with recording_blocked() as record:
                async with guard_requests(page, PACK, base_url) as guard:
                    found = await visit(page, PACK, base_url, base_url + ORDER, portal_number="1000", guard=guard)
                    await runs.wait()

    assert found.verdict is Verdict.READY
    assert other.asked == []
    assert "/x: its address leads to 127.0.0.1 in this machine, and the portal pack does not name" in record.text
    assert guard.withheld[0] == f"GET {places[0]}"


CACHED = ("Cache-Control: max-age=600", "Access-Control-Allow-Origin: *")


@pytest.mark.parametrize("other_hosts", ["load", "block"])
async def test_hosts_beside_the_portal_are_blocked_if_the_pack_says_so_and_the_cache_stays_on(
    shell: Browser, other_hosts: str
) -> None:
    runs = Runs("page")
    async with serving({"/style.css": Answer(kind="text/css"), "/data": Answer(headers=CACHED)}) as other:
        rules = PACK.site.model_dump() | {"hosts": (), "other_hosts": other_hosts}
        pack = PACK.model_copy(update={"site": type(PACK.site).model_validate(rules)})
        named = type(PACK.site).model_validate(rules | {"hosts": (other.url,)})
        body = (
            f"<!doctype html><link rel=stylesheet href='{other.url}/style.css'><link rel=stylesheet href=/own.css>"
            "<script src=/own.js></script><div id=order>Order</div><ul id=done></ul><img src=/own.png><script>"
            f"fetch('{other.url}/data').catch(() => 0).finally(() => fetch('/page-done'))</script>"
        )
        site = {
            ORDER: Answer(body=body),
            "/own.css": Answer(kind="text/css", headers=CACHED),
            "/own.js": Answer(kind="text/javascript", headers=CACHED),
            "/own.png": Answer(kind="image/png", headers=CACHED),
            **runs.site,
        }
        async with serving(site) as served:
            context = await shell.new_context()
            for rule in (pack, pack.model_copy(update={"site": named})):
                served.asked.clear()
                page = await context.new_page()
                async with guard_requests(page, rule, served.url) as guard:
                    await visit(page, rule, served.url, served.url + ORDER, portal_number="1000", guard=guard)
                    await runs.wait()
                await page.close()
                first = other.asked[:]
                if (
                    rule is pack
                ):  # neither named nor on the internet: without "block" a style beside the portal still comes
                    assert first == ([] if other_hosts == "block" else ["GET /style.css"])
            await context.close()

    assert [one for one in served.asked if "own" in one] == [], "the second visit takes all from the cache"
    assert set(other.asked) == {"GET /style.css", "GET /data"}
