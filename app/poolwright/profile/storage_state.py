"""Reads a login from another browser: Playwright's ``storage_state`` as JSON, validated before a browser loads it.

It contains cookies, and localStorage and IndexedDB by origin. Anyone with such a file is logged in, so no message
contains its values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from poolwright.domain.errors import OptionsError

#: Cookies and tokens take kilobytes; a site that stores its data in IndexedDB, some megabytes.
SIZE_MAX_BYTES = 64 * 1024 * 1024

_EXPORT = "Export it with Playwright's `context.storage_state(path=..., indexed_db=True)` right after a login."
_Table = dict[str, JsonValue]


class _Part(BaseModel):
    # Fields that later versions of Playwright may add, such as virtual security keys, are left out.
    model_config = ConfigDict(extra="ignore", frozen=True)


class StoredCookie(_Part):
    """One cookie, as ``context.cookies()`` returns it."""

    name: str
    value: str
    domain: Annotated[str, Field(min_length=1)]
    path: Annotated[str, Field(min_length=1)]
    #: Seconds since 1970; -1 for a session cookie.
    expires: float = -1
    httpOnly: bool = False  # noqa: N815 - Playwright's name
    secure: bool = False
    sameSite: Literal["Strict", "Lax", "None"] = "Lax"  # noqa: N815 - Playwright's name
    partitionKey: str | None = None  # noqa: N815 - Playwright's name


class StoredItem(_Part):
    """One entry of localStorage."""

    name: str
    value: str


class StoredOrigin(_Part):
    """The stores of one site."""

    origin: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")]
    localStorage: tuple[StoredItem, ...] = ()  # noqa: N815 - Playwright's name
    #: Databases in Playwright's own layout, which it validates itself.
    indexedDB: tuple[_Table, ...] = ()  # noqa: N815 - Playwright's name


class StorageState(_Part):
    """The whole file."""

    cookies: tuple[StoredCookie, ...]
    origins: tuple[StoredOrigin, ...] = ()

    def to_json(self) -> bytes:
        """Return the JSON for a browser: the validated fields only."""
        return self.model_dump_json(exclude_none=True).encode()


def read_storage_state(path: Path) -> StorageState:
    """Read a storage state from a file.

    Raises:
        OptionsError: It can't be read, is not a storage state, is too large, or is empty.
    """
    try:
        size_bytes = path.stat().st_size
        if size_bytes > SIZE_MAX_BYTES:
            raise OptionsError(
                f"{path} has {size_bytes // 1024**2} MB; a storage state of more than {SIZE_MAX_BYTES // 1024**2} MB "
                "contains more than a login. Export it from a browser that did nothing but log in."
            )
        state = StorageState.model_validate_json(path.read_bytes())
    except OSError as error:
        raise OptionsError(f"{path} can't be read ({error.strerror}). Check its name and its permissions.") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = f"{where}: {first['msg']}" if where else first["msg"]
        raise OptionsError(f"{path} is not a Playwright storage state ({problem}). {_EXPORT}") from None
    if not (state.cookies or state.origins):
        raise OptionsError(f"{path} contains neither cookies nor storage, so nobody is logged in with it. {_EXPORT}")
    return state
