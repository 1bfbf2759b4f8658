"""The shapes of answers to the letter: how long, of how many lines, in which element, beside which data."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.files.content_type import sniff
from poolwright.files.file_format import ContentType
from poolwright.files.soft_errors import SoftError, find_soft_error, is_generated_document, is_plain_sentence

ERROR = "Error: no such file. "
PROSE = "our offer of ten bolts "


def page(text: str, title: str = "") -> bytes:
    return f"<html><title>{title}</title><body>{text}</body></html>".encode()


def words(begin: str, length: int) -> str:
    """A text that begins so and is so long."""
    return (begin + "more of it " * length)[: length - 1] + "."


@pytest.mark.parametrize("kind", [kind for kind in ContentType if kind is not ContentType.HTML])
def test_each_kind_is_judged_by_its_own_form(kind: ContentType) -> None:
    told = {
        ContentType.OFFICE_HTML: page("x", "Error"),
        ContentType.JSON: b'{"error":"gone"}',
        ContentType.XML: b"<error>gone</error>",
        ContentType.TEXT: b"File not found",
    }

    assert find_soft_error(told.get(kind, b"File not found"), kind) is (SoftError.ERROR if kind in told else None)
    assert find_soft_error(b"<p>Our offer</p>", kind) is None


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (words(ERROR, 400), SoftError.ERROR),
        (words(ERROR, 401), None),
        (f"  {words(ERROR, 400)}\n", SoftError.ERROR),
        ("Error: gone\nAsk Max\nor Eve", SoftError.ERROR),
        ("Error: gone\nAsk Max\nor Eve\nor Bob", None),
        ("Error: gone, sorry\nAsk Max, please", SoftError.ERROR),
        ("Error: X, sorry\nAsk X, please", SoftError.ERROR),
        ("Error: X\nAsk X", SoftError.ERROR),
        ("Error,gone\nA,not found", None),
        ("Error;gone, sorry\nA;not found", None),
        ("Error\tgone\nA\tnot found", None),
        ("Error|gone\nA|not found", None),
        ("Error|gone|x\nA|not found", SoftError.ERROR),
        (PROSE, None),
        ("Traceback (most recent call last):\n" + "  File x\n" * 100, SoftError.ERROR),
    ],
)
def test_a_note_of_a_line_or_two_that_holds_no_table_may_be_an_error(text: str, shape: SoftError | None) -> None:
    assert find_soft_error(text.encode(), ContentType.TEXT) is shape


@pytest.mark.parametrize(
    ("content", "kind", "shape"),
    [
        ('{"jobId":"17","status":"PROCESSING"}', ContentType.JSON, SoftError.PENDING),
        ('{"downloadUrl":"https://files.test/a?sig=1"}', ContentType.JSON, SoftError.ELSEWHERE),
        ('{"success":true}', ContentType.JSON, SoftError.STATUS),
        ("<response><status>queued</status><jobId>4</jobId></response>", ContentType.XML, SoftError.PENDING),
        ("Please wait ...", ContentType.TEXT, SoftError.PENDING),
        ('"OK".', ContentType.TEXT, SoftError.STATUS),
        ('callback({"jobId":"17","status":"PROCESSING"});', ContentType.TEXT, SoftError.PENDING),
        (')]}\',\n{"success":true}', ContentType.TEXT, SoftError.STATUS),
    ],
)
def test_what_comes_before_a_file_is_told_from_an_error(content: str, kind: ContentType, shape: SoftError) -> None:
    assert find_soft_error(content.encode(), kind) is shape


@pytest.mark.parametrize(
    ("content", "shape"),
    [
        (page(words(PROSE, 4994), "Error"), SoftError.ERROR),  # the title is shown too
        (page(words(PROSE, 4995), "Error"), None),
        (f"<TITLE>Error\n</TITLE>{PROSE}".encode(), SoftError.ERROR),
        (page(words("File not found. ", 400)), SoftError.ERROR),
        (page(words("File not found. ", 401)), None),
        (page(words("Please wait. ", 1500)), SoftError.WAITING),
        (page(words("Please wait. ", 1501)), None),
        (page(words(PROSE, 1500) + "<meta http-equiv=refresh>"), SoftError.WAITING),
        (page(words(PROSE, 1501) + "<meta http-equiv=refresh>"), None),
        (page(PROSE + "<script>location = '/f/1'</script>"), SoftError.WAITING),
        (page(PROSE + "<script>let shown = 'Please wait'</script>"), None),
        (page(PROSE + "<input type=password>", "Error"), SoftError.LOGIN),
        (page("Your session<br>has<td>timed out"), SoftError.ERROR),
        (page(PROSE), None),
    ],
)
def test_a_page_is_an_error_or_a_wait_where_little_else_is_on_it(content: bytes, shape: SoftError | None) -> None:
    assert find_soft_error(content, ContentType.HTML) is shape


@pytest.mark.parametrize("element", ["script", "style", "SCRIPT", "Style"])
def test_what_a_page_does_not_show_does_not_count(element: str) -> None:
    unseen = f"<{element}>\n{'a { } ' * 2000}</{element}>"

    assert find_soft_error(unseen.encode() + page("File not found"), ContentType.HTML) is SoftError.ERROR
    assert find_soft_error(page("File" + unseen * 2 + "not found"), ContentType.HTML) is SoftError.ERROR
    assert find_soft_error(page("File not found" + unseen.partition("</")[0]), ContentType.HTML) is SoftError.ERROR, (
        "it never ends"
    )
    grows = "\u0130" * 300  # each is two letters when it is folded
    assert find_soft_error(page(f"{grows}{unseen} File not found"), ContentType.HTML) is SoftError.ERROR


@pytest.mark.parametrize(
    ("content", "shape"),
    [
        (b"<script src=/app.js></script>", SoftError.SCRIPT),
        (b"<html><title>Portal</title><noscript>Use scripts</noscript><script>run()</script></html>", SoftError.SCRIPT),
        (b"<html><script>run()</script><script>run()</script></html>", SoftError.SCRIPT),
        (b"<HTML><TITLE>\nPortal\n</TITLE><SCRIPT>run()</SCRIPT></HTML>", SoftError.SCRIPT),
        (b"<html><script>run()</script>Offer<script>run()</script></html>", None),
        (b"<html><script>run()</script><img src=plan.png></html>", None),
        (b"<html><title>Portal</title><body></body></html>", None),
    ],
)
def test_a_page_of_nothing_but_scripts_is_told(content: bytes, shape: SoftError | None) -> None:
    assert find_soft_error(content, ContentType.HTML) is shape


@pytest.mark.parametrize(
    ("text", "is_written"),
    [
        ("a;b\nc;d", True),
        ("a,b\nc,d", True),
        ("a\tb\nc\td", True),
        ("a|b\nc|d", True),
        ("a;b;c\nd;e", False),
        ("a;b", False),
        ("X ray\nX ray", False),
        ("\n" * 18 + "a;b\nc;d", True),
        ("\n" * 19 + "a;b\nc;d", False),
        ("From: a@b.test\n\nHello", True),
        ("Hello\nFrom: a@b.test", False),
        ("", False),
        ("\n", False),
    ],
)
def test_a_table_and_a_mail_are_documents(text: str, is_written: bool) -> None:
    assert is_generated_document(text.encode()) is is_written


@pytest.mark.parametrize(
    ("text", "is_sentence"),
    [
        ("Come back soon.", True),
        ("  Come back soon.\n", True),
        (words("", 400), True),
        (words("", 401), False),
        ("Come back\nsoon.", False),
        ("4711", False),
        ("Bolt;4711", False),
        ("https://p.test/f/17", True),  # where to look, and nothing that is there
        ("", False),
    ],
)
def test_a_sentence_is_one_short_line_of_words(text: str, is_sentence: bool) -> None:
    assert is_plain_sentence(text.encode()) is is_sentence


@pytest.mark.parametrize(("size_bytes", "shape"), [(65_536, SoftError.ERROR), (65_537, None)])
def test_what_is_larger_than_any_message_is_a_document(
    tmp_path: Path, size_bytes: int, shape: SoftError | None
) -> None:
    path = tmp_path / "download"
    path.write_bytes(b"Traceback (most recent call last):\n".ljust(size_bytes, b"x"))

    assert sniff(path, "log.txt", "text/plain").shape is shape
