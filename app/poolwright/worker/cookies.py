"""The cookies of a session, kept beside its profile: a browser writes its own to the disk up to 30 s late.

A snapshot is taken after a login, after each task and before an orderly close, and lives as long as the worker's slot.
After a crash the next browser on the same profile is given back what its disk had not seen yet, cookies without an
expiry too. The file holds a login: it is for the owner's eyes, and replaced in one step.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

import anyio
import anyio.to_thread
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

#: For the owner alone.
_FILE_MODE = 0o600

_Cookie: TypeAlias = Mapping[str, Any]


class CookieSnapshot:
    """One file, and what is in it. Owned by the session; nobody else writes it."""

    def __init__(self, path: Path | None) -> None:
        """Keep cookies in ``path``, whose folder is the supervisor's; in memory alone where no browser will follow."""
        self._path = path
        self._kept: bytes | None = None
        #: What was kept or brought back last, by site, path and name. A login: never to be logged or told.
        self.cookies: dict[str, Any] = {}
        self._turn = anyio.Lock()

    async def keep(self, driver: BrowserContext) -> None:
        """Write down the cookies as they are now, unless nothing changed.

        Raises:
            PlaywrightError: The browser is gone.
            OSError: The file can't be written; the one before it stays.
        """
        async with self._turn:
            cookies = await driver.cookies()
            content = json.dumps(cookies).encode()
            if content != self._kept:
                self.cookies = _named([{**cookie} for cookie in cookies])
                if self._path is not None:
                    await anyio.to_thread.run_sync(_replace, self._path, content)
                self._kept = content

    async def bring_back(self, driver: BrowserContext) -> int:
        """Give a browser what an earlier one on the same profile had and it has not; tells how many it took.

        Raises:
            PlaywrightError: The browser is gone, or refuses every one of them.
            OSError: The file can't be read.
            ValueError: The file is no snapshot.
        """
        if self._path is None:
            return 0
        kept = await anyio.to_thread.run_sync(_read, self._path)
        present: Sequence[_Cookie] = [{**cookie} for cookie in await driver.cookies()]
        missing = missing_cookies(kept, present)
        self.cookies = _named(kept)
        return await _add(driver, missing) if missing else 0


async def _add(driver: BrowserContext, cookies: Sequence[_Cookie]) -> int:
    """Give cookies to a browser; one that it refuses does not keep the others from it.

    Raises:
        PlaywrightError: It took none.
    """
    refusals: list[PlaywrightError] = []
    with _collecting(refusals):
        await driver.add_cookies(cast("Any", cookies))  # it takes what it gave
    if not refusals:
        return len(cookies)
    refusals.clear()
    for cookie in cookies:
        with _collecting(refusals):
            await driver.add_cookies(cast("Any", [cookie]))
    if len(refusals) == len(cookies):
        raise refusals[0]
    return len(cookies) - len(refusals)


@contextlib.contextmanager
def _collecting(refusals: list[PlaywrightError]) -> Generator[None]:
    """Put what the browser refuses aside."""
    try:
        yield
    except PlaywrightError as error:
        refusals.append(error)


def missing_cookies(kept: Sequence[_Cookie], present: Sequence[_Cookie]) -> list[_Cookie]:
    """What the browser lacks or has with another value. A cookie that has expired meanwhile it drops by itself."""
    values = {_identity(cookie): cookie.get("value") for cookie in present}
    return [cookie for cookie in kept if values.get(_identity(cookie)) != cookie.get("value")]


def _identity(cookie: _Cookie) -> tuple[Any, ...]:
    return tuple(cookie.get(part) for part in ("name", "domain", "path", "partitionKey"))


def _named(cookies: Sequence[_Cookie]) -> dict[str, Any]:
    """Each cookie under a name that no other one has: where it is sent to, and how it is called there."""
    named: dict[str, Any] = {}
    for cookie in cookies:
        name, domain, path, partition = _identity(cookie)
        within = f" within {partition}" if partition else ""
        named[f"{domain}{path} {name}{within}"] = dict(cookie)
    return named


def _replace(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE), "wb") as file:
        file.write(content)
    part.replace(path)


def _read(path: Path) -> Sequence[_Cookie]:
    try:
        kept: object = json.loads(path.read_bytes())
    except FileNotFoundError:
        return ()
    if not (isinstance(kept, list) and all(isinstance(cookie, dict) for cookie in cast("list[object]", kept))):
        msg = f"{path} holds no list of cookies"
        raise ValueError(msg)
    return cast("Sequence[_Cookie]", kept)
