"""Finds portal packs by name: in a profile's folder, in a folder of packs, in installed packages, in Poolwright itself.

The first place that has a pack of the name wins; the others are hidden by it. A package offers packs by entry points;
of a package at the top level no code is run.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from functools import partial
from importlib import resources
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from poolwright.portal.errors import PackError
from poolwright.portal.pack import Pack, parse_toml, shipped_names

#: The group of entry points under which packages offer packs.
GROUP = "poolwright.packs"
_SUFFIX = ".toml"


class PackOrigin(StrEnum):
    """The kinds of places of packs. The order is that in which a name is looked for; files are named by their path."""

    PROFILE = "profile"
    PACKS_DIR = "packs_dir"
    PACKAGE = "package"
    SHIPPED = "Poolwright"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPack:
    """A valid pack, with the file that it was read from."""

    entry: PackEntry
    pack: Pack
    #: The file as it was read.
    content: bytes

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file, in hexadecimal digits."""
        return sha256_of(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackEntry:
    """A pack in one of the places; it may be invalid."""

    #: As ``--portal`` takes it.
    name: str
    origin: PackOrigin
    path: Path
    #: The package that offers it; empty elsewhere.
    package: str = ""
    #: Packs of the same name that this one hides.
    hidden: tuple[PackEntry, ...] = ()

    @property
    def place(self) -> str:
        """Where it is, for people."""
        match self.origin:
            case PackOrigin.SHIPPED:
                return "Poolwright itself"
            case PackOrigin.PACKAGE:
                return f"the package {self.package}"
            case _:
                return str(self.path)

    @property
    def label(self) -> str:
        """Its name with its place, for messages."""
        is_plain = self.origin in {PackOrigin.SHIPPED, PackOrigin.FILE}
        return self.name if is_plain else f"{self.name} ({self.place})"

    def read(self) -> bytes:
        """Return the content of its file.

        Raises:
            PackError: There is no such file, or it cannot be read.
        """
        try:
            return self.path.read_bytes()
        except (FileNotFoundError, IsADirectoryError) as error:
            raise PackError(self.label, (f"there is no file {self.path}",)) from error
        except OSError as error:
            raise PackError(self.label, (f"the file cannot be read: {error.strerror}",)) from error

    def load(self) -> LoadedPack:
        """Return the pack.

        Raises:
            PackError: Its file cannot be read, or it is not a valid pack.
        """
        content = self.read()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise PackError(self.label, ("the file is not UTF-8 text",)) from error
        pack = parse_toml(text.replace("\r\n", "\n"), self.label)
        if self.origin is PackOrigin.PACKAGE and pack.name != self.name:
            problem = f"its name is {pack.name!r}, but {self.place} offers it as {self.name!r}"
            raise PackError(self.label, (problem,))
        return LoadedPack(entry=self, pack=pack, content=content)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackLibrary:
    """The places in which packs are looked for."""

    #: Folder of a profile; each of its TOML files but ``profile.toml`` is a pack.
    profile_folder: Path | None = None
    #: Folder in which each TOML file is a pack.
    packs_dir: Path | None = None

    def entries(self) -> tuple[PackEntry, ...]:
        """Return every pack in the order of the places, each with those that it hides."""
        found = [entry for place in self._places() for entry in place()]
        return tuple(
            replace(entry, hidden=tuple(_hidden_by(entry, found[index + 1 :])))
            if entry.name not in {earlier.name for earlier in found[:index]}
            else entry
            for index, entry in enumerate(found)
        )

    def find(self, reference: str) -> PackEntry:
        """Return the pack of a name, or that of the path of a file.

        A text with a slash or with the ending of TOML files is a path; any other is a name, or else a file.

        Raises:
            PackError: There is no such pack, or one place has several of this name.
        """
        if _is_path(reference):
            return self._file(reference)
        matching = [entry for entry in self.entries() if entry.name == reference]
        if not matching:
            return self._file_without_ending(reference)
        first = matching[0]
        alike = [entry for entry in matching if entry.origin is first.origin]
        if len(alike) > 1:
            places = " and ".join(entry.place for entry in alike)
            raise PackError(reference, (f"{places} have the same name; rename one of them",))
        return first

    def _places(self) -> Sequence[Callable[[], Iterator[PackEntry]]]:
        folders = ((PackOrigin.PROFILE, self.profile_folder), (PackOrigin.PACKS_DIR, self.packs_dir))
        return (
            *(partial(_folder_entries, origin, folder) for origin, folder in folders if folder is not None),
            _package_entries,
            _shipped_entries,
        )

    def _file(self, reference: str) -> PackEntry:
        try:
            path = Path(reference).expanduser()
        except RuntimeError as error:
            raise PackError(reference, ("there is no such home folder",)) from error
        is_of_profile = self.profile_folder is not None and path.parent.resolve() == self.profile_folder.resolve()
        return PackEntry(name=reference, origin=PackOrigin.PROFILE if is_of_profile else PackOrigin.FILE, path=path)

    def _file_without_ending(self, reference: str) -> PackEntry:
        try:
            is_file = bool(reference) and Path(reference).is_file()
        except (OSError, ValueError):
            is_file = False
        if is_file:
            return self._file(reference)
        names = tuple(dict.fromkeys(entry.name for entry in self.entries()))
        near = get_close_matches(reference, names, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        problem = f"no such pack{hint}; there are {', '.join(names)}, or give the path of a .toml file"
        if self.packs_dir is not None and not self.packs_dir.is_dir():
            problem += f"; the folder of packs {self.packs_dir} does not exist"
        raise PackError(reference, (problem,))


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of a pack file, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _hidden_by(entry: PackEntry, later: Iterable[PackEntry]) -> Iterator[PackEntry]:
    return (other for other in later if other.name == entry.name and other.origin is not entry.origin)


def _is_path(reference: str) -> bool:
    return any(sign in reference for sign in "/\\") or reference.lower().endswith(_SUFFIX)


def _folder_entries(origin: PackOrigin, folder: Path) -> Iterator[PackEntry]:
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        if path.is_file() and not (origin is PackOrigin.PROFILE and path.name == "profile.toml"):
            yield PackEntry(name=_name_in(path), origin=origin, path=path)


def _name_in(path: Path) -> str:
    """Return the name that a pack gives itself, or else that of its file."""
    try:
        name = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("name")
    except (OSError, ValueError):
        return path.stem
    return name if isinstance(name, str) else path.stem


def _package_entries() -> Iterator[PackEntry]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        package = point.dist.name if point.dist else "?"
        yield PackEntry(name=point.name, origin=PackOrigin.PACKAGE, path=_package_file(point), package=package)


def _package_file(point: EntryPoint) -> Path:
    """Return where the pack of an entry point must be: ``NAME.toml`` in the folder of the module that it names."""
    name = f"{point.name}{_SUFFIX}"
    try:
        spec = find_spec(point.value)
    except (ImportError, ValueError):
        spec = None
    folders = (spec.submodule_search_locations if spec else None) or (point.value.replace(".", "/"),)
    paths = [Path(folder, name) for folder in folders]
    return next((path for path in paths if path.is_file()), paths[0])


def _shipped_entries() -> Iterator[PackEntry]:
    folder = resources.files("poolwright.portal").joinpath("packs")
    for name in shipped_names():
        yield PackEntry(name=name, origin=PackOrigin.SHIPPED, path=Path(str(folder.joinpath(f"{name}{_SUFFIX}"))))
