from __future__ import annotations

import pytest
from pydantic import ValidationError

from poolwright.demo.faults import (
    ChangedPage,
    CrashPage,
    Drop,
    ErrorStatus,
    FatPage,
    Fault,
    FaultRegistry,
    FaultRule,
    FaultScope,
    Hang,
    Latency,
    Maintenance,
    fault_from_query,
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("500", ErrorStatus(status=500)),
        ("503:30", ErrorStatus(status=503, retry_after_s=30)),
        ("latency:250", Latency(delay_ms=250)),
        ("drop:100", Drop(after_bytes=100)),
        ("fat:400", FatPage(size_mb=400)),
        ("hang", Hang()),
        ("crash", CrashPage()),
        ("changed", ChangedPage()),
        ("maintenance", Maintenance()),
    ],
)
def test_the_short_form_names_a_fault(text: str, fault: Fault) -> None:
    assert fault_from_query(text, FaultScope.ORDER_PAGE) == fault


@pytest.mark.parametrize("text", ["", "nonsense", "200", "hang:3", "fat:0", "latency:soon", "crash:1"])
def test_a_short_form_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        fault_from_query(text, FaultScope.ORDER_PAGE)


@pytest.mark.parametrize("scope", [FaultScope.DOWNLOAD, FaultScope.ATTACHMENT_LIST, FaultScope.LOGIN, FaultScope.ALL])
@pytest.mark.parametrize("fault", [FatPage(), CrashPage(), ChangedPage()])
def test_what_an_order_page_holds_can_fail_on_order_pages_only(fault: Fault, scope: FaultScope) -> None:
    with pytest.raises(ValidationError, match=r"affects order pages only, not .*Choose scope order_page"):
        FaultRule(fault=fault, scope=scope)


def test_a_login_belongs_to_no_order() -> None:
    with pytest.raises(ValidationError, match="belongs to no order"):
        FaultRule(fault=Hang(), scope=FaultScope.LOGIN, order="15800035")


def test_a_fault_strikes_its_own_scope_and_order_only() -> None:
    book = FaultRegistry()
    book.add(FaultRule(fault=Hang(), scope=FaultScope.DOWNLOAD, order="1"))

    assert book.consume(FaultScope.DOWNLOAD, "2") == []
    assert book.consume(FaultScope.ORDER_PAGE, "1") == []
    assert book.consume(FaultScope.DOWNLOAD, "1") == [Hang()]


def test_a_fault_of_all_scopes_strikes_everything() -> None:
    book = FaultRegistry()
    book.add(FaultRule(fault=Hang(), scope=FaultScope.ALL))

    assert all(book.consume(scope, "1") == [Hang()] for scope in FaultScope)
    assert book.consume(FaultScope.LOGIN, None) == [Hang()]


def test_a_counted_fault_strikes_so_often_and_an_uncounted_one_for_ever() -> None:
    book = FaultRegistry()
    book.add(FaultRule(fault=Hang(), times=2))
    book.add(FaultRule(fault=Latency()))

    drawn = [book.consume(FaultScope.ORDER_PAGE, "1") for _ in range(3)]

    assert drawn == [[Hang(), Latency()], [Hang(), Latency()], [Latency()]]


def test_a_request_that_is_not_struck_uses_up_nothing() -> None:
    book = FaultRegistry()
    standing = FaultRule(fault=Hang(), order="1", times=1)
    book.add(standing)

    book.consume(FaultScope.ORDER_PAGE, "2")

    assert book.rules() == [standing]


def test_cleared_faults_strike_no_more() -> None:
    book = FaultRegistry()
    book.add(FaultRule(fault=Hang()))

    book.clear()

    assert book.consume(FaultScope.ORDER_PAGE, "1") == []


async def test_clearing_lets_go_what_waits_and_what_is_asked_for_later_waits_for_the_next_time() -> None:
    book = FaultRegistry()
    waited_for = book.cleared

    book.clear()

    assert waited_for.is_set()
    assert not book.cleared.is_set()
