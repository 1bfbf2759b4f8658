"""A process may open enough files for a browser, or it is said at once that it may not."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from poolwright.domain.errors import SetupError
from poolwright.system.open_files import open_file_limit, raise_open_file_limit

NO_LIMIT = -1


def limited(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> list[tuple[int, int]]:
    """Let the system have limits; what is set comes into the list."""
    made: list[tuple[int, int]] = []
    resource = SimpleNamespace(
        RLIMIT_NOFILE=7,
        RLIM_INFINITY=NO_LIMIT,
        getrlimit=lambda _: (soft, hard),
        setrlimit=lambda _, limits: made.append(limits),
    )
    monkeypatch.setitem(sys.modules, "resource", resource)
    return made


@pytest.mark.parametrize(
    ("soft", "hard", "made"),
    [
        (1024, 524_288, [(8192, 524_288)]),
        (64, 4096, [(4096, 4096)]),
        (64, 256, [(256, 256)]),
        (64, NO_LIMIT, [(8192, NO_LIMIT)]),
        (8192, 524_288, []),
        (NO_LIMIT, NO_LIMIT, []),
    ],
)
def test_a_low_limit_is_raised_as_far_as_it_may_be(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, made: list[tuple[int, int]]
) -> None:
    done = limited(monkeypatch, soft, hard)

    raise_open_file_limit()

    assert done == made


def test_a_limit_that_is_too_low_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    done = limited(monkeypatch, 64, 255)

    with pytest.raises(SetupError, match=r"may open 255 files here, and a browser needs 1,024\. Raise it: `ulimit"):
        raise_open_file_limit()

    assert done == []


def test_a_system_without_such_a_limit_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)

    assert open_file_limit() is None
    raise_open_file_limit()
