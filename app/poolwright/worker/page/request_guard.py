"""Blocks requests that must not leave the page of an order; the rules are in ``portal.request_policy``.

The guard covers the page with all its frames and workers and the windows that it opens (``guard.browser_requests``).
Blocked requests are recorded for the evidence of the order.
"""

from __future__ import annotations

import contextlib
import json
from base64 import b64decode
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from importlib import resources
from typing import Any

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from poolwright.domain.errors import unwrap_group
from poolwright.portal.addresses import origin_of
from poolwright.portal.pack import Pack
from poolwright.portal.pack_schema import OtherHosts
from poolwright.portal.request_policy import (
    PageRequest,
    RequestRuling,
    body_problems,
    free_addresses,
    is_named,
    is_skipped,
    local_patterns,
    rule_on_request,
    skipped_kinds,
    skipped_patterns,
)
from poolwright.worker.guard.blocked_requests import current_record
from poolwright.worker.guard.browser_requests import open_browser_requests
from poolwright.worker.page.devtools import SendCommand, cdp_session, session_sender
from poolwright.worker.transfer.name_resolver import HostAddresses, NameResolver

#: The kinds of requests that can carry a change, or lead the page away.
_KINDS = ("Document", "XHR", "Fetch", "Ping", "CSPViolationReport", "Other")
_CLOSE_LIMIT_S = 2.0
#: Blocks all traffic; a page that has loaded is still shown.
_CUT_OFF = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
#: Most blocked requests that a report names.
_LOGGED_COUNT_MAX = 5
_SOCKETS = resources.files("poolwright.worker.guard").joinpath("sockets.js").read_text(encoding="utf-8")
#: The fragment of the request by which that script tells of a blocked WebSocket.
_SOCKET_FRAGMENT = "#poolwright-socket"
#: Why a request was blocked, for the evidence.
_CAUSES: Mapping[RequestRuling, str] = {
    RequestRuling.BLOCKED: "it could change something, and site.posts does not name it",
    RequestRuling.OFF_PORTAL: "the page may not go to another host",
    RequestRuling.OTHER_HOST: "site.other_hosts blocks hosts that the pack does not name",
}
_Event = Mapping[str, Any]


class RequestGuard:
    """Decides about the requests of one page, and records the blocked ones. Created by ``guard_requests``."""

    def __init__(self, pack: Pack, base_url: str, frame_id: str, resolver: NameResolver) -> None:
        """Guard the page whose main frame is ``frame_id``."""
        self._pack = pack
        self._base_url = base_url
        self._frame_id = frame_id
        self._resolver = resolver
        self._hosts: dict[str, HostAddresses] = {}
        self._record = current_record()
        #: Whether links of the page are clicked, so that the requests of those clicks are allowed.
        self.is_clicking = False
        #: Whether the work on the page has ended, so that nothing more leaves it.
        self.is_over = False
        #: Requests that were blocked, as method and address.
        self.withheld: list[str] = []
        #: Addresses outside the portal to which the page tried to navigate.
        self.strayed: list[str] = []

    @contextlib.contextmanager
    def clicking(self) -> Generator[None]:
        """Allow the requests of clicks during the block."""
        before, self.is_clicking = self.is_clicking, True
        try:
            yield
        finally:
            self.is_clicking = before

    async def may_go(self, event: _Event) -> bool:
        """Return whether a paused request may be sent; one that may not is recorded."""
        if self.is_over:
            return False
        request, kind = self._request(event), event["resourceType"]
        if is_skipped(self._pack, kind, request):
            return False
        ruling = rule_on_request(self._pack, self._base_url, request)
        cause = _CAUSES.get(ruling, "")
        body_problem = body_problems(self._pack, request)[0] if ruling is RequestRuling.OTHER_BODY else ""
        if body_problem:
            cause = f"site.posts names its address, but {body_problem}"
        if ruling is RequestRuling.OFF_PORTAL:
            self.strayed.append(request.url)
        if ruling is RequestRuling.ALLOWED:
            cause = await self._network_problem(request.url)
        if not cause:
            return True
        method = "WebSocket" if request.is_socket else request.method
        self._record.add(method, request.url, cause)
        summary = f"{method} {request.url.split('?')[0]}" + (f" ({body_problem})" if body_problem else "")
        is_new = ruling is not RequestRuling.OFF_PORTAL and kind not in _REPORTS and summary not in self.withheld
        if is_new and len(self.withheld) < _LOGGED_COUNT_MAX:
            self.withheld.append(summary)
        return False

    def _request(self, event: _Event) -> PageRequest:
        raw = event["request"]
        return PageRequest(
            method=str(raw["method"]),
            url=str(raw["url"]),
            is_navigation=event["resourceType"] == "Document" and event.get("frameId") == self._frame_id,
            sender=_header(raw, "origin"),
            is_clicking=self.is_clicking,
            is_socket=raw.get("urlFragment") == _SOCKET_FRAGMENT,
            content_type=_header(raw, "content-type"),
            body=_body(raw),
        )

    async def _network_problem(self, url: str) -> str:
        """Return why a host that the pack does not name is not requested; empty if it is on the internet."""
        origin = origin_of(url)
        if origin is None or is_named(self._pack, self._base_url, url):
            return ""
        if origin.host not in self._hosts:
            self._hosts[origin.host] = await self._resolver.resolve(url)
        found = self._hosts[origin.host]
        return "" if found.is_unresolved else found.problem  # the browser may know a proxy that finds it


