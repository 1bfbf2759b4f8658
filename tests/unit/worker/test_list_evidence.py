"""What the window keeps of the list of an order: how it came, how it was before, and nothing else that the page got."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from poolwright.learn.observations import ShownKind, parse_observations
from poolwright.worker.teaching.list_evidence import ListEvidence, list_evidence, page_of_order
from poolwright.worker.teaching.page_record import PageRecord, PanelMessage

ADDRESS = "https://portal.test/po/a7"
API = "https://portal.test/api/a7/files"


def shown(count: int, *, is_clicked: bool = False) -> str:
    marks = [" data-poolwright-clicked"] if is_clicked else []
    links = [
        f'<li><a href="/f/{place}"{"".join(marks[:1]) if not place else ""}>{place}.pdf</a></li>'
        for place in range(count)
    ]
    return f"<main><ul>{''.join(links)}</ul></main>"


def kept(early: list[str], answers: list[tuple[str, str]], *names: str, source: str = "<main></main>") -> ListEvidence:
    page = page_of_order("45", names, ADDRESS)
    return list_evidence(page, shown(3, is_clicked=bool(names)), source=source, early=early, answers=answers)


def test_only_json_from_where_the_list_came_is_kept() -> None:
    listed = (API, json.dumps([{"n": "0.pdf"}]))
    other = (API, json.dumps({"error": "busy"}))
    secret = ("https://portal.test/api/user", json.dumps({"token": "x1"}))
    broken = (API, "0.pdf")

    assert kept([], [secret, other, listed, broken], "0.pdf").answers == (other, listed)
    assert kept([], [secret], "0.pdf").answers == ()
    assert kept([], [secret, broken]).answers == (secret,)  # what lists the files of others is known at the end only


def test_the_last_two_states_with_a_part_of_the_list_are_kept() -> None:
    states = [shown(0), shown(1), shown(1), shown(2), shown(3)]

    assert kept(states, [], "0.pdf").early == (shown(1), shown(2))
    more = [shown(1), shown(1) + "<p></p>", shown(2)]
    assert kept(more, [], "0.pdf").early == (shown(1) + "<p></p>", shown(2))


@pytest.mark.parametrize(("source", "served"), [(shown(3), True), (shown(2), False), ("", False)])
def test_a_list_is_served_if_all_of_it_came_with_the_page(source: str, *, served: bool) -> None:
    assert kept([], [], "0.pdf", source=source).served is served


def test_an_attachment_that_is_not_on_the_page_shows_nothing() -> None:
    page = page_of_order("45", ["x.pdf"], ADDRESS)

    assert list_evidence(page, shown(1), source=shown(1), early=[shown(1)], answers=[(API, "{}")]) == ListEvidence()


def test_responses_and_states_become_files_beside_the_page(tmp_path: Path) -> None:
    record = PageRecord()
    evidence = ListEvidence(early=("<p>1</p>", "<p>2</p>"), answers=((API, "[1]"),))
    with_files = PanelMessage(kind="order", address=ADDRESS, number="45", attachments=["0.pdf"], html="<p>3</p>")
    record.add(with_files, 200, [], evidence=evidence)
    record.add(
        with_files.model_copy(update={"supplier": "Acme"}), 200, [], evidence=ListEvidence(answers=((API, "[1]"),))
    )
    empty = PanelMessage(kind="order", address="https://portal.test/po/b8", number="46", html="<p>0</p>")
    answers = (("https://portal.test/api/b8/files", "[]"), ("https://portal.test/api/user", "{}"))
    record.add(empty, 200, [], evidence=ListEvidence(answers=answers))
    record.add(PanelMessage(kind="login", address="https://portal.test/in"), 200, [])
    record.add(PanelMessage(kind="home", address="https://portal.test/"), 200, [])
    record.add(PanelMessage(kind="not_found", address=ADDRESS, number="1"), 200, [])
    record.write(tmp_path, "Portal")

    pages = parse_observations((tmp_path / "observations.toml").read_text(encoding="utf-8"), "x").pages
    loading = [(page.number, (tmp_path / page.file).read_text()) for page in pages if page.kind is ShownKind.LOADING]
    assert loading == [("45", "<p>1</p>"), ("45", "<p>2</p>")]
    kept_files = {page.number: [(one.address, one.file) for one in page.responses] for page in pages if page.responses}
    assert kept_files == {
        "45": [(API, "03-1.json")],
        "46": [("https://portal.test/api/b8/files", "04-1.json")],
    }
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["03-1.json", "04-1.json"]
    assert (tmp_path / "04-1.json").read_text() == "[]"


def test_how_results_came_and_their_next_page_are_written(tmp_path: Path) -> None:
    record = PageRecord()
    search = PanelMessage(kind="search", address="https://portal.test/find", number="45", typed=True)
    record.remember_search(search)
    found = record.search_for("45")
    assert found is not None
    record.add(found, 200, [])
    record.add(
        PanelMessage(kind="results", address="https://portal.test/find", number="45", result="45", next="More"), 200, []
    )
    record.write(tmp_path, "Portal")

    text = (tmp_path / "observations.toml").read_text(encoding="utf-8")
    assert 'kind = "search"\naddress = "https://portal.test/find"\nstatus = 200\ntyped = true\n' in text
    assert 'result = "45"\nnext = "More"\n' in text
