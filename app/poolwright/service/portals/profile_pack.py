"""Which pack and address a profile is for, and whether they are still the ones that the profile remembers.

A pack of one's own is copied into the folder of its profile, so that the profile is whole. A pack from a folder or a
package is remembered by name. Both are remembered with the hash of their file. A pack that is shipped with Poolwright
may change with each version, so it has no hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from poolwright.domain.account import plain_address
from poolwright.portal.errors import PackError
from poolwright.portal.pack import Pack
from poolwright.portal.pack_library import LoadedPack, PackEntry, PackLibrary, PackOrigin, sha256_of
from poolwright.profile.repository import PACK_NAME, NamedProfile, ProfileFile


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePack:
    """A pack with what a profile writes down about it."""

    pack: Pack
    content: ProfileFile
    #: The file of the pack for the folder of the profile; ``None`` if the pack is not copied.
    copy: bytes | None = None

    @classmethod
    def from_loaded(cls, loaded: LoadedPack, base_url: str, earlier: ProfileFile | None = None) -> ProfilePack:
        """Return what a profile writes down about a pack.

        Args:
            loaded: The pack.
            base_url: Address of the portal.
            earlier: What the profile has said so far; ``None`` for a new one.
        """
        entry, pack = loaded.entry, loaded.pack
        title = earlier.title if earlier else None
        if entry.origin is PackOrigin.SHIPPED:
            return cls(pack=pack, content=ProfileFile(pack=pack.name, base_url=base_url, title=title))
        file = source = copy = None
        if entry.origin is PackOrigin.FILE:
            file, source, copy = PACK_NAME, str(entry.path.resolve()), loaded.content
        elif entry.origin is PackOrigin.PROFILE:
            file, source = entry.path.name, earlier.pack_source if earlier else None
        content = ProfileFile(
            pack=pack.name,
            pack_file=file,
            pack_source=source,
            pack_sha256=loaded.sha256,
            base_url=base_url,
            title=title,
        )
        return cls(pack=pack, content=content, copy=copy)


def find_profile_pack(profile: NamedProfile, content: ProfileFile, library: PackLibrary) -> PackEntry:
    """Return the pack that a profile names.

    Raises:
        PackError: Its file, or the pack of its name, is not there. The sentence has the command that helps.
    """
    step = f"give the profile its pack with `poolwright profile set-pack {profile.name} --portal NAME|FILE`"
    path = profile.pack_path(content)
    if path is None:
        try:
            return library.find(content.pack)
        except PackError as error:
            raise PackError(content.pack, (*error.problems[:-1], f"{error.problems[-1]}; {step}")) from error
    if not path.is_file():
        raise PackError(content.pack, (f"there is no file {path}, which the profile {profile.name} names; {step}",))
    origin = PackOrigin.PROFILE if _is_same_file(path.parent, profile.path) else PackOrigin.FILE
    return PackEntry(name=content.pack if origin is PackOrigin.PROFILE else str(path), origin=origin, path=path)


def given_pack_warnings(profile: NamedProfile, content: ProfileFile, loaded: LoadedPack) -> Iterator[str]:
    """Yield what a user should know about a pack that is used in place of the one that the profile names."""
    used = loaded.entry.name if loaded.entry.origin is PackOrigin.FILE else loaded.entry.place
    if loaded.pack.name != content.pack:
        yield (
            f"The profile {profile.name} is for the portal pack {content.pack}; {loaded.pack.name} is used here, as "
            "the option or setting portal says."
        )
    elif content.pack_sha256 not in {None, loaded.sha256}:
        yield (
            f"The pack {loaded.pack.name} of {used} is not the one that the profile {profile.name} remembers. It is "
            f"used here; `poolwright profile set-pack {profile.name} --portal {loaded.entry.name}` gives it to the "
            "profile."
        )


def given_address_warnings(profile: NamedProfile, content: ProfileFile, given: str) -> Iterator[str]:
    """Yield what a user should know about an address that is used in place of the one that the profile names."""
    if given and plain_address(given) != plain_address(content.base_url):
        yield (
            f"The profile {profile.name} is for {content.base_url}; {given} is used here, as the option or setting "
            f"base_url says. `poolwright profile set-pack {profile.name} --base-url {given}` gives it to the profile."
        )


def own_pack_warnings(profile: NamedProfile, content: ProfileFile, loaded: LoadedPack) -> Iterator[str]:
    """Yield what a user should know about the pack that a profile names: it, or the file of the user's, changed."""
    if content.pack_sha256 not in {None, loaded.sha256}:
        yield (
            f"The pack {loaded.pack.name} of {loaded.entry.place} has changed since the profile {profile.name} took "
            f"it. It is used as it is now; `poolwright profile set-pack {profile.name}` confirms the change."
        )
    source = Path(content.pack_source) if content.pack_source else None
    if source is not None and _hash_of(source) not in {None, loaded.sha256}:
        yield (
            f"{source} is not the same as the profile's copy of it, {loaded.entry.place}, and the copy is used: what "
            f"was changed in the file has no effect. `poolwright profile set-pack {profile.name} --portal {source}` "
            "takes it."
        )


def hiding_notices(loaded: LoadedPack) -> Iterator[str]:
    """Yield the packs of the same name that a pack hides."""
    for hidden in loaded.entry.hidden:
        yield f"The pack {loaded.pack.name} of {loaded.entry.place} is used; it hides that of {hidden.place}."


def _hash_of(path: Path) -> str | None:
    """Return the hash of a file; ``None`` if it cannot be read, as after it was moved."""
    try:
        return sha256_of(path.read_bytes())
    except OSError:
        return None


def _is_same_file(left: Path, right: Path) -> bool:
    return left.resolve() == right.resolve()
