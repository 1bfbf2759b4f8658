from __future__ import annotations

import contextlib
import json
import math
import struct
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from poolwright.domain.errors import FrameFault
from poolwright.domain.events import Level, SessionView
from poolwright.domain.ids import TaskId
from poolwright.domain.options import BrowserOptions, PortalOptions, Secret, WorkerOptions
from poolwright.domain.outcomes import Reason
from poolwright.domain.state_machine import Transition
from poolwright.domain.tasks import FetchedFile, POTask, Report
from poolwright.ipc import messages as wire
from poolwright.ipc.codec import FRAME_LIMIT_BYTES, TO_SUPERVISOR, TO_WORKER, Decoder, FrameError, encode
from poolwright.worker.page.page_content import LINK_COUNT_MAX
from tests.support.archive_orders import fetched
from tests.support.pace import UNHURRIED
from tests.unit.ipc import strategies
from tests.unit.ipc.strategies import Strategies

PASSWORD = "hunter2"

ODD_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["hello", "bye"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "slot", "generation", "pid", "x"]), inner)
    ),
    max_leaves=8,
)

HELLO = wire.Hello(slot=1, generation=1, pid=42)
READY = wire.Ready(slot=1, generation=1, session=SessionView(status="ACTIVE", main_window_handle="keeper"))
MOVED = wire.StateChanged(
    slot=1,
    generation=1,
    transition=Transition(
        machine="tab",
        entity="demo:1",
        origin="OPENING",
        event="OPENED",
        target="LOADING",
        at=datetime(2031, 5, 6, tzinfo=UTC),
    ),
)
FILE = FetchedFile(name="a.pdf", label="a", size_bytes=1, sha256="00", media_type="application/pdf", source_url="")
FINISHED = wire.Finished(
    slot=1, generation=1, task_id=TaskId("demo:1"), report=Report(reason=Reason.ALL_SAVED, files=(FILE,))
)
BYE = wire.Exiting(slot=1, generation=2)
ASSIGN = wire.Assign(task=POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1"), staging="demo-1")
CONFIGURE = wire.Configure(
    options=WorkerOptions(
        browser=BrowserOptions(),
        portal=PortalOptions(pack_json="{}", base_url="https://portal.test", password=Secret(text=PASSWORD)),
    ),
    paths=wire.WorkerPaths(profile_path="/p", staging_path="/s"),
)


def frame(body: bytes) -> bytes:
    """A frame with any body."""
    return struct.pack(">I", len(body)) + body


ODD_BYTES = (
    st.binary(max_size=300) | st.binary(max_size=60).map(frame) | ODD_JSON.map(json.dumps).map(str.encode).map(frame)
)


def said(text: str) -> wire.LogNotice:
    return wire.LogNotice(slot=1, generation=1, level=Level.INFO, text=text)


def content_of(message: BaseModel) -> dict[str, Any]:
    """What stands in a frame."""
    return json.loads(encode(message)[4:])


def heard(content: bytes) -> list[wire.ToSupervisor]:
    """What the supervisor reads from these bytes."""
    return list(Decoder(TO_SUPERVISOR).feed(content))


def told(content: bytes) -> list[wire.ToWorker]:
    """What a worker reads from these bytes."""
    return list(Decoder(TO_WORKER).feed(content))


def fault_of(content: bytes) -> FrameFault:
    with pytest.raises(FrameError) as caught:
        heard(content)
    return caught.value.fault


def changed(message: BaseModel, path: str, value: object) -> bytes:
    """A frame of this message in which one place holds something else."""
    content = content_of(message)
    *steps, last = path.split(".")
    place: Any = content
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    place[last] = value
    return frame(json.dumps(content).encode())


def cut(data: st.DataObject, content: bytes) -> list[bytes]:
    """The same bytes, cut anywhere."""
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=12))
    return [content[start:end] for start, end in pairwise(sorted({0, len(content), *cuts}))]


def kinds(offered: Strategies) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("messages", offered.values(), ids=[kind.__name__ for kind in offered])


@kinds(strategies.TO_SUPERVISOR)
@UNHURRIED
@given(data=st.data())
def test_what_a_worker_says_arrives_whatever_the_pipe_does(
    messages: st.SearchStrategy[BaseModel], data: st.DataObject
) -> None:
    sent = data.draw(st.lists(messages, min_size=1, max_size=3))
    decoder = Decoder(TO_SUPERVISOR)

    received = [message for chunk in cut(data, b"".join(map(encode, sent))) for message in decoder.feed(chunk)]
    decoder.finish()

    assert received == sent


