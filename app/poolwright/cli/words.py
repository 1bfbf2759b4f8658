"""Sizes, times and counts as people read them."""

from __future__ import annotations

import math

_UNITS = ("B", "kB", "MB", "GB", "TB")
_MINUTE_S, _HOUR_S = 60, 3600
#: Below this one decimal tells more than none.
_COARSE = 9.95


def size(count_bytes: int) -> str:
    """``812 B``, ``1.2 MB``, ``340 MB``; powers of a thousand."""
    power = min(int(math.log10(count_bytes) // 3), len(_UNITS) - 1) if count_bytes > 0 else 0
    amount = count_bytes / 1000**power
    return f"{amount:.1f} {_UNITS[power]}" if power and amount < _COARSE else f"{amount:.0f} {_UNITS[power]}"


def clock(duration_s: float) -> str:
    """``0:07``, ``12:40``, ``3:05:00``: for what ticks in place."""
    minutes, seconds = divmod(round(duration_s), _MINUTE_S)
    hours, minutes = divmod(minutes, _MINUTE_S)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def duration(duration_s: float) -> str:
    """``2.1 s``, ``43 s``, ``3 min 12 s``, ``2 h 5 min``: for what is told once."""
    if duration_s < _COARSE:
        return f"{duration_s:.1f} s"
    whole_s = round(duration_s)
    if whole_s < _MINUTE_S:
        return f"{whole_s} s"
    if whole_s < _HOUR_S:
        return f"{whole_s // _MINUTE_S} min {whole_s % _MINUTE_S} s"
    return f"{whole_s // _HOUR_S} h {whole_s % _HOUR_S // _MINUTE_S} min"


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 order``, ``2,400 orders``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def rate(per_s: float) -> str:
    """``2.1 orders/s``, ``14 orders/min``: whichever has a digit before its point."""
    return f"{per_s:.1f} orders/s" if per_s >= 1 else f"{per_s * _MINUTE_S:.0f} orders/min"
