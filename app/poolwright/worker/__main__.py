"""The entry of a worker process: ``python -m poolwright.worker SLOT GENERATION FRAMES``.

Before any large import, ``poolwright.interpreter`` sets up the imports of this process, and the process takes over its
end of the channel, so that no output of a library can reach the channel.
"""

from __future__ import annotations

import os
import sys

from poolwright import interpreter


def main(arguments: list[str]) -> int:
    """Run the worker and return its exit code."""
    slot, generation, frames = arguments
    interpreter.prepare_imports()

    from poolwright.ipc.child import die_with_parent, open_channel, take_over_descriptors  # noqa: PLC0415 - see the module's docstring

    descriptors = take_over_descriptors(frames)
    die_with_parent()

    import anyio  # noqa: PLC0415

    from poolwright.domain.ids import WorkerRef  # noqa: PLC0415
    from poolwright.worker import main as entry  # noqa: PLC0415

    interpreter.finish_imports()
    worker = WorkerRef(int(slot), int(generation))
    return anyio.run(entry.main, open_channel(descriptors), worker, os.getpid())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
