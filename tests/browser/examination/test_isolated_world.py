"""Reading runs in a world of its own: a page that changes what scripts are made of neither breaks nor fools it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser

from poolwright.portal.triage import Verdict
from tests.browser.examination.examined_portal import examine, judge_again, open_make
from tests.support.portal import needs_chromium
from tests.support.portals.order_pages import SERVER_RENDERED, head_of, links_of
from tests.support.portals.portal_make import ORDERS, Asked, PortalMake, html
from tests.support.sessions import OpenScenario
from tests.support.sites import Answer

pytestmark = [needs_chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

#: What a page may do to the language and to the document, each by itself.
PATCHES = {
    "Array": "for (const name of Object.getOwnPropertyNames(Array.prototype)) "
    "if (typeof Array.prototype[name] === 'function') Array.prototype[name] = () => [];",
    "Array.from": "Array.from = Array.of = () => []; Array.isArray = () => false;",
    "JSON": "JSON.parse = JSON.stringify = () => { throw new Error('no'); };",
    "Promise": "Promise.prototype.then = Promise.prototype.catch = () => new Promise(() => {}); "
    "Promise.resolve = () => ({}); window.Promise = class {};",
    "querySelector": "for (const kind of [Document, DocumentFragment, Element]) "
    "{ kind.prototype.querySelector = () => null; kind.prototype.querySelectorAll = () => []; }",
    "Object": "Object.keys = Object.entries = () => []; Object.fromEntries = () => ({}); Object.assign = () => ({});",
    "Map": "window.Map = window.Set = window.WeakSet = class {};",
    "String": "for (const name of ['trim', 'slice', 'split', 'replace', 'toLowerCase', 'toWellFormed']) "
    "String.prototype[name] = () => 'x';",
    "RegExp": "RegExp.prototype.exec = () => null; RegExp.prototype.test = () => true;",
    "time": "window.setTimeout = () => 0; performance.now = () => 0; Date.now = () => 0;",
    "observers": "window.MutationObserver = class { observe() {} disconnect() {} };",
    "boxes": "Element.prototype.getClientRects = () => []; "
    "Element.prototype.getBoundingClientRect = () => ({ width: 0, height: 0 });",
    "styles": "window.getComputedStyle = () => ({ display: 'none', getPropertyValue: () => 'none' });",
    "texts": "for (const name of ['innerText', 'textContent']) for (const kind of [HTMLElement, Node]) "
    "Object.defineProperty(kind.prototype, name, { get: () => 'Order not found', configurable: true });",
    "URL": "window.URL = class { constructor() { this.href = 'https://elsewhere.test/'; } };",
    "frozen": "Object.freeze(Array.prototype); Object.freeze(Object.prototype); Object.freeze(Promise.prototype);",
}
_FORM = "<form><input id=password type=password><button>Sign in</button></form>"


def patched(script: str, body: str = "") -> PortalMake:
    """A portal whose pages run a script before anything else."""

    def respond(asked: Asked) -> Answer | None:
        if asked.path != "/order/1001":
            return None
        shown = body or f"{head_of('1001')}<ul>{links_of('1001', ORDERS['1001'])}</ul>"
        return html(f"<script>{script}</script>{shown}")

    return replace(SERVER_RENDERED, respond=respond, calls=[])


@pytest.mark.parametrize("patch", PATCHES)
async def test_a_page_that_changes_the_language_is_read_counted_and_saved_as_it_is(
    patch: str, tmp_path: Path, open_scenario: OpenScenario, shell: Browser
) -> None:
    make = patched(PATCHES[patch])
    async with open_make(make, open_scenario, tmp_path) as (_, examiner):
        found = (await examine(examiner, tmp_path, "1001")).examination
    again = await judge_again(shell, make.pack(), tmp_path / "1001")

    for one in (found, again):
        assert (one.verdict, one.doubt, one.names) == (Verdict.READY, "", ORDERS["1001"])
        assert next(item.shown_count for item in one.selectors if item.key == "attachments.links") == 3


@pytest.mark.parametrize("patch", ["querySelector", "boxes", "Array", "texts"])
async def test_a_page_cannot_hide_that_it_asks_for_a_login(
    patch: str, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    make = patched(PATCHES[patch], body=f"{_FORM}{head_of('1001')}")
    async with open_make(make, open_scenario, tmp_path) as (_, examiner):
        found = (await examine(examiner, tmp_path, "1001")).examination

    assert found.verdict is Verdict.SESSION_LOST
    assert "input[type=password]" in found.reason