@kinds(strategies.TO_WORKER)
@UNHURRIED
@given(data=st.data())
def test_what_a_worker_is_told_arrives_whatever_the_pipe_does(
    messages: st.SearchStrategy[BaseModel], data: st.DataObject
) -> None:
    sent = data.draw(st.lists(messages, min_size=1, max_size=3))
    decoder = Decoder(TO_WORKER)

    received = [message for chunk in cut(data, b"".join(map(encode, sent))) for message in decoder.feed(chunk)]
    decoder.finish()

    assert received == sent


def test_no_message_of_the_protocol_is_left_out_above() -> None:
    assert set(strategies.TO_WORKER) == set(strategies.members(wire.ToWorker))
    assert set(strategies.TO_SUPERVISOR) == set(strategies.members(wire.ToSupervisor))


def test_bytes_may_come_one_by_one() -> None:
    sent = [HELLO, said("日本語 🦜"), BYE]
    decoder = Decoder(TO_SUPERVISOR)

    content = b"".join(map(encode, sent))
    received = [message for at in range(len(content)) for message in decoder.feed(content[at : at + 1])]
    decoder.finish()

    assert received == sent


@kinds(strategies.TO_WORKER)
@UNHURRIED
@given(data=st.data())
def test_the_supervisor_refuses_what_only_it_may_say(
    messages: st.SearchStrategy[BaseModel], data: st.DataObject
) -> None:
    assert fault_of(encode(data.draw(messages))) is FrameFault.NOT_A_MESSAGE


@pytest.mark.parametrize("message", [HELLO, READY, MOVED, FINISHED, BYE, said("x")], ids=lambda one: one.type)
def test_a_worker_refuses_what_only_it_may_say(message: BaseModel) -> None:
    with pytest.raises(FrameError) as caught:
        told(encode(message))
    assert caught.value.fault is FrameFault.NOT_A_MESSAGE


@pytest.mark.parametrize(
    "content",
    [
        changed(HELLO, "slot", "one"),
        changed(HELLO, "slot", "1"),
        changed(HELLO, "slot", 1.5),
        changed(HELLO, "slot", True),
        changed(HELLO, "slot", None),
        changed(HELLO, "pid", [42]),
        changed(HELLO, "type", "bonjour"),
        changed(HELLO, "type", None),
        changed(READY, "session", {}),
        changed(READY, "session.status", 1),
        changed(READY, "session.active_tabs", []),
        changed(MOVED, "transition.at", "yesterday"),
        changed(MOVED, "transition.at", 1_900_000_000),
        changed(FINISHED, "report.reason", "bad_luck"),
        changed(FINISHED, "report.files", {}),
        changed(FINISHED, "report.files.0.size_bytes", "1"),
        changed(FINISHED, "report.duration_s", "fast"),
    ],
)
def test_a_wrong_type_is_no_message(content: bytes) -> None:
    assert fault_of(content) is FrameFault.NOT_A_MESSAGE


@pytest.mark.parametrize(
    "content",
    [
        changed(HELLO, "colour", "red"),
        changed(READY, "session.colour", "red"),
        changed(MOVED, "transition.colour", "red"),
        changed(FINISHED, "report.colour", "red"),
        changed(FINISHED, "report.files.0.colour", "red"),
    ],
)
def test_an_extra_field_is_no_message(content: bytes) -> None:
    assert fault_of(content) is FrameFault.NOT_A_MESSAGE


@pytest.mark.parametrize("path", ["colour", "options.colour", "options.portal.password.colour", "paths.colour"])
def test_an_extra_field_is_nothing_that_a_worker_is_told(path: str) -> None:
    with pytest.raises(FrameError):
        told(changed(CONFIGURE, path, "red"))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b"{}", b"\xff\xfe", b'"hello"', b"[" * 100_000, b'{"type":"hello"}']
)
def test_garbage_is_no_message(body: bytes) -> None:
    assert fault_of(frame(body)) is FrameFault.NOT_A_MESSAGE


@UNHURRIED
@given(content=ODD_BYTES)
def test_no_bytes_bring_anything_but_messages_or_a_fault(content: bytes) -> None:
    decoder = Decoder(TO_SUPERVISOR)
    with contextlib.suppress(FrameError):
        list(decoder.feed(content))
        decoder.finish()


def test_a_frame_may_be_as_large_as_the_limit_and_no_larger() -> None:
    room = FRAME_LIMIT_BYTES - (len(encode(said(""))) - 4)
    largest = said("x" * room)

    assert len(encode(largest)) == 4 + FRAME_LIMIT_BYTES
    assert heard(encode(largest)) == [largest]
    with pytest.raises(FrameError, match=f"LogNotice of {FRAME_LIMIT_BYTES + 1} bytes") as caught:
        encode(said("x" * (room + 1)))
    assert caught.value.fault is FrameFault.TOO_LARGE


