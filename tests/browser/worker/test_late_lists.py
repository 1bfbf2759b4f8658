"""A list that comes late, or stands where one must look for it, is never taken for an empty one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser

from poolwright.portal.pack import Pack
from poolwright.portal.triage import Verdict
from poolwright.worker.page.visit import Visit, visit
from tests.support.portal import needs_chromium
from tests.support.sites import Answer, pack_of, serving

pytestmark = [needs_chromium, pytest.mark.timeout(60), pytest.mark.asyncio(loop_scope="session")]

ORDER = "/order/1000"
TWO = "<a class=att href=/file/1>a.pdf</a><a class=att href=/file/2>b.pdf</a>"
LISTED = Answer(body=TWO)
NONE = "has no sign of an empty list"
DOUBT = "shows no attachments, but a document in a viewer"
PDF = "%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def page(body: str) -> str:
    """An order's page."""
    return f"<!doctype html><div id=order>Order 1000</div>{body}"


def by_script(delay_s: float, markup: str = TWO) -> str:
    """A list that a script brings without asking anybody."""
    return f"<div id=list></div><script>setTimeout(() => list.innerHTML = `{markup}`, {delay_s * 1000})</script>"


FETCH = "<div id=list>Loading</div><script>fetch('/list').then(r => r.text()).then(t => list.innerHTML = t)</script>"


