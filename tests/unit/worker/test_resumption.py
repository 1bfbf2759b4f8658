"""A transfer that broke off goes on only with the rest of the very same bytes."""

from __future__ import annotations

import pytest

from poolwright.worker.transfer.resumption import Continuation, Resumption, total_size
from poolwright.worker.transfer.validators import Validators

DATE, BEFORE = "Mon, 30 Nov 2026 09:00:00 GMT", "Mon, 30 Nov 2026 08:00:00 GMT"
TAGGED = {"etag": '"a"', "content-length": "100"}
DATED = {"last-modified": BEFORE, "date": DATE}
REST = Resumption(received_bytes=40, total_bytes=100, validators=Validators(etag='"a"', last_modified=BEFORE))
OPEN_REST = Resumption(received_bytes=40, total_bytes=None, validators=Validators(etag='"a"'))
DATED_REST = Resumption(received_bytes=40, total_bytes=100, validators=Validators(last_modified=BEFORE))


@pytest.mark.parametrize(
    ("status", "headers", "received_bytes", "expected"),
    [
        (200, TAGGED, 40, (40, 100)),
        (200, TAGGED, 1, (1, 100)),
        (200, TAGGED, 99, (99, 100)),
        (200, {"etag": '"a"', "transfer-encoding": "chunked"}, 40, (40, None)),
        (200, {"etag": '"a"', "accept-ranges": "bytes", "content-encoding": "identity"}, 40, (40, None)),
        (200, DATED, 40, (40, None)),
    ],
)
def test_the_rest_can_be_asked_for(
    status: int, headers: dict[str, str], received_bytes: int, expected: tuple[int, int | None]
) -> None:
    rest = Resumption.find(status, headers, received_bytes)

    assert rest is not None
    assert (rest.received_bytes, rest.total_bytes) == expected


@pytest.mark.parametrize(
    ("status", "headers", "received_bytes"),
    [
        (203, TAGGED, 40),
        (206, TAGGED | {"content-range": "bytes 0-99/100"}, 40),
        (200, TAGGED, 0),
        (200, TAGGED, 100),
        (200, TAGGED, 101),
        (200, {"content-length": "100"}, 40),
        (200, {"etag": 'W/"a"', "content-length": "100"}, 40),
        (200, {"last-modified": BEFORE, "date": BEFORE}, 40),
        (200, TAGGED | {"content-encoding": "gzip"}, 40),
        (200, TAGGED | {"accept-ranges": " None "}, 40),
    ],
)
def test_the_rest_is_not_asked_for(status: int, headers: dict[str, str], received_bytes: int) -> None:
    assert Resumption.find(status, headers, received_bytes) is None


def test_the_request_names_the_state_of_the_file() -> None:
    assert REST.headers == {"Range": "bytes=40-", "If-Range": '"a"'}
    assert DATED_REST.headers == {"Range": "bytes=40-", "If-Range": BEFORE}


@pytest.mark.parametrize(
    ("rest", "headers"),
    [
        (REST, {"content-range": "bytes 40-99/100", "etag": '"a"'}),
        (REST, {"content-range": " BYTES  40-99/100 ", "etag": ' "a" '}),
        (REST, {"content-range": "bytes 40-99/*", "etag": '"a"'}),
        (REST, {"content-range": "bytes 40-99/100", "last-modified": BEFORE}),
        (REST, {"content-range": "bytes 40-99/100", "etag": '"a"', "last-modified": DATE}),
        (OPEN_REST, {"content-range": "bytes 40-99/100", "etag": '"a"'}),
        (OPEN_REST, {"content-range": "bytes 40-99/100", "etag": '"a"', "last-modified": DATE}),
        (DATED_REST, {"content-range": "bytes 40-99/100", "last-modified": BEFORE}),
        (DATED_REST, {"content-range": "bytes 40-99/100", "etag": '"b"', "last-modified": BEFORE}),
    ],
)
def test_an_answer_is_the_rest(rest: Resumption, headers: dict[str, str]) -> None:
    assert rest.judge(206, headers) is Continuation.REST


@pytest.mark.parametrize(
    ("rest", "headers"),
    [
        (REST, {"content-range": "bytes 39-99/100", "etag": '"a"'}),
        (REST, {"content-range": "bytes 41-99/100", "etag": '"a"'}),
        (REST, {"content-range": "bytes 40-98/100", "etag": '"a"'}),
        (REST, {"content-range": "bytes 40-98/*", "etag": '"a"'}),
        (REST, {"content-range": "bytes 40-100/101", "etag": '"a"'}),
        (OPEN_REST, {"content-range": "bytes 40-98/100", "etag": '"a"'}),
        (OPEN_REST, {"content-range": "bytes 40-99/*", "etag": '"a"'}),
        (REST, {"content-range": "bytes */100", "etag": '"a"'}),
        (REST, {"content-range": "multipart", "etag": '"a"'}),
        (REST, {"etag": '"a"'}),
        (REST, {"content-range": "bytes 40-99/100", "etag": '"a"', "content-encoding": "gzip"}),
        (REST, {"content-range": "bytes 40-99/100"}),
        (OPEN_REST, {"content-range": "bytes 40-99/100"}),
        (OPEN_REST, {"content-range": "bytes 40-99/100", "last-modified": BEFORE}),
        (OPEN_REST, {"content-range": "bytes 40-99/100", "last-modified": ""}),
        (DATED_REST, {"content-range": "bytes 40-99/100"}),
        (DATED_REST, {"content-range": "bytes 40-99/100", "etag": '"a"'}),
        (REST, {"content-range": "bytes 40-99/100", "etag": '"b"'}),
        (REST, {"content-range": "bytes 40-99/100", "etag": 'W/"a"'}),
        (REST, {"content-range": "bytes 40-99/100", "last-modified": DATE}),
        (DATED_REST, {"content-range": "bytes 40-99/100", "last-modified": DATE}),
    ],
)
def test_an_answer_is_another_part_or_another_file(rest: Resumption, headers: dict[str, str]) -> None:
    assert rest.judge(206, headers) is Continuation.NEITHER


@pytest.mark.parametrize("status", [204, 302, 401, 404, 416, 500])
def test_another_status_leaves_the_transfer_broken(status: int) -> None:
    assert REST.judge(status, {"content-range": "bytes 40-99/100"}) is Continuation.NEITHER


def test_a_whole_file_begins_anew() -> None:
    assert REST.judge(200, {"etag": '"b"'}) is Continuation.WHOLE


@pytest.mark.parametrize(
    ("header", "size_bytes"), [("bytes 40-99/100", 100), ("bytes 40-99/*", None), ("bytes */100", None), ("", None)]
)
def test_the_length_of_the_file_is_that_behind_the_slash(header: str, size_bytes: int | None) -> None:
    assert total_size({"content-range": header}) == size_bytes


def test_an_answer_without_a_part_tells_no_length() -> None:
    assert total_size({}) is None
