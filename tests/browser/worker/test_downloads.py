"""Downloads that misbehave, on a real browser against a portal that answers with the very bytes of a test."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.attempt import attempt
from poolwright.worker.transfer import download_limits
from tests.support.portal import needs_chromium
from tests.support.raw_portal import LOGIN_PAGE, answer, attached, pdf
from tests.support.raw_scenario import button, files_of, link, raw_scenario
from tests.support.sessions import OpenScenario, SharedShell, task_for

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]


async def test_several_files_of_one_order_go_through_the_browser_at_once(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.demanded = "referer:"
        portal.order("1", "".join(link(f"/f/{name}", name) for name in ("a.pdf", "b.pdf", "c.pdf")))
        portal.routes |= {f"/f/{name}": (attached(name, pdf(name)),) for name in ("a.pdf", "b.pdf", "c.pdf")}

        report, saved = await files_of(scenario)

    assert report.reason is Reason.ALL_SAVED, report
    assert saved == {name: pdf(name) for name in ("a.pdf", "b.pdf", "c.pdf")}


@pytest.mark.parametrize(
    "asking",
    ["location='{address}'", "this.after(Object.assign(document.createElement('iframe'), {{src: '{address}'}}))"],
    ids=["as a page", "in a frame"],
)
async def test_a_late_file_is_never_given_to_the_next_click(
    tmp_path: Path, open_scenario: OpenScenario, asking: str
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        clicks = button(asking.format(address="/slow"), "a.pdf") + button(asking.format(address="/quick"), "b.pdf")
        portal.order("1", clicks)
        portal.routes["/slow"] = (4.0, answer(pdf("slow"), "Content-Disposition: attachment"))
        portal.routes["/quick"] = (2.0, answer(pdf("quick"), "Content-Disposition: attachment"))

        report, saved = await files_of(scenario)

    assert saved == {"b.pdf": pdf("quick")}
    assert [missed.label for missed in report.missed] == ["a.pdf"]
    assert report.reason is Reason.SOME_FILES_FAILED


async def test_every_file_of_a_click_is_kept_wherever_it_appears(tmp_path: Path, open_scenario: OpenScenario) -> None:
    both = "for (const n of ['1', '2']) { const l = document.createElement('a'); l.href = '/f/' + n; l.download = ''; "
    blob = "window.open(window.URL.createObjectURL(new Blob(['%PDF-1.4 blob %%EOF'], {type: 'application/pdf'})))"
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order(
            "1",
            button(f"{both} l.click(); }}", "Both files")
            + button("window.open('/wait')", "window.pdf")
            + button(blob, "blob.pdf")
            + button("if (confirm('Download?')) location='/f/asked'", "asked.pdf")
            + button("fetch('/f/shown').then(r => r.blob())", "shown.pdf"),
        )
        wait = b"<!DOCTYPE html><html><script>setTimeout(() => location='/f/window', 300)</script></html>"
        portal.routes["/wait"] = (answer(wait, kind="text/html"),)
        portal.routes |= {
            f"/f/{number}": (attached(f"{name}.pdf", pdf(name)),) for number, name in ((1, "x"), (2, "y"))
        }
        portal.routes |= {f"/f/{name}": (attached(f"{name}.pdf", pdf(name)),) for name in ("window", "asked")}
        portal.routes["/f/shown"] = (answer(pdf("shown")),)

        report, saved = await files_of(scenario)
        open_pages = len(scenario.session.driver.pages)

    assert report.reason is Reason.ALL_SAVED, report
    assert list(saved) == ["x.pdf", "y.pdf", "window.pdf", "blob.pdf", "asked.pdf", "shown.pdf"]
    assert saved["y.pdf"] == pdf("y")
    assert saved["shown.pdf"] == pdf("shown")
    assert open_pages == 1, "every window is closed"


async def test_files_of_a_click_keep_their_own_names(tmp_path: Path, open_scenario: OpenScenario) -> None:
    anchor = "const l = document.createElement('a');"
    data = f"{anchor} l.href = 'data:application/pdf,%25PDF-1.4%0A%25%25EOF'; l.download = 'data.pdf'; l.click()"
    part = answer(b"a;b\n1;2\n", "Content-Range: bytes 0-7/900", "Content-Disposition: attachment", status="206 Part")
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order(
            "1",
            button("window.open('/f/one'); window.open('/f/two')", "Quotation of May")
            + button(data, "Contract")
            + button("location = '/f/part'", "part.csv")
            + link("/refresh", "Report"),
        )
        portal.routes |= {f"/f/{name}": (attached(f"{name}.pdf", pdf(name)),) for name in ("one", "two", "made")}
        portal.routes["/f/part"] = (part,)
        portal.routes["/refresh"] = (answer(b"", "Refresh: 0;url=/f/made", kind="text/html"),)

        report, saved = await files_of(scenario)

    assert sorted(saved) == ["data.pdf", "made.pdf", "one.pdf", "two.pdf"], report
    assert saved["two.pdf"] == pdf("two")
    assert [missed.label for missed in report.missed] == ["part.csv"]


async def test_a_page_on_the_way_is_passed_and_never_saved(tmp_path: Path, open_scenario: OpenScenario) -> None:
    wait = b"<html><meta http-equiv=refresh content='0;url=/f/offer'>Your download starts shortly</html>"
    error = b"<html><title>Error</title><body>An error has occurred</body></html>"
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/wait", "Final quotation") + link("/error", "Old quotation"))
        portal.routes["/wait"] = (answer(wait, kind="text/html"),)
        portal.routes["/f/offer"] = (attached("offer.pdf", pdf("offer")),)
        portal.routes["/error"] = (answer(error, kind="text/html"),)

        report, saved = await files_of(scenario)

    assert saved == {"offer.pdf": pdf("offer")}
    assert [missed.label for missed in report.missed] == ["Old quotation"]


async def test_links_that_a_script_follows_in_its_own_way_are_clicked(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    script = """document.querySelectorAll("a.att").forEach((link) => link.addEventListener("click", (event) => {
      event.preventDefault(); location.href = "/f/" + link.hash.split("/").pop(); }));"""
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/home#/file/one", "Quotation") + link("/home#/file/two", "Contract"), script)
        portal.routes |= {f"/f/{name}": (attached(f"{name}.pdf", pdf(name)),) for name in ("one", "two")}

        _, saved = await files_of(scenario)

    assert saved == {"one.pdf": pdf("one"), "two.pdf": pdf("two")}


async def test_one_odd_answer_costs_one_file(tmp_path: Path, open_scenario: OpenScenario) -> None:
    odd = b'HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n"X-XSS-Protection: 0"\r\nContent-Length: %d\r\n\r\n%s'
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        names = ("good.pdf", "gzip.pdf", "mailto.pdf", "odd.pdf")
        portal.order("1", "".join(link(f"/f/{name}", name) for name in names) + link("file:///etc/passwd", "passwd"))
        portal.routes["/f/good.pdf"] = (answer(pdf("good")),)
        portal.routes["/f/gzip.pdf"] = (answer(pdf("no gzip"), "Content-Encoding: gzip"),)
        portal.routes["/f/mailto.pdf"] = (answer(b"", "Location: mailto:a@b.test", status="302 Found"),)
        portal.routes["/f/odd.pdf"] = (odd % (len(pdf("odd")), pdf("odd")),)

        report, saved = await files_of(scenario)

    assert saved == {"good.pdf": pdf("good"), "odd.pdf": pdf("odd")}
    assert [missed.label for missed in report.missed] == ["gzip.pdf", "mailto.pdf", "passwd"]


async def test_a_question_at_the_door_is_answered(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        script = "if (!confirm('Show the order?')) document.body.innerHTML = 'left'"
        portal.order("1", button("location='/slow'", "a.pdf") + button("location='/b'", "b.pdf"), script)
        portal.routes["/slow"] = (5.0, answer(pdf("a"), "Content-Disposition: attachment"))
        portal.routes["/b"] = (answer(pdf("b"), "Content-Disposition: attachment"),)

        _, saved = await files_of(scenario)

    assert saved == {"b.pdf": pdf("b")}, "the page that was opened again asked too"


async def test_a_file_that_never_ends_does_not_cost_those_that_came(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/f/good.pdf", "good.pdf") + link("/f/drip.pdf", "drip.pdf"))
        portal.routes["/f/good.pdf"] = (answer(pdf("good")),)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nConnection: close\r\n\r\n"
        portal.routes["/f/drip.pdf"] = (head, *((0.5, b"%drip\n") * 200))
        task = dataclasses.replace(task_for("1"), timeout_s=12.0)

        report = await attempt(scenario.context, task, scenario.staging / "1")

    assert report.reason is Reason.SOME_FILES_FAILED, report
    assert [file.name for file in report.files] == ["good.pdf"]
    assert "no time was left" in report.missed[0].problem


def large_files(*folders: Path, min_bytes: int) -> list[Path]:
    """What fills the disk."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return [path for path in files if path.stat().st_size >= min_bytes]


