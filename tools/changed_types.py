"""Check the types of what changed since all of it was right: a part of `make quick`. `make check` checks everything.

    python -m tools.changed_types

Pyright finds the same in a file for as long as the file, all that it imports, the settings of the checker and the
pinned packages are the same: such a file need not be read again. What is known to be right lies in build/types.json;
without it everything is checked.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import grimp
from pydantic import TypeAdapter, ValidationError

ROOT = Path(__file__).resolve().parent.parent
KNOWN = ROOT / "build" / "types.json"
PACKAGES = ("poolwright", "bench", "tests")
#: Folders of scripts that belong to no package: each of their files is checked again whenever anything has changed.
SCRIPTS = ("examples", "tools")
#: What decides beside the code that is imported. The tools, which tests import, are no package whose imports are known.
RULES = (ROOT / "pyproject.toml", ROOT / "requirements" / "dev.txt", *sorted((ROOT / "tools").glob("*.py")))


def digest(parts: Iterable[str | bytes]) -> str:
    """One name for all parts together."""
    made = hashlib.sha256()
    for part in parts:
        made.update(part.encode() if isinstance(part, str) else part)
        made.update(b"\0")
    return made.hexdigest()


def digests(root: Path, imports: Mapping[str, Iterable[str]], rules: str) -> dict[str, str]:
    """What each file's findings depend on, as one name.

    Args:
        root: The folder that the paths are seen from.
        imports: For the path of each file, those of all that it imports, however far away.
        rules: What decides beside the code.
    """
    own = {path: hashlib.sha256((root / path).read_bytes()).hexdigest() for path in imports}
    return {
        path: digest([rules, path, own[path], *sorted(own[other] for other in others)])
        for path, others in imports.items()
    }


def imports_in(root: Path, cache: Path) -> dict[str, list[str]]:
    """For every file the paths of all that it imports, however far away; ``cache`` makes the next time quick."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=str(cache))
    paths = {module: _path_of(root, module) for module in graph.modules}
    found = {path: [paths[other] for other in graph.find_upstream_modules(module)] for module, path in paths.items()}
    everything = list(found)
    scripts = [path.relative_to(root).as_posix() for folder in SCRIPTS for path in (root / folder).rglob("*.py")]
    return {**found, **{script: [*everything, *scripts] for script in scripts}}


def _path_of(root: Path, module: str) -> str:
    path = (root / "app" if module.partition(".")[0] == "poolwright" else root).joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file.relative_to(root).as_posix()


def known_as_right(file: Path) -> dict[str, str]:
    """What was right when it was last checked."""
    try:
        return TypeAdapter(dict[str, str]).validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return {}


def main() -> int:
    """Check what is not known to be right; the exit code is pyright's."""
    rules = digest([sys.version, *(path.read_bytes() for path in RULES)])
    now = digests(ROOT, imports_in(ROOT, ROOT / "build" / "imports"), rules)
    known = known_as_right(KNOWN)
    changed = sorted(path for path, name in now.items() if known.get(path) != name)
    print(f"Types: {len(changed)} of {len(now)} files to check.", flush=True)
    if changed:
        done = subprocess.run([Path(sys.executable).parent / "pyright", *changed], cwd=ROOT, check=False)
        if done.returncode:
            return done.returncode
    KNOWN.parent.mkdir(exist_ok=True)
    KNOWN.write_text(json.dumps(now, indent=0), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
