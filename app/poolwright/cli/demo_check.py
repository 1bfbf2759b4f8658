"""The output folder and order list of the demo, and the comparison of its files with those of the portal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from poolwright.archive.manifest import MANIFEST_NAME
from poolwright.demo.catalogue.catalogue import Columns, ListedOrder
from poolwright.demo.catalogue.truth import FileTruth, OrderTruth
from poolwright.domain.errors import OptionsError
from poolwright.domain.events import TaskEnded
from poolwright.domain.outcomes import Outcome
from poolwright.files.disk import remove_tree, sha256_of
from poolwright.service.output_folder import DEMO_MARKER_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOrder:
    """The result of one order."""

    outcome: Outcome
    #: SHA-256 of each file on the disk, by its path below the output folder.
    digests: Mapping[str, str]


def find_differences(truths: Mapping[str, OrderTruth], found: Mapping[str, FoundOrder]) -> dict[str, tuple[str, ...]]:
    """Return the differences by order number, one sentence each; empty if all orders are as expected.

    Args:
        truths: The results that the portal expects for the orders of the list.
        found: The results of the run.
    """
    differences = {number: tuple(_order_differences(truth, found.get(number))) for number, truth in truths.items()}
    differences |= {number: ("was returned but is not in the list",) for number in found if number not in truths}
    return {number: sentences for number, sentences in differences.items() if sentences}


def _order_differences(truth: OrderTruth, found: FoundOrder | None) -> Iterator[str]:
    if found is None:
        yield "has no outcome"
        return
    if found.outcome.value != truth.outcome:
        yield f"is {found.outcome.value}, expected {truth.outcome}"
    yield from _file_differences([file for file in truth.attachments if file.good], found.digests)


def _file_differences(expected: list[FileTruth], digests: Mapping[str, str]) -> Iterator[str]:
    """Compare the files by their content; their names may differ."""
    missing = Counter(file.sha256 for file in expected) - Counter(digests.values())
    surplus = Counter(digests.values()) - Counter(file.sha256 for file in expected)
    for file in expected:
        if missing[file.sha256]:
            missing[file.sha256] -= 1
            yield f"lacks {file.name!r} ({file.size_bytes:,} bytes)"
    for path, digest in digests.items():
        if surplus[digest]:
            surplus[digest] -= 1
            yield f"has {path!r}, which matches no file of the portal"


def prepare_folder(out: Path) -> None:
    """Create an empty folder; empty the folder of an earlier demo.

    Raises:
        OptionsError: The folder has other content, or cannot be created.
    """
    try:
        if (out / DEMO_MARKER_NAME).is_file():
            remove_tree(out)
        elif out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise OptionsError(f"{out} is not empty and was not created by a demo; choose another folder with --out.")
        out.mkdir(parents=True, exist_ok=True)
        (out / DEMO_MARKER_NAME).touch()
    except OSError as error:
        raise OptionsError(
            f"{out} cannot be emptied for the demo: {error.strerror}. Choose another folder with --out."
        ) from error


def write_order_list(path: Path, orders: Iterable[ListedOrder]) -> None:
    """Write the order list of the demo as an Excel file."""
    from openpyxl import Workbook  # noqa: PLC0415 - while the portal starts

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("PO_Data")
    sheet.append(list(Columns()))
    for order in orders:
        sheet.append([order.number, order.supplier, order.company, order.year, order.comment])
    workbook.save(path)


def inspect_files(out: Path, ended: Mapping[str, TaskEnded]) -> dict[str, FoundOrder]:
    """Return the results of finished orders by number. Reads every file."""
    return {number: _inspect_order(out, event) for number, event in ended.items()}


def _inspect_order(out: Path, event: TaskEnded) -> FoundOrder:
    folder = out / event.folder if event.folder else None
    paths = sorted(path for path in folder.rglob("*") if path.is_file()) if folder is not None else []
    page = event.report.page_evidence  # made here, so the portal does not know it
    own_names = {MANIFEST_NAME, *([page.name] if page is not None else [])}
    return FoundOrder(
        outcome=event.report.outcome,
        digests={path.relative_to(out).as_posix(): sha256_of(path) for path in paths if path.name not in own_names},
    )
