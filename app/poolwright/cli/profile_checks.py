"""What ``profile verify`` finds: everything that a run checks before it clones a profile, each told on its own."""

from __future__ import annotations

from collections.abc import Iterator

from poolwright.cli import checks, profile_words
from poolwright.cli.checks import Check
from poolwright.domain.errors import PoolError
from poolwright.portal import pack as packs
from poolwright.profile.backups import latest_backup
from poolwright.profile.base import BaseFacts, inspect_base
from poolwright.profile.cookie_db import count_by_site
from poolwright.profile.damage import refuse_marked, remediation
from poolwright.profile.locks import read_locked
from poolwright.profile.repository import NamedProfile
from poolwright.profile.seal import check_seal, read_seal

#: A profile that was used in between differs in dozens of files; the first ones tell.
DIFFERENCES_SHOWN = 12


def examine(profile: NamedProfile) -> Iterator[Check]:
    """Every check, in the order in which a run makes them; one that fails keeps none of the others from being made."""
    yield _file(profile)
    yield _mark(profile)
    try:
        with read_locked(profile.base_path):
            facts = inspect_base(profile.base_path)
            yield _base(facts)
            yield _seal(profile)
    except PoolError as error:
        yield checks.fail("base", str(error), "")
    yield _good_copy(profile)


def _file(profile: NamedProfile) -> Check:
    try:
        content = profile.read()
        pack = packs.load(content.portal)
    except PoolError as error:
        return checks.fail("profile.toml", str(error), "")
    return checks.ok("profile.toml", f"for {pack.title} at {content.base_url}")


def _mark(profile: NamedProfile) -> Check:
    try:
        refuse_marked(profile.base_path)
    except PoolError as error:
        return checks.fail("mark", str(error), "")
    return checks.ok("mark", "none: no run has found damage")


def _base(facts: BaseFacts) -> Check:
    contents = profile_words.contents(facts.files_count, facts.size_bytes)
    cookies = profile_words.cookies(count_by_site(facts.cookies_path))
    found = f"intact, and not in use: {contents}, {cookies}"
    return checks.warn("base", found, " ".join(facts.notices)) if facts.notices else checks.ok("base", found)


def _seal(profile: NamedProfile) -> Check:
    base = profile.base_path
    try:
        seal = read_seal(base)
        differences = check_seal(base, seal) if seal else ()
    except PoolError as error:
        return checks.fail("seal", str(error), "")
    if seal is None:
        advice = f"A run checks its structure alone; `poolwright profile seal {profile.name}` has every byte checked."
        return checks.warn("seal", "none", advice)
    if not differences:
        return checks.ok("seal", f"every file is as it was sealed on {profile_words.moment(seal.created_at)}")
    more = len(differences) - DIFFERENCES_SHOWN
    told = ", ".join((*differences[:DIFFERENCES_SHOWN], *([f"{more} more"] if more > 0 else [])))
    found = f"not as it was sealed on {profile_words.moment(seal.created_at)}: {told}"
    return checks.fail("seal", found, remediation(base))


def _good_copy(profile: NamedProfile) -> Check:
    good = latest_backup(profile.base_path)
    if good is None:
        return checks.warn("good copy", "none", "Sealing the profile creates one.")
    try:
        seal = read_seal(good)
        differences = check_seal(good, seal) if seal else ("its seal is missing",)
    except PoolError as error:
        return checks.warn("good copy", str(error), "")
    if differences or seal is None:
        told = ", ".join(differences[:DIFFERENCES_SHOWN])
        return checks.warn("good copy", f"damaged: {told}", "Seal the profile again while it is intact.")
    return checks.ok("good copy", f"whole, of {profile_words.moment(seal.created_at)}")
