"""What a person shows with the panel becomes a folder of pages, with the orders that the pack is to be tried on."""

from __future__ import annotations

from pathlib import Path

from poolwright.learn.observations import parse_observations
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
