"""User-data folders as Chromium writes them, made by hand: small, quick, and open to any damage."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

#: Encrypted as Chromium does without a keyring.
PORTABLE = b"v10" + bytes(32)


def write(path: Path, content: bytes = b"x") -> Path:
    """A file with the folders that lead to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def make_cookies(path: Path, values: Iterable[bytes]) -> Path:
    """A cookie database with one cookie for each encrypted value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE TABLE cookies (host_key TEXT, name TEXT, value TEXT, encrypted_value BLOB)")
        connection.executemany("INSERT INTO cookies VALUES ('portal.test', 'c', '', ?)", [(value,) for value in values])
    return path


def make_base(path: Path, *, values: Iterable[bytes] = (PORTABLE, PORTABLE)) -> Path:
    """A folder that passes for a base."""
    write(path / "Local State", b"{}")
    write(path / "Default/Preferences", json.dumps({"profile": {"exit_type": "Normal"}}).encode())
    make_cookies(path / "Default/Cookies", values)
    for name in ("CURRENT", "MANIFEST-000001", "000003.log", "LOCK", "LOG"):
        write(path / "Default/Local Storage/leveldb" / name)
    return path


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file and link below a folder, with what is in it."""
    return {
        path.relative_to(folder).as_posix(): (
            str(path.readlink()) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
        )
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }
