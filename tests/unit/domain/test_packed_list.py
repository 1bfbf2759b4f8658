"""A packed list is the list that was packed, in a tenth of the memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import pytest

from poolwright.domain import packed_list
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.packed_list import CHUNK_ITEMS, ItemCodec, ListPacker, PackedList, find_repeated, pack
from poolwright.domain.packed_orders import ROW_CODEC, TASK_CODEC
from poolwright.domain.tasks import FetchedFile, OrderRow, POTask

TEXTS: ItemCodec[str] = ItemCodec(str, str)
COUNTS = (0, 1, CHUNK_ITEMS - 1, CHUNK_ITEMS, CHUNK_ITEMS + 1, 2 * CHUNK_ITEMS, 2 * CHUNK_ITEMS + 7)


def texts(count: int) -> list[str]:
    return [f"text {number}" for number in range(count)]


@pytest.mark.parametrize("count", COUNTS)
def test_it_has_the_items_in_their_order(count: int) -> None:
    packed = pack(texts(count), TEXTS)

    assert len(packed) == count
    assert list(packed) == texts(count)
    assert [packed[index] for index in range(-count, count)] == texts(count) * 2
    assert packed == texts(count) == packed
    assert packed == tuple(texts(count))
    assert bool(packed) == (count > 0)


@pytest.mark.parametrize("index", [CHUNK_ITEMS + 7, -CHUNK_ITEMS - 8])
def test_there_is_no_item_beyond_its_ends(index: int) -> None:
    with pytest.raises(IndexError):
        pack(texts(CHUNK_ITEMS + 7), TEXTS)[index]


@pytest.mark.parametrize(
    "part",
    [
        slice(None),
        slice(3),
        slice(1, None),
        slice(-5, None),
        slice(990, 1_010),
        slice(1_990, 2_003),
        slice(5, 5),
        slice(2_500, 9_000),
        slice(None, None, 7),
        slice(None, None, -1),
    ],
)
def test_a_slice_is_that_of_a_list(part: slice) -> None:
    packed = pack(texts(2 * CHUNK_ITEMS + 7), TEXTS)

    assert list(packed[part]) == texts(2 * CHUNK_ITEMS + 7)[part]
    assert list(packed[3:][part]) == texts(2 * CHUNK_ITEMS + 7)[3:][part], "of a slice"


def test_a_slice_to_the_end_takes_no_item_out() -> None:
    opened: list[str] = []
    packed = pack(texts(2 * CHUNK_ITEMS), ItemCodec(str, lambda text: opened.append(text) or text))

    rest = packed[1:]

    assert opened == []
    assert rest[0] == "text 1"
    assert len(opened) == CHUNK_ITEMS


def test_neighbours_are_taken_out_once() -> None:
    opened: list[str] = []
    packed = pack(texts(2 * CHUNK_ITEMS), ItemCodec(str, lambda text: opened.append(text) or text))

    assert [packed[index] for index in range(CHUNK_ITEMS)] == texts(CHUNK_ITEMS)
    assert len(opened) == CHUNK_ITEMS


@pytest.mark.parametrize("other", [texts(3)[:2], [*texts(2), "other"], "abc", 3, None])
def test_it_is_not_equal_to_another_one(other: object) -> None:
    assert pack(texts(3), TEXTS) != other


def test_two_readers_do_not_disturb_each_other() -> None:
    packed = pack(texts(2 * CHUNK_ITEMS + 7), TEXTS)

    shifted = zip(packed, packed[CHUNK_ITEMS:], strict=False)

    assert list(shifted) == list(zip(texts(CHUNK_ITEMS + 7), texts(2 * CHUNK_ITEMS + 7)[CHUNK_ITEMS:], strict=True))


def test_it_shows_its_length_and_has_no_hash() -> None:
    packed = pack(texts(CHUNK_ITEMS), TEXTS)

    assert repr(packed) == "<PackedList of 1000 items>"
    with pytest.raises(TypeError):
        hash(packed)


def row(number: int, **changes: object) -> OrderRow:
    values: dict[str, object] = {
        "row_no": number,
        "cells": (f"PO{number}", "Acme"),
        "given": f"PO{number}",
        "task_id": TaskId(f"demo:{number}"),
    }
    return OrderRow(**(values | changes))  # type: ignore[arg-type]  # by name


FILE = FetchedFile(name="a", label="A", size_bytes=1, sha256="ab", media_type="b", source_url="c", etag="d")
ROWS = (
    row(1),
    row(2, given="typed"),
    row(3, task_id=None, problem=Reason.BAD_NUMBER, detail="It is none."),
    row(4, values=frozenset({1, 0})),
    row(5, values=frozenset[int]()),
    row(6, cells=('"', "\n", "\ud800", "\x1f"), given="\n"),
    row(7, detail="Told."),
)
TASKS = (
    POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1"),
    POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1", attempt=2),
    POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1", death_count=1),
    POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1", payload={"a": [1, None]}),
    POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1", timeout_s=1.5),
    POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1", known_files=(FILE,)),
    POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1", known_files=()),
    POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1", group="2000"),
    POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1", cells={"Plant": "A"}),
)


@pytest.mark.parametrize("kept", ROWS, ids=lambda kept: str(kept.row_no))
def test_a_row_comes_out_as_it_was(kept: OrderRow) -> None:
    assert set(pack([kept] * CHUNK_ITEMS, ROW_CODEC)) == {kept}


@pytest.mark.parametrize("kept", TASKS, ids=range(len(TASKS)))
def test_a_task_comes_out_as_it_was(kept: POTask) -> None:
    packed = pack([kept] * CHUNK_ITEMS, TASK_CODEC)

    assert packed._tail == [], "packed"
    assert all(task == kept for task in packed)


def memory_of(make: Callable[[], object]) -> int:
    """The bytes that an object keeps."""
    tracemalloc.start()
    try:
        kept = make()
        size_bytes, _ = tracemalloc.get_traced_memory()
        assert kept
        return size_bytes
    finally:
        tracemalloc.stop()


def test_rows_take_a_fifth_of_the_memory() -> None:
    count = 10 * CHUNK_ITEMS

    packed = memory_of(lambda: pack(map(row, range(count)), ROW_CODEC))

    assert packed < memory_of(lambda: tuple(map(row, range(count)))) / 5
    assert packed < 100 * count


@pytest.mark.parametrize(
    ("given", "repeated"),
    [
        ([], set[str]()),
        (["a"], set[str]()),
        (["a", "a"], {"a"}),
        (["a", "b", "a", "c", "a", "b"], {"a", "b"}),
        (["", ""], {""}),
    ],
)
def test_every_repeated_text_is_found(given: Sequence[str], repeated: set[str]) -> None:
    assert find_repeated(given, len(given)) >= repeated


def test_few_others_are_taken_for_repeated_ones() -> None:
    assert len(find_repeated(texts(20_000), 20_000)) < 20_000 / 50


def test_more_texts_than_were_told_are_all_looked_at() -> None:
    assert find_repeated([*texts(3_000), "text 7"], 10) >= {"text 7"}


def test_texts_are_read_once_and_need_little_memory() -> None:
    count = 20_000

    def read() -> Iterator[str]:
        yield from islice((f"a long text of the order number {number}" for number in range(10**9)), count)

    assert memory_of(lambda: (find_repeated(read(), count), 1)) < 20 * count


def test_a_packer_gives_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_list, "CHUNK_ITEMS", 3)
    packer = ListPacker(TEXTS)
    for text in texts(7):
        packer.append(text)

    packed = packer.packed()

    assert isinstance(packed, PackedList)
    assert (len(packed._chunks), len(packed._tail)) == (2, 1)
    assert list(packed) == texts(7)