async def found(shell: Browser, pack: Pack, site: Mapping[str, Answer]) -> Visit:
    """What a visit to the order finds."""
    async with serving(site) as served:
        context = await shell.new_context()
        try:
            tab = await context.new_page()
            return await visit(tab, pack, served.url, served.url + ORDER, portal_number="1000")
        finally:
            await context.close()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A page, and what must be seen on it."""

    body: str
    links: int
    doubt: str = ""
    rules: str = ""
    list_answer: Answer = LISTED


CASES = {
    "at once": Case(body=TWO, links=2),
    "with addresses of other kinds": Case(
        body="<a class=att href='mailto:a@b.test'>m</a><a class=att href='javascript:go()'>j</a>"
        "<a class=att href='file:///etc/passwd'>f</a><a class=att href='/file/1'>a</a>",
        links=3,
    ),
    "by a request that takes a while": Case(body=FETCH, links=2, list_answer=Answer(body=TWO, delay_s=1.5)),
    "by a script, without any sign": Case(body=by_script(1.5), links=2),
    "in an open shadow root": Case(
        body=f"<div id=host></div><script>host.attachShadow({{mode: 'open'}}).innerHTML = `{TWO}`</script>", links=2
    ),
    "in a frame that fills itself": Case(body="<iframe src=/frame></iframe>", links=2),
    "in a frame that is shut off": Case(body="<iframe sandbox=allow-scripts src=/frame></iframe>", links=2),
    "in a frame that is shut off and has no address": Case(
        body=f"<iframe sandbox srcdoc='{TWO}' width=300 height=200></iframe>", links=2
    ),
    "never": Case(body="", links=0, doubt=NONE),
    "never, by a request": Case(body=FETCH, links=0, doubt=NONE, list_answer=Answer()),
    "never answered": Case(
        body=FETCH,
        links=0,
        doubt="still waits for a response from the portal",
        list_answer=Answer(body=TWO, delay_s=30),
    ),
    "said to be empty": Case(body="<p class=none>None</p>", links=0, rules='empty.selector = [".none"]'),
    "said to be empty in words": Case(
        body="<p>No  attachments.</p>", links=0, rules='empty.text = ["no attachments"]\nempty.within = ["p"]'
    ),
    "counted as none": Case(body="<b id=n>0</b>", links=0, rules='count.selector = "#n"'),
    "counted, and late": Case(body=f"<b id=n>2</b>{by_script(1.5)}", links=2, rules='count.selector = "#n"'),
    "fewer than counted": Case(
        body=f"<b id=n>3</b>{TWO}", links=2, rules='count.selector = "#n"', doubt="announces 3 attachments but shows 2"
    ),
    "answered with nothing": Case(body=FETCH, links=0, rules="answered = ['^/list$']", list_answer=Answer()),
    "answered with an error": Case(
        body=FETCH, links=0, rules="answered = ['^/list$']", list_answer=Answer(status=500), doubt=NONE
    ),
    "arrived with nothing, and no sign of an empty list": Case(
        body="<ul id=done></ul>", links=0, rules='settled = ["#done"]', doubt="settled is none"
    ),
    "there without anything": Case(
        body="<ul id=done></ul>", links=0, rules='empty.selector = ["#done:not(:has(.att))"]'
    ),
    "there without anything, and its request takes longer than it is watched": Case(
        body=f"<ul id=done></ul>{FETCH}",
        links=2,
        rules='settled = ["#done"]\nempty.selector = ["#done:not(:has(.att))"]',
        list_answer=Answer(body=TWO, delay_s=2.6),
    ),
    "there without anything, and its request is never answered": Case(
        body=f"<ul id=done></ul>{FETCH}",
        links=0,
        rules='settled = ["#done"]\nempty.selector = ["#done:not(:has(.att))"]',
        doubt="still waits for a response from the portal",
        list_answer=Answer(body=TWO, delay_s=30),
    ),
    "there without anything, and a script that comes late fills it": Case(
        body="<div id=list></div><script async src=/late></script>",
        links=2,
        rules='empty.selector = ["#list:not(:has(.att))"]',
    ),
    "there without anything, and filled late": Case(
        body=by_script(0.9), links=2, rules='empty.selector = ["#list:not(:has(.att))"]'
    ),
    "settled before its request is answered": Case(
        body=f"<ul id=done></ul>{FETCH}",
        links=2,
        rules='settled = ["#done"]',
        list_answer=Answer(body=TWO, delay_s=1.5),
    ),
    "in a frame of somebody else": Case(
        body="<iframe src=http://elsewhere.invalid/ width=300 height=200></iframe>", links=0, doubt="elsewhere.invalid"
    ),
    "in a page within an object": Case(body="<object data=/frame width=300 height=200></object>", links=2),
    "in a page within an embed": Case(body="<embed src=/frame width=300 height=200>", links=2),
    "in viewers that the pack names": Case(
        body="<object class=att data='/pdf#toolbar=0' type=application/pdf></object><a class=att href=/pdf>a.pdf</a>"
        "<embed class=att src=/other type=application/pdf><iframe class=att src=/third></iframe>",
        links=3,
        rules='links = [".att"]',
    ),
    "beside viewers of what it leads to": Case(
        body=f"{TWO}<object data=/file/1 type=application/pdf></object><embed src='/file/2#page=2'>", links=2
    ),
    "with pictures and films for its documents": Case(
        body="<ul id=done></ul><object type=image/svg+xml data=/logo></object><embed src=/banner.swf>"
        "<object data=/logo.svg></object><object data=/pdf type=application/pdf width=1 height=1></object>"
        "<embed src=/pdf width=1 height=1><object></object><embed><div hidden><object data=/pdf></object></div>",
        links=0,
        rules='empty.selector = ["#done:empty"]',
    ),
    **{
        f"in a viewer: {name}": Case(
            body=f"<ul id=done></ul>{markup}", links=0, rules='settled = ["#done"]', doubt=DOUBT
        )
        for name, markup in {
            "object": "<object data=/pdf type=application/pdf></object>",
            "object with a text in its place": "<object data=/pdf><p>Your browser shows no PDF.</p></object>",
            "object of a program": "<object data=/letter width=300 height=200></object>",
            "embed": "<embed src=/pdf type=application/pdf>",
            "frame": "<iframe src=/pdf></iframe>",
            "frame of a text": "<iframe src=/note></iframe>",
            "frame that saves it": "<iframe src=/saved></iframe>",
            "frame within a frame": "<iframe srcdoc='<embed src=/pdf>'></iframe>",
            "shadow root": "<p id=host></p>"
            "<script>host.attachShadow({mode: 'open'}).innerHTML = '<embed src=/pdf>'</script>",
            "address of the page": "<embed src='data:application/pdf;base64,JVBERi0xLjQK' width=300 height=200>",
        }.items()
    },
    "beside a picture that never comes": Case(
        body=f"{TWO}<ul id=done></ul><img src=/hang>", links=2, rules='settled = ["#done"]'
    ),
    "beside something that never rests": Case(
        body=f"{TWO}<ul id=done></ul><i id=t></i><script>setInterval(() => t.innerText = Date.now(), 5)</script>",
        links=2,
        rules='settled = ["#done"]',
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_list_is_what_the_page_says(name: str, shell: Browser) -> None:
    case = CASES[name]
    site = {
        ORDER: Answer(body=page(case.body)),
        "/list": case.list_answer,
        "/late": Answer(body=f"setTimeout(() => list.innerHTML = `{TWO}`, 400)", kind="text/javascript", delay_s=2.3),
        "/frame": Answer(body=by_script(0.8)),
        "/hang": Answer(delay_s=30),
        "/pdf": Answer(body=PDF, kind="application/pdf"),
        "/other": Answer(body=PDF, kind="application/pdf"),
        "/third": Answer(body=PDF, kind="application/pdf"),
        "/file/1": Answer(body=PDF, kind="application/pdf"),
        "/file/2": Answer(body=PDF, kind="application/pdf"),
        "/letter": Answer(body="letter", kind="application/msword"),
        "/note": Answer(body="note", kind="text/plain"),
        "/saved": Answer(body="x", kind="application/zip", headers=("Content-Disposition: attachment",)),
        "/logo": Answer(body="<svg xmlns='http://www.w3.org/2000/svg'/>", kind="image/svg+xml"),
        "/logo.svg": Answer(body="<svg xmlns='http://www.w3.org/2000/svg'/>", kind="image/svg+xml"),
    }

    visited = await found(shell, pack_of(case.rules, page_s=4.0), site)

    assert visited.verdict is Verdict.READY
    assert len(visited.reading.links) == case.links
    assert case.doubt in visited.doubt
    assert bool(case.doubt) == bool(visited.doubt)
