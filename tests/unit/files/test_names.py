from __future__ import annotations

import unicodedata
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from poolwright.files.names import (
    FILE_NAME_MAX_BYTES,
    FOLDER_NAME_MAX_BYTES,
    RESERVED_NAMES,
    UniqueNames,
    folder_variants,
    name_key,
    safe_folder,
    safe_folders,
    safe_name,
    unique_name,
    well_formed,
    with_ending,
)
from tests.support.pace import UNHURRIED

#: Text as scripts hand it over, lone surrogates included, and text made of what hurts most.
ANY_TEXT = st.text(st.characters(codec=None)) | st.text("aé. /\\:?<\u0338\u0301\u200b\u202e\tCON1(2)") | st.text("ab.")
DEVICES = ["CON", "PRN", "AUX", "NUL", "COM1", "LPT9", "COM¹", "CONIN$", "CONOUT$", "CLOCK$"]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Invoice 4711.pdf", "Invoice 4711.pdf"),
        ("Rechnung für Größe.PDF", "Rechnung für Größe.PDF"),
        ("../../x", "x"),
        ("..\\..\\y.bin", "y.bin"),
        ("/etc/passwd", "passwd"),
        ("C:\\fakepath\\scan.tif", "scan.tif"),
        ("folder/", "folder"),
        ("a/..", "a"),
        ('a:b*c?<d>|"e".txt', "a_b_c__d___e_.txt"),
        (".bashrc", "bashrc"),
        ("name. . ", "name"),
        ("name .pdf", "name.pdf"),
        ("two\n  lines\t.pdf", "two lines.pdf"),
        ("bell\a.pdf", "bell.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("e\u0301.pdf", "é.pdf"),
        ("e\u200b\u0301.pdf", "é.pdf"),
        ("half \ud83d pair.pdf", "half pair.pdf"),
        ("", "file"),
        ("..", "file"),
        (" / / ", "file"),
        ("\u200b", "file"),
        ("con.second.txt", "con_.second.txt"),
        ("con .txt", "con_.txt"),
    ],
)
def test_a_label_becomes_a_plain_file_name(label: str, name: str) -> None:
    assert safe_name(label) == name


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("ending", ["", ".pdf", ".tar.gz"])
def test_a_device_of_windows_is_no_name(device: str, ending: str) -> None:
    assert safe_name(device + ending) == f"{device}_{ending}"
    assert safe_folder(device.lower() + ending) == f"{device.lower()}_{ending}"


@pytest.mark.parametrize("ending", [".pdf", ".xlsx", ".tar.gz", ".документ"])
def test_a_long_name_keeps_its_extension(ending: str) -> None:
    name = safe_name("ü" * 300 + ending)

    assert len(name.encode()) in {FILE_NAME_MAX_BYTES - 1, FILE_NAME_MAX_BYTES}
    assert name.endswith("ü" + ending)


def test_text_behind_a_dot_is_no_extension_when_it_is_long() -> None:
    name = safe_name("Offer v1.2 with all the prices of the year " + "and more " * 30)

    assert name.startswith("Offer v1.2 with all")
    assert len(name.encode()) <= FILE_NAME_MAX_BYTES


@UNHURRIED
@given(ANY_TEXT)
@example("<\u0338")
@example("CON" + "x" * 11 + ".CON" * 60)
@example("a." + "." * 300 + "pdf")
def test_a_safe_name_stays_inside_is_short_and_safe_again(label: str) -> None:
    name = safe_name(label)

    assert name
    assert Path(name).name == PureWindowsPath(name).name == name
    assert not name.startswith(".")
    assert name[-1] not in " ."
    assert len(name.encode("utf-8")) <= FILE_NAME_MAX_BYTES
    assert unicodedata.is_normalized("NFC", name)
    assert safe_name(name) == name


@UNHURRIED
@given(ANY_TEXT)
def test_a_safe_folder_is_one_level_short_and_safe_again(text: str) -> None:
    level = safe_folder(text)

    assert Path(level).parts == (level,)
    assert PureWindowsPath(level).parts == (level,)
    assert not level.startswith(".")
    assert len(level.encode("utf-8")) <= FOLDER_NAME_MAX_BYTES
    assert safe_folder(level) == level


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("Müller & Söhne GmbH", "Müller & Söhne GmbH"),
        ("A/S Nordisk", "A_S Nordisk"),
        ("../../etc", "_.._etc"),
        ("..", "Unknown"),
        (" \u200b ", "Unknown"),
        ("", "Unknown"),
        ("Acme Inc.", "Acme Inc"),
        (".poolwright", "poolwright"),
    ],
)
def test_a_folder_level_reads_like_its_text(text: str, level: str) -> None:
    assert safe_folder(text) == level


