"""Make a fresh machine ready: `python3 tools/bootstrap.py demo` or `test`. `make demo` and `make test` begin with it.

Steps: a virtual environment in .venv, the pinned packages of requirements/, this project itself, a browser, and for
`test` an X server for headed runs. What is there already is left alone, so a second run takes a moment. Outside .venv
it touches only what is missing and cannot live there: a browser and system packages. It uses the standard library
alone, and it ends with a sentence that says what to do when a step cannot be done.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
WINDOWS = sys.platform == "win32"
VENV_PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
#: First line: where .venv was made (its scripts hold that path). Second: digest of what was installed into it.
STAMP = VENV / "poolwright-ready"
OLDEST, NEWEST = (3, 11), (3, 14)
LISTS = {"demo": ("install", "runtime"), "test": ("install", "dev")}
#: The program's own choice: prints the browser's path, or ends with NONE_FOUND where there is none that starts.
ASK_FOR_BROWSER = """
import sys
from poolwright.domain.errors import OptionsError, SetupError
from poolwright.settings import load_settings
from poolwright.service.pool_config import browser_wish
from poolwright.system.browser_choice import find_browser
from poolwright.system.browsers import read_version
try:
    settings = load_settings()
    browser = find_browser(browser_wish(settings), settings.playwright_browsers_path).browser
    if browser.is_shell and browser.kind is not None and settings.browser == "auto":
        sys.exit(3)  # tests, and people who log in, need one with windows
    read_version(browser)
except OptionsError as error:
    sys.exit(str(error))
except SetupError:
    sys.exit(3)
