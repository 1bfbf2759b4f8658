"""One check with its level, finding and advice, and how it is printed as a line or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from rich.text import Text

from poolwright.cli.terminal import console


class CheckLevel(StrEnum):
    """Result levels of a check."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of one check."""

    name: str
    level: CheckLevel
    #: The finding.
    found: str
    #: The next step; empty if none is needed.
    advice: str = ""


def ok(name: str, found: str) -> CheckResult:
    """Return a result without a problem."""
    return CheckResult(name=name, level=CheckLevel.OK, found=found)


def warn(name: str, found: str, advice: str) -> CheckResult:
    """Return a warning: runs work, with a drawback."""
    return CheckResult(name=name, level=CheckLevel.WARN, found=found, advice=advice)


def fail(name: str, found: str, advice: str) -> CheckResult:
    """Return a failure: runs cannot work."""
    return CheckResult(name=name, level=CheckLevel.FAIL, found=found, advice=advice)


_STYLES = {CheckLevel.OK: "green", CheckLevel.WARN: "yellow", CheckLevel.FAIL: "bold red"}


def print_check(check: CheckResult, *, as_json: bool) -> None:
    """Print one check."""
    if as_json:
        console().out(json.dumps({"type": "check", **asdict(check)}, ensure_ascii=False), highlight=False)
        return
    line = Text.assemble((f"{check.level.value:<5}", _STYLES[check.level]), f"{check.name:<12} {check.found}")
    if check.advice:
        line.append(f" {check.advice}" if check.found.endswith(".") else f". {check.advice}", "yellow")
    console().print(line, soft_wrap=True)
