"""Pages as browsers save them: complete, as one file, as their source, as a view of it; and files that are none."""

from __future__ import annotations

import base64
import html
import quopri
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from poolwright.learn.learner import Lesson, learn, seen_pages
from poolwright.learn.observations import ObservationError
from poolwright.learn.page_folder import read_folder
from poolwright.learn.page_tree import PageTree, saved_address
from poolwright.learn.saved.saved_source import page_source, text_source
from tests.support.taught_pages import shown_pages
from tests.support.taught_portals import taught_portal
from tests.unit.learn.test_learner import served_pages

ADDRESS = "https://portal.test/po/101"
PAGE = "<!DOCTYPE html>\n<html><body><p>Bestellung \u00e4 101</p></body></html>"


def one_file(page: str, address: str, encoding: str = "quoted-printable") -> bytes:
    """A page as Chromium saves it with all its parts."""
    content = page.encode()
    body = quopri.encodestring(content) if encoding == "quoted-printable" else base64.encodebytes(content)
    head = (
        "From: <Saved by Blink>\r\n"
        f"Snapshot-Content-Location: {address}\r\n"
        "Subject: =?utf-8?Q?Order?=\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/related;\r\n\ttype="text/html";\r\n\tboundary="----Part"\r\n\r\n\r\n'
        "------Part\r\nContent-Type: text/css\r\n\r\np { color: red }\r\n"
        f"------Part\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return head.encode() + body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n------Part--\r\n"


def view_of(source: str, address: str) -> str:
    """The source of a page as Chromium shows it, saved."""
    rows = "".join(
        f'<tr><td class="line-number" value="{number}"></td><td class="line-content">'
        f'<span class="html-tag">{html.escape(line)}</span></td></tr>'
        for number, line in enumerate(source.splitlines(), 1)
    )
    comment = f"<!-- saved from url=({len(address) + 12:04})view-source:{address} -->"
    return f"<html>{comment}<head></head><body><table><tbody>{rows}</tbody></table></body></html>"


def absolute(page: dict[str, Any]) -> str:
    """A page as browsers save it complete: whole addresses, its own in a comment."""
    tree = PageTree(page["source"], page["address"])
    source = page["source"]
    for link in tree.roots[0].iter("a"):
        href = link.get("href") or ""
        whole = f"{page['address']}#" if href == "#" else tree.address_of(link, ("href",))
        source = source.replace(f"href='{href}'", f"href='{whole}'").replace(f'href="{href}"', f'href="{whole}"')
    return f"<!-- saved from url=({len(page['address']):04}){page['address']} -->\n{source}"


def lesson_from(folder: Path, pages: list[dict[str, Any]], *, is_addressed: bool = False) -> Lesson:
    """What is learned from files in a folder; the observations name no address unless asked to."""
    left_out = {"source"} if is_addressed else {"source", "address"}
    tables = [{key: value for key, value in page.items() if key not in left_out} for page in pages]
    (folder / "observations.toml").write_text(tomli_w.dumps({"title": "Made-up", "pages": tables}), encoding="utf-8")
    for page in pages:
        source = page["source"]
        (folder / page["file"]).write_bytes(source if isinstance(source, bytes) else source.encode())
    observations, sources = read_folder(folder)
    return learn("made-up", observations, seen_pages(observations, sources))


class TestForms:
    @pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
    def test_a_single_file_has_the_page_and_its_address(self, encoding: str) -> None:
        source = page_source(one_file(PAGE, ADDRESS, encoding), "order.mhtml")

        assert saved_address(source) == ADDRESS
        assert "<p>Bestellung \u00e4 101</p>" in source
        assert "color" not in source

    def test_a_view_of_the_source_is_read_as_the_source(self) -> None:
        source = page_source(view_of(PAGE, ADDRESS).encode(), "order.html")

        assert saved_address(source) == ADDRESS
        assert source.endswith(PAGE)
        assert page_source(b'<body id="viewsource"><pre>&lt;p id=x&gt;Text</pre></body>', "x.html") == "<p id=x>Text"

    def test_a_page_is_kept_as_it_is(self) -> None:
        assert page_source(PAGE.encode(), "x.html") == PAGE
        assert page_source(PAGE.encode("utf-16"), "x.html") == PAGE
        named = PAGE.replace("<body>", "<meta charset=iso-8859-1><body>")
        assert page_source(named.encode("iso-8859-1"), "x.html") == named
        assert text_source(b"\xef\xbb\xbf{}") == "{}"

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"%PDF-1.4 <p >", "order.html is a PDF, not a web page"),
            (b"bplist00\x00<p >", "is a web archive of Safari"),
            (b"PK\x03\x04", "is a ZIP archive"),
            (b"\x89PNG", "is a picture"),
            (b"", "is not a web page"),
            (b"Order 101, 2 < 3 files", "is not a web page"),
        ],
    )
    def test_what_is_no_page_is_refused(self, content: bytes, problem: str) -> None:
        with pytest.raises(ObservationError, match=problem):
            page_source(content, "order.html")

    def test_links_to_the_page_itself_are_those_that_the_page_has(self) -> None:
        links = f"<a href='{ADDRESS}#'>x</a><a href='{ADDRESS}#/po/2'>y</a><a href='{ADDRESS}/2#'>z</a>"

        tree = PageTree(f"<html><body>{links}</body></html>", f"{ADDRESS}#/po/1")

        assert [link.get("href") for link in tree.roots[0].iter("a")] == ["#", "#/po/2", f"{ADDRESS}/2#"]


