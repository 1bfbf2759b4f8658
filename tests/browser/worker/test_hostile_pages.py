"""Pages that do what no page should, on a real browser: each costs what is its own, and is told as what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf, raw_pack
from tests.support.raw_scenario import button, files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

NESTED = """
let root = document.body;
for (let depth = 0; depth < 300; depth++) {
  root = root.appendChild(document.createElement("div")).attachShadow({mode: "open"});
}
"""
#: Hidden, so that it costs the machine that tries it no more than it must.
IMMENSE = """
const host = document.body.appendChild(document.createElement("div"));
host.hidden = true;
host.innerHTML = "<i></i>".repeat(1_500_000);
"""
#: The shadow root stands before the document's own buttons, and all of them show the same.
SHADOWED = """
const host = document.createElement("div");
document.body.prepend(host);
host.attachShadow({mode: "open"}).innerHTML =
  `<button class=att title=shadow.pdf onclick="location='/f/shadow'">Get</button>`;
"""
#: What a page may do to everything that a click is made of.
PROTOTYPES = """
HTMLElement.prototype.click = EventTarget.prototype.dispatchEvent = () => { location = "/f/wrong"; };
Element.prototype.getAttribute = () => "mailto:anna@acme.example";
for (const one of [Document, DocumentFragment, Element]) one.prototype.querySelectorAll = () => [];
for (const name of ["filter", "flatMap", "map", "some", "push"]) Array.prototype[name] = () => [];
for (const name of ["trim", "slice", "toLowerCase"]) String.prototype[name] = () => "x";
RegExp.prototype.exec = () => null;
Document.prototype.createElementNS = Node.prototype.appendChild = () => document.body;
Object.defineProperty(Document.prototype, "contentType", { get: () => "application/pdf" });
"""
#: Names of elements, which a document takes for its own.
OF_DOCUMENT = ("querySelectorAll", "createElementNS", "body", "contentType", "nodeType", "baseURI")
NAMES = "".join(f"<form name={name}></form>" for name in OF_DOCUMENT)
#: And those of a form, that belong to what is in it.
OF_FORM = ("shadowRoot", "localName", "namespaceURI", "nodeType", "innerText", "textContent", "getAttribute", "click")
FIELDS = "".join(f"<input type=hidden name={name}>" for name in OF_FORM)
#: For a page that takes all that a machine has as long as it is waited for.
IMPATIENT = raw_pack().model_copy(update={"limits": raw_pack().limits.model_copy(update={"page_s": 2.0})})
COOKIES = """
for (let number = 0; number < 40; number++) document.cookie = `c${number}=${"x".repeat(3900)}; path=/`;
"""


@pytest.mark.parametrize(
    "script",
    ["location.reload()", "location.replace(location.pathname + '?' + Math.random())", "location.href = location.href"],
)
async def test_a_page_that_reloads_without_end_is_the_portals_error(
    tmp_path: Path, open_scenario: OpenScenario, script: str
) -> None:
    async with raw_scenario(open_scenario, tmp_path, IMPATIENT) as (portal, scenario):
        portal.order("1", "", script)
        page = portal.routes["/order/1"]
        portal.fallback = page

        report, _ = await files_of(scenario)

    assert report.reason in {Reason.PORTAL_ERROR, Reason.PORTAL_CHANGED}, report


@pytest.mark.parametrize("script", [NESTED, IMMENSE], ids=["roots within roots", "a million elements and a half"])
async def test_a_page_beyond_all_measure_is_given_up_at_once(
    tmp_path: Path, open_scenario: OpenScenario, script: str
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/f/a", "a.pdf"), script)

        report, _ = await files_of(scenario)

    assert report.reason is Reason.GIVEN_UP
    assert report.detail.startswith("The page is too large to be read")
    assert report.evidence == ()


async def test_a_page_with_more_files_than_an_order_has_is_given_up_in_one_sentence(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    script = """document.body.append(...Array.from({length: 5001}, (_, number) => Object.assign(
      document.createElement("a"), {className: "att", href: `/f/${number}`, textContent: `${number}.pdf`})))"""
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", "", script)

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.GIVEN_UP, {})
    assert "The page shows 5,001 files; at most 5,000 are downloaded for one order." in report.detail


async def test_buttons_that_look_the_same_bring_each_its_own_file(tmp_path: Path, open_scenario: OpenScenario) -> None:
    titled = "".join(
        f"<button class=att title={name}.pdf onclick=\"location='/f/{name}'\">Get</button>" for name in ("a", "b")
    )
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", titled, SHADOWED)
        for name in ("a", "b", "shadow"):
            portal.routes[f"/f/{name}"] = (answer(pdf(name), "Content-Disposition: attachment"),)

        report, saved = await files_of(scenario)

    assert report.reason is Reason.ALL_SAVED, report
    assert saved == {f"{name}.pdf": pdf(name) for name in ("a", "b", "shadow")}


@pytest.mark.parametrize(("markup", "script"), [(NAMES, ""), ("", PROTOTYPES)], ids=["names", "prototypes"])
async def test_what_a_page_makes_of_the_web_changes_no_click(
    tmp_path: Path, open_scenario: OpenScenario, markup: str, script: str
) -> None:
    drawn = "<svg><a class=att onclick=\"location='/f/drawn'\"><text y=20>drawn.pdf</text></a></svg>"
    buttons = "".join(button(f"location='/f/{name}'", f"{name}.pdf") for name in ("a", "b"))
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", f"{markup}<form onsubmit='return false'>{FIELDS}{buttons}</form>{drawn}", script)
        for name in ("a", "b", "drawn", "wrong"):
            portal.routes[f"/f/{name}"] = (attached(f"{name}.pdf", pdf(name)),)

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.ALL_SAVED, {f"{name}.pdf": pdf(name) for name in ("a", "b", "drawn")})


async def test_a_page_that_calls_itself_a_document_is_none(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", button("location='/f/page'", "page.pdf"))
        portal.routes["/f/page"] = (answer(f"<body>{NAMES}Wait for it".encode(), kind="text/html"),)

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.DOWNLOAD_FAILED, {})
    assert report.missed[0].problem.startswith("no file was downloaded")


async def test_a_download_that_a_page_begins_by_itself_is_no_file_of_a_click(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", button("location='/f/b'", "b.pdf"), "location = '/f/auto'")
        portal.routes["/f/auto"] = (attached("auto.pdf", pdf("auto")),)
        portal.routes["/f/b"] = (attached("b.pdf", pdf("b")),)

        report, saved = await files_of(scenario)

    assert report.reason is Reason.ALL_SAVED, report
    assert saved["b.pdf"] == pdf("b")


async def test_cookies_beyond_measure_cost_no_file(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/f/a", "a.pdf"), COOKIES)
        portal.routes["/f/a"] = (attached("a.pdf", pdf("a")),)

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.ALL_SAVED, {"a.pdf": pdf("a")})


async def test_a_page_that_prints_plays_and_talks_all_the_time_is_read(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    script = """
    setInterval(() => { print(); new WebSocket("ws://127.0.0.1:9/"); navigator.vibrate?.(1); }, 200);
    onbeforeunload = (event) => event.preventDefault();
    navigator.serviceWorker?.register("/worker.js").catch(() => 0);
    """
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/f/a", "a.pdf") + button("location='/f/b'", "b.pdf"), script)
        portal.routes |= {f"/f/{name}": (attached(f"{name}.pdf", pdf(name)),) for name in ("a", "b")}

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.ALL_SAVED, {"a.pdf": pdf("a"), "b.pdf": pdf("b")})


async def test_evidence_is_kept_of_a_page_whose_elements_have_the_names_of_the_web(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    names = ("documentElement", "doctype", "body", "head", "fonts", "createElement", "querySelectorAll", "defaultView")
    markup = "".join(f"<img name={name}><form name={name}><input name=outerHTML></form>" for name in names)
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", f"{markup}<b>the whole page</b>")
        page = portal.routes["/order/1"][0]
        assert isinstance(page, bytes)
        portal.routes["/order/1"] = (page.replace(b"id=order", b"id=other"),)

        report, _ = await files_of(scenario)

        evidence = scenario.staging / "1" / "evidence"
        assert set(report.evidence) == {"page.png", "page.html"}, report
        assert (evidence / "page.png").read_bytes().startswith(b"\x89PNG")
        html = (evidence / "page.html").read_text()
        assert html.lower().startswith("<!doctype html>")
        assert "the whole page" in html
