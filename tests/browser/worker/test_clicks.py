"""Clicks that bring their file slowly, in part, or never, on a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf
from tests.support.raw_scenario import button, files_of, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

#: More than any part of the way keeps back.
LARGE = pdf("x" * 400_000)


async def test_a_click_whose_bytes_stop_costs_its_own_file(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", button("location='/f/stalls'", "stalls.pdf") + button("location='/f/good'", "good.pdf"))
        whole = attached("stalls.pdf", LARGE)
        portal.routes["/f/stalls"] = (whole[:200_000], 600.0)
        portal.routes["/f/good"] = (attached("good.pdf", pdf("good")),)

        report, saved = await files_of(scenario)

    assert (report.reason, list(saved)) == (Reason.SOME_FILES_FAILED, ["good.pdf"])
    assert [missed.label for missed in report.missed] == ["stalls.pdf"]
    assert "no data was received for 3 s, after " in report.missed[0].problem
    assert "after 0" not in report.missed[0].problem, "what came before was seen to come"


async def test_a_click_whose_bytes_come_slowly_brings_its_file(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", button("location='/f/slow'", "slow.pdf"))
        body = pdf("slow" * 60_000)
        head, rest = attached("slow.pdf", body)[:100_000], attached("slow.pdf", body)[100_000:]
        unsized = head.replace(f"Content-Length: {len(body)}\r\n".encode(), b"")
        portal.routes["/f/slow"] = (unsized, 2.0, rest[:50_000], 2.0, rest[50_000:90_000], 2.0, rest[90_000:])

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.ALL_SAVED, {"slow.pdf": body})


async def test_a_click_that_is_answered_with_a_page_that_never_ends_costs_its_own_file(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", button("location='/f/page'", "page.pdf") + button("location='/f/good'", "good.pdf"))
        portal.routes["/f/page"] = (answer(b"<p>Wait" * 100, kind="text/html")[:200], 600.0)
        portal.routes["/f/good"] = (attached("good.pdf", pdf("good")),)

        report, saved = await files_of(scenario)

    assert (report.reason, list(saved)) == (Reason.SOME_FILES_FAILED, ["good.pdf"])


async def test_a_click_tells_of_the_files_that_failed_beside_those_that_came(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    frames = "for (const u of ['/f/a', '/bad']) { const i = document.createElement('iframe'); i.src = u; %s }"
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order(
            "1",
            button("window.open('/f/a'); window.open('/gone')", "windows")
            + button(frames % "document.body.append(i)", "frames")
            + button("location = '/f/b'; fetch('/lost')", "script"),
        )
        portal.routes |= {f"/f/{name}": (attached(f"{name} {name}.pdf", pdf(name)),) for name in "ab"}
        portal.routes["/bad"] = (answer(b"<p>no", status="500 Error", kind="text/html"),)

        report, saved = await files_of(scenario)

    assert report.reason is Reason.SOME_FILES_FAILED, report
    assert list(saved.values()).count(pdf("b")) == 1
    assert [(missed.label, missed.problem) for missed in report.missed] == [
        ("windows", "the click also asked for /gone, and the portal answered 404"),
        ("frames", "the click also asked for /bad, and the portal answered 500"),
    ]
    assert "The click was also answered /lost with 404: check whether a further file is missing" in report.detail


async def test_files_of_one_address_keep_the_names_of_their_own_answers(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    forms = "".join(
        f"<form id=f{n} method=post action=/post target=i{n}></form><iframe name=i{n}></iframe>" for n in "12"
    )
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", forms + button("f1.submit(); setTimeout(() => f2.submit(), 300)", "All files"))
        portal.once["/post"] = (attached("one.pdf", pdf("1")),)
        portal.routes["/post"] = (attached("two.pdf", pdf("the second")),)

        report, saved = await files_of(scenario)

    assert report.reason is Reason.ALL_SAVED, report
    assert saved == {"one.pdf": pdf("1"), "two.pdf": pdf("the second")}


async def test_buttons_that_look_the_same_are_told_apart_after_the_page_moved_them(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    moving = "const row = this.closest('tr'); row.parentNode.append(row)"
    rows = "".join(
        f"<tr><td>{name}.pdf</td><td>{button(f'{moving}; location = `/f/{name}`', 'Download')}</td></tr>"
        for name in "abc"
    )
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", f"<table>{rows}</table>")
        portal.routes |= {f"/f/{name}": (attached(f"{name}.pdf", pdf(name)),) for name in "abc"}

        report, saved = await files_of(scenario)

    assert report.reason is Reason.ALL_SAVED, report
    assert saved == {f"{name}.pdf": pdf(name) for name in "abc"}


async def test_buttons_without_any_text_are_not_counted_on_a_page_that_has_lost_one(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", "".join(button(f"location = '/f/{name}'; this.remove()", "") for name in "abc"))
        portal.routes |= {f"/f/{name}": (attached(f"{name}.pdf", pdf(name)),) for name in "abc"}

        report, saved = await files_of(scenario)

    assert report.reason is Reason.ALL_SAVED, report
    assert saved == {f"{name}.pdf": pdf(name) for name in "abc"}


async def test_a_button_is_pressed_as_by_a_mouse_when_the_page_has_enabled_it(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    late = "<button class=att disabled onclick=\"location = '/f/a'\">a.pdf</button>"
    down = "<button class=att onmousedown=\"location = '/f/b'\">b.pdf</button>"
    up = "<button class=att onpointerup=\"location = '/f/c'\">c.pdf</button>"
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        script = "setTimeout(() => document.querySelector('button').disabled = false, 700)"
        portal.order("1", late + down + up, script)
        portal.routes |= {f"/f/{name}": (attached(f"{name}.pdf", pdf(name)),) for name in "abc"}

        report, saved = await files_of(scenario)

    assert report.reason is Reason.ALL_SAVED, report
    assert saved == {f"{name}.pdf": pdf(name) for name in "abc"}


async def test_documents_that_a_click_only_shows_are_saved_and_none_that_was_there_before(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    shown = "const o = document.createElement('object'); o.type = 'application/pdf'; o.data = '/i/a'; %s"
    page = b"<!DOCTYPE html><embed src=/i/b type=application/pdf width=500 height=500>"
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        preview = "<embed src=/i/preview type=application/pdf width=300 height=300>"
        portal.order(
            "1",
            preview
            + button(shown % "document.body.append(o)", "a.pdf")
            + button("window.open('/view')", "b.pdf")
            + button("", "nothing.pdf"),
        )
        portal.routes |= {f"/i/{name}": (answer(pdf(name)),) for name in ("a", "b", "preview")}
        portal.routes["/view"] = (answer(page, kind="text/html"),)

        report, saved = await files_of(scenario)

    assert saved == {"a.pdf": pdf("a"), "b.pdf": pdf("b")}, report
    assert [missed.label for missed in report.missed] == ["nothing.pdf"]
