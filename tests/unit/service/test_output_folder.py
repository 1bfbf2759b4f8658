"""The output folder is made and tried before anything starts; what is wrong with it is told by its own name."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from poolwright.domain.errors import OptionsError, SetupError
from poolwright.service.output_folder import open_output_folder
from poolwright.settings import load_settings


def test_the_output_folder_is_made_with_a_private_one_for_the_log(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"

    log_file = open_output_folder(load_settings({"out": out}))

    assert log_file == out / ".poolwright" / "log.jsonl"
    assert (out / ".poolwright").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in out.rglob("*")] == [".poolwright"]


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_its_place_is_a_wrong_setting(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(
        OptionsError, match=rf"^out is '.*/{place}', which is not a folder: .*\. Choose another one with --out"
    ):
        open_output_folder(load_settings({"out": tmp_path / place}))


@pytest.mark.parametrize("is_there", [False, True], ids=["new", "of an earlier run"])
@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_takes_nothing_is_a_lack_and_told_with_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, *, is_there: bool
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    if is_there:
        open_output_folder(load_settings({"out": tmp_path / "out"}))
        monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    else:
        monkeypatch.setattr(Path, "mkdir", refuse)

    told = rf"^The output folder '.*/out' cannot be written: {os.strerror(code)}.*\. Fix this, or choose another folder"
    with pytest.raises(SetupError, match=told):
        open_output_folder(load_settings({"out": tmp_path / "out"}))
