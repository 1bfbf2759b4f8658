"""Text is read right whatever program wrote it."""

from __future__ import annotations

import pytest

from poolwright.intake.encoding import decode
from poolwright.intake.errors import InputRefusedError

GERMAN = "Bestellnummer;Lieferant\r\n4500012345;Müller & Söhne, Straße 5, 12 € je m²\r\n"
POLISH = "Numer zamówienia;Dostawca\r\n1001;Spółka Żółta Łódź, część 3\r\n"
RUSSIAN = "Номер заказа;Поставщик\r\n4500012345;Ромашка\r\n"
CHINESE = "采购订单号,供应商\r\n4500012345,国网电力有限公司\r\n"
JAPANESE = "発注番号,仕入先\r\n4500012345,株式会社東京電力\r\n"

WESTERN = """
    Müller Straße Société éclairage São João España Niño Øresund Ångström façade Ação Übung Köln où Noël garçon Île
    señor Århus Tromsø Kjøkken però qualità €100 “quote” it’s 5° 20µm ½ m² m³ Nº ¿Qué
"""


@pytest.mark.parametrize("text", [GERMAN, POLISH, RUSSIAN, CHINESE])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_unicode_is_certain_with_or_without_a_mark(text: str, encoding: str) -> None:
    decoded = decode(text.encode(encoding), "orders.csv")

    assert decoded.text == text
    assert not decoded.notice


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "cp1252"),
        (GERMAN.replace("€", "EUR"), "latin-1"),
        (POLISH, "cp1250"),
        (RUSSIAN, "cp1251"),
        (CHINESE, "gb18030"),
        (JAPANESE, "cp932"),
        ("PO;Lieferant\r\n4500012345;Müller Größe\r\n", "cp850"),
    ],
)
def test_a_code_page_is_found_out_and_told(text: str, encoding: str) -> None:
    decoded = decode(text.encode(encoding), "orders.csv")

    assert decoded.text == text
    assert "orders.csv is not UTF-8" in decoded.notice


@pytest.mark.parametrize("word", WESTERN.split())
def test_one_western_word_is_enough(word: str) -> None:
    text = f"PO Number;Supplier;Amount\r\n4500012345;{word} Ltd;12,50\r\n4500012346;Acme;99,00\r\n"

    assert decode(text.encode("cp1252"), "orders.csv").text == text


def test_letters_far_below_the_top_count_too() -> None:
    text = "PO Number;Supplier\r\n" + "4500012345;Acme\r\n" * 20_000 + "4500012346;Müller\r\n"

    assert decode(text.encode("cp1252"), "orders.csv").text == text


def test_a_cut_off_file_is_refused_with_the_place() -> None:
    with pytest.raises(InputRefusedError, match="damaged at byte"):
        decode(GERMAN.encode("utf-16")[:-1], "orders.csv")


def test_bytes_of_no_encoding_are_refused() -> None:
    with pytest.raises(InputRefusedError, match=r"orders\.csv .*save it again"):
        decode(b"PO\r\n" + bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D, 0xFF, 0xFE, 0x81]) * 20, "orders.csv")


def test_one_foreign_byte_touches_its_line_alone_and_is_told() -> None:
    content = "PO;S\n1;Müller\n2;Łódź\n".encode() + b"3;Caf\xe9\n"
    decoded = decode(content, "orders.csv")

    assert decoded.text == "PO;S\n1;Müller\n2;Łódź\n3;Café\n"
    assert decoded.notice == "Line 4 of orders.csv is not utf-8 text; characters were read as cp1252 there."
    assert decode(b"\xef\xbb\xbf" + content, "orders.csv") == decoded


def test_a_byte_that_a_page_does_not_have_touches_its_line_alone() -> None:
    content = "".join(f"{number};Müller\r\n" for number in range(40)).encode("cp1252") + b"40;a\x81b\r\n"
    decoded = decode(content, "orders.csv")

    assert decoded.text.count("Müller") == 40
    assert "Line 41" in decoded.notice


def test_half_a_character_of_utf_16_touches_its_line_alone() -> None:
    text = "".join(f"{number};Müller\r\n" for number in range(40))
    content = text.encode("utf-16") + b"\x00\xd8;\x00x\x00\r\x00\n\x00"
    decoded = decode(content, "orders.csv")

    assert decoded.text.startswith(text)
    assert "Line 41" in decoded.notice


@pytest.mark.parametrize("end", [b"\x1a", b"\x1a\x1a\x1a", b"\x1a\0\0\0", b"\x1a\r\n"])
def test_the_end_mark_of_dos_is_no_text(end: bytes) -> None:
    assert decode(b"PO\r\n1\r\n" + end, "orders.csv").text == "PO\r\n1\r\n"