@pytest.mark.parametrize(
    ("name", "taken", "unique"),
    [
        ("a.pdf", [], "a.pdf"),
        ("a.pdf", ["a.pdf"], "a (2).pdf"),
        ("a.pdf", ["A.PDF", "a (2).pdf"], "a (3).pdf"),
        ("straße.pdf", ["STRASSE.pdf"], "straße (2).pdf"),
        ("é.pdf", ["E\u0301.pdf"], "é (2).pdf"),
        ("a.tar.gz", ["a.tar.gz"], "a (2).tar.gz"),
        ("no extension", ["No Extension"], "no extension (2)"),
        ("Manifest.json", RESERVED_NAMES, "Manifest (2).json"),
    ],
)
def test_the_second_of_a_name_is_numbered(name: str, taken: list[str], unique: str) -> None:
    assert unique_name(name, taken) == unique


@UNHURRIED
@given(st.lists(ANY_TEXT | st.just("x" * 300 + ".pdf"), max_size=12))
def test_unique_names_differ_for_every_file_system_and_stay_safe(labels: list[str]) -> None:
    names: list[str] = []
    for label in labels:
        names.append(unique_name(safe_name(label), [*names, *RESERVED_NAMES]))

    assert len({name_key(name) for name in [*names, *RESERVED_NAMES]}) == len(labels) + len(RESERVED_NAMES)
    assert [safe_name(name) for name in names] == names


def test_folder_variants_never_split_a_name_at_a_dot() -> None:
    variants = folder_variants("PO 1.5")

    assert [next(variants) for _ in range(3)] == ["PO 1.5", "PO 1.5 (2)", "PO 1.5 (3)"]


@UNHURRIED
@given(st.text(st.characters(codec=None)))
def test_well_formed_text_can_always_be_written(text: str) -> None:
    assert len(well_formed(text).encode("utf-8").decode("utf-8")) == len(text)


def test_half_a_pair_becomes_a_question_mark() -> None:
    assert well_formed("half \ud83d pair") == "half ? pair"


def test_the_lengths_are_those_of_the_design() -> None:
    assert (FILE_NAME_MAX_BYTES, FOLDER_NAME_MAX_BYTES) == (150, 80)
    assert len(safe_name("x" * 200)) == 150
    assert len(safe_folder("x" * 200)) == 80


@pytest.mark.parametrize(
    ("level_count", "length"),
    [
        (1, 80),
        (2, 80),  # just as long together as all levels may be
        (3, 53),
        (9, 17),
        (10, 16),
        (11, 16),  # too long, but no level is made shorter
    ],
)
def test_levels_are_shortened_no_more_than_they_must(level_count: int, length: int) -> None:
    assert safe_folders(["a" * 90] * level_count) == ("a" * length,) * level_count


def test_a_short_level_beside_long_ones_stays() -> None:
    assert safe_folders(["a" * 80, "b" * 20, "c" * 80]) == ("a" * 70, "b" * 20, "c" * 70)
    assert safe_folders(["a" * 80, "b" * 80, "c"]) == ("a" * 79, "b" * 79, "c"), "one byte more than they may have"


def test_no_letter_is_taken_for_a_dot_or_a_space() -> None:
    assert safe_name("dir/X") == "X"
    assert safe_name("X.pdf") == "X.pdf"
    assert safe_folder("X") == "X"
    assert safe_name("a" * 145 + "Xb.pdf") == "a" * 145 + "X.pdf"


def test_a_name_that_just_fits_is_left_as_it_is() -> None:
    just = "a" * 145 + "..pdf"

    assert safe_name(just) == just


@pytest.mark.parametrize("behind", [" bc.pdf", ".bcd efgh.pdf"])
def test_a_name_is_not_cut_to_end_in_a_space_or_a_dot(behind: str) -> None:
    assert safe_name("a" * 145 + behind) == "a" * 145 + ".pdf"


