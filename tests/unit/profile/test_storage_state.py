"""A login that another browser wrote down: what is taken, what is left out, and what is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from poolwright.domain.errors import OptionsError
from poolwright.profile import storage_state
from poolwright.profile.storage_state import read_storage_state

COOKIE = {
    "name": "session",
    "value": "hunter2",
    "domain": ".portal.test",
    "path": "/",
    "expires": -1,
    "httpOnly": True,
    "secure": True,
    "sameSite": "Lax",
}
ORIGIN = {
    "origin": "https://portal.test",
    "localStorage": [{"name": "token", "value": "kept"}],
    "indexedDB": [{"name": "orders", "version": 1, "stores": []}],
}


def written(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_what_playwright_wrote_comes_back_as_it_was(tmp_path: Path) -> None:
    content = {"cookies": [COOKIE], "origins": [ORIGIN]}

    state = read_storage_state(written(tmp_path / "state.json", content))

    assert json.loads(state.to_json()) == content


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    content = {"cookies": [COOKIE | {"later": 1}], "origins": [], "credentials": [{"privateKey": "x"}]}

    state = read_storage_state(written(tmp_path / "state.json", content))

    assert json.loads(state.to_json()) == {"cookies": [COOKIE], "origins": []}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "is not a Playwright storage state"),
        ({}, "cookies: Field required"),
        ({"cookies": [], "origins": []}, "neither cookies nor storage"),
        ({"cookies": [COOKIE | {"name": 1}]}, "cookies.0.name"),
        ({"cookies": [COOKIE | {"domain": ""}]}, "cookies.0.domain"),
        ({"cookies": [COOKIE | {"sameSite": "no_restriction"}]}, "cookies.0.sameSite"),
        ({"cookies": [], "origins": [ORIGIN | {"origin": "file:///etc"}]}, "origins.0.origin"),
    ],
    ids=["list", "nothing", "empty", "number", "no site", "another tool's", "no web address"],
)
def test_what_is_no_storage_state_is_refused_without_its_values(tmp_path: Path, content: object, words: str) -> None:
    with pytest.raises(OptionsError) as refusal:
        read_storage_state(written(tmp_path / "state.json", content))

    assert words in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__cause__ is None, "the cause would quote the file"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is not a Playwright storage state"), (b"\xff\xfe{", "is not a Playwright storage state")],
)
def test_a_file_that_is_no_json_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)

    with pytest.raises(OptionsError, match=words):
        read_storage_state(path)


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionsError, match="can't be read"):
        read_storage_state(tmp_path / name)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_state, "SIZE_MAX_BYTES", 10)

    with pytest.raises(OptionsError, match="contains more than a login"):
        read_storage_state(written(tmp_path / "state.json", {"cookies": [COOKIE]}))
