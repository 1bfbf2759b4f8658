"""A saved web page. It speaks of signing in, as letters do, and holds no form: a login page it is not."""

from __future__ import annotations

import html

from poolwright.demo.documents.filler import printable_noise


def make_html(title: str, size_bytes: int) -> bytes:
    """Make a page of exactly ``size_bytes``."""
    before = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{html.escape(title)}</title></head>\n'
        f"<body>\n<h1>{html.escape(title)}</h1>\n"
        "<p>Thank you for your order. Please sign in to your account to confirm the delivery date.</p>\n<pre>"
    ).encode()
    after = b"</pre>\n</body>\n</html>\n"
    return before + printable_noise(title, size_bytes - len(before) - len(after)) + after
