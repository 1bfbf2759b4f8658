"""The server: who is slow to ask is let go, a port that is taken is told, the end waits for answers under way."""

from __future__ import annotations

import socket
import sys
from asyncio import Transport
from contextlib import AsyncExitStack, ExitStack

import anyio
import httpx
import psutil
import pytest
from anyio.abc import SocketStream
from starlette.types import Receive, Scope, Send

from poolwright.domain.errors import OptionsError, SetupError
from poolwright.service.api import http_server as module
from poolwright.service.api.http_server import ListenAddress, listener_url, open_listener, run_server
from poolwright.service.api.middleware import RequestLimitMiddleware, RequestLimits

HERE = ListenAddress(host="127.0.0.1", port=0)
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
DEADLINE_S = 0.3


class SlowApp:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked, self.go = anyio.Event(), anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


def ready() -> SlowApp:
    app = SlowApp()
    app.go.set()
    return app


async def until_closed(stream: SocketStream) -> bytes:
    said = b""
    with anyio.fail_after(30):
        try:
            while True:
                said += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return said


async def connected(listener: socket.socket) -> SocketStream:
    host, port = listener.getsockname()
    return await anyio.connect_tcp(host, port)


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "])
async def test_a_connection_that_does_not_ask_is_closed(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEADERS_S", DEADLINE_S)
    with open_listener(HERE) as listener:
        async with run_server(ready(), listener), await connected(listener) as stream:
            if said:
                await stream.send(said)

            assert await until_closed(stream) == b""


async def test_drops_of_a_request_win_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEADERS_S", DEADLINE_S)
    with open_listener(HERE) as listener:
        async with run_server(ready(), listener), await connected(listener) as stream:
            await stream.send(REQUEST[:-2])
            sent_count = 0
            with anyio.fail_after(30):
                try:
                    while True:
                        await stream.send(b"X: y\r\n")
                        sent_count += 1
                        await anyio.sleep(DEADLINE_S / 10)  # a drop now and then is what this is about
                except anyio.BrokenResourceError:
                    pass

    assert sent_count


async def test_a_second_request_has_its_time_too_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEADERS_S", DEADLINE_S)
    with open_listener(HERE) as listener:
        async with run_server(ready(), listener), await connected(listener) as stream:
            for _ in range(2):
                await stream.send(REQUEST)
                assert b"200 OK" in await stream.receive()
            await stream.send(REQUEST[:-2])

            assert b"HTTP" not in await until_closed(stream)


async def test_an_answer_that_takes_longer_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEADERS_S", DEADLINE_S)
    app = SlowApp()
    with open_listener(HERE) as listener:
        async with run_server(app, listener), await connected(listener) as stream:
            await stream.send(REQUEST)
            await app.asked.wait()
            await anyio.sleep(2 * DEADLINE_S)  # that time passes without harm is what this is about
            app.go.set()

            assert b"200 OK" in await stream.receive()


async def test_the_end_waits_for_an_answer_under_way() -> None:
    app = SlowApp()
    answers: list[httpx.Response] = []

    async def ask(url: str) -> None:
        async with httpx.AsyncClient() as client:
            answers.append(await client.get(url))

    with open_listener(HERE) as listener:
        url = listener_url(listener)
        async with anyio.create_task_group() as tasks, run_server(app, listener):
            tasks.start_soon(ask, url)
            await app.asked.wait()
            tasks.start_soon(_soon, app.go)
        with pytest.raises(httpx.ConnectError):
            await ask(url)

    assert [answer.text for answer in answers] == ["ok"]


async def _soon(event: anyio.Event) -> None:
    await anyio.lowlevel.checkpoint()
    event.set()


async def test_what_ends_by_an_error_serves_no_longer() -> None:
    with open_listener(HERE) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(KeyError):
            async with run_server(ready(), listener):
                raise KeyError
        with pytest.raises(OSError, match="attempts failed"):
            await anyio.connect_tcp("127.0.0.1", port)


def test_a_port_that_is_taken_is_told() -> None:
    with open_listener(HERE) as listener:
        port = listener.getsockname()[1]
        with (
            pytest.raises(SetupError, match=f"port {port} cannot be opened"),
            open_listener(ListenAddress(host="127.0.0.1", port=port)),
        ):
            pass


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(SetupError, match=r"192\.0\.2\.1"), open_listener(ListenAddress(host="192.0.2.1", port=0)):
        pass
    with pytest.raises(OptionsError, match="not an address"), open_listener(ListenAddress(host="no such host", port=0)):
        pass


HALF_A_BODY = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nhalf"


@pytest.mark.parametrize(
    ("said", "is_answered"),
    [(b"", False), (REQUEST[:-2], False), (REQUEST, True), (HALF_A_BODY, True), (HALF_A_BODY, False)],
    ids=["silent", "half a request", "nothing after an answer", "no rest after an answer", "half a body"],
)
async def test_connections_that_let_us_wait_keep_out_nobody_who_asks(
    said: bytes, is_answered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW_CONNECTIONS_MAX", 3)
    monkeypatch.setattr(module, "CONNECTIONS_MAX", 5)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST" and not is_answered:
            while (await receive()).get("more_body"):
                pass
        await ready()(scope, receive, send)

    with open_listener(HERE) as listener:
        async with run_server(app, listener), AsyncExitStack() as stack:
            waited_for: list[SocketStream] = []
            for _ in range(5):
                waited_for.append(await stack.enter_async_context(await connected(listener)))
                if said:
                    await waited_for[-1].send(said)
                if is_answered:
                    assert b"200 OK" in await waited_for[-1].receive()
            async with httpx.AsyncClient() as client:
                answer = await client.get(listener_url(listener))
            gone = [await until_closed(one) for one in waited_for[:2]]

    assert (answer.status_code, gone) == (200, [b"", b""]), "those that let us wait for longest make way"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system lists descriptors")
async def test_a_crowd_takes_few_descriptors_and_keeps_out_nobody_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    letting_in = module.HttpConnection.connection_made

    def counted(self: module.HttpConnection, transport: Transport) -> None:
        counts.append(psutil.Process().num_fds())
        letting_in(self, transport)

    monkeypatch.setattr(module.HttpConnection, "connection_made", counted)
    with open_listener(HERE) as listener, ExitStack() as crowd:
        async with run_server(ready(), listener):
            for _ in range(500):  # the loop of the server does not run meanwhile
                one = crowd.enter_context(socket.socket())
                one.setblocking(False)
                one.connect_ex(listener.getsockname())
            before = psutil.Process().num_fds()
            async with httpx.AsyncClient(timeout=60) as client:
                answer = await client.get(listener_url(listener))

    assert answer.status_code == 200
    assert max(counts) - before <= module.SLOW_CONNECTIONS_MAX + 5 * module.BACKLOG, (
        "accepted, judged, closed: each in a turn of the loop"
    )


LARGE = b"x" * 64 * 1024 * 1024


async def large(scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(LARGE))]})
    await send({"type": "http.response.body", "body": LARGE if scope["path"] == "/" else b""})


async def test_an_answer_that_nobody_takes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNREAD_ANSWER_S", DEADLINE_S)
    ended = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await large(scope, receive, send)
        while (await receive())["type"] != "http.disconnect":
            pass
        ended.set()

    with open_listener(HERE) as listener:
        async with run_server(app, listener), await connected(listener) as stream:
            await stream.send(REQUEST)
            with anyio.fail_after(30):
                await ended.wait()
            said = await until_closed(stream)

    assert len(said) < len(LARGE)


async def test_a_request_that_tells_its_length_twice_is_the_last_of_its_connection() -> None:
    twice = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    app = RequestLimitMiddleware(ready(), RequestLimits())
    with open_listener(HERE) as listener:
        async with run_server(app, listener), await connected(listener) as stream:
            await stream.send(twice + REQUEST)
            said = await until_closed(stream)

    assert said.startswith(b"HTTP/1.1 400")
    assert said.count(b"HTTP/1.1 ") == 1
