"""Which portal a run is about, and which profile it starts from: settings and profile together say it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from poolwright.domain.account import Account
from poolwright.domain.errors import OptionsError
from poolwright.portal import pack as packs
from poolwright.portal.pack import Pack
from poolwright.profile.repository import NamedProfile, ProfileFile, ProfileRepository
from poolwright.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A portal pack and its address."""

    pack: Pack
    #: Without a trailing slash.
    base_url: str


def find_site(settings: Settings) -> Site:
    """Return the portal that the settings name, or else the profile's portal.

    Raises:
        PackError: There is no such pack, or it is not valid.
        ProfileError: Settings leave it to the profile, and there is none.
        OptionsError: No address is configured for the portal.
    """
    if settings.portal:
        pack = packs.load(settings.portal)
        return _site(pack, settings.base_url or _address_of_profile(settings, pack) or pack.site.base_url)
    content = find_profile(settings).read()
    return _site(packs.load(content.portal), settings.base_url or content.base_url)


def find_profile(settings: Settings) -> NamedProfile:
    """Return the profile that the settings name.

    Raises:
        ProfileError: There is none.
    """
    return ProfileRepository(settings.profiles_dir).find(settings.profile)


def find_new_site(settings: Settings) -> tuple[Site, ProfileFile]:
    """The portal that a new profile is for, which settings must name, and what the profile says of it.

    Raises:
        PackError: The pack is not valid.
        OptionsError: Settings name no pack, or nobody says where the portal is.
    """
    is_shipped = settings.portal in packs.shipped_names()
    if not is_shipped and not (settings.portal and Path(settings.portal).is_file()):
        msg = (
            f"There is no profile {settings.profile} yet; to make it, say with --portal which portal it is for: "
            f"{', '.join(packs.shipped_names())}, or the path of a pack of your own (a .toml file)."
        )
        raise OptionsError(msg)
    site = find_site(settings)
    pack_file = None if is_shipped else str(Path(settings.portal).resolve())
    return site, ProfileFile(pack=site.pack.name, pack_file=pack_file, base_url=site.base_url)


def account_of(settings: Settings, site: Site) -> Account:
    """Return the account that the orders belong to: portal, address and profile."""
    return Account.at(site.base_url, portal=site.pack.name, profile=settings.profile)


def _address_of_profile(settings: Settings, pack: Pack) -> str:
    home = ProfileRepository(settings.profiles_dir)
    if settings.profile not in home.names():
        return ""
    content = home.find(settings.profile).read()
    return content.base_url if content.pack == pack.name else ""


def _site(pack: Pack, base_url: str) -> Site:
    if not base_url:
        raise OptionsError(f"No address is configured for portal {pack.name!r}. Set it with --base-url.")
    return Site(pack=pack, base_url=base_url.rstrip("/"))
