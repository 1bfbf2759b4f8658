"""A mail as one document: it says what the mail says, and nothing in it runs, loads or leaves its place."""

from __future__ import annotations

from typing import Any

import pytest

from poolwright.worker.rendering.mail_document import clean_html, mail_document
from poolwright.worker.rendering.mail_message import MailMessage


def written(**parts: Any) -> str:  # noqa: ANN401 - fields by name
    return mail_document(MailMessage(**parts)).html


PICTURES = {"logo@x": ("image/png", b"png"), "a b": ("image/gif", b"gif")}


def cleaned(text: str) -> str:
    return clean_html(f"<html><body>{text}</body></html>", PICTURES)


def test_header_lines_and_attachments_are_above_the_text() -> None:
    mail = MailMessage(headers={"From": "A <a@x>", "Subject": "1 < 2"}, text="Hi <b>", attachments=("a.pdf", "<b>.pdf"))

    document = mail_document(mail).html

    assert "<tr><th>From</th><td>A &lt;a@x&gt;</td></tr><tr><th>Subject</th><td>1 &lt; 2</td></tr>" in document
    assert "<tr><th>Attachments</th><td>a.pdf; &lt;b&gt;.pdf</td></tr>" in document
    assert '<div class="poolwright-plain">Hi &lt;b&gt;</div>' in document
    assert "<title>1 &lt; 2</title>" in document
    assert "content=\"default-src 'none'; img-src data:;" in document


def test_a_mail_without_attachments_has_no_line_for_them() -> None:
    assert "Attachments" not in written(text="x")


def test_html_stands_in_a_tree_of_its_own() -> None:
    document = written(html="<p>Hello</p>", text="plain")

    assert '<div><template shadowrootmode="open"><div><p>Hello</p></div></template></div>' in document
    assert "plain</div>" not in document


@pytest.mark.parametrize("html", ["", "  ", "<!-- -->"])
def test_text_that_cannot_be_shown_as_html_is_shown_plain(html: str) -> None:
    assert '<div class="poolwright-plain">plain\r\n x</div>' in written(html=html, text="\r\nplain\r\n x\n")


def test_a_mail_without_text_says_so_in_its_place() -> None:
    document = written(notes=["it has no text", "other"])

    assert '<div class="poolwright-plain">(it has no text)\n(other)\n</div>' in document


@pytest.mark.parametrize(
    "tag",
    [
        "script",
        "iframe",
        "object",
        "embed",
        "applet",
        "link",
        "meta",
        "base",
        "template",
        "svg",
        "math",
        "video",
        "slot",
    ],
)
def test_what_runs_or_loads_is_removed_and_the_text_around_it_stays(tag: str) -> None:
    shown = cleaned(f"<p>a</p>before<{tag} src=x>inner</{tag}>behind<i>c</i>")

    assert f"<{tag}" not in shown
    assert "before" in shown
    assert "behind" in shown
    assert "<i>c</i>" in shown


def test_comments_are_removed_and_the_text_behind_them_stays() -> None:
    assert cleaned("<!-- [if mso] x -->a<p>b<!-- y -->c</p>") == "<div>a<p>bc</p></div>"


@pytest.mark.parametrize(
    "attribute",
    [
        'onclick="x()"',
        'ONERROR="x()"',
        'href="javascript:x()"',
        'href=" Java&#10;Script:x()"',
        'href="vbscript:x"',
        'srcset="x 2x"',
        'background="http://x"',
        'slot="x"',
        'formaction="x"',
    ],
)
def test_attributes_that_run_or_load_are_removed(attribute: str) -> None:
    assert cleaned(f"<b {attribute}>x</b>") == "<div><b>x</b></div>"


def test_other_attributes_and_links_stay() -> None:
    text = '<a href="https://x.example/?a=1" style="color: red" class="one">x</a>'

    assert cleaned(text) == f"<div>{text}</div>"


def test_styles_stay_once_and_in_front() -> None:
    page = "<html><head><style>p{}</style></head><body class=b><style>i{}</style><p>x</p></body></html>"

    assert clean_html(page, {}) == '<style>p{}</style><style>i{}</style><div class="b"><p>x</p></div>'


def test_pictures_of_the_mail_are_put_into_its_text() -> None:
    assert cleaned('<img src="CID:logo@x">') == '<div><img src="data:image/png;base64,cG5n"></div>'
    assert cleaned('<img src="cid:a%20b">') == '<div><img src="data:image/gif;base64,Z2lm"></div>'
    assert cleaned('<img src="cid:other">') == '<div><img src="cid:other"></div>'


def test_no_text_of_a_mail_ends_the_tree_in_which_it_stands() -> None:
    document = written(html="<p>a</p></template></div><table>x</table></body></html><p>b</p>")

    assert document.count("</template>") == 1
    assert document.index("<p>b</p>") < document.index("</template>")


def test_a_declaration_of_xml_does_not_hide_the_text() -> None:
    assert clean_html('<?xml version="1.0" encoding="utf-16"?><html><body><p>x</p></body></html>', {}) == (
        "<div><p>x</p></div>"
    )


def test_a_text_behind_the_end_of_the_page_is_shown_too() -> None:
    page = "<html><head><style>a{}</style></head><body><p>1</p></BODY ></html>\n<html><body><p>2</p></body></html>tail"

    shown = clean_html(page, {})

    assert "<p>1</p>" in shown
    assert "<p>2</p>" in shown
    assert "tail" in shown


def test_a_mail_whose_text_cannot_be_shown_says_so() -> None:
    document = mail_document(MailMessage(html="<html><frameset><frame src=x></frameset></html>"))

    assert document.notes == ("its text cannot be shown",)
    assert "(its text cannot be shown)" in document.html
    assert mail_document(MailMessage(text="x")).notes == ()
    assert mail_document(MailMessage(text="x", notes=["cut"])).notes == ("cut",)