print(browser.path)
"""
NONE_FOUND = 3
#: For every program started here.
ENVIRONMENT = {
    "PIP_NO_INPUT": "1",
    "PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "15000",  # without a way out, fall through to the next choice soon
    "UV_SYSTEM_CERTS": "1",  # trust what the system trusts, as pip does
}
APT_OPTIONS = ("-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300")
#: Debian's package, and its program.
SHELL = "chromium-headless-shell"
PROBE_LIMIT_S = 60
INSTALL_LIMIT_S = 1800


class SetupError(Exception):
    """A step that could not be done; the text says which, why, and what to do."""


def say(step: str, text: str) -> None:
    """Tell what is being done, one line for each step."""
    print(f"{step + ':':<12} {text}", flush=True)


def run(*command: object, limit_s: int = INSTALL_LIMIT_S) -> subprocess.CompletedProcess[str]:
    """Run a program quietly, without input; its output is there for the message of a failure."""
    arguments = [str(part) for part in command]
    try:
        return subprocess.run(
            arguments,
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit_s,
            check=False,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(arguments, returncode=1, stdout=str(error))


def works(*command: object) -> bool:
    """Whether a program that answers at once does so, and with success."""
    return run(*command, limit_s=PROBE_LIMIT_S).returncode == 0


def tail(done: subprocess.CompletedProcess[str]) -> str:
    """The last lines that a program printed."""
    return "\n".join(done.stdout.strip().splitlines()[-12:])


# --- Python and packages


def require_python() -> None:
    """Go on with a Python that is new enough; start again under a newer one where this one is not.

    Raises:
        SetupError: there is none on PATH.
    """
    if sys.version_info[:2] >= OLDEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        if newer and works(newer, "-c", ""):
            os.execv(newer, [newer, *sys.argv])  # noqa: S606 - no shell is wanted here
    found = ".".join(str(part) for part in sys.version_info[:2])
    raise SetupError(f"Python 3.11 or newer is needed; this is {found}. Install one, or name it: make PYTHON=...")


def digest(purpose: str) -> str:
    """Stands for all that decides what .venv holds: the pinned lists and the project file."""
    total = hashlib.sha256(purpose.encode())
    for name in ["pyproject.toml", *(f"requirements/{name}.txt" for name in LISTS[purpose])]:
        total.update((ROOT / name).read_bytes())
    return total.hexdigest()


def stamped() -> list[str]:
    """The two lines of the stamp; empty where set-up has never come to its end."""
    return STAMP.read_text(encoding="utf-8").splitlines() if STAMP.is_file() and VENV_PYTHON.exists() else []


def make_environment() -> None:
    """Make .venv, or keep one that works and still lies where it was made.

    Raises:
        SetupError: Python cannot make one.
    """
    moved = stamped()[:1] not in ([], [str(ROOT)])
    probe = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    if not moved and works(VENV_PYTHON, "-c", probe):
        return
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info[1]}-venv"
        say("python", f"this Python lacks the venv module; installing {package}")
        apt_install(package)
    say("python", f"making .venv with Python {'.'.join(str(part) for part in sys.version_info[:3])}")
    done = run(sys.executable, "-m", "venv", "--clear", VENV)
    if done.returncode:
        raise SetupError(f"{tail(done)}\nThere is no .venv. On Debian or Ubuntu: apt-get install python3-venv")


def install_packages(purpose: str) -> None:
    """Install exactly the pinned packages, every file checked by its hash, then this project on top.

    uv is quick; pip is slower and follows a company's own pip settings where uv does not.

    Raises:
        SetupError: neither could; usually there is no way to a package index.
    """
    lists = [f"requirements/{name}.txt" for name in LISTS[purpose]]
    say("packages", " and ".join(lists))
    pip = [VENV_PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    uv_sync = [VENV_PYTHON, "-m", "uv", "pip", "sync", "--quiet", "--python", VENV_PYTHON]
    done = run(*pip, "--require-hashes", "-r", lists[0])
    if done.returncode == 0:
        done = run(*uv_sync, "--require-hashes", *lists)
        if done.returncode:
            done = run(*pip, "--require-hashes", "-r", lists[0], "-r", lists[1])
    if done.returncode == 0:
        done = run(*pip, "--no-deps", "--no-index", "--no-build-isolation", "--editable", ".")
    if done.returncode:
        raise SetupError(f"{tail(done)}\nThe packages could not be installed. Is there a way to a package index?")


def prepare_environment(purpose: str) -> None:
    """Bring .venv up to date, unless its stamp says that it is; what was installed for `test` serves `demo` too."""
    if stamped() in [[str(ROOT), digest(installed)] for installed in (purpose, "test")]:
        return
    make_environment()
    STAMP.unlink(missing_ok=True)
    install_packages(purpose)
    prepare_driver()
    STAMP.write_text(f"{ROOT}\n{digest(purpose)}\n", encoding="utf-8")


# --- Browser and system packages


def apt_install(*packages: str) -> str:
    """Install Debian packages where that needs nobody's password; returns apt-get's last words.

    Whether it worked is for the caller to see: apt-get also fails over packages that have nothing to do with these.
    """
    become_root = [] if hasattr(os, "geteuid") and os.geteuid() == 0 else ["sudo", "-n"]
    if not shutil.which("apt-get") or not works(*become_root, "true"):
        return ""
    apt = [*become_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    run(*apt, "-qq", "update")
    return tail(run(*apt, "install", *APT_OPTIONS, *packages))


def prepare_driver() -> None:
    """Let Playwright's driver start: the Node.js that it brings along needs one library that small systems lack.

    Raises:
        SetupError: it does not start, whatever the reason.
    """
    question = (VENV_PYTHON, "-m", "playwright", "--version")
    if works(*question):
        return
    say("driver", "Playwright does not start; installing libatomic1")
    apt_install("libatomic1")
    if not works(*question):
        words = tail(run(*question))
        raise SetupError(f"{words}\nPlaywright does not start. On Debian or Ubuntu: apt-get install libatomic1")


def find_browser() -> str | None:
    """The browser that the program would start.

    Raises:
        SetupError: the settings of this folder name one that is not there, or are wrong themselves.
    """
    done = run(VENV_PYTHON, "-c", ASK_FOR_BROWSER, limit_s=PROBE_LIMIT_S)
    if done.returncode not in {0, NONE_FOUND}:
        raise SetupError(tail(done))
    return done.stdout.strip() or None


def download_browser() -> None:
    """Let Playwright fetch its own Chromium, and the system libraries that it lacks."""
    if run(VENV_PYTHON, "-m", "playwright", "install", "chromium").returncode == 0 and not find_browser():
        run(VENV_PYTHON, "-m", "playwright", "install-deps", "chromium")


def prepare_browser() -> str:
    """Find a browser, or get one.

    Raises:
        SetupError: there is none and none can be had.
    """
    browser = find_browser()
    if not browser:
        say("browser", "none found; downloading Playwright's Chromium")
        download_browser()
        browser = find_browser()
    if not browser:
        say("browser", "it cannot be downloaded here; trying the system's chromium package")
        words = apt_install("chromium")
        browser = find_browser()
        if not browser:
            raise SetupError(f"{words}\nNo browser: install Google Chrome, Chromium or Microsoft Edge, then try again.")
    return browser


def prepare_shell() -> None:
    """The small Chromium without windows, which starts several times faster. Missing, tests use the whole browser."""
    if not sys.platform.startswith("linux") or shutil.which(SHELL):
        return
    say("shell", f"installing {SHELL}, for the tests that need no window and no profile")
    apt_install(SHELL)
    if not shutil.which(SHELL):
        say("shell", f"no {SHELL}: the tests take longer. On Debian: apt-get install {SHELL}")


def prepare_screen() -> None:
    """An X server without a screen, for the tests that run the browser in a window. Missing, those are skipped."""
    if not sys.platform.startswith("linux") or shutil.which("Xvfb"):
        return
    say("screen", "installing xvfb, for the tests that open a window")
    apt_install("xvfb")
    if not shutil.which("Xvfb"):
        say("screen", "no Xvfb: tests that open a window are skipped. On Debian or Ubuntu: apt-get install xvfb")


def main() -> int:
    """Prepare for `demo` (the default) or `test`; the exit code is 1 when that cannot be done."""
    purpose = sys.argv[1] if len(sys.argv) > 1 else "demo"
    if purpose not in LISTS:
        print(f"usage: python3 tools/bootstrap.py [{' | '.join(LISTS)}]")
        return 2
    try:
        require_python()
        prepare_environment(purpose)
        browser = prepare_browser()
        if purpose == "test":
            prepare_shell()
            prepare_screen()
    except SetupError as error:
        print(f"\n{str(error).strip()}", file=sys.stderr)
        return 1
    say("ready", f".venv, {browser}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
