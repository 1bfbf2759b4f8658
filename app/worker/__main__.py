"""The entry of a worker process: ``python -m app.worker SLOT GENERATION FRAMES``.

The link is claimed before anything heavy is imported, so that no print can ever reach it.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import cast

from app.bridge.child import claim, die_with_parent, link
from app.domain.ids import WorkerRef

#: A command line that httpx brings along for itself, with rich, click and pygments: a quarter of what a worker imports.
_KEPT_OUT = ("httpx._main",)


def main(arguments: list[str]) -> int:
    """Serve until told to stop; the exit code says how it ended."""
    slot, generation, frames = arguments
    claimed = claim(frames)
    die_with_parent()
    # None in its place: Python says that there is no such module, which httpx takes for a system without a terminal.
    sys.modules.update(cast("dict[str, ModuleType]", dict.fromkeys(_KEPT_OUT)))

    import anyio  # noqa: PLC0415 - see the module's docstring

    from app.worker import entry  # noqa: PLC0415

    worker = WorkerRef(int(slot), int(generation))
    return anyio.run(entry.serve, link(claimed), worker, os.getpid())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
