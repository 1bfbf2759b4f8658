"""A command that puts another base in place may be killed between any two of its steps: nothing is lost by that.

Whatever it leaves is either a base that is as it was sealed, or refused in words that name the way back; and that way
leads back.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from poolwright.domain.errors import ProfileError
from poolwright.profile.backups import accept_base, replace_base, restore_base, seal_base
from poolwright.profile.base import check_base
from poolwright.profile.clone import clone_profile
from poolwright.profile.damage import mark_damaged
from poolwright.profile.in_use import write_locked
from poolwright.profile.repository import ProfileFile, ProfileRepository
from tests.support.profile_folders import make_base, write

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
_CHANGES = ("rename", "replace", "unlink")
#: More than any of the commands needs.
_STEPS_MAX = 400


class _Killed(BaseException):
    """The process is gone."""


class _LimitedDisk:
    """Lets so many changes of the disk happen, and not one more, whoever asks for it."""

    def __init__(self, patch: pytest.MonkeyPatch, change_count: int) -> None:
        self._left = change_count
        for name in _CHANGES:
            patch.setattr(os, name, self._counted(getattr(os, name)))

    def _counted(self, change: Callable[..., None]) -> Callable[..., None]:
        def counted(*given: object, **named: object) -> None:
            if self._left <= 0:
                raise _Killed
            self._left -= 1
            change(*given, **named)

        return counted


@pytest.fixture
def base(tmp_path: Path) -> Path:
    made = ProfileRepository(tmp_path / "profiles").create(
        "anna", ProfileFile(pack="demo", base_url="http://portal.test")
    )
    return make_base(made.base_path)


def _promote(base: Path) -> None:
    """As promoting does: a clone of the base with another login takes its place."""
    draft = base.with_name("base.promoted")
    with write_locked(base):
        clone_profile(base, draft)
        write(draft / "Default/Other", b"renewed")
        replace_base(base, draft, now=NOON + timedelta(hours=1))


def _restore(base: Path) -> None:
    restore_base(base, now=NOON + timedelta(hours=2))


def _accept(base: Path) -> None:
    accept_base(base, now=NOON + timedelta(hours=1))


def _whole(base: Path) -> None:
    seal_base(base, now=NOON)


def _changed(base: Path) -> None:
    seal_base(base, now=NOON)
    write(base / "Default/Other", b"changed")


def _marked(base: Path) -> None:
    _changed(base)
    mark_damaged(base, "Damage.", NOON)


def _sealed_but_not_kept(base: Path) -> None:
    """A new seal, whose backup was not written any more."""
    seal_base(base, now=NOON)
    write(base / "Default/Other", b"newer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("poolwright.profile.backups.save_backup", lambda *_: None)
        seal_base(base, now=NOON + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("before", "command"),
    [
        (_whole, _restore),
        (_marked, _restore),
        (_sealed_but_not_kept, _restore),
        (_whole, _promote),
        (_marked, _accept),
    ],
)
def test_nothing_is_lost(
    before: Callable[[Path], None], command: Callable[[Path], None], tmp_path: Path, base: Path
) -> None:
    before(base)
    is_over = False
    for step in range(_STEPS_MAX):
        copy = _copied(base.parent, tmp_path / f"step-{step}" / "anna") / "base"
        with pytest.MonkeyPatch.context() as patch:
            _LimitedDisk(patch, step)
            try:
                command(copy)
                is_over = True
            except _Killed:
                pass
        _is_safe(copy, step)
        _restore(copy)
        facts = check_base(copy)
        assert facts.seal is not None, f"killed at step {step}"
        if is_over:
            return
    pytest.fail("The command has more steps than this test knows.")


def _copied(profile: Path, place: Path) -> Path:
    shutil.copytree(profile, place, symlinks=True)
    return place


def _is_safe(base: Path, step: int) -> None:
    refusal = _refusal(base)
    assert refusal is None or "`poolwright profile restore anna`" in refusal, f"killed at step {step}: {refusal}"


def _refusal(base: Path) -> str | None:
    """Why no run may have the base, whose files are looked at one by one where it is sealed."""
    try:
        check_base(base)
    except ProfileError as error:
        return str(error)
    return None
