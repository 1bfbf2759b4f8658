"""Why a browser does not start, in the words of the browser itself. Pure.

The driver says first that the browser is gone; what the browser said before it went stands in the driver's log below.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

#: What driver and browser say of a sandbox that is refused.
NO_SANDBOX = ("Chromium sandboxing failed", "No usable sandbox", "FATAL:sandbox/linux/")
OF_ROOT = "Running as root without --no-sandbox"
#: What tells the cause, the most telling first; what else a browser says on its way out is noise as often as not.
_TELLING = (
    "error while loading shared libraries",
    "Too many open files",
    "Missing X server",
    "cannot open display",
    "FATAL",
    "Failed to create",
    "No space left",
    "Permission denied",
    "not found",
)
#: What every browser in a container complains of, whether it starts or not.
_NOISE = ("dbus", "DevTools listening", "vaapi", "Gtk-WARNING", "gcm/", "google_apis")
_SAID = re.compile(r"^(?:\s*- )?\[pid=\w+\]\[err\] ?(.*)$", re.MULTILINE)
_END = re.compile(r"<process did exit: exitCode=(\w+), signal=(\w+)>")
#: Time, place and weight in front of what Chromium logs.
_PREFIX = re.compile(r"^\[[^\]]+\]\s*")
#: What the driver calls its own step.
_STEP = re.compile(r"^\w+\.\w+: ")
_LENGTH_MAX = 300

_STEPS: tuple[tuple[str, str], ...] = (
    ("error while loading shared libraries", "install the package of that library, or another browser"),
    ("Too many open files", "raise the limit of open files: `ulimit -n 4096`, LimitNOFILE of the service"),
    ("Missing X server", "use --headless, or start it where there is a display"),
    ("cannot open display", "use --headless, or start it where there is a display"),
    ("No space left", "free some space"),
)


def why(message: str, profile: Path) -> str:
    """What went wrong, and where that is known what to do, to stand in brackets.

    Args:
        message: Everything that the driver tells, several lines.
        profile: The user-data folder that was to be opened.
    """
    if any(words in message for words in NO_SANDBOX):
        return _of_sandbox(message)
    first = _STEP.sub("", message.strip().split("\n", 1)[0])
    if "ProcessSingleton" in message:
        # Chromium takes whatever keeps it from its lock for another browser.
        return (
            f"it can't lock {profile}: another browser has it open, or it may not be written, or its disk is read-only"
        )
    said = _told_by_browser(message)
    if said:
        step = next((step for words, step in _STEPS if words in said), "")
        return f"its output: {said}" + (f"; {step}" if step else "")
    end = _END.search(message)
    if end:
        code, signal = end.groups()
        how = f"with exit code {code}" if signal == "null" else f"by {signal}"
        return f"it exited at once {how} without any output; is it a browser?"
    if message.startswith("Timeout") or "Timeout" in first:
        return f"it started but did not answer: {first}; is it a browser?"
    return first


def _told_by_browser(message: str) -> str:
    said: Sequence[str] = [line.strip() for line in _SAID.findall(message) if line.strip()]
    said = [line for line in said if not any(word in line for word in _NOISE)]
    telling = (line for words in _TELLING for line in said if words in line)
    found = next(telling, said[-1] if said else "")
    return _PREFIX.sub("", found)[:_LENGTH_MAX].rstrip(".")


def _of_sandbox(message: str) -> str:
    cause = "which it refuses to root" if OF_ROOT in message else "which this system forbids"
    return (
        f"it was asked to use Chromium's own sandbox, {cause}; `poolwright doctor` names the setting to change, and "
        "--sandbox auto starts it without where it must"
    )
