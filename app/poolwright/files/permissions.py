"""Explains why the system denies access to a file or folder, and which command grants it.

A folder that is mounted into a container keeps its owner from outside, so both user ids are named. ``describe`` is
pure; ``read_permissions`` reads the file system; ``describe_error`` uses both for an error that was just raised.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

_NOT_PERMITTED = frozenset({errno.EACCES, errno.EPERM})
_MODE_BITS = 0o7777
#: Its owner may do everything with a folder.
_OWNER_ALL = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """The owner and mode of a path. Numeric, since a container has names for few users."""

    #: The deepest part of the path that this program can see.
    culprit: Path
    #: Whether this program may enter it.
    may_pass: bool
    owner_uid: int
    mode: int
    #: The ids of this program.
    own_uid: int
    own_gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessProblem:
    """The explanation of a denied access, for a person."""

    #: Follows a colon, without a full stop.
    cause: str
    #: The next step in whole sentences; empty if there is none.
    step: str = ""

    def sentence(self, *, otherwise: str = "") -> str:
        """Return the cause, the next step and an alternative as sentences."""
        return " ".join(filter(None, (f"{self.cause}.", self.step, otherwise)))


def describe_error(error: OSError, top: Path, at: Path | None = None) -> AccessProblem:
    """Explain an error of the system.

    Args:
        error: The error that was raised.
        top: The folder that a person configured and whose owner may be changed: that of an option, or a profile.
        at: The path that was to be opened or made; if left out, that of the error, or ``top``.
    """
    path = at or Path(os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else top)
    rights = read_permissions(path) if error.errno in _NOT_PERMITTED else None
    return describe(error.errno or 0, error.strerror or str(error), top, rights)


def describe(code: int, message: str, top: Path, rights: Permissions | None) -> AccessProblem:
    """Explain a denied access. Pure.

    Args:
        code: The number of the system's error.
        message: The system's text for it.
        top: As in ``describe_error``.
        rights: The permissions of the path; ``None`` if they are irrelevant, or the system has no owners.
    """
    if code == errno.EROFS:
        step = "Mount it writable: a volume without :ro, in Kubernetes without readOnly."
        return AccessProblem(cause=f"{message}, its mount is read-only", step=step)
    if code == errno.EFBIG:
        return AccessProblem(
            cause=message, step="Raise the limit of file sizes: `ulimit -f unlimited`, LimitFSIZE of the service."
        )
    if rights is None or code not in _NOT_PERMITTED:
        return AccessProblem(cause=message)
    culprit = rights.culprit
    if rights.owner_uid == rights.own_uid and rights.mode & _OWNER_ALL == _OWNER_ALL:
        guard = f"although this user owns {culprit} and its mode {rights.mode:04o} allows it"
        step = f"Check what else denies it: an immutable flag (`lsattr -d {culprit}`), an ACL, or SELinux or AppArmor."
        return AccessProblem(cause=f"{message}, {guard}", step=step)
    if rights.owner_uid == rights.own_uid:
        mode = f"this user (uid {rights.own_uid}) owns {culprit}, but its mode {rights.mode:04o} forbids it"
        return AccessProblem(cause=f"{message}, {mode}", step=f"Run `chmod u+rwX {culprit}`.")
    whose = f"{culprit} belongs to uid {rights.owner_uid} and this program runs as uid {rights.own_uid}"
    return AccessProblem(cause=f"{message}, {whose}", step=_ownership_fix(rights, top.absolute()))


def _ownership_fix(rights: Permissions, top: Path) -> str:
    """Return the command that grants access; never one for a system folder as a whole, nor one to become root."""
    runner = f"{rights.own_uid}:{rights.own_gid}"
    if rights.culprit.is_relative_to(top):
        command = f"`chown -R {runner} {top}`"
    elif not rights.may_pass:
        command = f"`chmod o+x {rights.culprit}` and `chown -R {runner} {top}`"
    else:
        command = f"`mkdir -p {top} && chown -R {runner} {top}`"
    alternative = f"start it as that user (in a container: `--user {rights.owner_uid}:{rights.own_gid}`)"
    return (
        f"As its owner run {command}, for a mounted folder on the host{_or(alternative) if rights.owner_uid else ''}."
    )


def _or(text: str) -> str:
    return f"; or {text}"


def read_permissions(path: Path) -> Permissions | None:
    """Read the permissions of the deepest existing part of a path; ``None`` if the system has no owners."""
    if not hasattr(os, "geteuid"):
        return None
    path = path.absolute()
    culprit, status = Path(path.anchor), Path(path.anchor).stat()
    for part in (*reversed(path.parents), path):
        try:
            culprit, status = part, part.stat()
        except OSError:
            break
    return Permissions(
        culprit=culprit,
        may_pass=os.access(culprit, os.X_OK, effective_ids=os.access in os.supports_effective_ids),
        owner_uid=status.st_uid,
        mode=status.st_mode & _MODE_BITS,
        own_uid=os.geteuid(),
        own_gid=os.getegid(),
    )
