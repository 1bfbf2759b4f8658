"""Explains why the system denies access to a file or folder, and which command grants it.

Folders that are mounted into a container keep the owner that they have outside, so both numbers are told. ``explain``
decides; ``look_at_rights`` looks; ``blame`` does both for an error that was just raised.
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
    """Who may do what at a place. Numbers, since a container knows the names of few users."""

    #: The deepest file or folder on the way to the place that this program can see.
    culprit: Path
    #: Whether this program may go through it, to what lies in it.
    may_pass: bool
    owner_uid: int
    mode: int
    #: Of this program.
    own_uid: int
    own_gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessProblem:
    """The explanation of a denied access, for a person."""

    #: Goes on after a colon, without a full stop.
    cause: str
    #: Whole sentences; empty where the cause says it all.
    step: str = ""

    def sentence(self, *, otherwise: str = "") -> str:
        """The cause, the next step, and what else could be done."""
        return " ".join(filter(None, (f"{self.cause}.", self.step, otherwise)))


def describe_error(error: OSError, top: Path, at: Path | None = None) -> AccessProblem:
    """Explain an error of the system.

    Args:
        error: What was raised.
        top: What a person named and can give away whole: the folder of an option, or a profile.
        at: What was to be opened or made; as the error says, or ``top``, when left out.
    """
    asked = at or Path(os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else top)
    rights = read_permissions(asked) if error.errno in _NOT_PERMITTED else None
    return describe(error.errno or 0, error.strerror or str(error), top, rights)


def describe(code: int, told: str, top: Path, rights: Permissions | None) -> AccessProblem:
    """Explain a denied access. Pure.

    Args:
        code: The system's number for it.
        told: The system's words for it.
        top: As in ``blame``.
        rights: What stands at the place; nothing where it matters not, or the system knows no owners.
    """
    if code == errno.EROFS:
        step = "Mount it writable: a volume without :ro, in Kubernetes without readOnly."
        return AccessProblem(cause=f"{told}, its mount is read-only", step=step)
    if code == errno.EFBIG:
        return AccessProblem(
            cause=told, step="Raise the limit of file sizes: `ulimit -f unlimited`, LimitFSIZE of the service."
        )
    if rights is None or code not in _NOT_PERMITTED:
        return AccessProblem(cause=told)
    culprit = rights.culprit
    if rights.owner_uid == rights.own_uid and rights.mode & _OWNER_ALL == _OWNER_ALL:
        guard = f"although this user owns {culprit} and its mode {rights.mode:04o} allows it"
        step = f"Check what else denies it: an immutable flag (`lsattr -d {culprit}`), an ACL, or SELinux or AppArmor."
        return AccessProblem(cause=f"{told}, {guard}", step=step)
    if rights.owner_uid == rights.own_uid:
        mode = f"this user (uid {rights.own_uid}) owns {culprit}, but its mode {rights.mode:04o} forbids it"
        return AccessProblem(cause=f"{told}, {mode}", step=f"Run `chmod u+rwX {culprit}`.")
    whose = f"{culprit} belongs to uid {rights.owner_uid} and this program runs as uid {rights.own_uid}"
    return AccessProblem(cause=f"{told}, {whose}", step=_ownership_fix(rights, top.absolute()))


def _ownership_fix(rights: Permissions, top: Path) -> str:
    """Nobody is told to give away a whole folder of the system, nor to become root."""
    runner = f"{rights.own_uid}:{rights.own_gid}"
    if rights.culprit.is_relative_to(top):
        give = f"`chown -R {runner} {top}`"
    elif not rights.may_pass:
        give = f"`chmod o+x {rights.culprit}` and `chown -R {runner} {top}`"
    else:
        give = f"`mkdir -p {top} && chown -R {runner} {top}`"
    become = f"start it as that user (in a container: `--user {rights.owner_uid}:{rights.own_gid}`)"
    return f"As its owner run {give}, for a mounted folder on the host{_or(become) if rights.owner_uid else ''}."


def _or(text: str) -> str:
    return f"; or {text}"


def read_permissions(path: Path) -> Permissions | None:
    """Read the permissions of the deepest existing part of a path; None where the system has no owners."""
    if not hasattr(os, "geteuid"):
        return None
    path = path.absolute()
    culprit, status = Path(path.anchor), Path(path.anchor).stat()
    for place in (*reversed(path.parents), path):
        try:
            culprit, status = place, place.stat()
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