def test_the_number_of_a_long_name_takes_the_room_that_it_needs() -> None:
    long = "x" * 146 + ".pdf"

    assert unique_name(long, [long]) == "x" * 142 + " (2).pdf"


def test_a_name_is_never_all_extension() -> None:
    assert unique_name(".pdf", [".pdf"]) == ".pdf (2)"


PDF, DOCX = "application/pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("name", "media_type", "ended"),
    [
        ("Angebot Nr. 5", PDF, "Angebot Nr. 5.pdf"),
        ("Drawing Rev.2", PDF, "Drawing Rev.2.pdf"),
        ("Drawing Rev.B", PDF, "Drawing Rev.B.pdf"),
        ("Acme Inc. Terms", PDF, "Acme Inc. Terms.pdf"),
        ("Offer v1.2", PDF, "Offer v1.2.pdf"),
        ("4500010001.2024", PDF, "4500010001.2024.pdf"),
        ("Quote 01.05.2024", PDF, "Quote 01.05.2024.pdf"),
        ("getfile", DOCX, "getfile.docx"),
        ("E-invoice", "application/xml", "E-invoice.xml"),
        ("E-invoice", "text/xml", "E-invoice.xml"),
        ("Tracking", "application/json", "Tracking.json"),
        ("ReadMe", "text/plain", "ReadMe.txt"),
        ("photo", "image/jpg", "photo.jpg"),
        ("data.bin", "image/vnd.dwg", "data.bin"),
        ("part.f3d", "application/zip", "part.f3d"),
        ("Offer.PDF", PDF, "Offer.PDF"),
        ("photo.jpg", PDF, "photo.jpg"),
        ("Download", "application/octet-stream", "Download"),
        ("Download", "application/x-unheard-of", "Download"),
    ],
)
def test_a_name_gets_the_ending_of_its_content_where_it_has_none(name: str, media_type: str, ended: str) -> None:
    assert with_ending(name, media_type) == ended


@pytest.mark.parametrize(
    ("name", "media_type", "ended"),
    [
        ("LICENSE", "text/plain", "LICENSE"),
        ("Invoice", PDF, "Invoice.pdf"),
        ("Offer v1.2", PDF, "Offer v1.2.pdf"),
        ("plan.prt", PDF, "plan.prt"),
        ("backup.001a", "application/zip", "backup.001a"),
    ],
)
def test_the_own_name_of_a_file_keeps_an_ending_that_nobody_knows(name: str, media_type: str, ended: str) -> None:
    assert with_ending(name, media_type, is_given=True) == ended


@UNHURRIED
@given(st.lists(ANY_TEXT | st.sampled_from(["a.pdf", "A.PDF", "a (2).pdf", "manifest.json"]), max_size=12))
def test_names_that_are_given_one_by_one_are_those_of_all_at_once(labels: list[str]) -> None:
    given_out, names = UniqueNames(), list[str]()
    for label in labels:
        names.append(unique_name(safe_name(label), [*names, *RESERVED_NAMES]))

        assert given_out.allocate(safe_name(label)) == names[-1]


def test_ten_thousand_files_of_one_name_are_named_at_once() -> None:
    names = UniqueNames()

    given_out = [names.allocate("Download.pdf") for _ in range(10_000)]

    assert given_out[-1] == "Download (10000).pdf"
    assert len(set(given_out)) == 10_000


def test_a_name_with_a_number_of_its_own_is_given_once_too() -> None:
    names = UniqueNames()

    given_out = [names.allocate(name) for name in ("a.pdf", "a.pdf", "a (2).pdf")]

    assert given_out == ["a.pdf", "a (2).pdf", "a (2) (2).pdf"]


def test_names_of_our_own_are_not_the_portals_to_give() -> None:
    assert {"manifest.json", "superseded"} == RESERVED_NAMES


@pytest.mark.parametrize("media_type", ["text/plain", "application/zip", "application/xml", "application/json"])
def test_an_ending_that_nobody_knows_stays_where_the_content_says_little(media_type: str) -> None:
    assert with_ending("a.idoc", media_type) == "a.idoc"


def test_a_dot_makes_no_ending_of_a_text_file() -> None:
    assert with_ending("Rev. 2", "text/plain", is_given=True) == "Rev. 2.txt"
    assert with_ending("README", "text/plain", is_given=True) == "README"
