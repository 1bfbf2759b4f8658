"""PID files of the daemon and of a batch: which process is using an output folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from poolwright.files.disk import replace_private_file
from poolwright.profile.in_use import is_process_alive

_S = TypeVar("_S", bound="_Pidfile")
DAEMON_PIDFILE_NAME, BATCH_PIDFILE_NAME = "daemon.json", "batch.json"
#: Index of the start time in ``/proc/<pid>/stat``, counted after the process name.
_START_FIELD = 19


class _Pidfile(BaseModel):
    #: A newer version may write more; the process that it names is running all the same.
    model_config = ConfigDict(extra="ignore", frozen=True)

    pid: int
    started_at: datetime
    #: Distinguishes the process from a later one with the same id, for example after a restart of the machine or of a
    #: container; empty if the system does not provide it.
    birth: str = ""


class DaemonPidfile(_Pidfile):
    """Contents of a daemon's PID file."""

    url: str


class BatchPidfile(_Pidfile):
    """Contents of a batch's PID file."""

    #: It is stopping: orders in progress are finished, no new order starts.
    is_draining: bool = False


@contextmanager
def daemon_pidfile(folder: Path, url: str, started_at: datetime) -> Generator[None]:
    """Write the daemon's PID file, and remove it at the end of the block. After a crash it names a dead process.

    Raises:
        OSError: The file cannot be written.
    """
    path = folder / DAEMON_PIDFILE_NAME
    _write(path, DaemonPidfile(pid=os.getpid(), birth=_process_start(os.getpid()), url=url, started_at=started_at))
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


@contextmanager
def batch_pidfile(folder: Path, started_at: datetime) -> Generator[Callable[[], None]]:
    """Write the batch's PID file for the duration of the block; call what is yielded to mark the batch as stopping.

    A file that cannot be written is no reason to stop the batch; other commands then do not see that it is running. The
    file of another running batch is left alone: this batch will be refused, since the journal is in use.
    """
    path = folder / BATCH_PIDFILE_NAME
    content = BatchPidfile(pid=os.getpid(), birth=_process_start(os.getpid()), started_at=started_at)

    def is_ours() -> bool:
        other = find_batch(folder)
        return other is None or other.pid == content.pid

    def write(*, is_draining: bool) -> None:
        with suppress(OSError):
            if is_ours():
                _write(path, content.model_copy(update={"is_draining": is_draining}))

    write(is_draining=False)
    try:
        yield partial(write, is_draining=True)
    finally:
        with suppress(OSError):
            if is_ours():
                path.unlink(missing_ok=True)


def find_daemon(folder: Path) -> DaemonPidfile | None:
    """Return the daemon that is using this folder, or ``None`` if there is none."""
    return _read_if_alive(folder / DAEMON_PIDFILE_NAME, DaemonPidfile)


def find_batch(folder: Path) -> BatchPidfile | None:
    """Return the batch that is using this folder, or ``None`` if there is none."""
    return _read_if_alive(folder / BATCH_PIDFILE_NAME, BatchPidfile)


def pidfile_problem(folder: Path) -> str:
    """Return why it is not known whether a daemon or batch uses this folder, as a sentence; empty if it is known."""
    kinds: tuple[tuple[str, type[_Pidfile]], ...] = (
        (DAEMON_PIDFILE_NAME, DaemonPidfile),
        (BATCH_PIDFILE_NAME, BatchPidfile),
    )
    for name, kind in kinds:
        path = folder / name
        try:
            kind.model_validate_json(path.read_bytes())
            continue
        except FileNotFoundError:
            continue
        except OSError as error:
            reason = f"({error.strerror or error})"
        except ValidationError:
            reason = "because it is damaged"
        return (
            f"It is not known whether a daemon or a batch is running: {path} cannot be read {reason}. Run this command "
            "as the user who started it; if that does not help, end the process and start it again."
        )
    return ""


def _read_if_alive(path: Path, kind: type[_S]) -> _S | None:
    try:
        content = kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    return content if is_process_alive(content.pid) and content.birth in {"", _process_start(content.pid)} else None


def _process_start(pid: int, proc: Path = Path("/proc")) -> str:
    """Return boot id and start time in ticks since boot, which no clock change affects; empty if unknown."""
    try:
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
        # The program name before is in parentheses and may contain any character.
        fields = (proc / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return f"{boot}/{fields[_START_FIELD]}"
    except (OSError, IndexError):
        return ""


def _write(path: Path, content: BaseModel) -> None:
    replace_private_file(path, json.dumps(content.model_dump(mode="json")).encode())
