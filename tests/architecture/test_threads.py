"""No thread keeps a pool from its end: whatever hangs in one is left behind when it is cancelled."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.support.paths import ROOT

PACKAGE = ROOT / "app/poolwright"
#: Folders whose code runs within a pool, or opens one.
FOLDERS = ("supervisor", "ipc")


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
    sources = [path for folder in FOLDERS for path in sorted((PACKAGE / folder).rglob("*.py"))]
    found = [
        f"{path.relative_to(PACKAGE)}:{line}" for path in sources for line in stubborn(path.read_text(encoding="utf-8"))
    ]

    assert found == []
    assert {path.relative_to(PACKAGE).parts[0] for path in sources} == set(FOLDERS)
    assert any("to_thread" in path.read_text(encoding="utf-8") for path in sources)


def test_one_that_cannot_is_found() -> None:
    assert list(stubborn("await anyio.to_thread.run_sync(look)")) == [1]
    assert list(stubborn("await anyio.to_thread.run_sync(look, abandon_on_cancel=False)")) == [1]
    assert list(stubborn("work(partial(anyio.to_thread.run_sync, look))")) == [1]
    assert list(stubborn("await anyio.to_thread.run_sync(look, abandon_on_cancel=True)")) == []
