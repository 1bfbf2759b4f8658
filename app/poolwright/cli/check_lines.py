"""Checks as lines on a terminal, or as objects for programs."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.text import Text

from poolwright.cli.checks import Check, Level
from poolwright.cli.console import console

_STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


def tell(check: Check, *, as_json: bool) -> None:
    """Write one check."""
    if as_json:
        console().out(json.dumps({"type": "check", **asdict(check)}, ensure_ascii=False), highlight=False)
        return
    line = Text.assemble((f"{check.level.value:<5}", _STYLES[check.level]), f"{check.name:<12} {check.found}")
    if check.advice:
        line.append(f" {check.advice}" if check.found.endswith(".") else f". {check.advice}", "yellow")
    console().print(line, soft_wrap=True)
