from __future__ import annotations

import io
import struct
import zipfile

import filetype  # pyright: ignore[reportMissingTypeStubs] - it ships none
import openpyxl
import pytest

from poolwright.demo.documents import MAXIMUM_BYTES, DocumentKind, make_document
from poolwright.demo.documents.msg import CUTOFF_BYTES, SECTOR_BYTES, Storage, Stream, write_compound

SIZES = (1024, 12_288, 12_289, 66_047, 66_048, 66_049, 1_000_000, MAXIMUM_BYTES)


def chained(cells: bytes, cell_bytes: int, following: tuple[int, ...], start: int) -> bytes:
    """The bytes of a chain of sectors."""
    content = b""
    while start < len(following):
        content += cells[start * cell_bytes : (start + 1) * cell_bytes]
        start = following[start]
    return content


def numbers(table: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(table) // 4}I", table)


def compound_streams(file: bytes) -> dict[str, bytes]:
    """Read the streams of a compound file by following its chains, as a mail program does."""
    sectors = file[SECTOR_BYTES:]
    fat_count, first_directory = struct.unpack_from("<II", file, 44)
    (first_mini_fat,) = struct.unpack_from("<I", file, 60)
    fat_places = struct.unpack_from(f"<{fat_count}I", file, 76)
    fat = numbers(b"".join(sectors[place * SECTOR_BYTES : (place + 1) * SECTOR_BYTES] for place in fat_places))
    directory = chained(sectors, SECTOR_BYTES, fat, first_directory)
    (mini_start,) = struct.unpack_from("<I", directory, 116)
    mini_stream = chained(sectors, SECTOR_BYTES, fat, mini_start)
    mini_fat = numbers(chained(sectors, SECTOR_BYTES, fat, first_mini_fat))
    streams: dict[str, bytes] = {}
    for at in range(0, len(directory), 128):
        name_bytes, kind = struct.unpack_from("<HB", directory, at + 64)
        start, size = struct.unpack_from("<IQ", directory, at + 116)
        if kind == 2:
            is_short = size < CUTOFF_BYTES
            place = (mini_stream, 64, mini_fat) if is_short else (sectors, SECTOR_BYTES, fat)
            streams[directory[at : at + name_bytes - 2].decode("utf-16-le")] = chained(*place, start)[:size]
    return streams


@pytest.mark.parametrize("kind", DocumentKind)
@pytest.mark.parametrize("size_bytes", SIZES)
def test_a_document_has_exactly_the_size_that_was_asked_for(kind: DocumentKind, size_bytes: int) -> None:
    wanted = max(size_bytes, kind.minimum_bytes)

    assert len(make_document(kind, wanted, "Order 1")) == wanted


@pytest.mark.parametrize("kind", DocumentKind)
def test_the_same_title_gives_the_same_bytes_and_another_title_others(kind: DocumentKind) -> None:
    first = make_document(kind, 20_000, "Order 1")

    assert make_document(kind, 20_000, "Order 1") == first
    assert make_document(kind, 20_000, "Order 2") != first


@pytest.mark.parametrize("kind", DocumentKind)
def test_a_size_that_no_valid_file_can_have_is_refused(kind: DocumentKind) -> None:
    for size in (kind.minimum_bytes - 1, MAXIMUM_BYTES + 1):
        with pytest.raises(ValueError, match=f"A {kind} file has"):
            make_document(kind, size, "Order 1")


@pytest.mark.parametrize("kind", [DocumentKind.PDF, DocumentKind.XLSX, DocumentKind.ZIP])
def test_its_kind_is_known_by_its_bytes(kind: DocumentKind) -> None:
    assert filetype.guess_extension(make_document(kind, 5000, "Order 1")) == kind


def test_a_pdf_points_to_its_objects_where_they_are() -> None:
    file = make_document(DocumentKind.PDF, 9000, "Order 1")

    start = int(file.rpartition(b"startxref\n")[2].split()[0])
    rows = file[start:].splitlines()[3:9]

    assert file[start:].startswith(b"xref\n0 7\n")
    for number, row in enumerate(rows, start=1):
        assert file[int(row.split()[0]) :].startswith(b"%d 0 obj\n" % number)
    assert b"(Order 1) Tj" in file


def test_a_workbook_opens_and_shows_its_title() -> None:
    book = openpyxl.load_workbook(io.BytesIO(make_document(DocumentKind.XLSX, 5000, "Order <1>")))

    assert book["Order"]["A1"].value == "Order <1>"


def test_an_archive_opens_and_its_members_are_whole() -> None:
    with zipfile.ZipFile(io.BytesIO(make_document(DocumentKind.ZIP, 5000, "Order 1"))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["note.txt", "scan.bin"]


@pytest.mark.parametrize("size_bytes", [12_288, 70_000, 1_000_000])
def test_a_message_holds_its_subject_and_the_attached_pdf_whole(size_bytes: int) -> None:
    streams = compound_streams(make_document(DocumentKind.MSG, size_bytes, "Größe 1"))

    attached = streams["__substg1.0_37010102"]
    assert streams["__substg1.0_0037001F"].decode("utf-16-le") == "Größe 1"
    assert attached.startswith(b"%PDF-")
    assert attached.endswith(b"%%EOF\n")


def test_a_compound_file_keeps_short_and_long_streams_in_storages() -> None:
    members = [Storage("Box", (Stream("Short", b"s" * 65), Stream("Long", b"l" * 5000))), Stream("Empty", b"")]

    streams = compound_streams(write_compound(members, bytes(16)))

    assert streams == {"Short": b"s" * 65, "Long": b"l" * 5000, "Empty": b""}


def test_a_compound_file_that_needs_more_tables_than_its_header_names_is_refused() -> None:
    with pytest.raises(ValueError, match="109 is the limit"):
        write_compound([Stream("Huge", bytes(7_200_000))], bytes(16))


def test_a_saved_web_page_is_no_login_page() -> None:
    text = make_document(DocumentKind.HTML, 2000, "Order <1>").decode()

    assert "sign in" in text
    assert "<form" not in text
    assert "Order &lt;1&gt;" in text
