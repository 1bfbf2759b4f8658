from __future__ import annotations

import os
import struct

import anyio
import pytest

from poolwright.domain.errors import FrameFault
from poolwright.domain.ids import TaskId
from poolwright.domain.tasks import POTask
from poolwright.ipc.channel import Channel
from poolwright.ipc.codec import FRAME_LIMIT_BYTES, TO_SUPERVISOR, TO_WORKER, FrameError, encode
from poolwright.ipc.messages import Assign, Drain, Exiting, Hello, ToSupervisor
from tests.support.links import LARGE_BYTES, is_open, linked, piped, said, settled

LARGE = said("x" * LARGE_BYTES)
HELLO = Hello(slot=1, generation=1, pid=42)
BYE = Exiting(slot=1, generation=1)

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="pipes that can be waited for are of POSIX"),
    pytest.mark.timeout(60),
]


async def receive(link: Channel[ToSupervisor], count: int) -> list[ToSupervisor]:
    return [await link.receive() for _ in range(count)]


async def test_each_end_hears_what_the_other_says() -> None:
    assign = Assign(task=POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1"), staging="demo-1")
    async with linked() as (supervisor, worker):
        await worker.send(HELLO)
        await supervisor.send(assign)
        await supervisor.send(Drain())
        await worker.send(BYE)

        assert await receive(supervisor, 2) == [HELLO, BYE]
        assert [await worker.receive(), await worker.receive()] == [assign, Drain()]


async def test_frames_of_many_senders_do_not_mix() -> None:
    """Each is larger than the pipe, so every sender has to wait in the middle of its frame."""
    sent = [said(letter * LARGE_BYTES) for letter in "abcdef"]
    async with linked() as (supervisor, worker):
        received: list[ToSupervisor] = []
        async with anyio.create_task_group() as tasks:
            for message in sent:
                tasks.start_soon(worker.send, message)
            await settled()
            received += await receive(supervisor, len(sent))

        assert received == sent


async def test_a_cancelled_send_leaves_no_half_frame() -> None:
    async with linked() as (supervisor, worker):
        received: list[ToSupervisor] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(worker.send, LARGE)
            await settled()
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                received += await receive(supervisor, 1)
        await worker.send(BYE)

        assert received + await receive(supervisor, 1) == [LARGE, BYE]


async def test_a_cancelled_send_that_waits_for_its_turn_sends_nothing() -> None:
    async with linked() as (supervisor, worker), anyio.create_task_group() as tasks:
        turn = anyio.CancelScope()

        async def wait_for_turn() -> None:
            with turn:
                await worker.send(HELLO)

        tasks.start_soon(worker.send, LARGE)
        await settled()
        tasks.start_soon(wait_for_turn)
        await settled()
        turn.cancel()
        await settled()
        tasks.start_soon(worker.send, BYE)

        assert await receive(supervisor, 2) == [LARGE, BYE]
        assert turn.cancelled_caught


async def test_a_receive_that_is_cancelled_inside_a_frame_loses_nothing() -> None:
    content = encode(HELLO) + encode(BYE)
    async with piped() as (reader, writer), piped() as (_, down):
        link = Channel(reader, down, TO_SUPERVISOR)
        got: list[ToSupervisor] = []

        async def listen(scope: anyio.CancelScope) -> None:
            with scope:
                got.append(await link.receive())

        async with anyio.create_task_group() as tasks:
            for at in range(len(content)):
                scope = anyio.CancelScope()
                tasks.start_soon(listen, scope)
                await settled()
                os.write(writer._descriptor, content[at : at + 1])
                scope.cancel()
                await settled()
        if len(got) < 2:
            got += await receive(link, 2 - len(got))

        assert got == [HELLO, BYE]


async def test_the_end_between_two_frames_is_the_end() -> None:
    async with linked() as (supervisor, worker):
        await worker.send(HELLO)
        await worker.aclose()

        assert await supervisor.receive() == HELLO
        for _ in range(2):
            with pytest.raises(anyio.EndOfStream):
                await supervisor.receive()


async def test_the_end_inside_a_frame_is_a_fault() -> None:
    async with piped() as (reader, writer), piped() as (_, down):
        link = Channel(reader, down, TO_SUPERVISOR)
        await writer.send(encode(HELLO) + encode(BYE)[:-1])
        await writer.aclose()

        assert await link.receive() == HELLO
        for _ in range(2):
            with pytest.raises(FrameError) as caught:
                await link.receive()
            assert caught.value.fault is FrameFault.TORN


async def test_what_came_before_a_fault_is_heard_and_nothing_after_it() -> None:
    async with piped() as (reader, writer), piped() as (_, down):
        link = Channel(reader, down, TO_SUPERVISOR)
        await writer.send(encode(HELLO) + encode(BYE) + struct.pack(">I", 2) + b"{}" + encode(BYE))

        assert await receive(link, 2) == [HELLO, BYE]
        for _ in range(2):
            with pytest.raises(FrameError) as caught:
                await link.receive()
            assert caught.value.fault is FrameFault.NOT_A_MESSAGE


async def test_a_message_that_is_too_large_is_not_begun() -> None:
    async with linked() as (supervisor, worker):
        with pytest.raises(FrameError):
            await worker.send(said("x" * FRAME_LIMIT_BYTES))
        await worker.send(BYE)

        assert await supervisor.receive() == BYE


async def test_a_link_that_is_closed_here_tells_both_who_wait() -> None:
    async with linked() as (supervisor, _worker), anyio.create_task_group() as tasks:

        async def listen() -> None:
            with pytest.raises(anyio.ClosedResourceError):
                await supervisor.receive()

        async def speak() -> None:
            with pytest.raises(anyio.ClosedResourceError):
                await supervisor.send(LARGE)

        for task in (listen, speak, speak):
            tasks.start_soon(task)
        await settled()
        await supervisor.aclose()


async def test_who_speaks_to_a_peer_that_is_gone_is_told() -> None:
    async with linked() as (supervisor, worker):
        await worker.aclose()

        with pytest.raises(anyio.BrokenResourceError):
            await supervisor.send(Drain())


async def test_a_link_is_closed_with_its_block() -> None:
    async with linked() as (supervisor, worker):
        async with worker:
            await worker.send(said("last words"))

        assert await supervisor.receive() == said("last words")
        with pytest.raises(anyio.EndOfStream):
            await supervisor.receive()


async def test_both_directions_are_closed_although_the_caller_is_cancelled() -> None:
    async with piped() as (reader, _up), piped() as (_down, writer):
        link = Channel(reader, writer, TO_WORKER)
        mine = [reader._descriptor, writer._descriptor]
        with anyio.CancelScope() as scope:
            scope.cancel()
            await link.aclose()

        assert not any(is_open(descriptor) for descriptor in mine)