def test_a_report_of_as_many_files_as_a_page_may_have_fits_into_a_frame() -> None:
    letters = "\N{CJK UNIFIED IDEOGRAPH-898B}" * 80  # as long as a name may be
    file = replace(
        FILE, name=f"{letters}.pdf", label=letters * 2, source_url=f"https://p.test/{'a' * 300}", sha256="0" * 64
    )
    report = Report(reason=Reason.ALL_SAVED, files=(file,) * LINK_COUNT_MAX)

    assert len(encode(FINISHED.model_copy(update={"report": report}))) < FRAME_LIMIT_BYTES


def test_the_limit_counts_bytes_and_not_letters() -> None:
    with pytest.raises(FrameError):
        encode(said("語" * (FRAME_LIMIT_BYTES // 2)))


def test_an_oversize_frame_is_refused_before_it_has_arrived() -> None:
    assert fault_of(struct.pack(">I", FRAME_LIMIT_BYTES + 1)) is FrameFault.TOO_LARGE
    assert fault_of(b"HTTP/1.1 200 OK") is FrameFault.TOO_LARGE


@UNHURRIED
@given(data=st.data())
def test_a_link_may_end_between_two_frames_and_nowhere_else(data: st.DataObject) -> None:
    content, first = encode(HELLO) + encode(BYE), len(encode(HELLO))
    end = data.draw(st.integers(0, len(content)))
    decoder = Decoder(TO_SUPERVISOR)
    list(decoder.feed(content[:end]))

    if end in {0, first, len(content)}:
        decoder.finish()
    else:
        with pytest.raises(FrameError) as caught:
            decoder.finish()
        assert caught.value.fault is FrameFault.TORN


def test_messages_before_a_broken_frame_are_given_first() -> None:
    messages = Decoder(TO_SUPERVISOR).feed(encode(HELLO) + encode(BYE) + frame(b"{}"))

    assert [next(messages), next(messages)] == [HELLO, BYE]
    with pytest.raises(FrameError):
        next(messages)


def test_a_secret_crosses_the_link() -> None:
    [received] = told(encode(CONFIGURE))

    assert isinstance(received, wire.Configure)
    assert received.options.portal is not None
    assert received.options.portal.password.text == PASSWORD


def test_a_secret_does_not_show_in_a_message() -> None:
    assert PASSWORD not in repr(CONFIGURE)
    assert PASSWORD not in str(CONFIGURE)


@pytest.mark.parametrize(
    "content",
    [
        changed(CONFIGURE, "options.portal.password", {"text": PASSWORD, "colour": "red"}),
        changed(CONFIGURE, "options.portal.password.text", [PASSWORD]),
        changed(CONFIGURE, "options.portal", {"password": {"text": PASSWORD}}),
        changed(CONFIGURE, "type", PASSWORD),
        encode(CONFIGURE).replace(b'{"type"', b'["type"'),
    ],
)
def test_a_secret_does_not_show_in_the_traceback_of_a_refused_frame(content: bytes) -> None:
    with pytest.raises(FrameError) as caught:
        told(content)

    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("odd", ["half \ud83d pair", "\udcff file name", "\udfff"])
def test_half_a_letter_does_not_break_the_link(odd: str) -> None:
    """Scripts of a page and names of files can hold half of a surrogate pair, which UTF-8 cannot."""
    report = Report(reason=Reason.ALL_SAVED, detail=odd, fields={"supplier": odd})
    sent = wire.Finished(slot=1, generation=1, task_id=TaskId("demo:1"), report=report)

    [received] = heard(encode(sent))

    whole = odd.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert isinstance(received, wire.Finished)
    assert received.report.detail == whole
    assert received.report.fields == {"supplier": whole}


@pytest.mark.parametrize("seconds", [math.inf, math.nan])
def test_a_number_without_end_does_not_break_the_link(seconds: float) -> None:
    report = Report(reason=Reason.PORTAL_BUSY, retry_after_s=seconds, duration_s=seconds)
    sent = wire.Finished(slot=1, generation=1, task_id=TaskId("demo:1"), report=report)

    [received] = heard(encode(sent))

    assert isinstance(received, wire.Finished)
    assert repr(received.report.retry_after_s) == repr(received.report.duration_s) == repr(seconds)


def test_the_page_of_an_order_travels_with_its_report() -> None:
    report = Report(reason=Reason.ALL_SAVED, page_evidence=fetched("order page.pdf", b"page"))
    sent = wire.Finished(slot=1, generation=1, task_id=TaskId("demo:1"), report=report)

    [received] = heard(encode(sent))

    assert isinstance(received, wire.Finished)
    assert received.report == report
