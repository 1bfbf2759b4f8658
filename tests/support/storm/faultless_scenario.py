"""A small list that came home as it should, for tests that then break one thing of it."""

from __future__ import annotations

import hashlib

from poolwright.demo.catalogue.order import Defect, LinkForm, Naming
from poolwright.demo.catalogue.truth import ExpectedOutcome, FileTruth, OrderTruth
from poolwright.demo.documents import DocumentKind
from poolwright.service.batch import RedoPolicy
from tests.support.storm.scenario import Attempt, Folder, Move, Order, Scenario
from tests.support.storm.session import Session

_REASONS = {"COMPLETED": "all_saved", "NOT_FOUND": "portal_says_missing", "PARTIAL": "some_files_refused"}
_TASK = "QUEUED ASSIGN ASSIGNED START RUNNING FINISH DONE"
_ONCE = {
    ("pool", "pool"): "INITIALIZING STAFF READY WORK PROCESSING SHUT_DOWN SHUTTING_DOWN CLOSE TERMINATED",
    ("worker", "worker-1"): "STARTING REPORT_READY READY ASSIGN PROCESSING FREE IDLE STOP TERMINATING EXIT TERMINATED",
}


def faultless_scenario() -> Scenario:
    """Three orders, one start, no accident."""
    truths = {
        truth.number: truth
        for truth in (
            order_truth("100", "COMPLETED", file_truth("a.pdf"), file_truth("b.pdf")),
            order_truth("101", "NOT_FOUND"),
            order_truth("102", "PARTIAL", file_truth("c.pdf"), file_truth("d.pdf", Defect.MISSING)),
        )
    }
    return Scenario(
        truths=truths,
        sessions=(Session(number=1, redo=RedoPolicy.RETRYABLE, code=1),),
        is_calm=True,
        orders=tuple(_order(truth) for truth in truths.values()),
        attempts=tuple(attempt(number, 1) for number in truths),
        moves=(
            *(move for (machine, entity), path in _ONCE.items() for move in path_of(machine, entity, path)),
            *(move for number in truths for move in path_of("task", task_id(number), _TASK)),
        ),
        rows=tuple((truth.number, truth.outcome) for truth in truths.values()),
        folders=(folder("100", "a.pdf", "b.pdf"), folder("102", "c.pdf")),
    )


def task_id(number: str) -> str:
    return f"demo:{number}"


def content(name: str) -> str:
    """The SHA-256 that a file of this name has."""
    return hashlib.sha256(name.encode()).hexdigest()


def folder(number: str, *names: str, path: str = "") -> Folder:
    digests = {name: content(name) for name in names}
    return Folder(path=path or f"Acme/{number}", number=number, digests=digests, vouched=digests)


def attempt(number: str, place: int, *, is_spent: bool = True) -> Attempt:
    return Attempt(task_id=task_id(number), number=place, is_spent=is_spent, is_open=False)


def path_of(machine: str, entity: str, path: str) -> list[Move]:
    """Moves along ``STATE EVENT STATE EVENT STATE``."""
    words = path.split()
    return [
        Move(machine=machine, entity=entity, origin=words[place], event=words[place + 1], target=words[place + 2])
        for place in range(0, len(words) - 2, 2)
    ]


def file_truth(name: str, defect: Defect | None = None) -> FileTruth:
    return FileTruth(
        attachment_id=1,
        name=name,
        kind=DocumentKind.PDF,
        size_bytes=1,
        sha256=content(name),
        link_form=next(iter(LinkForm)),
        naming=next(iter(Naming)),
        good=defect is None,
        defect=defect,
    )


def order_truth(number: str, outcome: ExpectedOutcome, *files: FileTruth) -> OrderTruth:
    return OrderTruth(
        number=number,
        outcome=outcome,
        reason_hint="",
        is_listed=True,
        supplier="Acme",
        supplier_shown="Acme",
        attachments=files,
    )


def _order(truth: OrderTruth) -> Order:
    has_files = any(file.good for file in truth.attachments)
    return Order(
        task_id=task_id(truth.number),
        number=truth.number,
        status="DONE",
        outcome=truth.outcome,
        reason=_REASONS[truth.outcome],
        folder=f"Acme/{truth.number}" if has_files else "",
    )
