"""The text of Outlook's compressed rich text: letters of every alphabet, no formatting, no hostile text that lasts."""

from __future__ import annotations

import struct

import pytest
from compressed_rtf import compress

from poolwright.worker.rendering import outlook_text as module
from poolwright.worker.rendering.outlook_text import rich_text

HEAD = rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f12\fnil\fcharset204 Arial Cyr;}}"


def stored(text: bytes) -> bytes:
    """Rich text that is kept as it is."""
    return compress(text, compressed=False)


@pytest.mark.parametrize("is_compressed", [True, False])
def test_the_text_is_read_without_its_formatting(is_compressed: bool) -> None:
    content = compress(HEAD + rb"{\colortbl\red1;}\f0\b Dear\b0  all,\par Line 2\tab x\}}", is_compressed)

    assert rich_text(content) == "Dear all,\nLine 2\tx}"


def test_text_of_a_mail_that_was_html_is_shown_once() -> None:
    html = (
        rb"{\*\htmltag84 <b>}\htmlrtf {\b \htmlrtf0 Bold\htmlrtf }\htmlrtf0 {\*\htmltag92 </b>}\htmlrtf\par\htmlrtf0}"
    )

    assert rich_text(stored(HEAD + html)) == "Bold\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (rb"Gr\'fc\'dfe", "Grüße"),
        (b"Gr\xfc\xdfe", "Grüße"),
        (rb"{\f12\'cf\'f0} \'e9 ", "Пр é "),
        (rb"\uc1 \u8364?", "€"),
        (rb"\u-10179?\u-8704?", "😀"),
        (rb"\u-10179?x", "�x"),
        (rb"a\u0?b", "ab"),
    ],
)
def test_letters_of_every_alphabet_are_read(text: bytes, shown: str) -> None:
    assert rich_text(stored(HEAD + text + b"}")) == shown


@pytest.mark.parametrize(
    ("page", "text", "shown"),
    [(b"1251", b"\xcf", "П"), (b"1251", rb"\'cf ", "П "), (b"99999", b"\xe9", "é"), (b"932", b"\x93\xfa", "日")],
)
def test_the_code_page_of_the_text_counts_where_a_font_has_no_alphabet(page: bytes, text: bytes, shown: str) -> None:
    assert rich_text(stored(rb"{\rtf1\ansicpg" + page + b" " + text + b"}")) == shown


def test_without_a_code_page_it_is_that_of_western_windows() -> None:
    assert rich_text(stored(b"{\\rtf1 \x80}")) == "€"


def test_a_link_is_its_text_alone() -> None:
    link = rb'{\field{\*\fldinst{ HYPERLINK "http://x.example/a" }}{\fldrslt{our page}}}'

    assert rich_text(stored(HEAD + link + b" end}")) == "our page end"


def test_pictures_are_left_out_before_the_length_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = rb"{\pict\pngblip " + b"89504e47\r\n" * 200 + b"}"
    monkeypatch.setattr(module, "RAW_MAX_BYTES", len(HEAD) + 40)

    assert rich_text(stored(HEAD + picture + b"after}")) == "after"


@pytest.mark.parametrize(
    ("table", "shown"),
    [
        (rb"{\*\fonttbl{\f1\fcharset204 A;}}{\f1\'cf}", "П"),
        (rb"{\fonttbl{\f1\fnil{\*\panose 02}\fcharset204 A;}}{\f1\'cf}", "П"),
        (rb"{\fonttbl{\f1\fnil A;}{\f2\fcharset204 B;}}{\f2\'cf}{\f1\'cf}", "ПÏ"),
        (rb"{\fonttbl{\f1\fcharset204 A;} x", ""),
    ],
)
def test_the_table_of_fonts_is_read_and_not_shown(table: bytes, shown: str) -> None:
    assert rich_text(stored(rb"{\rtf1\ansi" + table + b"}")) == shown


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        rb"{\fonttbl" + rb"\f1\fcharset1" * 20_000,
        rb"{\fonttbl" + rb"{\f1" * 40_000,
        rb"{\field{\*\fldinst{ HYPERLINK " * 4_000,
        rb"{\field{\*\FLDINST{ HYPERLINK " * 4_000,
    ],
)
def test_a_hostile_text_takes_no_longer_than_its_length_allows(text: bytes) -> None:
    assert rich_text(stored(rb"{\rtf1 " + text + b"}")) == ""


def changed(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


GOOD = compress(HEAD + b"Text}")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        GOOD[:15],
        GOOD[:-1],
        changed(GOOD, 8),
        changed(GOOD, 12),
        changed(GOOD, 20),
        changed(stored(HEAD + b"Text}"), 12),
        b"\x00" * 16,
        stored(b"Text"),
        stored(rb"{\rtf1 {\f0 \fonttbl}}"),
    ],
)
def test_what_is_damaged_is_refused(content: bytes) -> None:
    with pytest.raises((ValueError, struct.error)):
        rich_text(content)


def test_what_stands_behind_the_text_does_not_count() -> None:
    assert rich_text(GOOD + b"\0\0") == "Text"


def test_a_text_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMPRESSED_MAX_BYTES", len(GOOD))
    assert rich_text(GOOD) == "Text"
    with pytest.raises(ValueError, match="too large"):
        rich_text(GOOD + b"\0")

    raw = HEAD + b"Text}"
    monkeypatch.setattr(module, "RAW_MAX_BYTES", len(raw))
    assert rich_text(GOOD) == "Text"
    monkeypatch.setattr(module, "RAW_MAX_BYTES", len(raw) - 1)
    with pytest.raises(ValueError, match="too long"):
        rich_text(GOOD)
