"""What ``import poolwright`` offers, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import poolwright

#: Libraries that nobody should wait for who only imports a name.
_HEAVY = {"fastapi", "openpyxl", "playwright", "pydantic", "rich", "sqlite3", "starlette", "typer", "uvicorn"}


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh Python has after a statement."""
    program = f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return set(json.loads(done.stdout))


def test_the_package_alone_loads_nothing() -> None:
    assert {name for name in loaded_by("import poolwright") if name.partition(".")[0] == "poolwright"} == {
        "poolwright",
        "poolwright.version",
    }


def test_what_opens_a_pool_waits_for_no_table_no_terminal_and_no_server() -> None:
    names = ", ".join(name for name in poolwright.__all__ if name != "__version__")

    loaded = loaded_by(f"from poolwright import {names}")

    assert loaded & (_HEAVY - {"pydantic", "sqlite3"}) == set()


@pytest.mark.parametrize("name", poolwright.__all__)
def test_each_name_is_there_and_told(name: str) -> None:
    assert getattr(poolwright, name) is not None
    assert name in dir(poolwright)


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'poolwright' has no attribute 'worker_count'"):
        _ = poolwright.worker_count  # pyright: ignore[reportAttributeAccessIssue]
