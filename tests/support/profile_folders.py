"""User-data folders as Chromium writes them, made by hand: small, quick, and open to any damage."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

#: Encrypted as Chromium does without a keyring.
PORTABLE = b"v10" + bytes(32)


#: As Chromium writes it: checksum, length and kind of one record, name of the order, three numbers.
_MANIFEST = bytes.fromhex("957cb9c5 2200 01 011a") + b"leveldb.BytewiseComparator" + bytes.fromhex("020003020400")


def write(path: Path, content: bytes = b"x") -> Path:
    """A file with the folders that lead to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def make_cookies(path: Path, values: Iterable[bytes]) -> Path:
    """A cookie database with one cookie for each encrypted value."""
    return make_cookie_rows(path, [Row(name=f"c{number}", value=value) for number, value in enumerate(values)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One cookie in a database; by itself one that ends in the far future."""

    site: str = "portal.test"
    name: str = "c"
    path: str = "/"
    #: Site of the tab that a partitioned cookie belongs to.
    partition: str = ""
    #: Microseconds since 1601; nothing for a cookie without an expiry.
    expires: int | None = 2**62
    value: bytes = PORTABLE
    port: int = 443
    #: Microseconds since 1601.
    created: int = 0


def make_cookie_rows(path: Path, rows: Iterable[Row]) -> Path:
    """A cookie database with these cookies, laid out as Chromium 156 does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(
            "CREATE TABLE cookies (host_key TEXT, top_frame_site_key TEXT, has_cross_site_ancestor INTEGER, name TEXT, "
            "value TEXT, encrypted_value BLOB, path TEXT, expires_utc INTEGER, has_expires INTEGER, "
            "is_persistent INTEGER, source_port INTEGER, creation_utc INTEGER)"
        )
        connection.executemany(
            "INSERT INTO cookies VALUES (?, ?, 0, ?, '', ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(row.site, row.partition, row.name, row.value, row.path, row.expires or 0, lasts, lasts, row.port),
                    row.created,
                )
                for row in rows
                for lasts in [row.expires is not None]
            ],
        )
    return path


def make_base(path: Path, *, values: Iterable[bytes] = (PORTABLE, PORTABLE)) -> Path:
    """A folder that passes for a base."""
    write(path / "Local State", b"{}")
    write(path / "Default/Preferences", json.dumps({"profile": {"exit_type": "Normal"}}).encode())
    make_cookies(path / "Default/Cookies", values)
    make_store(path / "Default/Local Storage/leveldb")
    return path


def make_store(folder: Path) -> Path:
    """A young LevelDB: its manifest names no table and no log yet, and its log is empty."""
    for name in ("000003.log", "LOCK", "LOG"):
        write(folder / name, b"")
    write(folder / "CURRENT", b"MANIFEST-000001\n")
    write(folder / "MANIFEST-000001", _MANIFEST)
    return folder


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file and link below a folder, with what is in it."""
    return {
        path.relative_to(folder).as_posix(): (
            str(path.readlink()) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
        )
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }
