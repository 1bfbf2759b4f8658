"""Lists of files in responses to requests of a page."""

from __future__ import annotations

from typing import Any

import pytest

from poolwright.portal.file_rules import FileListRequest
from poolwright.portal.pack import PackError, parse_toml
from poolwright.portal.triage import AttachmentListFacts, incompleteness_reason
from tests.unit.portal.authoring import written

BASE, PAGE = "https://portal.test/app", "https://portal.test/app/po/1"


def listed(content: object, template: str = "/f/{id}", items: str = "", name: str = "") -> list[tuple[str, str]] | None:
    rule = FileListRequest(request="/files", items=items, template=template, name=name)
    files = rule.files_in(content, BASE, PAGE)
    return None if files is None else [(file.address, file.name) for file in files]


def test_each_entry_of_a_list_is_a_file() -> None:
    entries = [{"id": 7, "file": {"name": "Größe.pdf"}}, {"id": "a/b", "file": {}}]

    assert listed({"data": {"files": entries}}, items="data.files", name="file.name") == [
        (f"{BASE}/f/7", "Größe.pdf"),
        (f"{BASE}/f/a%2Fb", ""),
    ]
    assert listed([{"v": 2, "id": 1}], "https://files.test/{id}?v={v}") == [("https://files.test/1?v=2", "")]
    assert listed([{"links": {"self": "d/1?x=2#y"}}], "{links.self:raw}") == [
        ("https://portal.test/app/po/d/1?x=2", "")
    ]
    assert listed([]) == []


@pytest.mark.parametrize(
    "content",
    [None, {}, {"id": 1}, "text", [{"id": ""}], [{"id": None}], [{"id": True}], [{"id": [1]}], [{"id": 1}, {}], [1]],
)
def test_what_is_no_such_list_is_none(content: object) -> None:
    assert listed(content) is None


def test_an_address_that_is_none_makes_no_list() -> None:
    assert listed([{"url": "https://[::1/"}], "{url:raw}") is None
    assert listed({"data": []}, items="data.files") is None


@pytest.mark.parametrize(
    ("api", "problem"),
    [
        ({"request": "/files", "template": "/files"}, "needs a key"),
        ({"request": "/files", "template": "/{id}/{a b}"}, "no other braces"),
        ({"request": "", "template": "/{id}"}, "at least 1 character"),
        ({"request": "(", "template": "/{id}"}, "not a valid regular expression"),
    ],
)
def test_a_request_that_cannot_list_files_is_refused(api: dict[str, Any], problem: str) -> None:
    with pytest.raises(PackError, match=problem):
        parse_toml(written({"attachments.api": api}), "acme.toml")


def test_a_list_is_complete_only_with_the_response_that_the_pack_names() -> None:
    pack = parse_toml(written({"attachments": {"api": {"request": "/files", "template": "/{id}"}}}), "acme.toml")

    def reason(link_count: int = 0, *, is_api_read: bool = False, count: int | None = None) -> str:
        facts = AttachmentListFacts(link_count=link_count, is_api_read=is_api_read, count=count)
        return incompleteness_reason(pack.attachments, facts)

    assert "attachments.api" in reason()
    assert "attachments.api" in reason(link_count=2)
    assert reason(is_api_read=True) == ""
    assert reason(is_api_read=True, link_count=2) == ""
    assert "announces 3" in reason(is_api_read=True, link_count=2, count=3)
    assert pack.notices == ()


def test_a_response_states_the_size_of_a_file_where_the_pack_says() -> None:
    rule = FileListRequest(request="/files", template="/{id}", name="title", size="file.size")
    entries: list[object] = [{"id": 1, "title": "a", "file": {"size": 1200}}, {"id": 2, "title": "b"}]

    files = rule.files_in(entries, "https://p.test", "https://p.test/order/1")

    assert files is not None
    assert [(file.name, file.size) for file in files] == [("a", "1200"), ("b", "")]
