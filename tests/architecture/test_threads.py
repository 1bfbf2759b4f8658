"""No thread keeps a pool from its end: whatever hangs in one is left behind when it is cancelled."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "app"
#: Rooms whose code runs within a pool, or opens one.
ROOMS = ("supervisor", "bridge")


def stubborn(source: str) -> Iterator[int]:
    """Lines on which something is done in a thread that a cancellation would wait for."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _asks_a_thread(node):
            yield from _unless_abandoned(node)


def _asks_a_thread(call: ast.Call) -> bool:
    asked = [call.func] if ast.unparse(call.func) != "partial" else call.args[:1]
    return [ast.unparse(one) for one in asked] == ["anyio.to_thread.run_sync"]


def _unless_abandoned(call: ast.Call) -> Iterator[int]:
    is_abandoned = any(word.arg == "abandon_on_cancel" and ast.unparse(word.value) == "True" for word in call.keywords)
    if not is_abandoned:
        yield call.lineno


def test_every_thread_can_be_left_behind() -> None:
    found = [
        f"{path.relative_to(APP)}:{line}"
        for room in ROOMS
        for path in sorted((APP / room).rglob("*.py"))
        for line in stubborn(path.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_one_that_cannot_is_found() -> None:
    assert list(stubborn("await anyio.to_thread.run_sync(look)")) == [1]
    assert list(stubborn("await anyio.to_thread.run_sync(look, abandon_on_cancel=False)")) == [1]
    assert list(stubborn("work(partial(anyio.to_thread.run_sync, look))")) == [1]
    assert list(stubborn("await anyio.to_thread.run_sync(look, abandon_on_cancel=True)")) == []
