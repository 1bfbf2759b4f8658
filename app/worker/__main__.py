"""The entry of a worker process: ``python -m app.worker SLOT GENERATION FRAMES``.

The link is claimed before anything heavy is imported, so that no print can ever reach it.
"""

from __future__ import annotations

import os
import sys

from app.bridge.child import claim, die_with_parent, link
from app.domain.ids import WorkerRef


def main(arguments: list[str]) -> int:
    """Serve until told to stop; the exit code says how it ended."""
    slot, generation, frames = arguments
    claimed = claim(frames)
    die_with_parent()

    import anyio  # noqa: PLC0415 - see the module's docstring

    from app.worker import entry  # noqa: PLC0415

    worker = WorkerRef(int(slot), int(generation))
    return anyio.run(entry.serve, link(claimed), worker, os.getpid())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
