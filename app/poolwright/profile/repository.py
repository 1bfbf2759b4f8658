"""Manages the ``profiles/`` folder: one folder for each named profile, never that of an everyday browser.

``profiles/<name>/profile.toml`` names the portal of the profile; ``pack.toml`` is its copy of a portal pack of the
user's own; ``base/`` is the user-data folder with the login of a person, from which the workers' profiles are cloned.
This program writes them only on command.

The folders of everyday browsers are refused: Chrome since 136 ignores remote control on its default folder, and its
cookies are bound to keyring, keychain or application, so that a clone would be logged out or, worse, would end the
person's own session. A file of a newer version of this program is refused too, since its meaning is unknown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Literal

import platformdirs
import tomli_w
from pathvalidate import is_valid_filename
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from poolwright.domain.errors import SetupError
from poolwright.domain.storage import classify_os_error
from poolwright.files.disk import PRIVATE_FOLDER_MODE, remove_tree, replace_private_file
from poolwright.files.permissions import describe_error
from poolwright.profile.errors import (
    ProfileFileError,
    ProfileMissingError,
    ProfileNewerError,
    ProfileRefusedError,
    unreadable_error,
)

#: Layout of all files of a profile.
LAYOUT_VERSION = 1


class _VersionedFile(BaseModel):
    """The only field that every layout has."""

    model_config = ConfigDict(strict=True)

    schema_version: int = Field(alias="schema", gt=LAYOUT_VERSION)


def refuse_newer_layout(path: Path, written: bytes | Mapping[str, object]) -> None:
    """Make sure that no newer version wrote this file. A broken file passes: its reader reports it.

    Args:
        path: The file.
        written: Its content, as JSON or parsed.

    Raises:
        ProfileNewerError: A newer version wrote it.
    """
    try:
        newer = (
            _VersionedFile.model_validate_json(written)
            if isinstance(written, bytes)
            else _VersionedFile.model_validate(written)
        )
    except ValidationError:
        return
    raise ProfileNewerError(
        f"{path} was written by a newer version of Poolwright (layout {newer.schema_version}; "
        f"this one knows {LAYOUT_VERSION})."
        " The profile was not changed and need not be damaged: use it with that version or a later "
        "one. `poolwright --version` shows which one this is."
    )


_CHANNELS_LINUX = ("", "-beta", "-unstable", "-dev", "-canary")
_CHANNELS_ELSEWHERE = ("", " Beta", " Dev", " Canary", " SxS")
_BELOW_ROOT = (
    *(f"{brand}{channel}" for brand, channel in product(("google-chrome", "microsoft-edge"), _CHANNELS_LINUX)),
    "chromium",
    *(f"Google/Chrome{channel}" for channel in _CHANNELS_ELSEWHERE),
    *(f"Microsoft Edge{channel}" for channel in _CHANNELS_ELSEWHERE),
    *(f"Microsoft/Edge{channel}/User Data" for channel in _CHANNELS_ELSEWHERE),
    "Chromium",
)
_ROOTS_IN_HOME = (".config", "Library/Application Support", "AppData/Local")
_BOXED_IN_HOME = (
    "snap/chromium/common/chromium",
    ".var/app/org.chromium.Chromium/config/chromium",
    ".var/app/com.google.Chrome/config/google-chrome",
    ".var/app/com.microsoft.Edge/config/microsoft-edge",
)


def everyday_folders(home: Path, config: Path) -> tuple[Path, ...]:
    """Return the default user-data folders of browsers on all platforms.

    Args:
        home: Home folder of the user.
        config: The platform's folder for settings, which may be outside the home folder.
    """
    roots = [*(home / root for root in _ROOTS_IN_HOME), config]
    return (*(root / name for root in roots for name in _BELOW_ROOT), *(home / name for name in _BOXED_IN_HOME))


def own_everyday_folders() -> tuple[Path, ...]:
    """Return the default user-data folders of the current user."""
    return everyday_folders(Path.home(), platformdirs.user_config_path())


def _parts(path: Path) -> tuple[str, ...]:
    # Compared without case: two of the three platforms ignore case, and on the third nobody needs a profile that
    # differs from Chrome's by case alone.
    return tuple(part.casefold() for part in path.resolve().parts)


def find_everyday_browser(path: Path, folders: Iterable[Path]) -> Path | None:
    """Return the everyday folder that ``path`` is or is in, with links resolved; else ``None``."""
    path_parts = _parts(path)
    return next((folder for folder in folders if path_parts[: len(parts := _parts(folder))] == parts), None)


def refuse_everyday_browser(path: Path, folders: Sequence[Path] | None = None) -> None:
    """Make sure that ``path`` is not an everyday profile.

    Args:
        path: A base, existing or not.
        folders: The everyday folders; by default those of the current user.

    Raises:
        ProfileRefusedError: It is one, or is in one.
    """
    everyday = find_everyday_browser(path, own_everyday_folders() if folders is None else folders)
    if everyday is not None:
        raise ProfileRefusedError(
            f"{path} belongs to an everyday browser ({everyday}); its login can't be copied and could be lost. "
            "Create a profile of Poolwright with `poolwright profile login NAME` and log in there."
        )


FILE_NAME, BASE_NAME = "profile.toml", "base"
#: The profile's copy of its portal pack.
PACK_NAME = "pack.toml"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class ProfileFile(BaseModel):
    """The content of ``profile.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Version of this file's layout.
    schema_version: Literal[1] = Field(default=1, alias="schema")
    #: Name of the portal pack.
    pack: str = Field(pattern=f"^{_NAME.pattern}$")
    #: Path of the pack's file, relative to the folder of the profile; ``None`` for a pack that is found by its name.
    pack_file: str | None = Field(default=None, min_length=1)
    #: Path of the file that was copied to ``pack_file``; ``None`` if it was not copied.
    pack_source: str | None = Field(default=None, min_length=1)
    #: SHA-256 of the pack's file when the profile took it; ``None`` if a change of the pack is no news.
    pack_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    #: Address of the portal.
    base_url: str = Field(pattern=r"^https?://[^\s/?#]+[^\s?#]*$")
    #: Name for people.
    title: str | None = Field(default=None, min_length=1, max_length=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedProfile:
    """One profile in the repository."""

    name: str
    #: Its folder.
    path: Path
    #: Files in its folder that were there before it was made, such as a pack that its user put there.
    earlier_files: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def base_path(self) -> Path:
        """Return the user-data folder from which clones are made."""
        return self.path / BASE_NAME

    @property
    def file_path(self) -> Path:
        """Return the path of ``profile.toml``."""
        return self.path / FILE_NAME

    def read(self) -> ProfileFile:
        """Read ``profile.toml``.

        Raises:
            ProfileFileError: The file is missing, unreadable or not valid.
            ProfileRefusedError: It belongs to another user, or a newer version wrote it.
        """
        written: dict[str, object] = {}
        try:
            written = tomllib.loads(self.file_path.read_text(encoding="utf-8"))
            return ProfileFile.model_validate(written)
        except OSError as error:
            if classify_os_error(error).is_temporary:
                raise unreadable_error(self.path, error) from error
            raise ProfileFileError(
                f"{self.file_path} can't be read ({error.strerror}). "
                f"Bring it back, or remove {self.path} and create it again with `poolwright profile login {self.name}`."
            ) from error
        except ValidationError as error:
            refuse_newer_layout(self.file_path, written)
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ProfileFileError(f"{self.file_path}: {where}: {first['msg']}. Correct that line.") from error
        except ValueError as error:
            raise ProfileFileError(f"{self.file_path} is not TOML ({error}). Correct that line.") from error

    def ensure_base(self) -> None:
        """Make an empty base for a login if there is none, as in a profile that was written by hand.

        Raises:
            SetupError: The folder can't be written.
        """
        try:
            self.base_path.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def pack_path(self, content: ProfileFile) -> Path | None:
        """Return the path of the file of its pack; ``None`` if the pack is found by its name."""
        if content.pack_file is None:
            return None
        below = self.path / content.pack_file
        # Written by hand, a path may also be relative to the current folder.
        return below if below.is_file() or not Path(content.pack_file).is_file() else Path(content.pack_file)

    def write(self, content: ProfileFile, pack_copy: bytes | None = None) -> None:
        """Replace ``profile.toml``, and the copy of the pack if one is given.

        Raises:
            SetupError: A file can't be written.
        """
        text = tomli_w.dumps(content.model_dump(by_alias=True, exclude_none=True))
        try:
            if pack_copy is not None:
                replace_private_file(self.path / PACK_NAME, pack_copy)
            replace_private_file(self.file_path, text.encode())
        except OSError as error:
            raise _unwritable(self.path, error) from error


class ProfileRepository:
    """The folder of all profiles. It need not exist before the first profile is created."""

    __slots__ = ("root",)

    def __init__(self, root: Path) -> None:
        """Set the path; nothing is read yet."""
        self.root = root

    def names(self) -> tuple[str, ...]:
        """Return the names of all profiles, sorted."""
        return tuple(sorted(path.parent.name for path in self.root.glob(f"*/{FILE_NAME}")))

    def find(self, name: str) -> NamedProfile:
        """Return a profile by its name.

        Raises:
            ProfileRefusedError: The name is not valid, the profile would be in an everyday browser's folder, or the
                folder of profiles can't be read.
            ProfileMissingError: There is no profile of this name.
        """
        profile = self._named(name)
        try:
            exists = profile.path.is_dir()
        except OSError as error:
            raise unreadable_error(self.root, error) from error
        if not exists:
            names = ", ".join(self.names()) or "none yet"
            raise ProfileMissingError(
                f"There is no profile {name} in {self.root} (known: {names}). "
                f"Create it with `poolwright profile login {name}`."
            )
        return profile

    def create(self, name: str, content: ProfileFile, pack_copy: bytes | None = None) -> NamedProfile:
        """Create a profile with its file and an empty base, which a browser fills at the first login.

        Args:
            name: Its name.
            content: What ``profile.toml`` says.
            pack_copy: The file of its pack, if the profile keeps a copy of it.

        Raises:
            ProfileRefusedError: The name is not valid, the profile would be in an everyday browser's folder, or it
                exists already.
            SetupError: The folder can't be written.
        """
        profile = self._named(name)
        try:
            earlier_files = _pack_names(profile.path) if profile.path.is_dir() else frozenset[str]()
            if profile.path.exists() and not earlier_files:
                raise ProfileRefusedError(
                    f"There is a profile {name} in {self.root} already. Choose another name, or remove that one first."
                )
            if pack_copy is not None and PACK_NAME in earlier_files:
                raise ProfileRefusedError(
                    f"{profile.path / PACK_NAME} is there already. Take it as the pack of the profile (leave --portal "
                    "out), or move it away."
                )
            self.root.mkdir(parents=True, exist_ok=True)
            profile.path.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=bool(earlier_files))
            profile.base_path.mkdir(mode=PRIVATE_FOLDER_MODE)
            profile = replace(profile, earlier_files=earlier_files)
        except OSError as error:
            raise _unwritable(self.root, error) from error
        profile.write(content, pack_copy)
        return profile

    def discard(self, profile: NamedProfile) -> None:
        """Remove a profile that could not be made. The files that were in its folder before it stay."""
        if not profile.earlier_files:
            remove_tree(profile.path)
            return
        for path in sorted(profile.path.iterdir()):
            if path.is_dir():
                remove_tree(path)
            elif path.name not in profile.earlier_files:
                path.unlink(missing_ok=True)

    def _named(self, name: str) -> NamedProfile:
        if "/" in name or "\\" in name:
            # The user may have given the path of an everyday browser's folder, which needs its own message.
            refuse_everyday_browser(Path(name).expanduser())
        if not (_NAME.fullmatch(name) and is_valid_filename(name, platform="universal")):
            raise ProfileRefusedError(
                f"{name!r} is not a valid profile name. Use up to 64 small letters, digits, dots, hyphens and "
                "underscores, beginning with a letter or a digit."
            )
        refuse_everyday_browser(self.root / name)
        return NamedProfile(name=name, path=self.root / name)


def _pack_names(folder: Path) -> frozenset[str]:
    """Return the files of a folder that holds packs alone; empty if it is a profile, or holds anything else."""
    names = frozenset(path.name for path in folder.iterdir())
    return names if all(name.endswith(".toml") and name != FILE_NAME for name in names) else frozenset()


def _unwritable(folder: Path, error: OSError) -> SetupError:
    return SetupError(f"{folder} can't be written: {describe_error(error, folder).sentence()}")
