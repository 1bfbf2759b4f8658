"""Poolwright: every attachment of every purchase order, through your own logged-in browser profile.

This is the whole public interface; all modules below are internal and may change with any version:

* ``open_pool`` opens a running ``PersistentWorkerPool``; ``new_task`` makes a ``POTask`` with any ``JsonValue`` for it.
* ``pool.submit_task`` returns a ``TaskHandle``; ``PoolSettings`` names the settings of ``open_pool`` with their types.
* ``Callbacks`` receive the events of a run. ``PoolError`` is the base class of every error here.
* ``Processor`` is the interface of a custom processor: it works with a ``Tab`` and returns a ``Report`` with a
  ``Reason``, or raises ``RetryLaterError``, ``GiveUpError`` or ``SessionLostError``.

A name is loaded when it is first used, so importing this package costs next to nothing.

The packages, from the top down:

* ``cli`` and ``service`` read the settings and put the parts together.
* ``supervisor`` keeps 1 to 8 worker processes running; its ``policy`` decides what happens to every order and worker.
* ``worker`` runs inside a worker process: one browser, one tab per purchase order.
* ``journal``, ``archive``, ``profile``, ``intake``, ``portal`` own the journal, the output tree, the browser profiles,
  the order lists, and the portal packs.
* ``ipc`` connects the supervisor with its workers; ``sdk`` is what custom processors import.
* ``system`` and ``files`` read the machine and handle single files; ``concurrency`` has helpers for asynchronous code.
* ``domain`` holds the entities, states and rules that all of them share; it does no I/O.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from poolwright.version import __version__

if TYPE_CHECKING:
    from poolwright.domain.errors import (
        LoginRequiredError,
        OptionsError,
        PoolError,
        ProfileError,
        SetupError,
        TaskError,
    )
    from poolwright.domain.outcomes import Reason
    from poolwright.domain.tasks import JsonValue, POTask, Report
    from poolwright.journal.errors import JournalError
    from poolwright.sdk.protocol import GiveUpError, Processor, RetryLaterError, SessionLostError, Tab
    from poolwright.service.library import Callbacks, PoolSettings, WatchError, new_task, open_pool
    from poolwright.supervisor.pool import PersistentWorkerPool
    from poolwright.supervisor.submissions import TaskHandle

__all__ = [
    "Callbacks",
    "GiveUpError",
    "JournalError",
    "JsonValue",
    "LoginRequiredError",
    "OptionsError",
    "POTask",
    "PersistentWorkerPool",
    "PoolError",
    "PoolSettings",
    "Processor",
    "ProfileError",
    "Reason",
    "Report",
    "RetryLaterError",
    "SessionLostError",
    "SetupError",
    "Tab",
    "TaskError",
    "TaskHandle",
    "WatchError",
    "__version__",
    "new_task",
    "open_pool",
]

#: The module of each name, which is loaded when the name is first used.
_MODULES = {
    "Callbacks": "service.library",
    "GiveUpError": "sdk.protocol",
    "JournalError": "journal.errors",
    "JsonValue": "domain.tasks",
    "LoginRequiredError": "domain.errors",
    "OptionsError": "domain.errors",
    "POTask": "domain.tasks",
    "PersistentWorkerPool": "supervisor.pool",
    "PoolError": "domain.errors",
    "PoolSettings": "service.library",
    "Processor": "sdk.protocol",
    "ProfileError": "domain.errors",
    "Reason": "domain.outcomes",
    "Report": "domain.tasks",
    "RetryLaterError": "sdk.protocol",
    "SessionLostError": "sdk.protocol",
    "SetupError": "domain.errors",
    "Tab": "sdk.protocol",
    "TaskError": "domain.errors",
    "TaskHandle": "supervisor.submissions",
    "WatchError": "service.library",
    "new_task": "service.library",
    "open_pool": "service.library",
}

if not TYPE_CHECKING:  # a type checker sees the names above, and no others

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
