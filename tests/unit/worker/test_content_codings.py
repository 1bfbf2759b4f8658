"""How answers are packed for their way: what comes out, and whether it is all."""

from __future__ import annotations

import gzip
import zlib

import pytest

from poolwright.worker.transfer.received_file import ContentDecoder, parse_content_encoding

CSV = b"".join(b"%d;bolt %d\n" % (number, number * number) for number in range(3000))
PACKED = gzip.compress(CSV)


def raw(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


def unpacked(header: str, packed: bytes, size: int) -> tuple[bytes, bool]:
    """What comes of pieces of a size, and whether it is whole."""
    unpacking = ContentDecoder(parse_content_encoding(header))
    parts = (packed[at : at + size] for at in range(0, len(packed), size))
    return b"".join(piece for part in parts for piece in unpacking.decode(part)), unpacking.is_complete


@pytest.mark.parametrize(
    ("header", "packed"),
    [
        ("", CSV),
        ("identity", CSV),
        ("gzip", PACKED),
        ("GZIP", gzip.compress(CSV[:9000]) + gzip.compress(CSV[9000:])),
        ("gzip", PACKED + bytes(20)),
        ("gzip, identity", PACKED + b"<!-- node 7 -->"),
        ("gzip, gzip", gzip.compress(PACKED)),
        ("deflate", zlib.compress(CSV)),
        ("deflate", raw(CSV)),
        ("deflate, gzip", gzip.compress(zlib.compress(CSV))),
    ],
)
@pytest.mark.parametrize("size", [3, 1_000_000])
def test_what_was_packed_for_its_way_arrives_whole(header: str, packed: bytes, size: int) -> None:
    assert unpacked(header, packed, size) == (CSV, True)


@pytest.mark.parametrize(
    ("header", "packed"),
    [
        ("gzip", PACKED[:-500]),
        ("gzip", PACKED[:-4]),
        ("gzip", PACKED + PACKED[:-20]),
        ("gzip, gzip", gzip.compress(PACKED[:-20])),
        ("deflate", zlib.compress(CSV)[:-300]),
        ("deflate", raw(CSV)[:-300]),
    ],
)
def test_what_was_cut_off_on_its_way_is_not_whole(header: str, packed: bytes) -> None:
    assert not unpacked(header, packed, 1000)[1]


@pytest.mark.parametrize("header", ["gzip", "deflate", "gzip, gzip"])
def test_an_answer_without_content_is_empty_and_whole(header: str) -> None:
    assert unpacked(header, b"", 1) == (b"", True)


@pytest.mark.parametrize("header", ["gzip", "deflate"])
def test_what_is_not_packed_so_is_told(header: str) -> None:
    with pytest.raises(zlib.error):
        unpacked(header, b"%PDF-1.4\n%%EOF\n", 100)


def test_a_little_never_becomes_much_at_once() -> None:
    bomb = gzip.compress(gzip.compress(bytes(50_000_000)))

    pieces = [len(piece) for piece in ContentDecoder(["gzip", "gzip"]).decode(bomb)]

    assert sum(pieces) == 50_000_000
    assert max(pieces) <= 1024 * 1024
