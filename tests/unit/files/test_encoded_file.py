"""A file that a portal forgot to decode is no file; where it may be one, that is told."""

from __future__ import annotations

import base64
import gzip
import json
import uuid
from pathlib import Path

import pytest

from poolwright.files.content_type import SniffResult, sniff
from tests.unit.files.test_content_type import COMPOUND, PDF, PNG, saved, sheet

CSV = "Bestellung;Lieferant;Betrag\n4500010001;M\u00fcller;1.234,50\n4500010002;Acme;7,00\n".encode()
UBL = (
    "<?xml version='1.0'?><Invoice><ID>1</ID><AdditionalDocumentReference><Attachment>"
    "<EmbeddedDocumentBinaryObject mimeCode='application/pdf'>{}</EmbeddedDocumentBinaryObject>"
    "</Attachment></AdditionalDocumentReference></Invoice>"
)


def coded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def in_lines(content: bytes, width: int = 76) -> str:
    text = coded(content)
    return "\r\n".join(text[place : place + width] for place in range(0, len(text), width))


def found(folder: Path, text: str | bytes, label: str, declared: str = "", *, is_vouched: bool = True) -> SniffResult:
    content = text.encode() if isinstance(text, str) else text
    return sniff(saved(folder, content), label, declared, is_vouched=is_vouched)


LARGE = PDF[:-20] + bytes(range(256)) * 400 + b"%%EOF\n"
CLOTHES = {
    "a bare value": f"<base64Binary xmlns='http://x.test/'>{coded(PDF)}</base64Binary>",
    "a bare text": f"<string xmlns='http://x.test/'>{coded(PDF)}</string>",
    "plain": coded(PDF),
    "lines of a mail": in_lines(PDF),
    "lines of a certificate": in_lines(PDF, 64),
    "a mark in front": "\ufeff" + coded(PDF),
    "a blank line in front": "\r\n\r\n" + coded(PDF),
    "quotes": json.dumps(coded(PDF)),
    "quotes of Python": f"b'{coded(PDF)}'",
    "strokes of JSON": json.dumps(coded(PDF)).replace("/", "\\/"),
    "line ends of JSON": json.dumps(in_lines(PDF)),
    "for addresses": base64.urlsafe_b64encode(PDF).decode().rstrip("="),
    "percent": coded(PDF).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
    "without its end": coded(PDF).rstrip("="),
    "only the name of the coding": f"base64,{coded(PDF)}",
    "an address": f"data:application/pdf;base64,{coded(PDF)}",
    "an address with a name": f'"data:application/pdf;name=offer.pdf;base64,{coded(PDF)}"',
    "an address of nothing": f"data:;base64,{coded(PDF)}",
    "the part of a mail": (
        'Content-Type: application/pdf;\r\n name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        f"{in_lines(PDF)}\r\n"
    ),
    "old mails": 'begin 644 offer.pdf\nM)5!$1BTQ+C<*)>+CS],*,2`P(&]B:@H\\/#X^"F5N9&]B:@H\n`\nend\n',
    "hexadecimal": PDF.hex(),
    "hexadecimal of a database": "\\x" + PDF.hex(),
    "hexadecimal with 0x": "0x" + PDF.hex().upper(),
    "hexadecimal in pairs": PDF.hex(" "),
    "numbers": json.dumps(list(PDF)),
    "numbers of a buffer": json.dumps({"type": "Buffer", "data": list(PDF)}),
    "a value of JSON": json.dumps({"fileName": "offer.pdf", "mimeType": "application/pdf", "content": coded(PDF)}),
    "a value of JSON within": json.dumps({"d": {"results": [{"Id": 7, "FileContent": coded(PDF)}]}}, indent=1),
    "an address in JSON": json.dumps({"file": f"data:application/pdf;base64,{coded(PDF)}"}),
    "an element": f"<?xml version='1.0'?><string xmlns='http://x.test/'>{coded(PDF)}</string>".replace(
        "string", "Result"
    ),
    "an answer": (
        f"<s:Envelope xmlns:s='s'><s:Body><GetFileResponse><File>{in_lines(PDF)}</File>"
        "</GetFileResponse></s:Body></s:Envelope>"
    ),
    "a large one": coded(LARGE),
    "a large one in lines": in_lines(LARGE),
    "a large value of JSON": json.dumps({"name": "offer.pdf", "size": len(LARGE), "bytes": coded(LARGE)}),
    "a large one of numbers": json.dumps(list(LARGE)),
}


