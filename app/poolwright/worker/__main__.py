"""The entry of a worker process: ``python -m poolwright.worker SLOT GENERATION FRAMES``.

How this process loads is settled before anything of weight is imported (see ``poolwright.loading``), and the link is
claimed before the libraries of others are, so that no print can ever reach it.
"""

from __future__ import annotations

import os
import sys

from poolwright import loading


def main(arguments: list[str]) -> int:
    """Serve until told to stop; the exit code says how it ended."""
    slot, generation, frames = arguments
    loading.begin()

    from poolwright.bridge.child import claim, die_with_parent, link  # noqa: PLC0415 - see the module's docstring

    claimed = claim(frames)
    die_with_parent()

    import anyio  # noqa: PLC0415

    from poolwright.domain.ids import WorkerRef  # noqa: PLC0415
    from poolwright.worker import entry  # noqa: PLC0415

    loading.done()
    worker = WorkerRef(int(slot), int(generation))
    return anyio.run(entry.serve, link(claimed), worker, os.getpid())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
