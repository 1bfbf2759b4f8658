"""What a file system refuses a worker is told as what it is: no room, no answer, no right, or one order's own."""

from __future__ import annotations

import errno
import socket
import tempfile
from pathlib import Path

import anyio
import pytest

from poolwright.domain.outcomes import Reason
from poolwright.worker import attempt

PAGE = "https://portal.example/orders/1"


async def reason_of(error: OSError, folder: Path) -> tuple[Reason, str]:
    report = await attempt.storage_report(error, folder, PAGE)
    assert report.page_url == PAGE
    return report.reason, report.detail


def refuse(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def probe(*, dir: Path) -> None:  # noqa: A002 - its name in the library
        raise OSError(code, "refused", str(dir))

    monkeypatch.setattr(tempfile, "TemporaryFile", probe)


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (errno.ENOSPC, Reason.DISK_FULL, "The disk of the output folder is full"),
        (errno.EDQUOT, Reason.DISK_FULL, "The disk of the output folder is full"),
        (errno.EIO, Reason.DISK_AWAY, "The disk of the output folder does not answer"),
        (errno.ESTALE, Reason.DISK_AWAY, "The disk of the output folder does not answer"),
        (errno.EACCES, Reason.DISK_FORBIDDEN, "The staging folder is not writable"),
        (errno.EROFS, Reason.DISK_FORBIDDEN, "The staging folder is not writable"),
        (errno.ENAMETOOLONG, Reason.FILING_FAILED, "A file could not be read or written"),
    ],
)
async def test_what_refuses_a_file_of_ours_is_told_as_what_it_is(
    tmp_path: Path, code: int, reason: Reason, words: str
) -> None:
    error = OSError(code, "no", str(tmp_path / "PO1" / "files" / "a.pdf"))

    found, detail = await reason_of(error, tmp_path)

    assert found is reason
    assert detail.startswith(f"{words} (")
    assert "a.pdf" in detail


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.EMFILE])
@pytest.mark.parametrize("name", ["/etc/shadow", None])
async def test_what_refuses_a_processors_own_file_is_that_orders_trouble(
    tmp_path: Path, code: int, name: str | None
) -> None:
    reason, _ = await reason_of(OSError(code, "no", name), tmp_path)

    assert reason is Reason.FILING_FAILED


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
        ConnectionResetError(errno.ECONNRESET, "reset"),
        BrokenPipeError(errno.EPIPE, "broken"),
        socket.gaierror(socket.EAI_NONAME, "unknown name"),
    ],
)
async def test_a_connection_of_a_processors_own_says_nothing_of_the_disk(tmp_path: Path, error: OSError) -> None:
    assert (await reason_of(error, tmp_path))[0] is Reason.PROCESSOR_ERROR


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.EROFS, Reason.DISK_FORBIDDEN),
        (errno.ENOSPC, Reason.DISK_FULL),
        (errno.ECONNREFUSED, Reason.DISK_AWAY),
        (errno.ENOENT, Reason.FILING_FAILED),
    ],
)
async def test_an_error_that_names_no_file_is_ours_where_our_own_folder_refuses_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, reason: Reason
) -> None:
    refuse(monkeypatch, code)

    assert (await reason_of(OSError(errno.EIO, "no"), tmp_path))[0] is reason


def test_looking_leaves_nothing_behind(tmp_path: Path) -> None:
    anyio.run(reason_of, OSError(errno.EIO, "no"), tmp_path)

    assert list(tmp_path.iterdir()) == []
