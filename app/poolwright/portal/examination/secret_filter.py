"""Takes secrets out of saved pages: the values of cookies, and values in addresses that look like keys. Pure.

Each secret gets one replacement wherever it stands, so that two links that differ only by their keys stay two links.
"""

from __future__ import annotations

import re
from collections.abc import Collection

#: Values in addresses that let their holder in, by their names; a shorter one is no key.
_PARAMETER = re.compile(
    r"((?:[?&;]|&amp;)(?:[\w.\[\]-]*(?:token|secret|signature|session|passw|credential|api[_-]?key|access[_-]?key|jwt)"
    r"[\w.\[\]-]*|x-amz-[\w-]+|sig|sid|auth|code|state|nonce|ticket|samlresponse|samlrequest|relaystate)=)"
    r"([^&\"'#;\s<>\\]{12,})",
    re.IGNORECASE,
)
#: A cookie with a shorter value, or one without digits, is a choice of the user, whose words the page needs.
_SECRET_MIN_CHARS = 16
_REPLACEMENT = "removed"


class SecretFilter:
    """Replaces secrets in all texts of one saved page."""

    def __init__(self, cookie_values: Collection[str]) -> None:
        """Know the cookies of the browser; keys in addresses are recognised by their names.

        Args:
            cookie_values: The values of all cookies.
        """
        secrets = {value for value in cookie_values if len(value) >= _SECRET_MIN_CHARS and re.search(r"\d", value)}
        self._cookies = sorted(secrets, key=lambda value: (-len(value), value))
        self._numbers: dict[str, int] = {}

    def clean(self, text: str) -> str:
        """Return a text without secrets.

        Args:
            text: HTML, JSON or an address. One call may clean a part of a page, and the next call another part: the
                same secret gets the same replacement.

        Returns:
            The text, of which nothing else is changed.
        """
        for value in self._cookies:
            if value in text:
                text = text.replace(value, self._replacement(value))
        return _PARAMETER.sub(lambda match: match[1] + self._replacement(match[2]), text)

    def _replacement(self, secret: str) -> str:
        return f"{_REPLACEMENT}-{self._numbers.setdefault(secret, len(self._numbers) + 1)}"