async def test_what_the_disk_has_no_room_for_is_missed_and_leaves_the_room_that_it_took(
    tmp_path: Path, open_scenario: OpenScenario, shared_shell: SharedShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor_bytes = 64 * 1024
    monkeypatch.setattr(download_limits, "FREE_BYTES_MIN", floor_bytes)
    monkeypatch.setattr(download_limits, "_CHECK_EACH_BYTES", 1)
    monkeypatch.setattr(download_limits, "free_bytes", lambda _: floor_bytes - 1)
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        links = link("/f/small.pdf", "small.pdf") + link("/f/large.pdf", "large.pdf")
        portal.order("1", links + button("location='/f/click.pdf'", "click.pdf"))
        portal.routes["/f/small.pdf"] = (answer(pdf("small")),)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nConnection: close\r\n"
        endless = (0.1, b"%fill\n" * 20_000) * 3
        portal.routes["/f/large.pdf"] = (head + b"\r\n", *endless)
        portal.routes["/f/click.pdf"] = (head + b"Content-Disposition: attachment\r\n\r\n", *endless)

        report, saved = await files_of(scenario)

        left = large_files(scenario.staging, shared_shell.downloads_path, min_bytes=floor_bytes)

    assert report.reason is Reason.SOME_FILES_FAILED, report
    assert saved == {"small.pdf": pdf("small")}
    assert {missed.label: "no room" in missed.problem for missed in report.missed} == {
        "large.pdf": True,
        "click.pdf": True,
    }
    assert left == []


async def test_what_is_refused_of_a_click_takes_no_room_after_its_order(
    tmp_path: Path, open_scenario: OpenScenario, shared_shell: SharedShell
) -> None:
    min_bytes = 64 * 1024
    part = "Content-Disposition: attachment", "Content-Range: bytes 0-9/999999"
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", button("location='/f/part.pdf'", "part.pdf"))
        portal.routes["/f/part.pdf"] = (answer(pdf("part") + bytes(min_bytes), *part, status="206 Partial Content"),)

        report, saved = await files_of(scenario)

        left = large_files(scenario.staging, shared_shell.downloads_path, min_bytes=min_bytes)

    assert [missed.problem for missed in report.missed] == ["the portal sent only a part of it"], report
    assert (saved, left) == ({}, [])


async def test_a_file_may_be_called_as_the_login_page_is(tmp_path: Path, open_scenario: OpenScenario) -> None:
    manual = b"<html><h1>Manual</h1><form><input type='password'></form></html>"
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/f/1", "Manual") + link("/f/2", "Saved form"))
        portal.routes["/f/1"] = (answer(b"", "Location: /docs/login-manual.pdf", status="302 Found"),)
        portal.routes["/docs/login-manual.pdf"] = (answer(pdf("manual")),)
        header = 'Content-Disposition: attachment; filename="manual.html"'
        portal.routes["/f/2"] = (answer(manual, header, kind="text/html"),)

        report, saved = await files_of(scenario)

    assert report.reason is Reason.ALL_SAVED, report
    assert saved == {"Manual.pdf": pdf("manual"), "manual.html": manual}


@pytest.mark.parametrize(
    ("status", "page_status"),
    [
        ("200 OK", "200 OK"),
        ("403 Forbidden", "200 OK"),
        ("403 Forbidden", "403 Forbidden"),
        ("401 Unauthorized", "404 Not Found"),
    ],
)
async def test_an_answer_in_place_of_a_file_is_no_failure_when_the_login_is_lost(
    tmp_path: Path, open_scenario: OpenScenario, status: str, page_status: str
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/f/1", "a.pdf"))
        portal.once["/order/1"] = portal.routes["/order/1"]
        shown = LOGIN_PAGE if page_status == "200 OK" else b"<html><body>nothing here</body></html>"
        portal.routes["/order/1"] = (answer(shown, kind="text/html", status=page_status),)
        portal.routes["/f/1"] = (answer(LOGIN_PAGE, kind="text/html", status=status),)

        with pytest.raises(SessionLostError):
            await files_of(scenario)


async def test_a_file_that_is_refused_to_somebody_who_is_logged_in_is_missed(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/f/1", "a.pdf"))
        portal.routes["/f/1"] = (answer(b"no", kind="text/plain", status="403 Forbidden"),)

        report, _ = await files_of(scenario)

    assert report.reason is Reason.DOWNLOAD_REFUSED
    assert report.missed[0].problem == "the portal answered 403"
