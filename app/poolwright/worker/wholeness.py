"""Whether all of a file came that a browser unpacked on its way.

A browser takes what was cut off within its packing for the whole file, and says so to nobody; a table or a drawing that
lacks its end does not show it either. So such a file is asked for once more, by our own client, which knows an end.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anyio
import anyio.to_thread

from poolwright.domain.options import SizeLimits
from poolwright.worker.allowance import Allowance
from poolwright.worker.errors import PortalBusyError
from poolwright.worker.file_stream import FileStream
from poolwright.worker.received import CutShortError, Received, RefusedError
from poolwright.worker.staged import Arrived

_PIECE_BYTES = 1024 * 1024


async def proved_whole(arrived: Arrived, received: Received, stream: FileStream, sizes: SizeLimits) -> Arrived:
    """The same file, with a note where nobody can tell whether all of it came.

    Args:
        arrived: The file, checked.
        received: How it came.
        stream: Brings it once more where that may be done.
        sizes: How large it may be.

    Raises:
        CutShortError: It is only the beginning.
        OSError: The disk is full or not writable.
    """
    if not received.is_unpacked or arrived.shows_end:
        return arrived
    again = arrived.path.with_name(f"{arrived.path.name}-again")
    try:
        allowance = Allowance(sizes).on(again.parent)
        if received.can_ask_again and await _is_confirmed(arrived, received.final_url, again, stream, allowance):
            return arrived
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.Path(again).unlink(missing_ok=True)
    note = f"{arrived.label} was sent compressed, and a browser does not report if its end is missing: check it."
    return replace(arrived, notes=(*arrived.notes, note))


async def _is_confirmed(arrived: Arrived, url: str, again: Path, stream: FileStream, allowance: Allowance) -> bool:
    try:
        await stream.check_place(url)
        await stream.fetch(url, again, allowance, ())
    except CutShortError:
        raise
    except (RefusedError, PortalBusyError):
        return False
    return await anyio.to_thread.run_sync(_is_same_length, arrived, again)


def _is_same_length(arrived: Arrived, again: Path) -> bool:
    """Whether both are of one length; a file may tell the time at which it was made, and is another one each time."""
    size_bytes = again.stat().st_size
    if size_bytes > arrived.size_bytes and _begins_with(again, arrived.path):
        raise CutShortError(f"only its first {arrived.size_bytes:,} of {size_bytes:,} bytes were received")
    return size_bytes == arrived.size_bytes


def _begins_with(longer: Path, shorter: Path) -> bool:
    with longer.open("rb") as whole, shorter.open("rb") as part:
        while piece := part.read(_PIECE_BYTES):
            if whole.read(len(piece)) != piece:
                return False
    return True
