"""Finds a processor by its name: a built-in one, one of an installed package, or ``module:function``.

Only metadata of packages is read here; nothing of theirs is imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from poolwright.domain.errors import OptionsError

#: The group of entry points under which packages offer processors.
GROUP = "poolwright.processors"
#: What comes with Poolwright.
PO_ATTACHMENTS = "po_attachments"
BUILT_IN_NAMES = (PO_ATTACHMENTS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltInProcessor:
    """A processor of ours."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageProcessor:
    """One that an installed package offers."""

    name: str
    #: Name of the package, as it is installed.
    package: str
    entry: EntryPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleProcessor:
    """A function of a module."""

    name: str
    module: str
    function: str

    @property
    def outermost(self) -> str:
        """The module, or the package that it stands in."""
        return self.module.partition(".")[0]


def find_processor(name: str) -> BuiltInProcessor | PackageProcessor | ModuleProcessor:
    """Find the processor of a name.

    Raises:
        OptionsError: It means nothing, or more than one thing.
    """
    if ":" in name:
        return _module_processor(name)
    offers = package_processors()
    found = [offer for offer in offers if offer.name == name]
    givers = [f"the package {offer.package}" for offer in found]
    if name in BUILT_IN_NAMES:
        givers.insert(0, "Poolwright itself")
    if len(givers) > 1:
        raise OptionsError(
            f"The processor {name!r} is provided by {' and '.join(givers)}. Remove one of them, or name the function "
            "that you mean as module:function."
        )
    if name in BUILT_IN_NAMES:
        return BuiltInProcessor(name=name)
    if found:
        return found[0]
    raise OptionsError(f"Unknown processor {name!r}. Available: {_listed(offers)}. Name your own as module:function.")


def package_processors() -> tuple[PackageProcessor, ...]:
    """Every processor that installed packages offer, by name."""
    offers = (
        PackageProcessor(name=entry.name, package=entry.dist.name if entry.dist else "?", entry=entry)
        for entry in entry_points(group=GROUP)
    )
    return tuple(sorted(offers, key=lambda offer: (offer.name, offer.package)))


def _module_processor(name: str) -> ModuleProcessor:
    module, _, function = name.partition(":")
    if not (function.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise OptionsError(f"Invalid processor name {name!r}: expected module:function or package.module:function.")
    return ModuleProcessor(name=name, module=module, function=function)


def _listed(offers: Sequence[PackageProcessor]) -> str:
    return ", ".join((*BUILT_IN_NAMES, *(f"{offer.name} (of {offer.package})" for offer in offers)))