class TestFolders:
    @pytest.mark.parametrize("name", ["table", "spans"])
    @pytest.mark.parametrize("form", ["complete", "one file", "view"])
    def test_pages_of_each_form_teach_the_same_portal(self, tmp_path: Path, name: str, form: str) -> None:
        pages = shown_pages(taught_portal(name))
        for page in pages:
            page["source"] = {
                "complete": absolute,
                "one file": lambda one: one_file(absolute(one), one["address"]),
                "view": lambda one: view_of(one["source"], one["address"]),
            }[form](page)

        lesson = lesson_from(tmp_path, pages)

        assert lesson.problems == ()
        original = learn_of(shown_pages(taught_portal(name)), tmp_path)
        for page in shown_pages(taught_portal(name)):  # on the true pages, both find the same
            tree = PageTree(page["source"], page["address"])
            assert found_on(tree, lesson) == found_on(tree, original)

    def test_addresses_that_a_browser_made_whole_may_be_relative_on_the_page(self, tmp_path: Path) -> None:
        pages = served_pages()
        for page in pages:
            page["source"] = page["source"].replace(" class=get href='/get/", " href='../get/")
        saved = [{**page, "source": absolute(page)} for page in pages]

        lesson = lesson_from(tmp_path, saved)

        assert lesson.problems == ()
        (order,) = [page for page in pages if page["file"] == "101.html"]
        tree = PageTree(order["source"], order["address"])
        assert len([item for css in lesson.pack.attachments.links for item in tree.select(css)]) == 2

    def test_a_page_that_its_scripts_had_not_drawn_is_refused(self, tmp_path: Path) -> None:
        pages = served_pages()
        pages[2]["source"] = "<html><body><div id=app></div><script src=app.js></script></body></html>"

        with pytest.raises(ObservationError, match=r"101\.html shows nothing: it was saved before its scripts drew it"):
            lesson_from(tmp_path, pages, is_addressed=True)

    @pytest.mark.parametrize("shown", ["Loading", "<input name=q>"])
    def test_so_are_pages_that_are_all_the_same(self, tmp_path: Path, shown: str) -> None:
        pages = served_pages()
        for page in pages[2:4]:
            page["source"] = f"<html><body>{shown}<script src=app.js></script></body></html>"

        with pytest.raises(ObservationError, match=r"101\.html and 102\.html are the same page"):
            lesson_from(tmp_path, pages, is_addressed=True)

    def test_without_scripts_a_page_may_be_empty_or_like_another(self, tmp_path: Path) -> None:
        pages = served_pages()
        missing = {**pages[-1], "source": "<html><body> </body></html>"}
        forbidden = {**missing, "file": "forbidden.html", "kind": "forbidden", "number": "", "status": 403}

        assert lesson_from(tmp_path, [*pages[:-1], missing, forbidden], is_addressed=True).problems == ()

    @pytest.mark.parametrize(
        ("more", "advice"),
        [
            ("<iframe src=./files.html></iframe><script></script>", "show the portal in a window"),
            ("<script></script>", 'as "Web page, complete"'),
            ("", "If a click opens the list, show the portal in a window"),
        ],
    )
    def test_an_attachment_that_is_not_in_the_file_is_told_with_what_helps(
        self, tmp_path: Path, more: str, advice: str
    ) -> None:
        pages = served_pages()
        pages[2] = {
            **pages[2],
            "attachments": ["other.pdf"],
            "source": pages[2]["source"].replace("</body>", f"{more}</body>"),
        }

        with pytest.raises(ObservationError, match=advice):
            lesson_from(tmp_path, pages, is_addressed=True)


def learn_of(pages: list[dict[str, Any]], folder: Path) -> Lesson:
    """What is learned of the pages as the portal sent them."""
    (folder / "true").mkdir()
    return lesson_from(folder / "true", pages, is_addressed=True)


def found_on(tree: PageTree, lesson: Lesson) -> set[str | None]:
    """The links that the selectors of a pack find on a page."""
    return {item.get("href") for css in lesson.pack.attachments.links for item in tree.select(css)}
