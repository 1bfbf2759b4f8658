"""What a processor gave back, as it travels to the supervisor."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import FetchedFile, Report
from poolwright.worker.errors import BadReportError
from poolwright.worker.processors.registry import complete_report
from poolwright.worker.tab import Tab
from tests.support.archive_orders import fetched


def tab_with(file_count: int, page: FetchedFile | None = None) -> Tab:
    name = "Supplier_confirmation_and_delivery_schedule_revision_with_all_annexes_2026_final_signed"
    files = tuple(
        FetchedFile(
            name=f"{name}-{number}.pdf",
            label=f"{name}-{number}.pdf",
            size_bytes=1,
            sha256="0" * 64,
            media_type="application/pdf",
            source_url=f"https://portal.test/files/4711/{name}-{number}.pdf?{'signature' * 30}",
        )
        for number in range(file_count)
    )
    shown = SimpleNamespace(url="https://portal.test/4711")
    return cast("Tab", SimpleNamespace(saved=files, page=shown, page_evidence=page))


def test_an_order_of_many_thousand_files_is_told_whole() -> None:
    report = complete_report(Report(reason=Reason.ALL_SAVED), tab_with(8000))

    assert len(report.files) == 8000
    assert report.page_url == "https://portal.test/4711"


def test_what_no_frame_holds_is_said_here() -> None:
    with pytest.raises(BadReportError, match="bytes; the limit is"):
        complete_report(Report(reason=Reason.ALL_SAVED, detail="x" * 17_000_000), tab_with(0))


def test_what_is_no_report_is_said() -> None:
    with pytest.raises(BadReportError, match="returned str instead of a Report"):
        complete_report("done", tab_with(0))


def test_the_page_of_an_order_is_the_one_that_its_tab_has() -> None:
    page, other = fetched("order page.pdf", b"page"), fetched("other.pdf", b"other")

    report = complete_report(Report(reason=Reason.ALL_SAVED), tab_with(0, page))
    claimed = complete_report(Report(reason=Reason.ALL_SAVED, page_evidence=other), tab_with(0))

    assert report.page_evidence == page
    assert claimed.page_evidence is None
