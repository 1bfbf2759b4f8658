"""Pin every package: `make lock` writes requirements/*.txt from pyproject.toml, `make check` compares the two.

Three lists, because three places need different amounts: `install` is what installs (the build backend and uv),
`runtime` is what Poolwright imports, `dev` is `runtime` and the tools of its tests. Each holds names, versions and
hashes and no addresses. The first lines carry a digest of what was asked for, so the check needs no network.

    python tools/lock.py [--check | --upgrade]      (default: keep every pin that still fits)
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
#: In the order of writing: each list takes over the versions of those before it.
NAMES = ("runtime", "install", "dev")


def wanted() -> dict[str, list[str]]:
    """What pyproject.toml asks for, per list."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = table["project"]["dependencies"]
    groups = table["dependency-groups"]
    return {
        "runtime": sorted(runtime),
        "install": sorted(table["build-system"]["requires"] + groups["install"]),
        "dev": sorted(runtime + groups["dev"]),
    }


def oldest_python() -> str:
    """The oldest Python that the lists must serve, as in `>=3.11`."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return table["project"]["requires-python"].removeprefix(">=")


def heading(requirements: list[str]) -> str:
    """The first lines of a list: where it comes from, and the digest of what was asked for."""
    asked = "\n".join([oldest_python(), *requirements])
    digest = hashlib.sha256(asked.encode()).hexdigest()
    return f"# Written by `make lock` from pyproject.toml: change that, not this.\n# Asked for: {digest}\n"


def stale() -> list[str]:
    """The names of the lists that do not answer to what pyproject.toml asks for."""
    return [name for name, requirements in wanted().items() if not read(name).startswith(heading(requirements))]


def read(name: str) -> str:
    """The text of a list, empty where there is none yet."""
    path = FOLDER / f"{name}.txt"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def write(name: str, requirements: list[str], *, upgrade: bool) -> None:
    """Resolve one list for every platform and Python, and put its heading on top.

    Raises:
        subprocess.CalledProcessError: uv found no set of versions that fits; its own words are on the terminal.
    """
    path = FOLDER / f"{name}.txt"
    command = [sys.executable, "-m", "uv", "pip", "compile", "-", "--quiet", "--output-file", str(path)]
    command += ["--universal", "--python-version", oldest_python()]
    command += ["--generate-hashes", "--no-header", "--no-annotate"]
    for earlier in NAMES[: NAMES.index(name)]:
        command += ["--constraints", str(FOLDER / f"{earlier}.txt")]
    if upgrade:
        command.append("--upgrade")
    subprocess.run(command, input="\n".join(requirements), text=True, check=True)
    path.write_text(heading(requirements) + path.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")


def main() -> int:
    """Check or write; the exit code is 1 when the check fails or uv does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="only compare; exit 1 when a list is out of date")
    choice.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    arguments = parser.parse_args()
    if arguments.check:
        late = stale()
        if late:
            print(f"requirements/: {', '.join(late)} no longer match pyproject.toml; run `make lock`.")
        return 1 if late else 0
    FOLDER.mkdir(exist_ok=True)
    for name in NAMES:
        try:
            write(name, wanted()[name], upgrade=arguments.upgrade)
        except subprocess.CalledProcessError as error:
            return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
