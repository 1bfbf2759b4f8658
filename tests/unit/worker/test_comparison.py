"""What the files of one order tell beside each other."""

from __future__ import annotations

from pathlib import Path

from poolwright.domain.tasks import MissedFile
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.processors.download_results import drop_repeated_answers, summarize_files


def arrived(
    label: str, sha256: str, media_type: str = "application/pdf", *, notes: tuple[str, ...] = (), is_text: bool = False
) -> DownloadedFile:
    return DownloadedFile(
        path=Path(label),
        label=label,
        size_bytes=1,
        sha256=sha256,
        media_type=media_type,
        source_url="",
        is_page=media_type == "text/html",
        is_text=is_text,
        notes=notes,
    )


def missed(label: str) -> MissedFile:
    return MissedFile(label=label, source_url="", problem="it is gone", is_retryable=False)


def test_one_web_page_under_several_names_is_none_of_the_files() -> None:
    fetched = [arrived("a.html", "1", "text/html"), arrived("b.html", "1", "text/html"), arrived("c.pdf", "2")]

    first, second, third = drop_repeated_answers(fetched)

    assert isinstance(first, MissedFile)
    assert isinstance(second, MissedFile)
    assert first.is_retryable
    assert third == fetched[2]


def test_files_that_are_really_there_twice_are_kept() -> None:
    same = [arrived("offer.pdf", "1"), arrived("copy.pdf", "1"), arrived("offer.pdf", "1"), missed("x")]
    pages = [arrived("terms.html", "2", "text/html"), arrived("terms.html", "2", "text/html")]

    assert drop_repeated_answers(same) == same
    assert drop_repeated_answers(pages) == pages


def test_one_text_in_the_place_of_several_kinds_of_files_is_none_of_them() -> None:
    kinds = {"a.csv": "text/csv", "b.step": "model/step", "c.csv": "text/csv"}
    fetched = [arrived(label, "1", kind, is_text=True) for label, kind in kinds.items()]

    told = drop_repeated_answers(fetched)

    assert all(isinstance(one, MissedFile) and one.is_retryable for one in told)


def test_a_short_text_that_came_twice_under_two_names_is_told() -> None:
    fetched = [arrived("a.csv", "1", "text/csv", is_text=True), arrived("b.csv", "1", "text/csv", is_text=True)]

    assert summarize_files([one for one in drop_repeated_answers(fetched) if isinstance(one, DownloadedFile)], []) == (
        "a.csv holds the same 1 bytes as another file of the order: check whether it is a file; "
        "b.csv holds the same 1 bytes as another file of the order: check whether it is a file"
    )


def test_what_is_missing_is_told_before_what_is_odd() -> None:
    files = [arrived("photo.jpg", "1", notes=("photo.jpg is a PDF, whatever its name says.",)), arrived("b", "2")]

    assert summarize_files(files, [missed("a.pdf")]) == "a.pdf: it is gone; photo.jpg is a PDF, whatever its name says"
    assert summarize_files([], []) == ""


def test_of_thousands_of_files_the_first_ones_are_told() -> None:
    told = summarize_files([], [missed(f"{number}.pdf") for number in range(2005)])

    assert told.startswith("0.pdf: it is gone; 1.pdf")
    assert told.endswith("; and 2,000 more")
