"""A size that a portal states for people, and whether a file can have it."""

from __future__ import annotations

import pytest

from poolwright.files.stated_size import StatedSize, check_size, parse_size, size_at_end


def size_of(text: str) -> StatedSize:
    size = parse_size(text)
    assert size is not None, text
    return size


@pytest.mark.parametrize(
    ("text", "lowest", "highest"),
    [
        ("12345", 12_345, 12_345),
        ("0", 0, 0),
        ("1 bytes", 1, 1),
        ("12,345 bytes", 12_345, 12_345),
        ("12.345 Byte", 12_345, 12_345),
        ("12 345 octets", 12_345, 12_345),
        ("1\u00a0234\u202f567 o", 1_234_567, 1_234_567),
        ("1'234 B", 1_234, 1_234),
        ("Size: 12 KB", 11_000, 13 * 1024),
        ("12KB", 11_000, 13 * 1024),
        ("12 kb", 11_000, 13 * 1024),
        ("12 KiB", 11_000, 13 * 1024),
        ("12 K", 11_000, 13 * 1024),
        ("12 Ko", 11_000, 13 * 1024),
        ("12 kilobytes", 11_000, 13 * 1024),
        ("0 KB", 0, 1024),
        ("1.5 MB", 1_400_000, 1_677_722),
        ("1,5 Mo", 1_400_000, 1_677_722),
        ("1.50 MB", 1_490_000, 1_583_350),
        ("2 GB", 1_000_000_000, 3 * 1024**3),
        ("1 TB", 0, 2 * 1024**4),
        ("1.234,5 KB", 1_234_400, 1_264_231),
        ("1,234.5 KB", 1_234_400, 1_264_231),
    ],
)
def test_a_size_is_a_range_as_wide_as_its_last_digit(text: str, lowest: int, highest: int) -> None:
    size = size_of(text)

    assert size.fits(lowest)
    assert size.fits(highest)
    assert not size.fits(highest + 1)
    assert lowest == 0 or not size.fits(lowest - 1)


def test_a_number_that_can_be_read_in_two_ways_fits_both() -> None:
    size = size_of("1,234 KB")

    assert size.fits(1_263_616)
    assert size.fits(1_264)
    assert not size.fits(500_000)


@pytest.mark.parametrize(
    "text",
    ["", "-", "unknown", "12 of 30", "12 KB of 2 MB", "12 pages", "v1.2.3", "12.5 bytes", "1 2 KB x 3", "KB", "A4"],
)
def test_a_text_without_one_size_states_none(text: str) -> None:
    assert parse_size(text) is None


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Offer.pdf (12 KB)", "12 KB"),
        ("Offer.pdf [1.5 MB]", "1.5 MB"),
        ("Offer.pdf 3,4 MB", "3,4 MB"),
        ("Offer.pdf\n12 KB", "12 KB"),
        ("Offer (2,048 bytes)", "2,048 bytes"),
    ],
)
def test_a_size_at_the_end_of_a_name_is_found(text: str, stated: str) -> None:
    size = size_at_end(text)

    assert size is not None
    assert size.text == stated


@pytest.mark.parametrize(
    "text", ["Offer.pdf", "Offer 2024", "Offer 12 KB.pdf", "Memory-8GB", "1 KB\n2 KB", "Offer 5 M", "Offer 12 KB, new"]
)
def test_any_other_number_in_a_name_is_no_size(text: str) -> None:
    assert size_at_end(text) is None


def test_a_file_of_another_size_is_told_with_both() -> None:
    size = size_of("12 KB")

    assert size.problem("a.pdf", 12_100) == ""
    assert size.problem("a.pdf", 135) == "a.pdf has 135 bytes, but the portal states 12 KB."
    assert size.problem("", 135_000) == "The file has 135,000 bytes, but the portal states 12 KB."


def test_a_place_for_sizes_is_believed() -> None:
    wrong = check_size("12 KB", ["a.pdf (135 bytes)"], "a.pdf", 135)

    assert wrong.problem == "a.pdf has 135 bytes, but the portal states 12 KB."
    assert wrong.note == ""
    assert check_size("135", [], "a.pdf", 135).problem == ""
    assert check_size("136", [], "a.pdf", 135).problem != ""


def test_a_size_beside_a_name_gives_a_note() -> None:
    texts = ["", "a.pdf (12 KB)"]
    wrong = check_size("", texts, "a.pdf", 135)

    assert wrong.problem == ""
    assert wrong.note == "a.pdf has 135 bytes, but the portal states 12 KB: check whether it is the file."
    assert check_size("", texts, "a.pdf", 12_100).note == ""


def test_the_texts_count_where_the_place_states_no_size() -> None:
    assert check_size("unknown", ["a.pdf (12 KB)"], "a.pdf", 135).note != ""
    assert check_size("unknown", ["a.pdf"], "a.pdf", 135).note == ""
