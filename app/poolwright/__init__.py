"""Poolwright: every attachment of every purchase order, through your own logged-in browser profile.

This is the whole public interface; what lies below is internal and may change with any version:

* ``open_pool`` gives a running ``PersistentWorkerPool`` with everything around it; ``new_task`` makes a ``POTask`` of
  any ``JsonValue`` for it.
* ``Callbacks`` are told what happens. ``PoolError`` is what every error that the pool raises is.
* ``Processor`` is what an own processor is: it works with a ``Tab`` and gives back a ``Report`` with a ``Reason``, or
  raises ``RetryLaterError``, ``GiveUpError`` or ``SessionLostError``.

A name is loaded when it is asked for: importing this package costs next to nothing.

The package reads from the top down:

* ``cli`` and ``service`` read the settings and put the parts together.
* ``supervisor`` keeps 1 to 8 worker processes running; its ``policy`` decides what happens to every order and worker.
* ``worker`` is all that runs inside a worker process: one browser, one tab per purchase order.
* ``journal``, ``archive``, ``profile``, ``intake``, ``portal`` own the journal, the output tree, the browser profiles,
  the order lists, and what is known of each portal.
* ``ipc`` connects the supervisor with its workers; ``sdk`` is what custom processors import.
* ``system`` and ``files`` read the machine and handle single files; ``concurrency`` holds helpers for asynchronous code.
* ``domain`` holds the entities, states and rules that all of them share; it does no I/O.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from poolwright.version import __version__

if TYPE_CHECKING:
    from poolwright.domain.errors import PoolError
    from poolwright.domain.outcomes import Reason
    from poolwright.domain.tasks import JsonValue, POTask, Report
    from poolwright.sdk.protocol import GiveUpError, Processor, RetryLaterError, SessionLostError, Tab
    from poolwright.service.library import Callbacks, new_task, open_pool
    from poolwright.supervisor.pool import PersistentWorkerPool

__all__ = [
    "Callbacks",
    "GiveUpError",
    "JsonValue",
    "POTask",
    "PersistentWorkerPool",
    "PoolError",
    "Processor",
    "Reason",
    "Report",
    "RetryLaterError",
    "SessionLostError",
    "Tab",
    "__version__",
    "new_task",
    "open_pool",
]

#: The module of each name that is loaded when it is asked for.
_HOMES = {
    "Callbacks": "service.library",
    "GiveUpError": "sdk.protocol",
    "JsonValue": "domain.tasks",
    "POTask": "domain.tasks",
    "PersistentWorkerPool": "supervisor.pool",
    "PoolError": "domain.errors",
    "Processor": "sdk.protocol",
    "Reason": "domain.outcomes",
    "Report": "domain.tasks",
    "RetryLaterError": "sdk.protocol",
    "SessionLostError": "sdk.protocol",
    "Tab": "sdk.protocol",
    "new_task": "service.library",
    "open_pool": "service.library",
}

if not TYPE_CHECKING:  # for a type checker there are the names above, and no others

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
