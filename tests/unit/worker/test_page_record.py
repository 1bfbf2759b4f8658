"""What a person shows with the panel becomes a folder of pages, with the orders that the pack is to be tried on."""

from __future__ import annotations

from pathlib import Path

from poolwright.learn.observations import ObservedCall, ShownKind, parse_observations
from poolwright.worker.teaching.page_record import PageRecord, PanelMessage

_SHOWN = ("login", "home", "order", "order", "not_found")


def shown() -> PageRecord:
    """A record with all pages that a pack needs."""
    record = PageRecord()
    for place, kind in enumerate(_SHOWN):
        number = f"100{place}" if kind in {"order", "not_found"} else ""
        attachments = ["a.pdf"] if place == _SHOWN.index("order") else []
        message = PanelMessage(
            kind=kind, address=f"https://portal.test/{place}", html="x", number=number, attachments=attachments
        )
        record.add(message, 200, [])
    return record


def try_on(record: PageRecord, number: str) -> None:
    record.add(PanelMessage(kind="prove", number=number), 200, [])


def test_the_last_two_numbers_to_try_the_pack_on_are_written(tmp_path: Path) -> None:
    record = shown()
    for number in ("1", "2", "1", "3"):
        try_on(record, number)
    record.write(tmp_path, "Portal")

    text = (tmp_path / "observations.toml").read_text(encoding="utf-8")
    assert parse_observations(text, "x").prove == ("1", "3")
    assert len(list(tmp_path.glob("*.html"))) == len(_SHOWN)
    assert record.counts()["prove"] == 2


def test_without_a_number_none_is_written(tmp_path: Path) -> None:
    record = shown()
    record.write(tmp_path, "Portal")

    assert "prove" not in (tmp_path / "observations.toml").read_text(encoding="utf-8")
    assert "prove" not in record.counts()


def test_each_step_is_asked_for_until_all_is_shown() -> None:
    record = PageRecord()
    asked = [record.next_step()]
    for kind in _SHOWN:
        files = ["a.pdf"] if len(asked) == 3 else []
        record.add(PanelMessage(kind=kind, address=str(len(asked)), number=str(len(asked)), attachments=files), 200, [])
        asked.append(record.next_step())
    try_on(record, "7")
    asked.append(record.next_step())

    begins = [
        "Log out",
        "Log in",
        "Open an order with ",
        "Open an order without",
        "Open the address",
        "Enough is shown;",
    ]
    assert [text[: len(begin)] for text, begin in zip(asked, begins, strict=False)] == begins
    assert asked[-1] == "Enough is shown. Press Finish, or name a second order to try the pack on."


def test_both_pages_of_a_login_with_one_address_are_kept(tmp_path: Path) -> None:
    record = PageRecord()
    for html in ("<input name=user>", '<input type="password">', "<input name=user2>"):
        record.add(PanelMessage(kind="login", address="https://portal.test/login", html=html), 200, [])
    record.write(tmp_path, "Portal")

    pages = [path.read_text(encoding="utf-8") for path in sorted(tmp_path.glob("*-login.html"))]
    assert pages == ["<input name=user2>", '<input type="password">']


def test_the_button_to_the_next_page_is_kept_and_told() -> None:
    record, message = PageRecord(), PanelMessage(kind="order", number="7", attachments=["a.pdf"], next="More")
    record.add(message, 200, [])

    assert record.counts() == {"with": 1, "next": 1}
    assert PageRecord.describe(message) == "Noted: order 7, a.pdf, next page by More"


def test_a_number_to_try_is_told() -> None:
    assert PageRecord.describe(PanelMessage(kind="prove", number="7")) == "Noted: the pack will be tried on order 7"


def test_a_search_is_written_with_its_results_and_the_calls_of_each_page(tmp_path: Path) -> None:
    record = shown()
    call = ObservedCall(address="https://portal.test/rpc", body={"method": ("read",)})
    for number in ("4711", "4712"):
        search = PanelMessage(kind="search", address="https://portal.test/find", number=number, html=number)
        record.add(search, 200, [], calls=[call])
        results = PanelMessage(kind="results", address="https://portal.test/find", number=number, result="Open")
        record.add(results, 200, [])
    record.add(PanelMessage(kind="login", address="https://portal.test/0", html="y"), 200, [], calls=[call])
    record.write(tmp_path, "Portal")

    observed = parse_observations((tmp_path / "observations.toml").read_text(encoding="utf-8"), "x")
    [before] = observed.of_kind(ShownKind.SEARCH)
    assert (before.number, before.calls) == ("", (call,))
    assert [(page.number, page.result) for page in observed.of_kind(ShownKind.RESULTS)] == [
        ("4711", "Open"),
        ("4712", "Open"),
    ]
    assert observed.of_kind(ShownKind.LOGIN)[0].calls == ()
    assert record.describe(results) == "Noted: results 4712"


def test_a_search_is_asked_for_where_the_address_of_an_order_lacks_its_number() -> None:
    record = PageRecord()
    order = PanelMessage(kind="order", address="https://portal.test/po/u-77", number="PO 77-1", attachments=["a.pdf"])
    record.add(order, 200, [])
    assert record.next_step().startswith("The addresses of orders here do not have their numbers")

    results = PanelMessage(kind="results", address="https://portal.test/find", number="77-1")
    record.add(results, 200, [])
    assert record.next_step().startswith("It was not seen how you searched.")
    record.add(PanelMessage(kind="search", address="https://portal.test/find", number="77-1"), 200, [])
    assert record.next_step().startswith("Log out")

    by_address = PageRecord()
    by_address.add(results.model_copy(update={"address": "https://portal.test/find?q=77-1"}), 200, [])
    assert by_address.next_step().startswith("Log out")

    known = PageRecord()
    known.add(order.model_copy(update={"address": "https://portal.test/po/77-1"}), 200, [])
    assert known.next_step().startswith("Log out")


def test_the_page_of_a_search_is_that_before_the_first_search_on_it() -> None:
    record = PageRecord()
    for number, address in (("1", "a"), ("2", "a"), ("3", "b"), (" 4 ", "b")):
        record.remember_search(PanelMessage(kind="search", address=address, number=number, html=f"{address}{number}"))

    found = {number: search.html for number in "12345" if (search := record.search_for(number))}
    assert found == {"1": "a1", "2": "a1", "3": "b3", "4": "b3"}
    for number in range(10):
        record.remember_search(PanelMessage(kind="search", address="c", number=f"9{number}"))
    assert record.search_for("3") is None
