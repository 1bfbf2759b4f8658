"""The floor with a browser: the DevTools protocol over a pipe, without a driver; an HTTP client brings the files."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import anyio
import httpx

from bench.peers.job import LINKS, LOADED, Job, read_job, tell_done

#: Waits until the list is there, and returns address and name of each file.
READ = f"""new Promise(resolve => {{
  const look = () => document.querySelector({json.dumps(LOADED)}) &&
    (watch.disconnect(), resolve([...document.querySelectorAll({json.dumps(LINKS)})].map(
      a => [a.href, a.textContent])));
  const watch = new MutationObserver(look);
  watch.observe(document, {{subtree: true, childList: true, attributes: true}});
  look();
}})"""


class Pipe:
    """Commands and events of a browser, over two pipes."""

    def __init__(self, reader: asyncio.StreamReader, write_fd: int) -> None:
        self._reader, self._write_fd = reader, write_fd
        self._number = 0
        self._answers: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._loaded: dict[str, asyncio.Event] = {}

    async def listen(self) -> None:
        """Hand out answers and events until the browser ends."""
        while message := await self._reader.readuntil(b"\0"):
            told = json.loads(message[:-1])
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            elif told["method"] == "Page.domContentEventFired":
                self._loaded[told["sessionId"]].set()

    async def send(self, method: str, session: str = "", **parameters: object) -> Mapping[str, Any]:
        """Send a command and return its result."""
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        command = {"id": self._number, "method": method, "params": parameters}
        os.write(self._write_fd, json.dumps(command | ({"sessionId": session} if session else {})).encode() + b"\0")
        told = await answer
        if "error" in told:
            raise RuntimeError(f"{method}: {told['error']['message']}")
        return told["result"]

    async def open(self, address: str) -> tuple[str, list[list[str]]]:
        """Open a page in a tab; return the id of the tab and the files of its list."""
        target = (await self.send("Target.createTarget", url="about:blank"))["targetId"]
        session = (await self.send("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        loaded = self._loaded[session] = asyncio.Event()
        await self.send("Page.enable", session)
        await self.send("Page.navigate", session, url=address)
        await loaded.wait()
        read = {"expression": READ, "awaitPromise": True, "returnByValue": True}
        result = await self.send("Runtime.evaluate", session, **read)
        return target, result["result"]["value"]


async def open_pipe(job: Job) -> tuple[Pipe, asyncio.subprocess.Process]:
    """Start the browser with a pipe."""
    to_read, their_out = os.pipe()
    their_in, to_write = os.pipe()

    def place() -> None:
        spare_in, spare_out = os.dup(their_in), os.dup(their_out)
        os.dup2(spare_in, 3)
        os.dup2(spare_out, 4)

    process = await asyncio.create_subprocess_exec(
        job.browser,
        "--remote-debugging-pipe",
        "--headless",
        f"--user-data-dir={job.profile}",
        "--no-first-run",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        "about:blank",
        preexec_fn=place,
        pass_fds=(3, 4),
        stderr=asyncio.subprocess.DEVNULL,
    )
    reader = asyncio.StreamReader(limit=1 << 26)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(to_read, "rb"))
    return Pipe(reader, to_write), process


async def run(job: Job) -> None:
    """Bring every order."""
    pipe, process = await open_pipe(job)
    cookies = [{key: one[key] for key in ("name", "value", "domain", "path")} for one in job.cookies]
    waiting = list(reversed(job.addresses))
    async with (
        httpx.AsyncClient(trust_env=False, cookies={one["name"]: one["value"] for one in cookies}) as client,
        anyio.create_task_group() as listening,
    ):
        listening.start_soon(pipe.listen)
        await pipe.send("Storage.setCookies", cookies=cookies)

        async def work() -> None:
            while waiting:
                address = waiting.pop()
                target, files = await pipe.open(address)
                folder = Path(job.folder) / address.rpartition("/")[2]
                folder.mkdir(parents=True)
                await pipe.send("Target.closeTarget", targetId=target)
                for link, text in files:
                    async with client.stream("GET", urljoin(address, link)) as answer:
                        with (folder / text.strip().replace("/", "_")).open("wb") as file:
                            async for piece in answer.aiter_bytes():
                                file.write(piece)
                tell_done(address)

        async with anyio.create_task_group() as orders:
            for _ in range(job.tab_count):
                orders.start_soon(work)
        await pipe.send("Browser.close")
        await process.wait()
        listening.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(run, read_job(sys.argv[1]))
