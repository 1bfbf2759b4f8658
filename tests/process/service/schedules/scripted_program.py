"""Stands in for the program: it finishes, fails with last words, drains when it is asked to end, or stays."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

_SUMMARY: dict[str, object] = {"type": "summary", "exit_code": 0, "report_xlsx": "out/reports/nightly-report.xlsx"}


def _say(told: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")


def main(part: str, *arguments: str) -> int:
    source = Path(arguments[-1])
    match part:
        case "finish":
            _say({"type": "notice", "text": " ".join(arguments)})
            _say(_SUMMARY)
            return 0
        case "fail":
            sys.stderr.write("poolwright: There is no profile 'x'.\n")
            return 5
        case "drain":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            source.with_suffix(".began").touch()
            signal.sigwait({signal.SIGTERM})
            _say(_SUMMARY | {"detail": "Asked to stop."})
            return 7
        case _:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            source.with_suffix(".began").touch()
            signal.pause()
            return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