@pytest.mark.parametrize("clothes", CLOTHES)
def test_a_document_that_came_in_letters_is_no_file_whatever_it_is_called(tmp_path: Path, clothes: str) -> None:
    for label in ("offer.txt", "offer.csv", "offer.pdf", "offer", "offer.bin", "offer.docx"):
        for declared in ("", "text/plain", "application/octet-stream"):
            [problem] = found(tmp_path, CLOTHES[clothes], label, declared).problems

            assert problem.startswith(f"Instead of {label}, the portal sent ")


@pytest.mark.parametrize(
    "content",
    [PDF, PNG + bytes(64), COMPOUND, sheet(), gzip.compress(CSV * 20), gzip.compress(b"a;b"), b"{\\rtf1 hello}" * 4],
)
def test_documents_of_all_kinds_are_known_in_letters(tmp_path: Path, content: bytes) -> None:
    [problem] = found(tmp_path, coded(content), "scan.txt").problems

    assert problem.startswith("Instead of scan.txt, the portal sent ")
    assert problem.endswith(" in base64: it did not decode the file.")


@pytest.mark.parametrize(
    "content",
    [CSV, "\u540d\u524d,\u6570\n\u82b1,1\n".encode() * 3, b'{"a": [1, 2]}\n' * 9, CSV.decode().encode("utf-16")],
)
def test_data_that_came_in_letters_is_none(tmp_path: Path, content: bytes) -> None:
    for label in ("prices.csv", "prices.tsv", "prices.xml", "prices.step"):
        assert found(tmp_path, coded(content), label).problems
        assert found(tmp_path, in_lines(content), label).problems


@pytest.mark.parametrize("content", [CSV, bytes(range(256))])
def test_a_code_that_somebody_may_have_written_is_taken_and_told(tmp_path: Path, content: bytes) -> None:
    for label in ("key.txt", "key.lic", "key"):
        finding = found(tmp_path, coded(content), label)

        assert finding.problems == ()
        assert len(finding.notes) == 1
        assert "check whether it is the file" in finding.notes[0]


def test_a_drawing_that_came_as_an_address_is_none(tmp_path: Path) -> None:
    drawing = "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>"

    assert found(tmp_path, drawing, "plan.svg").problems


def test_json_that_holds_a_document_and_is_called_json_is_taken_and_told(tmp_path: Path) -> None:
    finding = found(tmp_path, CLOTHES["a value of JSON"], "offer.json", "application/json")

    assert finding.problems == ()
    assert finding.notes == (
        (
            "offer.json contains a PDF in base64, which the portal may have forgotten to decode: "
            "check whether it is the file."
        ),
    )


@pytest.mark.parametrize(
    ("content", "label"),
    [
        (UBL.format(coded(PDF)), "invoice.xml"),
        (UBL.format(coded(LARGE)), "invoice.xml"),
        ("4500010001\n4500010002\n4500010003\n", "orders.txt"),
        ("4500010001\r\n" * 400, "orders.csv"),
        ("\n".join(uuid.UUID(int=number).hex * 2 for number in range(200)), "checksums.txt"),
        (f"{'ab' * 32}  offer.pdf\n", "offer.sha256"),
        ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7\n", "key.txt"),
        (f"-----BEGIN CERTIFICATE-----\n{in_lines(bytes(range(256)) * 4, 64)}\n-----END CERTIFICATE-----\n", "a.txt"),
        (in_lines(b"\x30\x82\x05" + bytes(range(256)) * 4), "smime.p7s"),
        (coded(b"\x30\x82\x05" + bytes(range(256)) * 4), "seal.cer"),
        ("Donaudampfschifffahrtsgesellschaftskapitaen\n", "word.txt"),
        (
            f"From: a@x.test\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n{in_lines(b'hello ')}",
            "a.eml",
        ),
        ("data:,what is told in the data is valid until May\n", "note.txt"),
        ("data: see below, the offer is valid until May\n", "note.txt"),
        (json.dumps({"lines": [{"no": number, "text": f"bolt {number}"} for number in range(99)]}), "lines.json"),
        (json.dumps({"rows": [[1, 2], [3, 4]], "values": list(range(400))}), "values.json"),
        ("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18\n" * 9, "numbers.csv"),
        ("[1] The offer is valid.\n[2] Prices are net.\n", "notes.txt"),
        ("0102030405060708090a0b0c0d0e0f" * 20, "counts.txt"),
    ],
)
def test_what_only_looks_like_a_code_is_the_file_without_a_word(tmp_path: Path, content: str, label: str) -> None:
    finding = found(tmp_path, content, label)

    assert finding.problems == ()
    assert [note for note in finding.notes if "no more content than a message" not in note] == []
