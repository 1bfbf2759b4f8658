"""The limit of open files of a process: what a browser and its worker need, and what this process may have."""

from __future__ import annotations

from importlib import import_module

from poolwright.domain.errors import SetupError

#: A browser with some tabs has a few hundred files and pipes open; below the second number it does not start, and its
#: last words are of something else.
FILES_WANTED, FILES_NEEDED = 1024, 256
#: What is asked for where a higher limit is allowed: many services give their processes 1,024 of half a million.
_FILES_ASKED = 8192
HOW_TO_RAISE = "Raise it: `ulimit -n 4096`, LimitNOFILE= of a service, --ulimit nofile=4096 of a container."


def open_file_limit() -> int | None:
    """Return how many files this process may open; ``None`` if there is no limit."""
    try:
        resource = import_module("resource")
    except ImportError:  # Windows
        return None
    soft: int = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft


def raise_open_file_limit() -> None:
    """Let this process, and those that it starts, open more files, as far as the system allows it without rights.

    Raises:
        SetupError: So few files are allowed that no browser would start.
    """
    limit = open_file_limit()
    if limit is None or limit >= _FILES_ASKED:
        return
    resource = import_module("resource")
    hard: int = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = _FILES_ASKED if hard == resource.RLIM_INFINITY else min(hard, _FILES_ASKED)
    if wanted < FILES_NEEDED:
        raise SetupError(
            f"A process may open {wanted:,} files here, and a browser needs {FILES_WANTED:,}. {HOW_TO_RAISE}"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
