"""Why a browser does not start: its own words are found in what the driver tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.worker.browser.launcher import explain_launch_failure

PROFILE = Path("/runs/w1")


def told(*said: str, code: int = 1, box: str = "") -> str:
    """As the driver tells of a browser that ended at once."""
    lines = [f"[pid=7][err] {line}" for line in said]
    call = [f"  - {line}" for line in ("<launching> /opt/chrome --headless", "<launched> pid=7", *lines)]
    logs = box or "\n".join(["<launching> /opt/chrome --headless", "<launched> pid=7", *lines])
    return "\n".join(
        [
            "BrowserType.launch_persistent_context: Target page, context or browser has been closed",
            "Browser logs:",
            "",
            logs,
            "Call log:",
            *call,
            "  - [pid=7] <gracefully close start>",
            f"  - [pid=7] <process did exit: exitCode={code}, signal=null>",
        ]
    )


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            told("/opt/chrome: error while loading shared libraries: libgbm.so.1: cannot open it"),
            (
                "its output: /opt/chrome: error while loading shared libraries: libgbm.so.1: cannot open it; "
                "install the package of that library, or another browser"
            ),
        ),
        (
            told(
                "[1:1:0101/120000.123456:ERROR:ozone_platform_x11.cc(240)] Missing X server or $DISPLAY",
                "[1:1:0101/120000.123456:ERROR:env.cc(257)] The platform failed to initialize.  Exiting.",
                box="Looks like you launched a headed browser without having a XServer running.",
            ),
            "its output: Missing X server or $DISPLAY; use --headless, or start it where there is a display",
        ),
        (
            told("FATAL: Too many open files (24)", code=133),
            (
                "its output: FATAL: Too many open files (24); "
                "raise the limit of open files: `ulimit -n 4096`, LimitNOFILE of the service"
            ),
        ),
        (
            told("[7:7:ERROR:dbus/bus.cc] Failed to connect to the bus", "a word of its own."),
            "its output: a word of its own",
        ),
        (told(code=1), "it exited at once with exit code 1 without any output; check that the file is a browser"),
        (
            told().replace("exitCode=1, signal=null", "exitCode=null, signal=SIGILL"),
            "it exited at once by SIGILL without any output; check that the file is a browser",
        ),
        (
            "BrowserType.launch_persistent_context: Timeout 60000ms exceeded.\nCall log:\n  - <launched> pid=7\n",
            "it started but did not answer: Timeout 60000ms exceeded.; check that the file is a browser",
        ),
        (
            "BrowserType.launch_persistent_context: Failed to launch: Error: spawn /tmp/e EACCES\nCall log:\n",
            "Failed to launch: Error: spawn /tmp/e EACCES",
        ),
        (
            told("[7:7:ERROR:process_singleton_posix.cc] Failed to create a ProcessSingleton for your profile"),
            "it cannot lock /runs/w1: another browser uses it, it is not writable, or its disk is read-only",
        ),
    ],
)
def test_the_browsers_own_words_are_told_with_the_next_step(message: str, sentence: str) -> None:
    assert explain_launch_failure(message, PROFILE) == sentence


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("Running as root without --no-sandbox is not supported. No usable sandbox!", "root cannot use it"),
        ("[1:1:FATAL:sandbox/linux/suid] No usable sandbox!", "this system forbids it"),
    ],
)
def test_a_sandbox_that_is_refused_is_the_cause_before_all_others(said: str, cause: str) -> None:
    assert cause in explain_launch_failure(told(said), PROFILE)
