"""The environment of the programs that Poolwright is compared with: their libraries, from the registries.

It lies in ``build/peers`` and is made once. What cannot be installed is told, and its programs are left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("build/peers")
_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
#: Packages for Node, which brings no lock of its own here: the versions are whole.
_PACKAGES = ("puppeteer-cluster@0.25.0", "puppeteer-core@24.43.1")
#: The name of Selenium's driver for Chromium.
_DRIVER = "chromedriver"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEnvironment:
    """What is there for the programs; an empty text stands for what is not."""

    python: str = ""
    #: Node's program, and the folder of its packages.
    node: str = ""
    packages: str = ""
    driver: str = ""
    #: Why something is missing, in sentences.
    problems: tuple[str, ...] = ()

    def variables(self, own: Mapping[str, str]) -> Mapping[str, str]:
        """Return the variables of a program of this environment."""
        return {**own, "PYTHONPATH": str(Path.cwd()), "PEERS_NODE": self.packages}


def prepare_environment() -> PeerEnvironment:
    """Install what is missing, and return what is there. Blocking; takes a minute the first time."""
    folder = FOLDER.absolute()
    node, driver = shutil.which("node") or "", shutil.which(_DRIVER) or ""
    python, python_problem = _with_libraries(folder / "python")
    packages, node_problem = _with_packages(folder / "node") if node else ("", "There is no Node (node).")
    driver_problem = "" if driver else f"There is no {_DRIVER}: Selenium is left out."
    return PeerEnvironment(
        python=python,
        node=node,
        packages=packages,
        driver=driver,
        problems=tuple(filter(None, (python_problem, node_problem, driver_problem))),
    )


def _with_libraries(folder: Path) -> tuple[str, str]:
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    done = folder / "installed.txt"
    wanted = _REQUIREMENTS.read_text(encoding="utf-8")
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return str(python), ""
    venv.create(folder, with_pip=True, clear=True)
    problem = _run([str(python), "-m", "pip", "install", "--quiet", "--requirement", str(_REQUIREMENTS)])
    if problem:
        return "", f"Libraries of Python could not be installed: {problem}"
    done.write_text(wanted, encoding="utf-8")
    return str(python), ""


def _with_packages(folder: Path) -> tuple[str, str]:
    done, wanted = folder / "installed.txt", "\n".join(_PACKAGES)
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return str(folder), ""
    npm = shutil.which("npm")
    if npm is None:
        return "", "There is no npm: puppeteer-cluster is left out."
    folder.mkdir(parents=True, exist_ok=True)
    # Their own scripts would download a browser.
    quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent")
    problem = _run([npm, "install", *quiet, "--prefix", str(folder), *_PACKAGES])
    if problem:
        return "", f"Packages of Node could not be installed: {problem}"
    done.write_text(wanted, encoding="utf-8")
    return str(folder), ""


def _run(command: list[str]) -> str:
    """Run a command; return the last line of its complaint, empty if it has none."""
    print(f"installing: {' '.join(command[1:4])} ...", file=sys.stderr)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (result.stderr or result.stdout).strip().splitlines()
    return (lines[-1] if lines else f"exit code {result.returncode}") if result.returncode else ""
