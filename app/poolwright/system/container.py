"""Detects whether this program runs in a container, and in which kind.

Container engines leave marks: files at known paths, and a variable in the environment of the first process.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class Container(StrEnum):
    """The kind of a container."""

    DOCKER = "docker"
    PODMAN = "podman"
    KUBERNETES = "kubernetes"
    #: An engine without a mark of its own.
    OTHER = "other"


#: Paths below the root folder; the first one that exists counts. Pods have marks of their engine as well.
_MARKS = (
    ("var/run/secrets/kubernetes.io", Container.KUBERNETES),
    (".dockerenv", Container.DOCKER),
    ("run/.containerenv", Container.PODMAN),
    ("run/systemd/container", Container.OTHER),
)
_OF_PODS = b"KUBERNETES_SERVICE_HOST="
_OF_ANY = b"container="


def find_container(root: Path = Path("/")) -> Container | None:
    """Return the kind of container that this program runs in; ``None`` outside of one.

    Args:
        root: The top folder of the system, ``/`` but in tests.
    """
    variables = _environment_of_init(root)
    if any(entry.startswith(_OF_PODS) for entry in variables):
        return Container.KUBERNETES
    marked = next((kind for path, kind in _MARKS if _exists(root / path)), None)
    if marked is not None:
        return marked
    names = [entry.removeprefix(_OF_ANY).decode("ascii", "replace") for entry in variables if entry.startswith(_OF_ANY)]
    return next((_kind(name) for name in names if name), None)


def _kind(name: str) -> Container:
    return Container(name) if name in set(Container) else Container.OTHER


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _environment_of_init(root: Path) -> list[bytes]:
    """Return the variables of the first process; none if it belongs to another user, as outside of containers."""
    try:
        return (root / "proc/1/environ").read_bytes().split(b"\0")
    except OSError:
        return []
