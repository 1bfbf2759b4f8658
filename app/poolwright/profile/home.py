"""The ``profiles/`` folder: one folder for each named profile.

``profiles/<name>/profile.toml`` says which portal it is for; ``base/`` is the user-data folder that a person logged in
to and that workers' profiles are cloned from. Both belong to the person; this program writes them only on command.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tomli_w
from pathvalidate import is_valid_filename
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from poolwright.domain.errors import SetupError
from poolwright.domain.storage import trouble_of
from poolwright.files.disk import PRIVATE_FOLDER_MODE, replace_private_file
from poolwright.files.permissions import describe_error
from poolwright.profile.everyday import refuse_everyday
from poolwright.profile.failures import ProfileFileError, ProfileMissingError, ProfileRefusedError, unreadable
from poolwright.profile.layout import refuse_newer

FILE_NAME, BASE_NAME = "profile.toml", "base"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class ProfileFile(BaseModel):
    """What ``profile.toml`` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Version of this file's layout.
    schema_version: Literal[1] = Field(default=1, alias="schema")
    #: Name of the portal pack.
    pack: str = Field(pattern=f"^{_NAME.pattern}$")
    #: Where the pack's file is; nothing for one that comes with Poolwright.
    pack_file: str | None = Field(default=None, min_length=1)
    #: Where the portal is.
    base_url: str = Field(pattern=r"^https?://[^\s/?#]+[^\s?#]*$")
    #: How people call it.
    title: str | None = Field(default=None, min_length=1, max_length=200)

    @property
    def portal(self) -> str:
        """The pack's name, or the path of its file, as ``--portal`` takes it."""
        return self.pack_file or self.pack


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedProfile:
    """One profile of the home."""

    name: str
    #: Its folder.
    path: Path

    @property
    def base_path(self) -> Path:
        """The user-data folder that clones are made from."""
        return self.path / BASE_NAME

    @property
    def file_path(self) -> Path:
        """Where ``profile.toml`` is."""
        return self.path / FILE_NAME

    def read(self) -> ProfileFile:
        """What its file says.

        Raises:
            ProfileFileError: The file is missing, unreadable, or doesn't hold what it must.
            ProfileRefusedError: It belongs to somebody else, or a newer version wrote it.
        """
        written: dict[str, object] = {}
        try:
            written = tomllib.loads(self.file_path.read_text(encoding="utf-8"))
            return ProfileFile.model_validate(written)
        except OSError as error:
            if trouble_of(error).may_pass:
                raise unreadable(self.path, error) from error
            raise ProfileFileError(
                f"{self.file_path} can't be read ({error.strerror}). "
                f"Bring it back, or remove {self.path} and make it anew with `poolwright profile login {self.name}`."
            ) from error
        except ValidationError as error:
            refuse_newer(self.file_path, written)
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ProfileFileError(f"{self.file_path}: {where}: {first['msg']}. Correct that line.") from error
        except ValueError as error:
            raise ProfileFileError(f"{self.file_path} is not TOML ({error}). Correct that line.") from error

    def write(self, content: ProfileFile) -> None:
        """Replace its file.

        Raises:
            SetupError: The file can't be written.
        """
        text = tomli_w.dumps(content.model_dump(by_alias=True, exclude_none=True))
        try:
            replace_private_file(self.file_path, text.encode())
        except OSError as error:
            raise _unwritable(self.path, error) from error


class ProfileHome:
    """The folder of all profiles. It need not exist before the first profile is made."""

    __slots__ = ("root",)

    def __init__(self, root: Path) -> None:
        """Name the folder; nothing is read yet."""
        self.root = root

    def names(self) -> tuple[str, ...]:
        """All profiles, sorted by name."""
        return tuple(sorted(path.parent.name for path in self.root.glob(f"*/{FILE_NAME}")))

    def find(self, name: str) -> NamedProfile:
        """One profile by its name.

        Raises:
            ProfileRefusedError: No profile can have this name, it would lie in an everyday browser's folder, or the
                folder of profiles can't be read.
            ProfileMissingError: There is none of this name.
        """
        profile = self._named(name)
        try:
            is_there = profile.path.is_dir()
        except OSError as error:
            raise unreadable(self.root, error) from error
        if not is_there:
            known = ", ".join(self.names()) or "none yet"
            raise ProfileMissingError(
                f"There is no profile {name} in {self.root} (known: {known}). "
                f"Make it with `poolwright profile login {name}`."
            )
        return profile

    def create(self, name: str, content: ProfileFile) -> NamedProfile:
        """Make a profile with its file and an empty base, which a browser fills at the first login.

        Raises:
            ProfileRefusedError: No profile can have this name, it would lie in an everyday browser's folder, or there
                is one already.
            SetupError: The folder can't be written.
        """
        profile = self._named(name)
        try:
            if profile.path.exists():
                raise ProfileRefusedError(
                    f"There is a profile {name} in {self.root} already. Choose another name, or remove that one first."
                )
            self.root.mkdir(parents=True, exist_ok=True)
            profile.path.mkdir(mode=PRIVATE_FOLDER_MODE)
            profile.base_path.mkdir(mode=PRIVATE_FOLDER_MODE)
        except OSError as error:
            raise _unwritable(self.root, error) from error
        profile.write(content)
        return profile

    def _named(self, name: str) -> NamedProfile:
        if "/" in name or "\\" in name:
            # Somebody names a folder; when it is an everyday browser's, that is what has to be said.
            refuse_everyday(Path(name).expanduser())
        if not (_NAME.fullmatch(name) and is_valid_filename(name, platform="universal")):
            raise ProfileRefusedError(
                f"{name!r} is not a valid name. Use up to 64 small letters, digits, dots, hyphens and underscores, "
                "beginning with a letter or a digit."
            )
        refuse_everyday(self.root / name)
        return NamedProfile(name=name, path=self.root / name)


def _unwritable(folder: Path, error: OSError) -> SetupError:
    return SetupError(f"{folder} can't be written: {describe_error(error, folder).sentence()}")
