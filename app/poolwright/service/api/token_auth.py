"""The API token: stored in a private file, compared in constant time, wrong attempts limited."""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from collections.abc import Callable
from pathlib import Path

from poolwright.domain.errors import SetupError
from poolwright.files.disk import create_private_file

TOKEN_FILE_NAME = "token"  # noqa: S105 - the name of its file
_TOKEN_BYTES = 32
#: Wrong tokens in this time, of all clients, before further ones have to wait. A person mistypes a few.
WRONG_TOKENS_MAX, WRONG_TOKENS_WINDOW_S = 10, 60.0


def ensure_token(folder: Path) -> str:
    """Return the token of an output folder; create it on the first call. Blocking.

    Args:
        folder: The private folder of the output folder.

    Raises:
        SetupError: The token file cannot be written or read.
    """
    path = folder / TOKEN_FILE_NAME
    try:
        if not path.exists():
            with create_private_file(path) as file:
                file.write(secrets.token_urlsafe(_TOKEN_BYTES).encode())
        path.chmod(0o600)
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"The daemon's token in {path} cannot be read or written ({error}).") from error
    if len(token) < _TOKEN_BYTES:
        raise SetupError(f"{path} holds no valid token. Delete it; the next start creates a new one.")
    return token


class TokenAuth:
    """Compares tokens in constant time, and limits wrong tokens per minute.

    The right token is always accepted: a page with an old token, or another program, must not lock the owner out.
    Guessing 32 random bytes is hopeless at any speed; the limit saves log lines and processor time, and tells a
    program with a wrong token to slow down.
    """

    def __init__(self, token: str, monotonic: Callable[[], float]) -> None:
        """Accept this token only."""
        self._token = token.encode()
        self._monotonic = monotonic
        self._wrong_at_s: deque[float] = deque(maxlen=WRONG_TOKENS_MAX)

    def retry_after_s(self, given: str) -> float | None:
        """Return ``None`` for the right token, else the seconds until the next attempt; 0 for the first few."""
        if hmac.compare_digest(given.encode(), self._token):
            return None
        now_s = self._monotonic()
        if len(self._wrong_at_s) == WRONG_TOKENS_MAX and self._wrong_at_s[0] + WRONG_TOKENS_WINDOW_S > now_s:
            return self._wrong_at_s[0] + WRONG_TOKENS_WINDOW_S - now_s
        self._wrong_at_s.append(now_s)
        return 0.0
