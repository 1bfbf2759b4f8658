"""Names of files that stand beside their links: in a cell, in a row around, in another root."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf, raw_pack
from tests.support.raw_scenario import button, files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

IN_THE_ROW = 'names = [{ closest = "tr", selector = "td.name" }, "disposition", "text"]'


async def test_a_cell_beside_names_the_file_also_where_it_fails(tmp_path: Path, open_scenario: OpenScenario) -> None:
    rows = "".join(
        f"<tr><td class=name>{name}</td><td>{link(address, 'Download')}</td></tr>"
        for name, address in (("Größe 1.pdf", "/f/1"), ("LICENSE", "/f/2"), ("Offer 3", "/f/3"), ("lost.pdf", "/f/4"))
    )
    async with raw_scenario(open_scenario, tmp_path, raw_pack(attachments=IN_THE_ROW)) as (portal, scenario):
        portal.order("1", f"<table>{rows}</table>")
        portal.routes["/f/1"] = (attached("download.pdf", pdf("1")),)
        portal.routes["/f/2"] = (answer(b"All rights reserved.", kind="text/plain"),)
        portal.routes["/f/3"] = (answer(pdf("3")),)
        portal.routes["/f/4"] = (answer(b"no", status="500 Broken", kind="text/plain"),)

        report, saved = await files_of(scenario)

    assert set(saved) == {"Größe 1.pdf", "LICENSE", "Offer 3.pdf"}
    assert [missed.label for missed in report.missed] == ["lost.pdf"]
    assert report.reason is Reason.SOME_FILES_FAILED


async def test_the_row_may_be_outside_of_a_root_and_the_name_within_another(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    in_roots = """
      const root = (element, html) => { element.attachShadow({ mode: "open" }).innerHTML = html; };
      root(document.querySelector(".name"), "<b>Inner.pdf</b>");
      root(document.querySelector(".icon"), "<a class=att href='/f/1'>Download</a>");
    """
    names = 'names = [{ closest = "section", selector = "b" }]'
    async with raw_scenario(open_scenario, tmp_path, raw_pack(attachments=names)) as (portal, scenario):
        portal.order("1", "<section><span class=name></span><span class=icon></span></section>", in_roots)
        portal.routes["/f/1"] = (answer(pdf("1")),)

        _, saved = await files_of(scenario)

    assert saved == {"Inner.pdf": pdf("1")}


async def test_the_page_says_to_what_a_file_belongs(tmp_path: Path, open_scenario: OpenScenario) -> None:
    section = 'section = { closest = "section", selector = "h2" }'
    async with raw_scenario(open_scenario, tmp_path, raw_pack(attachments=section)) as (portal, scenario):
        portal.order(
            "1",
            f"<section><h2>Header</h2>{link('/f/1', 'a.pdf')}</section>"
            f"<section><h2>Line 3</h2>{button('location = `/f/2`', 'b.pdf')}</section>{link('/f/3', 'c.pdf')}",
        )
        for number in "123":
            portal.routes[f"/f/{number}"] = (attached(f"{number}.pdf", pdf(number)),)

        report, _ = await files_of(scenario)

    assert {file.label: file.section for file in report.files} == {"1.pdf": "Header", "2.pdf": "Line 3", "3.pdf": ""}


async def test_a_pattern_takes_the_name_from_an_attribute(tmp_path: Path, open_scenario: OpenScenario) -> None:
    names = r"""names = [{ attribute = "data-info", pattern = 'name=([^;]+)' }]"""
    async with raw_scenario(open_scenario, tmp_path, raw_pack(attachments=names)) as (portal, scenario):
        portal.order("1", '<a class=att href="/f/1" data-info="id=4;name=Plan v2.pdf;size=9">Download</a>')
        portal.routes["/f/1"] = (answer(pdf("1")),)

        _, saved = await files_of(scenario)

    assert saved == {"Plan v2.pdf": pdf("1")}


async def test_a_file_that_fails_its_check_has_the_name_of_its_header(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/f/1", "Download"))
        portal.routes["/f/1"] = (attached("offer.pdf", b'{"error": "internal error", "status": 500}'),)

        report, _ = await files_of(scenario)

    assert [missed.label for missed in report.missed] == ["offer.pdf"], report


async def test_a_field_takes_the_first_value_or_all(tmp_path: Path, open_scenario: OpenScenario) -> None:
    more = """
    [fields.first]
    selector = [".line"]
    [fields.all]
    selector = [".line", "[data-x]"]
    many = true
    """
    async with raw_scenario(open_scenario, tmp_path, raw_pack(more=more)) as (portal, scenario):
        lines = "".join(f"<i class=line data-x=1>{text}</i>" for text in ("", "Steel", "Wood", "Steel"))
        portal.order("1", lines + link("/f/1", "a.pdf"))
        portal.routes["/f/1"] = (answer(pdf("1")),)

        report, _ = await files_of(scenario)

    assert report.fields == {"first": "Steel", "all": "Steel; Wood"}


async def test_addresses_are_made_of_what_the_page_holds(tmp_path: Path, open_scenario: OpenScenario) -> None:
    keys = """
    address = [
      { closest = "tr", attribute = "data-id", template = "/f/{0}" },
      { attribute = "onclick", pattern = '"([^"]+)"', template = "{1:raw}" },
    ]
    names = ["text"]
    """
    row = "<tr data-id='a b'><td><a class=att href='#'>a.pdf</a><a class=att href='#'>Download</a></td></tr>"
    script = """<a class=att href='javascript:void(0)' onclick='show("/f/c?x=1", 7)'>c.pdf</a>"""
    async with raw_scenario(open_scenario, tmp_path, raw_pack(attachments=keys)) as (portal, scenario):
        portal.order("1", f"<table>{row}</table>{script}")
        portal.routes["/f/a%20b"] = (answer(pdf("a")),)
        portal.routes["/f/c?x=1"] = (answer(pdf("c")),)

        _, saved = await files_of(scenario)

    assert saved == {"a.pdf": pdf("a"), "c.pdf": pdf("c")}
    assert sorted(target for target in portal.asked if target.startswith("/f/")) == ["/f/a%20b", "/f/c?x=1"]


async def test_a_file_behind_two_addresses_comes_once(tmp_path: Path, open_scenario: OpenScenario) -> None:
    keys = 'ignore_query = ["token"]\ncount = { selector = "#count" }'
    async with raw_scenario(open_scenario, tmp_path, raw_pack(attachments=keys)) as (portal, scenario):
        links = link("/f/1?token=a", "a.pdf") + link("/f/1?token=b", "Download")
        portal.order("1", f"<b id=count>1</b>{links}")
        portal.routes["/f/1?token=a"] = (answer(pdf("1")),)

        report, saved = await files_of(scenario)

    assert (saved, report.missed) == ({"a.pdf": pdf("1")}, ())


async def test_a_file_of_another_size_than_the_page_states_is_missed(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    size = 'size = { closest = "tr", selector = "td.size" }'
    stated = (("a.pdf", f"{len(pdf('a.pdf'))} bytes"), ("b.pdf", "12 KB"), ("c.pdf", "unknown"))
    rows = "".join(f"<tr><td>{link(f'/f/{name}', name)}</td><td class=size>{text}</td></tr>" for name, text in stated)
    async with raw_scenario(open_scenario, tmp_path, raw_pack(attachments=size)) as (portal, scenario):
        portal.order("1", f"<table>{rows}</table>{link('/f/d.pdf', 'd.pdf (12 KB)')}")
        portal.routes |= {f"/f/{name}": (answer(pdf(name)),) for name in ("a.pdf", "b.pdf", "c.pdf", "d.pdf")}

        report, saved = await files_of(scenario)

    assert list(saved) == ["a.pdf", "c.pdf", "d.pdf"], report
    assert [missed.problem for missed in report.missed] == ["b.pdf has 52 bytes, but the portal states 12 KB."]
    assert report.reason is Reason.SOME_FILES_FAILED
    assert "d.pdf has 52 bytes, but the portal states 12 KB: check whether it is the file" in report.detail


async def test_what_a_script_wrote_into_fields_is_read_and_the_count_that_is_to_be_seen(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    count = 'count = { selector = "#files", attribute = "title" }'
    more = """
    [fields.supplier]
    selector = ["#supplier"]

    [fields.notes]
    selector = ["#notes"]

    [fields.terms]
    selector = ["#terms"]

    [fields.secret]
    selector = ["#secret"]
    """
    fields = (
        "<input id=supplier><textarea id=notes>old</textarea><input id=secret type=password>"
        "<select id=terms><option>30 days<option>60 days</select>"
    )
    tabs = f"<div hidden><b id=files title=Files>-</b></div><b id=files title='Files (1)'>1</b>{link('/f/1', 'a.pdf')}"
    written = (
        "supplier.value = 'Nordwind'; notes.value = 'By rail'; terms.selectedIndex = 1;"
        "document.querySelector('#secret').value = 'hidden';"
    )
    async with raw_scenario(open_scenario, tmp_path, raw_pack(attachments=count, more=more)) as (portal, scenario):
        portal.order("1", fields + tabs, written)
        portal.order("2", fields + tabs.replace("(1)", "(2)"), written)
        portal.routes["/f/1"] = (answer(pdf("1")),)

        report, _ = await files_of(scenario)
        short, _ = await files_of(scenario, "2")

    assert report.fields == {"supplier": "Nordwind", "notes": "By rail", "terms": "60 days", "secret": ""}
    assert [file.name for file in report.files] == ["a.pdf"]
    assert short.reason is not report.reason
    assert "announces 2 attachments but shows 1" in short.detail
