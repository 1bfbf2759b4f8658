"""Addresses that are made from texts of the page, and links that lead to the same file."""

from __future__ import annotations

from typing import Any

import pytest

from poolwright.portal.file_rules import ListedFile
from poolwright.portal.pack import PackError, parse_toml
from poolwright.portal.pack_schema import AttachmentRules
from poolwright.worker.page.page_content import PageLink
from poolwright.worker.page.page_links import add_listed_files, file_identity, resolve_links
from tests.unit.portal.authoring import written

BASE, PAGE = "https://portal.test/app", "https://portal.test/app/po/1?x=1"


def rules(**keys: Any) -> AttachmentRules:  # noqa: ANN401 - keys of a pack
    changes = {f"attachments.{key}": value for key, value in keys.items()}
    return parse_toml(written(changes), "acme.toml").attachments


def links(*texts: str, address: str = "") -> list[PageLink]:
    return [
        PageLink(address=address, selector="a", index=number, names={"text": f"{number}.pdf"}, sources=[text])
        for number, text in enumerate(texts)
    ]


def made(rule: dict[str, str], text: str) -> str:
    (link,) = resolve_links(rules(address=rule), BASE, PAGE, links(text, address="https://portal.test/page"))
    return link.address


@pytest.mark.parametrize(
    ("rule", "text", "address"),
    [
        ({"attribute": "data-id", "template": "/files/{0}"}, " 4 7/a ", f"{BASE}/files/4%207%2Fa"),
        (
            {"attribute": "onclick", "pattern": r"open\('([^']+)', *(\d+)\)", "template": "/f/{2}/{1}?n={1}"},
            "return open('a&b', 7)",
            f"{BASE}/f/7/a%26b?n=a%26b",
        ),
        (
            {"attribute": "onclick", "pattern": "'(.+)'", "template": "{1:raw}"},
            "go('/d?id=5&x=6#top')",
            "https://portal.test/d?id=5&x=6",
        ),
        ({"attribute": "onclick", "pattern": "'(.+)'", "template": "{1:raw}"}, "go('d/5')", f"{BASE}/po/d/5"),
        ({"attribute": "x", "template": "https://files.test/{0}"}, "5", "https://files.test/5"),
        ({"attribute": "x", "pattern": r"(?<=id=)\d+", "template": "/{0}"}, "id=5;", f"{BASE}/5"),
        ({"attribute": "x", "pattern": r"a(b)?(\d)", "template": "/{1}{2}"}, "a5", f"{BASE}/5"),
        # what holds no address leaves the link as it is
        ({"attribute": "x", "pattern": r"id=(\d+)", "template": "/{1}"}, "no id", "https://portal.test/page"),
        ({"attribute": "x", "template": "/{0}"}, "  ", "https://portal.test/page"),
        ({"attribute": "x", "pattern": "(.+)", "template": "{1:raw}"}, "https://[::1/", "https://portal.test/page"),
    ],
)
def test_an_address_is_made_from_a_text_of_the_page(rule: dict[str, str], text: str, address: str) -> None:
    assert made(rule, text) == address


def test_the_first_rule_whose_text_fits_makes_the_address() -> None:
    two = rules(address=[{"attribute": "a", "template": "/a/{0}"}, {"attribute": "b", "template": "/b/{0}"}])
    both = PageLink(address="", selector="a", index=0, names={}, sources=["1", "2"])
    second = both.model_copy(update={"sources": ["", "2"]})

    assert [link.address for link in resolve_links(two, BASE, PAGE, [both, second])] == [f"{BASE}/a/1", f"{BASE}/b/2"]


def test_links_to_one_file_are_one_link_with_the_names_of_both() -> None:
    found = resolve_links(rules(address={"attribute": "x", "template": "/{0}"}), BASE, PAGE, links("1", "2", "1"))

    assert [(link.address, link.names["text"]) for link in found] == [
        (f"{BASE}/1", "0.pdf\n2.pdf"),
        (f"{BASE}/2", "1.pdf"),
    ]


def test_links_that_only_a_click_resolves_stay_apart() -> None:
    assert len(resolve_links(rules(ignore_query=["t"]), BASE, PAGE, links("", ""))) == 2


def test_parameters_that_differ_each_time_make_no_other_file() -> None:
    addresses = ["https://p.test/f?id=1&token=a", "https://p.test/f?token=b&id=1", "https://p.test/f?id=2&token=a"]
    pages = [link.model_copy(update={"address": url}) for link, url in zip(links("", "", ""), addresses, strict=True)]

    found = resolve_links(rules(ignore_query=["token"]), BASE, PAGE, pages)

    assert [link.address for link in found] == [addresses[0], addresses[2]], "the first address is asked for, as it is"
    assert len(resolve_links(rules(), BASE, PAGE, pages)) == 3
    assert file_identity(addresses[0], ()) == addresses[0]


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"attribute": "x", "template": "/files"}, "needs a part"),
        ({"attribute": "x", "template": "/{0}/{number}"}, "no other braces"),
        ({"attribute": "x", "template": "/{1}"}, "uses group 1, but the pattern has 0"),
        ({"attribute": "x", "pattern": "(a)(b)", "template": "/{3}"}, "uses group 3, but the pattern has 2"),
        ({"attribute": "x", "pattern": "(?<=a)(b)", "template": "/{2}"}, "uses group 2, but the pattern has 1"),
        ({"template": "/{0}"}, "needs closest, selector, attribute or pattern"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(rule: dict[str, str], problem: str) -> None:
    with pytest.raises(PackError, match=problem):
        rules(address=rule)


def test_a_response_adds_its_files_and_the_names_of_those_that_are_linked() -> None:
    page = [*links("", address=f"{BASE}/1"), PageLink(address="", selector="b", index=0, names={})]
    names = ((2, "b.pdf"), (1, "a.pdf"), (2, ""))
    files = [ListedFile(address=f"{BASE}/{number}", name=name) for number, name in names]

    found = add_listed_files(page, files)

    assert [(link.address, link.names.get("download", "")) for link in found] == [
        (f"{BASE}/1", "a.pdf"),
        ("", ""),
        (f"{BASE}/2", "b.pdf"),
    ]
    assert found[0].names["text"] == "0.pdf"


def test_a_size_is_what_the_pattern_of_its_place_takes() -> None:
    page = [link.model_copy(update={"size": "a.pdf, 12 KB, May"}) for link in links("")]

    found = resolve_links(rules(size={"closest": "tr", "pattern": ", (.*?),"}), BASE, PAGE, page)

    assert [link.size for link in found] == ["12 KB"]


def test_a_section_is_what_the_pattern_of_its_place_takes() -> None:
    page = [link.model_copy(update={"section": "Line 3: pump"}) for link in links("")]

    found = resolve_links(rules(section={"closest": "tr", "pattern": "^(Line [0-9]+)"}), BASE, PAGE, page)

    assert [link.section for link in found] == ["Line 3"]
    assert [link.section for link in resolve_links(rules(), BASE, PAGE, page)] == ["Line 3: pump"]


def test_a_size_of_a_response_goes_before_that_of_the_page() -> None:
    page = [link.model_copy(update={"size": "1 KB"}) for link in links("", address=f"{BASE}/1")]
    sizes = ((1, "1200"), (2, "7"))
    files = [ListedFile(address=f"{BASE}/{number}", name="", size=size) for number, size in sizes]

    assert [link.size for link in add_listed_files(page, files)] == ["1200", "7"]
    assert [link.size for link in add_listed_files(page, [ListedFile(address=f"{BASE}/1", name="")])] == ["1 KB"]
