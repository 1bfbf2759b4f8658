"""The entry of a worker process: ``python -m poolwright.worker SLOT GENERATION FRAMES``.

Before any large import, ``poolwright.interpreter`` sets up the imports of this process, and the process takes over its
end of the channel, so that no output of a library can reach the channel. The driver starts while the rest is loaded.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

from poolwright import interpreter
from poolwright.ipc.inherited_pipes import InheritedPipes, die_with_parent, take_over_descriptors


def main(arguments: list[str]) -> int:
    """Run the worker and return its exit code."""
    slot, generation, frames = arguments
    interpreter.prepare_imports()
    pipes = take_over_descriptors(frames)
    die_with_parent()

    import anyio  # noqa: PLC0415 - see the module's docstring

    return anyio.run(_run, pipes, int(slot), int(generation))


async def _run(pipes: InheritedPipes, slot: int, generation: int) -> int:
    from poolwright.worker.browser.driver_start import driver_beside  # noqa: PLC0415 - see the module's docstring

    async with driver_beside() as driver_start:
        await _load("poolwright.worker.main")
        interpreter.finish_imports()

        from poolwright.domain.ids import WorkerRef  # noqa: PLC0415
        from poolwright.ipc.child import open_channel  # noqa: PLC0415
        from poolwright.worker import main as entry  # noqa: PLC0415

        return await entry.main(open_channel(pipes), WorkerRef(slot, generation), os.getpid(), driver_start)


async def _load(module: str) -> None:
    """Import a module in a thread, while this one goes on with the start of the driver."""
    from anyio import to_thread  # noqa: PLC0415

    await to_thread.run_sync(import_module, module)


if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    if not interpreter.blocking_threads():  # such as those of a user's processor
        interpreter.end_process(exit_code)
    sys.exit(exit_code)
