"""Writes and checks the seal of a base: size and SHA-256 of its files when its login was known to be good.

It covers every file of a clone. Its file is beside the base (``base.seal.json``), where no browser writes and no clone
reads. It finds damage that no check of structures can find: with one flipped bit in a cookie, a browser silently drops
all cookies of that site. A command that changes a base seals it again.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from poolwright.files.disk import replace_private_file
from poolwright.profile.clone import CopiedFile, scan_user_data
from poolwright.profile.cookie_db import count_key_prefixes, find_cookie_db
from poolwright.profile.damage import remediation
from poolwright.profile.errors import ProfileDamagedError, unreadable_error
from poolwright.profile.repository import refuse_newer_layout

_LAST_VERSION = "Last Version"
#: Maximum of the differences that a sentence names.
_SHOWN_DIFFERENCES = 5


class Seal(BaseModel):
    """The files of a base when it was sealed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Version of this file's layout.
    schema_version: Literal[1] = Field(default=1, alias="schema")
    created_at: AwareDatetime
    #: Version of the browser that wrote the base; ``None`` if it is unknown.
    browser_version: str | None
    cookies_count: int = Field(ge=0)
    #: By path below the user-data folder, with forward slashes.
    files: Mapping[str, CopiedFile]


def seal_path(base: Path) -> Path:
    """Return the path of the seal of a base."""
    return base.with_name(f"{base.name}.seal.json")


def write_seal(base: Path, *, now: datetime, browser_version: str | None = None) -> Seal:
    """Seal a base as it is, without a check. Hold ``write_locked`` meanwhile.

    Args:
        base: A user-data folder that passed the checks.
        now: Aware UTC now.
        browser_version: Version of the browser that wrote it; by default the one in the base itself.

    Raises:
        ProfileDamagedError: A file can't be read, or there is no cookie database.
        OSError: The seal can't be written; the old one stays.
    """
    seal = Seal(
        created_at=now,
        browser_version=browser_version or _last_version(base),
        cookies_count=sum(count_key_prefixes(find_cookie_db(base)).values()),
        files=hash_files(base),
    )
    replace_seal(base, seal)
    return seal


def replace_seal(base: Path, seal: Seal) -> None:
    """Write a seal beside a base, in place of an earlier one.

    Raises:
        OSError: It can't be written; the old one stays.
    """
    replace_private_file(seal_path(base), seal.model_dump_json(by_alias=True, indent=1).encode())


def remove_seal(base: Path) -> None:
    """Remove the seal of a base before it is changed. A missing seal is no error.

    Raises:
        OSError: It can't be removed.
    """
    seal_path(base).unlink(missing_ok=True)


def read_seal(base: Path) -> Seal | None:
    """Return the seal of a base; ``None`` if it was never sealed.

    Raises:
        ProfileDamagedError: There is one, but it can't be read.
        ProfileNewerError: A newer version wrote it.
    """
    path = seal_path(base)
    try:
        written = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable_error(path, error) from error
    try:
        return Seal.model_validate_json(written)
    except ValidationError as error:
        refuse_newer_layout(path, written)
        raise ProfileDamagedError(
            f"{path} is not a valid seal, so the profile cannot be verified. {remediation(base)}"
        ) from error


def refuse_newer_seal(base: Path) -> None:
    """Make sure that no newer version sealed a base, as such a base cannot be judged.

    Raises:
        ProfileNewerError: A newer version sealed it.
    """
    path = seal_path(base)
    with contextlib.suppress(OSError):  # reported by `read_seal`
        refuse_newer_layout(path, path.read_bytes())


def hash_files(user_data: Path) -> Mapping[str, CopiedFile]:
    """Return size and SHA-256 of every file that a clone takes. 10 ms for a new profile.

    Raises:
        ProfileDamagedError: A file can't be read.
    """
    try:
        return {file.path: _hash(user_data / file.path) for file in scan_user_data(user_data).files}
    except OSError as error:
        raise unreadable_error(user_data, error) from error


def find_differences(seal: Seal, files: Mapping[str, CopiedFile]) -> tuple[str, ...]:
    """Return the differences from a seal, in words, sorted by path. Pure."""
    words = dict.fromkeys(files.keys() - seal.files.keys(), "is new")
    words |= dict.fromkeys(seal.files.keys() - files.keys(), "is missing")
    words |= {path: "changed" for path in seal.files.keys() & files.keys() if seal.files[path] != files[path]}
    return tuple(f"{path} {word}" for path, word in sorted(words.items()))


def check_seal(base: Path, seal: Seal) -> tuple[str, ...]:
    """Return the differences of a base from its seal, in words; empty when there are none.

    Raises:
        ProfileDamagedError: A file can't be read.
    """
    return find_differences(seal, hash_files(base))


def refuse_differences(base: Path, seal: Seal, files: Mapping[str, CopiedFile]) -> None:
    """Make sure that a base, or a new clone of it, is as the base was sealed.

    Raises:
        ProfileDamagedError: It is not. The sentence names files, and the commands that resolve it.
    """
    differences = find_differences(seal, files)
    if differences:
        more = f" and {len(differences) - _SHOWN_DIFFERENCES} more" if len(differences) > _SHOWN_DIFFERENCES else ""
        raise ProfileDamagedError(
            f"{base} is not as it was sealed on {seal.created_at:%d %b %Y at %H:%M} UTC, so a login may be lost: "
            f"{', '.join(differences[:_SHOWN_DIFFERENCES])}{more}. {remediation(base)}"
        )


def _hash(path: Path) -> CopiedFile:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return CopiedFile(size_bytes=stream.tell(), sha256=digest)


def _last_version(base: Path) -> str | None:
    try:
        return (base / _LAST_VERSION).read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None
