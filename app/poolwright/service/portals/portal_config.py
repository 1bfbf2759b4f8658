"""The portal that the settings or the profile name: its pack and its address."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from poolwright.archive.folder_template import FolderTemplate, default_template
from poolwright.domain.account import Account
from poolwright.domain.errors import OptionsError
from poolwright.portal.pack import Pack
from poolwright.portal.pack_library import LoadedPack, PackLibrary, PackOrigin
from poolwright.profile.errors import ProfileMissingError
from poolwright.profile.repository import PACK_NAME, NamedProfile, ProfileFile, ProfileRepository
from poolwright.service.portals.profile_pack import (
    ProfilePack,
    find_profile_pack,
    given_address_warnings,
    given_pack_warnings,
    hiding_notices,
    own_pack_warnings,
)
from poolwright.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalConfig:
    """A portal pack and its address."""

    pack: Pack
    #: Without a trailing slash.
    base_url: str
    #: What the user should know about the pack: it hides another one.
    notices: tuple[str, ...] = ()
    #: What must not be missed: another pack is used than the user may think. Each has the command that changes it.
    warnings: tuple[str, ...] = ()

    @property
    def all_notices(self) -> tuple[str, ...]:
        """All that the user should know about the pack, what must not be missed first."""
        return (*self.warnings, *self.notices)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFolder:
    """The template of the folders of orders."""

    template: str
    #: A sentence for the user if it is not the usual one; else empty.
    notice: str = ""


def pack_library(settings: Settings) -> PackLibrary:
    """Return the places of packs, the folder of the profile that the settings name among them."""
    try:
        folder = ProfileRepository(settings.profiles_dir).find(settings.profile).path
    except ProfileMissingError:
        folder = None
    return PackLibrary(profile_folder=folder, packs_dir=settings.packs_dir)


def resolve_portal_config(settings: Settings) -> PortalConfig:
    """Return the portal that the settings name, or else the profile's portal.

    Raises:
        PackError: There is no such pack, or it is not valid.
        ProfileError: The settings name no portal, and there is no such profile.
        OptionsError: No address is configured for the portal.
    """
    if not settings.portal:
        profile = find_profile(settings)
        content = profile.read()
        loaded = find_profile_pack(profile, content, pack_library(settings)).load()
        notices = () if content.pack_sha256 else tuple(hiding_notices(loaded))
        warnings = (
            *own_pack_warnings(profile, content, loaded),
            *given_address_warnings(profile, content, settings.base_url),
        )
        return _portal_config(loaded.pack, settings.base_url or content.base_url, notices, warnings)
    loaded = pack_library(settings).find(settings.portal).load()
    pack, known = loaded.pack, _existing_profile(settings)
    if known is None:
        return _portal_config(pack, settings.base_url or pack.site.base_url, tuple(hiding_notices(loaded)))
    profile, content = known
    notices, warnings = tuple(hiding_notices(loaded)), tuple(given_pack_warnings(profile, content, loaded))
    if content.pack != pack.name:
        return _portal_config(pack, settings.base_url or pack.site.base_url, notices, warnings)
    warnings = (*warnings, *given_address_warnings(profile, content, settings.base_url))
    return _portal_config(pack, settings.base_url or content.base_url, notices, warnings)


def resolve_new_portal_config(settings: Settings) -> tuple[PortalConfig, ProfilePack]:
    """Return the portal for a new profile, and what the profile writes down about it.

    If the settings name none, it is the one whose pack is in the folder of the profile.

    Raises:
        PackError: There is no such pack, or it is not valid.
        OptionsError: The settings name no portal, or no address is configured for it.
    """
    library = pack_library(settings)
    entries = library.entries()
    own = [entry for entry in entries if entry.origin is PackOrigin.PROFILE]
    if settings.portal:
        entry = library.find(settings.portal)
    elif len(own) == 1:
        (entry,) = own
    else:
        names = ", ".join(dict.fromkeys(entry.name for entry in entries))
        msg = (
            f"There is no profile {settings.profile} yet; to make it, say with --portal which portal it is for: "
            f"{names}, or the path of a pack of your own (a .toml file)."
        )
        raise OptionsError(msg)
    loaded = entry.load()
    address = settings.base_url or loaded.pack.site.base_url
    site = _portal_config(loaded.pack, address, tuple(hiding_notices(loaded)))
    return site, ProfilePack.from_loaded(loaded, site.base_url)


def set_profile_pack(settings: Settings) -> LoadedPack:
    """Give the profile the pack of the settings, or confirm the one that it has as it is now, and return the pack.

    Raises:
        PackError: There is no such pack, or it is not valid. The profile stays as it was.
        ProfileError: There is no such profile, or its file is not valid.
        OptionsError: A pack of the user's own would be overwritten.
        SetupError: The profile cannot be written.
    """
    profile = find_profile(settings)
    content = profile.read()
    library = pack_library(settings)
    entry = library.find(settings.portal) if settings.portal else find_profile_pack(profile, content, library)
    loaded = entry.load()
    made = ProfilePack.from_loaded(loaded, settings.base_url or content.base_url, content)
    if made.copy is not None and content.pack_file != PACK_NAME and (profile.path / PACK_NAME).exists():
        msg = f"{profile.path / PACK_NAME} is not a copy that Poolwright made. Move it away, or take it with --portal."
        raise OptionsError(msg)
    profile.write(made.content, made.copy)
    return loaded


def find_profile(settings: Settings) -> NamedProfile:
    """Return the profile that the settings name.

    Raises:
        ProfileError: There is no such profile.
    """
    return ProfileRepository(settings.profiles_dir).find(settings.profile)


def portal_account(settings: Settings, site: PortalConfig) -> Account:
    """Return the account that the orders belong to: portal, address and profile."""
    return Account.at(site.base_url, portal=site.pack.name, profile=settings.profile)


def resolve_order_folder(settings: Settings, pack: Pack, columns: Collection[str] = ()) -> OrderFolder:
    """Return the folder template: the user's, or else the default, without levels that the portal does not have.

    Args:
        settings: The settings with the user's template.
        pack: The portal pack, whose fields the template may name.
        columns: The columns of the user's list, which it may name too.

    Raises:
        OptionsError: The user's template is not valid, or names a field that the portal pack does not have.
    """
    if "folder_template" in settings.model_fields_set:
        FolderTemplate.parse(settings.folder_template, {*pack.fields, *columns})
        return OrderFolder(template=settings.folder_template)
    template = default_template(pack.fields)
    if template == settings.folder_template:
        return OrderFolder(template=template)
    notice = (
        f"The folders of orders are called {template}, without the supplier, as the portal pack {pack.name} has no "
        "field of that name ([fields.supplier])."
    )
    return OrderFolder(template=template, notice=notice)


def resolve_daemon_folder(settings: Settings, pack: Pack) -> OrderFolder:
    """Return the folder template of a daemon, which may name columns of lists that come later.

    Raises:
        OptionsError: The user's template is not valid.
    """
    if "folder_template" in settings.model_fields_set:
        return resolve_order_folder(settings, pack, FolderTemplate.parse(settings.folder_template).fields)
    return resolve_order_folder(settings, pack)


def _existing_profile(settings: Settings) -> tuple[NamedProfile, ProfileFile] | None:
    repository = ProfileRepository(settings.profiles_dir)
    if settings.profile not in repository.names():
        return None
    profile = repository.find(settings.profile)
    return profile, profile.read()


def _portal_config(pack: Pack, base_url: str, notices: tuple[str, ...], warnings: tuple[str, ...] = ()) -> PortalConfig:
    if not base_url:
        raise OptionsError(f"No address is configured for portal {pack.name!r}. Set it with --base-url.")
    return PortalConfig(pack=pack, base_url=base_url.rstrip("/"), notices=notices, warnings=warnings)
