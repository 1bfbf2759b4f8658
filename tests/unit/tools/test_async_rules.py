"""The rules for coroutines that ruff has not: each one bites, and a line that gives its reason is left alone."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from tools.async_rules import complaints, options

BROKEN = {
    "ASYNC102": """
        import anyio
        async def end():
            try:
                pass
            finally:
                await anyio.lowlevel.checkpoint()  # here
        """,
    "ASYNC103": """
        import anyio
        async def end():
            try:
                await anyio.lowlevel.checkpoint()
            except anyio.get_cancelled_exc_class():  # here
                pass
        """,
    "ASYNC104": """
        import anyio
        async def end():
            try:
                await anyio.lowlevel.checkpoint()
            except BaseException:
                return  # here
        """,
    "ASYNC120": """
        import anyio
        async def end():
            try:
                pass
            except ValueError:
                await anyio.lowlevel.checkpoint()  # here
                raise
        """,
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_told_unless_its_line_gives_a_reason(rule: str) -> None:
    source, told = dedent(BROKEN[rule]), options()
    line = next(number for number, text in enumerate(source.splitlines(), 1) if "# here" in text)

    assert [found for found in complaints(source, told) if re.match(rf"{line}:\d+: {rule}\b", found)]
    assert not [found for found in complaints(source.replace("# here", f"# noqa: {rule} - why"), told) if rule in found]
    assert [found for found in complaints(source.replace("# here", "# noqa: ASYNC109"), told) if rule in found]
