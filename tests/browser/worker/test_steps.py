"""Steps that a pack names for the page of an order, before its list is read."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support import sessions
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf, raw_pack, raw_portal
from tests.support.raw_scenario import button, files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

TWO = (link("/f/a.pdf", "a.pdf") + link("/f/b.pdf", "b.pdf")).replace('"', "'")
SHADOW = "<p id=host></p><script>host.attachShadow({mode: 'open'}).innerHTML = `"
LIST = "</button><div id=list></div>"
TAB = """<button id=tab onclick="setTimeout(() => list.innerHTML = `%s`, 300)">Anh\u00e4nge (2)""" + LIST
FIELD = "<input id=q><button id=go onclick=\"if (q.value === '1') list.innerHTML = `%s`\">Go" + LIST
CLICK_TAB = """
[[attachments.open]]
click = "button"
text = ["attachments", "Anhänge"]
until = "#list a"
"""
EXPANDERS = '<div class=x onclick="this.outerHTML = `%s`">+</div>'
MORE = """<div id=list></div><button id=more>More</button><script>
const names = ["a", "b"];
more.onclick = () => {
  const name = names.shift();
  list.innerHTML += `<a class=att href=/f/${name}.pdf>${name}.pdf</a>`;
  if (names.length === 0) more.remove();
};
</script>"""
SHUT_OFF = "<iframe sandbox=allow-scripts src=/frame width=300 height=200></iframe>"
CASES = {
    "a tab": (TAB % TWO, CLICK_TAB),
    "a tab in an open shadow root": (
        SHADOW
        + "<button onclick='this.nextSibling.innerHTML = this.nextSibling.title'>Anh\u00e4nge</button>"
        + f'<div id=list title="{TWO}"></div>`</script>',
        CLICK_TAB,
    ),
    "a tab in a frame of the same host": ("<iframe src=/frame width=300 height=200></iframe>", CLICK_TAB),
    "a tab in a frame that is shut off": (SHUT_OFF, CLICK_TAB),
    "a tab that is not there, if it may be missing": (TWO, '[[attachments.open]]\nclick = "#tab"\nif_present = true'),
    "one more page": (
        "",
        '[[attachments.open]]\ngoto = "/order/{number}/files"\n[[attachments.open]]\nwait_for = "a.att"',
    ),
    "more and more": (
        MORE,
        '[[attachments.open]]\nclick = "#more"\nrepeat = true',
    ),
    "expanders within expanders": (
        (EXPANDERS % "<div class=x onclick='this.outerHTML = list.innerHTML'>+</div>")
        + f"<template id=list>{TWO}</template>",
        '[[attachments.open]]\nexpand = ".x"',
    ),
    "a field and a button": (
        FIELD % TWO,
        '[[attachments.open]]\nfill = "#q"\nvalue = "{number}"\n[[attachments.open]]\nclick = "#go"',
    ),
    "a key": (
        "<form action=/order/1/files><input id=q name=q></form>",
        '[[attachments.open]]\nfill = "#q"\nvalue = "x"\n[[attachments.open]]\npress = "Enter"\non = "#q"',
    ),
    "a form that would open a window": (
        "<form action=/order/1/files target=_blank><input name=q value=x><button id=go>Go</button></form>",
        '[[attachments.open]]\nclick = "#go"',
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_list_behind_steps_is_read_whole(name: str, tmp_path: Path, open_scenario: OpenScenario) -> None:
    body, steps = CASES[name]
    async with raw_scenario(open_scenario, tmp_path, raw_pack(steps)) as (portal, scenario):
        portal.order("1", body)
        portal.order("1/files", TWO)
        portal.routes["/order/1/files?q=x"] = portal.routes["/order/1/files"]
        portal.routes["/frame"] = (answer((TAB % TWO).encode(), kind="text/html; charset=utf-8"),)
        for file in ("a", "b"):
            portal.routes[f"/f/{file}.pdf"] = (answer(pdf(file)),)

        report, saved = await files_of(scenario)

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert saved == {"a.pdf": pdf("a"), "b.pdf": pdf("b")}


UNSURE = {
    "a step finds nothing": (TWO, '[[attachments.open]]\nclick = "#tab"', "Step 1 (click '#tab') failed"),
    "a step has no effect": (
        f"<button id=tab>Files</button>{TWO}",
        '[[attachments.open]]\nclick = "#tab"\nuntil = "#shown"',
        "until '#shown'",
    ),
    "there is always more": (
        f"{TWO}<button id=more>More</button>",
        '[[attachments.open]]\nclick = "#more"\nrepeat = true\nmax = 3',
        "still there after 3 clicks",
    ),
    "there are more expanders than allowed": (
        f"{TWO}<b class=x>1</b><b class=x>2</b><b class=x>3</b>",
        '[[attachments.open]]\nexpand = ".x"\nmax = 2',
        "more than 2 such elements",
    ),
    "a disabled button is not clicked": (
        f"{TWO}<button id=tab disabled>Files</button>",
        '[[attachments.open]]\nclick = "#tab"',
        "no element '#tab'",
    ),
}


@pytest.mark.parametrize("name", UNSURE)
async def test_an_order_whose_steps_fail_stays_open(name: str, tmp_path: Path, open_scenario: OpenScenario) -> None:
    body, steps, told = UNSURE[name]
    pack = raw_pack(steps)
    pack = pack.model_copy(update={"limits": pack.limits.model_copy(update={"page_s": 2.0})})
    async with raw_scenario(open_scenario, tmp_path, pack) as (portal, scenario):
        portal.order("1", body)

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.PORTAL_CHANGED, {})
    assert told in report.detail


@pytest.mark.parametrize("target", ["", "target=_blank"])
async def test_a_step_changes_nothing_on_the_portal(target: str, tmp_path: Path, open_scenario: OpenScenario) -> None:
    steps = '[[attachments.open]]\nclick = "#send"\n[[attachments.open]]\nclick = "#call"\n'
    async with raw_scenario(open_scenario, tmp_path, raw_pack(steps)) as (portal, scenario):
        portal.order(
            "1",
            f"<form action=/change method=post {target}><button id=send>Approve</button></form>"
            f"<button id=call onclick=\"fetch('/delete', {{method: 'DELETE'}})\">x</button>{TWO}",
        )
        for file in ("a", "b"):
            portal.routes[f"/f/{file}.pdf"] = (answer(pdf(file)),)

        report, saved = await files_of(scenario)

    assert (report.reason, list(saved)) == (Reason.ALL_SAVED, ["a.pdf", "b.pdf"])
    assert not {"/change", "/delete"} & set(portal.asked)


async def test_a_step_in_a_frame_with_a_process_of_its_own_changes_nothing_there(tmp_path: Path) -> None:
    """The headless shell gives no frame a process of its own."""
    frame = f"""<button id=tab onclick="fetch('/change', {{method: 'POST', body: 'x'}}).finally(() =>
        list.innerHTML = `{TWO}`)">Anh\u00e4nge</button><div id=list></div>"""
    async with raw_portal() as other:
        address = other.url.replace("127.0.0.1", "localhost")
        other.routes["/list"] = (answer(frame.encode(), kind="text/html; charset=utf-8"),)
        other.routes |= {f"/f/{name}.pdf": (attached(f"{name}.pdf", pdf(name)),) for name in "ab"}
        pack = raw_pack(CLICK_TAB)
        pack = pack.model_copy(update={"site": pack.site.model_copy(update={"hosts": (address,)})})
        open_own = partial(sessions.open_scenario, executable=sessions.CHROMIUM)
        async with raw_scenario(open_own, tmp_path, pack) as (portal, scenario):
            portal.order("1", f"<iframe src={address}/list width=300 height=200></iframe>")

            report, _ = await files_of(scenario)

    assert [file.label for file in (*report.files, *report.missed)] == ["a.pdf", "b.pdf"], "the step was made"
    assert not [head for head in other.heads if head.startswith("POST")]
    assert report.evidence == ("blocked-requests.txt",)


async def test_a_page_that_is_opened_again_for_a_click_goes_through_the_steps_again(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    buttons = "".join(button(f"location=&quot;/f/{name}&quot;", f"{name}.pdf").replace('"', "'") for name in "xab")
    async with raw_scenario(open_scenario, tmp_path, raw_pack(CLICK_TAB.replace("#list a", "#list button"))) as (
        portal,
        scenario,
    ):
        portal.order("1", f'<button onclick="list.innerHTML = `{buttons}`">Anh\u00e4nge</button><div id=list></div>')
        portal.routes["/f/x"] = (answer(b"<p>no file", kind="text/html"),)  # leaves the page
        for name in "ab":
            portal.routes[f"/f/{name}"] = (attached(f"{name}.pdf", pdf(name)),)

        report, saved = await files_of(scenario)

    assert saved == {"a.pdf": pdf("a"), "b.pdf": pdf("b")}
    assert [missed.label for missed in report.missed] == ["x.pdf"]
