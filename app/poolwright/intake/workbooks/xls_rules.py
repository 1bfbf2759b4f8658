"""Whether a workbook of Excel until 2003 has rules that cross cells out, which the library does not tell."""

from __future__ import annotations

import io
import struct

from xlrd.compdoc import CompDoc, CompDocError

_RULE = 0x01B1
_HEAD = struct.Struct("<HH")
#: A rule begins with its kind and the sizes of its formulas; flags say which looks follow.
_LOOKS_AT, _HAS_NUMBER, _HAS_FONT, _OWN_NUMBER = 6, 0x02000000, 0x04000000, 0x0001
_FONT_BYTES, _STRIKES_AT, _STRIKES, _LEFT_ALONE_AT = 118, 68, 0x80, 88


def has_strike_rules(content: bytes) -> bool:
    """Whether any sheet has one. A damaged rule is none."""
    stream = _stream(content)
    place = 0
    while place + _HEAD.size <= len(stream):
        kind, size = _HEAD.unpack_from(stream, place)
        place += _HEAD.size
        if kind == _RULE and _is_strike(stream[place : place + size]):
            return True
        place += size
    return False


def _stream(content: bytes) -> bytes:
    try:
        package = CompDoc(content, logfile=io.StringIO(), ignore_workbook_corruption=True)
        for name in ("Workbook", "Book"):
            memory, base, size = package.locate_named_stream(name)
            if memory:
                return bytes(memory[base : base + size])
    except CompDocError:
        pass
    return b""


def _is_strike(rule: bytes) -> bool:
    try:
        flags, own = struct.unpack_from("<IH", rule, _LOOKS_AT)
        place = _LOOKS_AT + 6
        if flags & _HAS_NUMBER:
            place += struct.unpack_from("<H", rule, place)[0] if own & _OWN_NUMBER else 2
        if not flags & _HAS_FONT or place + _FONT_BYTES > len(rule):
            return False
        strikes, left_alone = (struct.unpack_from("<I", rule, place + at)[0] for at in (_STRIKES_AT, _LEFT_ALONE_AT))
    except struct.error:
        return False
    return bool(strikes & _STRIKES) and not left_alone & _STRIKES
