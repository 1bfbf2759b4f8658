"""Pictures of a worker's tabs: asked for once at a time, whoever else asks meanwhile gets the same one."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio

from poolwright.domain.ids import TaskId
from poolwright.ipc.messages import GetThumbnail


@dataclass(slots=True)
class _Awaited:
    """One picture on its way."""

    #: How many wait for it: one that nobody waits for any more is asked for anew.
    asker_count: int = 0
    has_come: anyio.Event = field(default_factory=anyio.Event)
    jpeg: bytes = b""


class Pictures:
    """The pictures of one generation."""

    def __init__(self, ask: Callable[[GetThumbnail], Awaitable[None]]) -> None:
        """Ask the worker by ``ask``."""
        self._ask = ask
        self._awaited: dict[TaskId, _Awaited] = {}

    async def get(self, task_id: TaskId) -> bytes:
        """A JPEG of now, empty when there is none. Waits as long as the worker takes: the caller has the deadline."""
        one = self._awaited.get(task_id)
        if one is None:
            one = self._awaited[task_id] = _Awaited()
            await self._ask_for(task_id, one)
        one.asker_count += 1
        try:
            await one.has_come.wait()
        finally:
            one.asker_count -= 1
            if not one.asker_count:
                self._drop(task_id, one)
        return one.jpeg

    async def _ask_for(self, task_id: TaskId, one: _Awaited) -> None:
        try:
            await self._ask(GetThumbnail(task_id=task_id))
        except BaseException:
            self._drop(task_id, one)
            one.has_come.set()
            raise

    def _drop(self, task_id: TaskId, one: _Awaited) -> None:
        if self._awaited.get(task_id) is one:
            del self._awaited[task_id]

    def arrived(self, task_id: TaskId, jpeg: str) -> None:
        """Answer those who wait for a thumbnail; invalid Base64 gives empty bytes."""
        one = self._awaited.pop(task_id, None)
        if one is not None:
            try:
                one.jpeg = b64decode(jpeg, validate=True)
            except Base64Error:
                one.jpeg = b""
            one.has_come.set()

    def close(self) -> None:
        """The worker is gone: nobody gets a picture any more."""
        for one in self._awaited.values():
            one.has_come.set()
        self._awaited.clear()
