"""The chain of a LevelDB: every link that is missing or broken is found, and what a killed writer leaves passes."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import google_crc32c
import pytest

from poolwright.profile.errors import BrokenFileError
from poolwright.profile.leveldb import check_chain, trim_torn_ends
from tests.support.profile_folders import fingerprint, make_store, write

BLOCK = 32 * 1024
START = b"\x01\x1aleveldb.BytewiseComparator\x02\x03\x03\x09\x04\x2a"
#: Table 5 of 300 bytes on level 0 and table 7 of 10 bytes on level 1, with their first and last keys.
TABLES = b"\x07\x00\x05\xac\x02\x01a\x02bc\x07\x01\x07\x0a\x01a\x01z"


def part(payload: bytes, kind: int) -> bytes:
    checksum = int.from_bytes(google_crc32c.Checksum(bytes([kind]) + payload).digest(), "big")
    masked = ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return struct.pack("<IHB", masked, len(payload), kind) + payload


def records(*payloads: bytes) -> bytes:
    """As LevelDB writes them: a record that reaches over the end of a block is split there."""
    content = b""
    for payload in payloads:
        left, is_first, is_done = payload, True, False
        while not is_done:
            room = BLOCK - len(content) % BLOCK
            if room < 7:
                content += bytes(room)
                room = BLOCK
            piece, left = left[: room - 7], left[room - 7 :]
            is_done = not left
            content += part(
                piece, {(True, True): 1, (True, False): 2, (False, False): 3, (False, True): 4}[is_first, is_done]
            )
            is_first = False
    return content


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "leveldb"
    write(folder / "CURRENT", b"MANIFEST-000002\n")
    write(folder / "MANIFEST-000002", records(START, TABLES))
    write(folder / "000005.ldb", bytes(300))
    write(folder / "000007.sst", bytes(10))
    write(folder / "000003.log", records(b"a" * 40_000, b"b" * 30_000, b"c" * 10))
    return folder


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 0x10
    path.write_bytes(content)


def cut(path: Path, count: int) -> None:
    os.truncate(path, path.stat().st_size - count)


DAMAGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "no CURRENT": ("CURRENT is missing", lambda store: (store / "CURRENT").unlink()),
    "empty CURRENT": ("CURRENT names no manifest", lambda store: write(store / "CURRENT", b"")),
    "CURRENT cut off": ("CURRENT names no manifest", lambda store: cut(store / "CURRENT", 1)),
    "CURRENT leads astray": ("CURRENT names no", lambda store: write(store / "CURRENT", b"MANIFEST-../../x\n")),
    "no manifest": ("MANIFEST-000002 is missing", lambda store: (store / "MANIFEST-000002").unlink()),
    "empty manifest": ("MANIFEST-000002 is cut off", lambda store: write(store / "MANIFEST-000002", b"")),
    "garbage manifest": ("MANIFEST-000002 is damaged", lambda store: write(store / "MANIFEST-000002", b"garbage!" * 9)),
    "manifest flipped": ("MANIFEST-000002 is damaged", lambda store: flip(store / "MANIFEST-000002", 60)),
    "manifest without its start": (
        "MANIFEST-000002 is cut off",
        lambda store: write(store / "MANIFEST-000002", records(TABLES)),
    ),
    "manifest with an unknown entry": (
        "MANIFEST-000002 is damaged",
        lambda store: write(store / "MANIFEST-000002", records(START, b"\x63\x01")),
    ),
    "manifest entry cut off": (
        "MANIFEST-000002 is damaged",
        lambda store: write(store / "MANIFEST-000002", records(START, b"\x02\x80")),
    ),
    "no table": ("000005.ldb is missing", lambda store: (store / "000005.ldb").unlink()),
    "short table": ("000005.ldb has 299 bytes instead of 300", lambda store: cut(store / "000005.ldb", 1)),
    "short old table": ("000007.sst has 9 bytes instead of 10", lambda store: cut(store / "000007.sst", 1)),
    "no log": ("000003.log is missing", lambda store: (store / "000003.log").unlink()),
    "garbage log": ("000003.log is damaged", lambda store: write(store / "000003.log", b"garbage!" * 9)),
    "log flipped in a kind": ("000003.log is damaged", lambda store: flip(store / "000003.log", 6)),
    "log flipped": ("000003.log is damaged", lambda store: flip(store / "000003.log", 50)),
    "log flipped in its last record": ("000003.log is damaged", lambda store: flip(store / "000003.log", -1)),
}


def test_a_whole_chain_passes(store: Path) -> None:
    check_chain(store)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("was_killed", [False, True])
def test_damage_is_found_and_told(store: Path, damage: str, was_killed: bool) -> None:
    told, act = DAMAGES[damage]
    act(store)

    with pytest.raises(BrokenFileError, match=told):
        check_chain(store, was_killed=was_killed)


@pytest.mark.parametrize("count", [1, 9, 16, 17, 20, 30_000])
def test_a_log_that_ends_within_a_record_is_what_a_killed_browser_leaves(store: Path, count: int) -> None:
    cut(store / "000003.log", count)

    check_chain(store)


@pytest.mark.parametrize("name", ["000003.log", "MANIFEST-000002"])
def test_half_a_record_is_cut_off_before_more_is_written_behind_it(store: Path, name: str) -> None:
    before = (store / name).read_bytes()
    more = records(b"d" * 50)
    for count in (len(more) - 1, 8, 3):
        write(store / name, before + more[:count])

        trim_torn_ends(store)

        assert (store / name).read_bytes() == before


def test_a_record_whose_later_parts_are_missing_is_cut_off_whole(store: Path) -> None:
    log = records(b"a" * 10, b"b" * 70_000)
    write(store / "000003.log", log[: 2 * BLOCK])

    trim_torn_ends(store)

    assert (store / "000003.log").read_bytes() == records(b"a" * 10)


def test_what_is_whole_is_not_touched(store: Path) -> None:
    before = fingerprint(store)

    trim_torn_ends(store)

    assert fingerprint(store) == before


def test_a_manifest_that_ends_within_its_last_record_counts_up_to_there(store: Path) -> None:
    (store / "000005.ldb").unlink()
    cut(store / "MANIFEST-000002", 1)

    check_chain(store)


def test_a_table_that_was_merged_away_is_not_missed(store: Path) -> None:
    merged = b"\x06\x00\x05\x07\x01\x05\xac\x02\x01a\x02bc\x06\x01\x07"
    write(store / "MANIFEST-000002", records(START, TABLES, merged))
    (store / "000007.sst").unlink()

    check_chain(store)

    (store / "000005.ldb").unlink()
    with pytest.raises(BrokenFileError, match="000005"):
        check_chain(store)


def test_a_log_that_is_done_with_is_not_looked_at(store: Path) -> None:
    write(store / "000001.log", b"garbage!" * 9)

    check_chain(store)


def test_filling_at_the_end_of_a_log_is_none_of_its_records(store: Path) -> None:
    path = store / "000003.log"
    path.write_bytes(path.read_bytes() + bytes(50_000))

    check_chain(store)


def test_a_young_database_whose_manifest_names_no_log_passes(tmp_path: Path) -> None:
    check_chain(make_store(tmp_path / "leveldb"))


@pytest.mark.parametrize("gone", [("000003.log",), ("000003.log", "CURRENT")])
def test_a_young_database_without_its_log_is_broken_unless_a_browser_was_killed(
    tmp_path: Path, gone: tuple[str, ...]
) -> None:
    store = make_store(tmp_path / "leveldb")
    for name in gone:
        (store / name).unlink()

    check_chain(store, was_killed=True)
    with pytest.raises(BrokenFileError):
        check_chain(store)


def test_a_database_that_was_never_opened_passes(tmp_path: Path) -> None:
    write(tmp_path / "leveldb/LOCK", b"")
    write(tmp_path / "leveldb/LOG", b"")

    check_chain(tmp_path / "leveldb")
