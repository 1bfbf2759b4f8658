from __future__ import annotations

import os

import anyio
import pytest

from poolwright.ipc import channel
from poolwright.ipc.channel import PipeReader, PipeWriter
from tests.support.links import LARGE_BYTES, fill, is_open, piped, read_all, settled

LARGE = os.urandom(LARGE_BYTES)

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="pipes that can be waited for are of POSIX"),
    pytest.mark.timeout(60),
]


async def test_what_is_written_is_read_and_then_the_end() -> None:
    async with piped() as (reader, writer):
        await writer.send(b"one ")
        await writer.send(b"")
        await writer.send(b"two")
        await writer.aclose()

        assert await read_all(reader) == b"one two"
        for _ in range(2):
            with pytest.raises(anyio.EndOfStream):
                await reader.receive()


async def test_a_writer_waits_while_the_pipe_is_full_and_loses_nothing() -> None:
    async with piped() as (reader, writer):
        sent, received = anyio.Event(), b""

        async def send() -> None:
            await writer.send(LARGE)
            sent.set()
            await writer.aclose()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send)
            await settled()
            assert not sent.is_set()
            received += await reader.receive(10)
            await settled()
            assert not sent.is_set()
            received += await read_all(reader)

        assert received == LARGE


async def test_a_reader_takes_no_more_than_it_asks_for() -> None:
    async with piped() as (reader, writer):
        await writer.send(b"abcdef")

        assert await reader.receive(4) == b"abcd"
        assert await reader.receive(4) == b"ef"


async def test_a_reader_that_waits_gets_what_comes() -> None:
    async with piped() as (reader, writer), anyio.create_task_group() as tasks:
        got: list[bytes] = []

        async def receive() -> None:
            got.append(await reader.receive())

        tasks.start_soon(receive)
        await settled()
        assert not got
        await writer.send(b"late")
        await settled()
        assert got == [b"late"]


async def test_a_reader_that_is_closed_while_it_waits_is_told() -> None:
    async with piped() as (reader, _writer), anyio.create_task_group() as tasks:

        async def receive() -> None:
            with pytest.raises(anyio.ClosedResourceError):
                await reader.receive()

        tasks.start_soon(receive)
        await settled()
        await reader.aclose()


async def test_a_writer_that_is_closed_while_it_waits_is_told() -> None:
    async with piped() as (_reader, writer), anyio.create_task_group() as tasks:

        async def send() -> None:
            with pytest.raises(anyio.ClosedResourceError):
                await writer.send(LARGE)

        tasks.start_soon(send)
        await settled()
        await writer.aclose()


async def test_a_closed_end_does_nothing_more() -> None:
    async with piped() as (reader, writer):
        await reader.aclose()
        await writer.aclose()

        with pytest.raises(anyio.ClosedResourceError):
            await reader.receive()
        with pytest.raises(anyio.ClosedResourceError):
            await writer.send(b"x")


async def test_a_writer_is_told_that_its_reader_is_gone() -> None:
    async with piped() as (reader, writer):
        await reader.aclose()

        with pytest.raises(anyio.BrokenResourceError):
            await writer.send(b"x")


async def test_a_writer_that_waits_is_told_that_its_reader_is_gone() -> None:
    async with piped() as (reader, writer), anyio.create_task_group() as tasks:

        async def send() -> None:
            with pytest.raises(anyio.BrokenResourceError):
                await writer.send(LARGE)

        tasks.start_soon(send)
        await settled()
        await reader.aclose()


@pytest.mark.parametrize("kind", [PipeReader, PipeWriter])
async def test_closing_twice_does_not_touch_who_has_the_number_now(kind: type[PipeReader | PipeWriter]) -> None:
    read, write = os.pipe()
    end, other = (kind(read), write) if kind is PipeReader else (kind(write), read)
    await end.aclose()
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(2)]

    await end.aclose()

    assert all(is_open(descriptor) for descriptor in taken)
    for descriptor in [*taken, other]:
        os.close(descriptor)


@pytest.mark.parametrize("kind", [PipeReader, PipeWriter])
async def test_an_end_is_closed_although_the_caller_is_cancelled(kind: type[PipeReader | PipeWriter]) -> None:
    read, write = os.pipe()
    mine, other = (read, write) if kind is PipeReader else (write, read)
    end = kind(mine)

    with anyio.CancelScope() as scope:
        scope.cancel()
        await end.aclose()

    assert scope.cancelled_caught
    assert not is_open(mine)
    os.close(other)


async def test_a_reader_that_is_cancelled_while_it_waits_loses_nothing() -> None:
    async with piped() as (reader, writer), anyio.create_task_group() as tasks:
        got: list[bytes] = []

        async def receive(scope: anyio.CancelScope) -> None:
            with scope:
                got.append(await reader.receive())

        for number in range(20):
            scope = anyio.CancelScope()
            tasks.start_soon(receive, scope)
            await settled()
            # The bytes are there before the reader has run again: both wake it at once.
            os.write(writer._descriptor, bytes([number]))
            scope.cancel()
            await settled()
        await writer.aclose()

        assert b"".join(got) + await read_all(reader) == bytes(range(20))


async def test_a_reader_that_is_cancelled_beforehand_takes_nothing() -> None:
    async with piped() as (reader, writer):
        await writer.send(b"whole")
        with anyio.CancelScope() as scope:
            scope.cancel()
            await reader.receive()

        assert scope.cancelled_caught
        assert await reader.receive() == b"whole"


async def test_a_send_that_is_cancelled_before_its_first_byte_leaves_none() -> None:
    async with piped() as (reader, writer):
        before = await fill(writer)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.send, b"never")
            await settled()
            tasks.cancel_scope.cancel()
        await writer.aclose()

        assert await read_all(reader) == before


async def test_a_send_that_is_cancelled_after_its_first_byte_is_finished() -> None:
    async with piped() as (reader, writer):
        received = b""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.send, LARGE)
            await settled()
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                while len(received) < len(LARGE):
                    received += await reader.receive()
        await writer.send(b" and more")
        await writer.aclose()

        assert received + await read_all(reader) == LARGE + b" and more"


async def test_nobody_waits_for_ever_for_a_reader_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped process reads nothing: what was begun is given up, and the pipe with it."""
    monkeypatch.setattr(channel, "FINISH_LIMIT_S", 0.05)
    async with piped() as (reader, writer):
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(writer.send, LARGE)
                await settled()
                tasks.cancel_scope.cancel()

        assert len(await read_all(reader)) < len(LARGE)
        with pytest.raises(anyio.ClosedResourceError):
            await writer.send(b"x")