def _header(raw: _Event, name: str) -> str:
    return next((str(value) for key, value in raw.get("headers", {}).items() if key.lower() == name), "")


def _body(raw: _Event) -> bytes | None:
    """Return what a request sends; ``None`` if the browser does not tell all of it, as for a file."""
    parts = [part.get("bytes") for part in raw.get("postDataEntries", ())]
    if None in parts or (raw.get("hasPostData") and not parts):
        return None
    return b"".join(b64decode(part) for part in parts)


#: Kinds of requests that tell of something and bring nothing, so that a list is not missing because of them.
_REPORTS = frozenset({"Ping", "CSPViolationReport"})


def _patterns(pack: Pack, base_url: str) -> Iterator[tuple[str, str]]:
    """Yield what is paused: patterns of addresses, each with a kind of request, or with an empty text for all."""
    if pack.site.other_hosts is OtherHosts.BLOCK:
        yield "*", ""
        return
    yield from (("*", kind) for kind in _KINDS)
    yield from ((pattern, "") for pattern in local_patterns(base_url))
    yield from (("*", kind) for kind in skipped_kinds(pack))
    yield from ((pattern, "") for pattern in skipped_patterns(pack))


def _socket_script(pack: Pack, base_url: str) -> str:
    """Return the script that lets a page open only those WebSockets that the pack names."""
    portal = origin_of(base_url)
    default = {"http": 80, "https": 443}
    address = ""
    if portal is not None:
        host = f"[{portal.host}]" if ":" in portal.host else portal.host
        port = "" if default[portal.scheme] == portal.port else f":{portal.port}"
        address = f"{portal.scheme}://{host}{port}"
    return f"({_SOCKETS.strip()})({json.dumps([address, free_addresses(pack)])})"


async def _frame_id_of(page: Page, send: SendCommand, script: str) -> str:
    """Return the id of a page's main frame, and let a script run before all others of the page from now on.

    Both are asked of the browser at once: each order waits for them before its page is opened.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
    """
    tree: Mapping[str, Any] = {}
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(page.add_init_script, script)
            tree = await send("Page.getFrameTree", {})
    except ExceptionGroup as group:
        raise unwrap_group(group) from group
    return str(tree["frameTree"]["frame"]["id"])


@contextlib.asynccontextmanager
async def guard_requests(page: Page, pack: Pack, base_url: str) -> AsyncGenerator[RequestGuard]:
    """Guard a page during the block; afterwards the page can send no more requests.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
    """
    send, script = session_sender(await cdp_session(page)), _socket_script(pack, base_url)
    async with open_browser_requests(page.context) as requests:
        frame_id = await _frame_id_of(page, send, script)
        guard = RequestGuard(pack, base_url, frame_id, requests.resolver)
        await requests.claim(frame_id, guard, _patterns(pack, base_url))
        await requests.run_in_windows(f"if (top.opener) {script}")
        try:
            yield guard
        finally:
            guard.is_over = True
            with anyio.move_on_after(_CLOSE_LIMIT_S, shield=True), contextlib.suppress(PlaywrightError):
                await send("Network.emulateNetworkConditions", _CUT_OFF)
