"""Whole packs of portals whose lists come as JSON or in parts, from saved pages in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from poolwright.learn.learner import Lesson, learn, seen_pages
from poolwright.learn.observations import ObservationError, Observations
from poolwright.learn.page_folder import check_pages, read_folder, write_lesson

HEAD = """
[[pages]]
file = "login.html"
kind = "login"
address = "https://portal.test/in"

[[pages]]
file = "home.html"
kind = "home"
address = "https://portal.test/start"

[[pages]]
file = "missing.html"
kind = "not_found"
number = "4509"
address = "https://portal.test/po/4509"
"""
PLAIN = {
    "login.html": '<form class="enter"><input name=user><input name=pass type=password><button>Go</button></form>',
    "home.html": '<div class="desk">Desk</div>',
    "missing.html": '<div class="alert">This order is not there</div>',
}


def order(count: int, shown: int, *, is_whole: bool = True) -> str:
    rows = "".join(f'<li><a class="doc" href="/doc/{count}{place}">{place}.pdf</a></li>' for place in range(shown))
    return f'<article class="po"><h1>Order</h1><ul class="docs{" loaded" if is_whole else ""}">{rows}</ul></article>'


def listed(count: int) -> str:
    return json.dumps({"files": [{"key": f"{count}{place}", "name": f"{place}.pdf"} for place in range(count)]})


def page(file: str, kind: str, number: str, *keys: str) -> str:
    more = "\n".join(keys)
    address = f"https://portal.test/po/{number}"
    return f'\n[[pages]]\nfile = "{file}"\nkind = "{kind}"\nnumber = "{number}"\naddress = "{address}"\n{more}\n'


def response(number: str) -> str:
    return f'responses = [{{ address = "https://portal.test/api/{number}/docs", file = "{number}.json" }}]'


FROM_JSON = (
    HEAD
    + page("1.html", "order", "4501", 'attachments = ["0.pdf"]', response("4501"))
    + page("2.html", "order", "4502", 'attachments = ["0.pdf"]', response("4502"))
    + page("3.html", "order", "4503", response("4503"))
)
JSON_FILES = {
    **PLAIN,
    "1.html": order(3, 2),
    "2.html": order(1, 1),
    "3.html": order(0, 0),
    "4501.json": listed(3),
    "4502.json": listed(1),
    "4503.json": listed(0),
}
IN_PARTS = (
    HEAD
    + page("part.html", "loading", "4501")
    + page("1.html", "order", "4501", 'attachments = ["0.pdf"]')
    + page("2.html", "order", "4502", 'attachments = ["0.pdf"]')
    + page("3.html", "order", "4503")
)
PART_FILES = {
    **PLAIN,
    "part.html": order(3, 1, is_whole=False),
    "1.html": order(3, 3),
    "2.html": order(1, 1),
    "3.html": order(0, 0),
}


def folder_of(folder: Path, text: str, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True)
    (folder / "observations.toml").write_text(f'title = "Acme"\n{text}', encoding="utf-8")
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def lesson_of(folder: Path) -> tuple[Lesson, Observations, dict[str, str]]:
    observations, sources = read_folder(folder)
    return learn("acme", observations, seen_pages(observations, sources)), observations, sources


def test_a_list_from_json_is_learned_and_checked_again_with_its_responses(tmp_path: Path) -> None:
    lesson, observations, sources = lesson_of(folder_of(tmp_path / "saved", FROM_JSON, JSON_FILES))

    rules = lesson.pack.attachments
    assert rules.api is not None
    assert (rules.api.items, rules.api.template, rules.api.name) == ("files", "/doc/{key}", "name")
    assert (rules.links, rules.clicks, rules.settled, rules.answered) == ((), (), (), ())
    assert lesson.problems == ()
    assert not [doubt for doubt in lesson.doubts if "without attachments" in doubt or "no attachments" in doubt]
    assert "its page shows 2; all are read from the response" in lesson.text
    assert any(found.startswith("1.html: 3 attachments: https://portal.test/doc/30") for found in lesson.findings)

    folder = write_lesson(lesson, observations, sources, tmp_path / "acme.toml")
    assert check_pages(tmp_path / "acme.toml") == (6, [])
    (folder / "4503.json").write_text(listed(2), encoding="utf-8")
    assert check_pages(tmp_path / "acme.toml")[1] == ["3.html: 2 attachments are found, but it has none."]
    (folder / "4503.json").write_text("{}", encoding="utf-8")
    assert "api" in check_pages(tmp_path / "acme.toml")[1][0]
    (folder / "4503.json").write_text("<html>", encoding="utf-8")
    with pytest.raises(ObservationError, match=r"4503\.json is not readable as JSON"):
        check_pages(tmp_path / "acme.toml")


def test_another_host_in_the_response_is_named_in_the_pack(tmp_path: Path) -> None:
    files = dict(JSON_FILES)
    for name, content in files.items():
        files[name] = content.replace("/doc/", "https://store.test/doc/")
    lesson, _, _ = lesson_of(folder_of(tmp_path / "saved", FROM_JSON, files))

    assert lesson.pack.attachments.api is not None
    assert lesson.pack.attachments.api.template == "https://store.test/doc/{key}"
    assert lesson.pack.site.hosts == ("store.test",)


def test_a_number_on_the_page_counts_the_files_of_the_response(tmp_path: Path) -> None:
    files = dict(JSON_FILES)
    for place, count in enumerate((3, 1, 0), 1):
        files[f"{place}.html"] = files[f"{place}.html"].replace("</h1>", f'</h1><b class="doc-count">{count} files</b>')
    lesson, _, _ = lesson_of(folder_of(tmp_path / "saved", FROM_JSON, files))

    assert lesson.pack.attachments.count is not None
    assert lesson.pack.attachments.count.selector == "b.doc-count"
    assert lesson.problems == ()


def test_a_list_in_parts_is_whole_by_a_sign(tmp_path: Path) -> None:
    lesson, _, _ = lesson_of(folder_of(tmp_path / "saved", IN_PARTS, PART_FILES))

    assert lesson.pack.attachments.settled == ("ul.loaded",)
    assert lesson.pack.attachments.links == ("a.doc",)
    assert lesson.problems == ()
    assert "A list is whole once ul.loaded is there." in lesson.findings
    assert lesson.pack.attachments.empty is not None
    assert lesson.pack.attachments.empty.selector == ("ul.loaded:not(:has(li))",)
    assert "an order has none if its list is there without any (ul.loaded:not(:has(li)))" in lesson.text


def test_a_list_in_parts_that_says_when_it_is_empty_has_both_signs(tmp_path: Path) -> None:
    files = {**PART_FILES, "3.html": order(0, 0).replace("</article>", "<p class=none>No documents</p></article>")}
    lesson, _, _ = lesson_of(folder_of(tmp_path / "saved", IN_PARTS, files))

    assert lesson.pack.attachments.settled == ("ul.loaded",)
    assert lesson.pack.attachments.empty is not None
    assert "an order has none if" not in lesson.text


def test_a_list_in_parts_without_a_sign_is_told_unless_its_files_are_counted(tmp_path: Path) -> None:
    files = {**PART_FILES, "part.html": order(3, 1)}
    told = "the list of order 4501 arrives in parts, and no element shows when it is whole"
    lesson, _, _ = lesson_of(folder_of(tmp_path / "plain", IN_PARTS, files))
    assert any(told in doubt for doubt in lesson.doubts)
    assert lesson.pack.attachments.settled == ()

    for place, count in (("part", 3), ("1", 3), ("2", 1), ("3", 0)):
        files[f"{place}.html"] = files[f"{place}.html"].replace("</h1>", f'</h1><b class="doc-count">{count} files</b>')
    lesson, _, _ = lesson_of(folder_of(tmp_path / "counted", IN_PARTS, files))
    assert lesson.pack.attachments.count is not None
    assert not any(told in doubt for doubt in lesson.doubts)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (page("x.html", "loading", ""), "a page of an order needs its number"),
        (page("x.html", "loading", "1", 'attachments = ["a"]'), "only pages of kind 'order' have attachments"),
        (page("x.html", "not_found", "1", response("1")), "only pages of kind 'order' have attachments"),
        (page("x.html", "forbidden", "1", 'next = "More"'), "only pages of kind 'order' and 'results' have next"),
        (page("x.html", "results", "1", "typed = true"), "only pages of kind 'search' have field, button and typed"),
        ('[[pages]]\nfile = "x.html"\nkind = "search"\ntyped = true\nbutton = "Go"\n', "need no button"),
        (page("x.html", "order", "1", response("4501")), "each page and each response needs a file of its own"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, keys: str, told: str) -> None:
    with pytest.raises(ObservationError, match=told):
        read_folder(folder_of(tmp_path / "saved", FROM_JSON + keys, {**JSON_FILES, "x.html": ""}))


def test_a_response_in_another_folder_is_refused(tmp_path: Path) -> None:
    text = FROM_JSON.replace('file = "4501.json"', 'file = "../4501.json"')

    with pytest.raises(ObservationError, match="must be the name of a file in"):
        read_folder(folder_of(tmp_path / "saved", text, JSON_FILES))
