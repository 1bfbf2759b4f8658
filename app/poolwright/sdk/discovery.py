"""Finds a processor by its name: a built-in one, one of an installed package, or ``module:function``.

Only the metadata of packages is read here; no package is imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from poolwright.domain.errors import OptionsError

#: The group of entry points under which packages offer processors.
GROUP = "poolwright.processors"
#: The built-in processor.
PO_ATTACHMENTS = "po_attachments"
BUILT_IN_NAMES = (PO_ATTACHMENTS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltInProcessor:
    """A built-in processor."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageProcessor:
    """A processor that an installed package offers."""

    name: str
    #: Name of the package, as it is installed.
    package: str
    entry: EntryPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleProcessor:
    """A processor that is a function of a module."""

    name: str
    module: str
    function: str

    @property
    def outermost(self) -> str:
        """The top-level module or package of the function."""
        return self.module.partition(".")[0]


def find_processor(name: str) -> BuiltInProcessor | PackageProcessor | ModuleProcessor:
    """Return the processor of a name.

    Raises:
        OptionsError: The name is unknown, or ambiguous.
    """
    if ":" in name:
        return _module_processor(name)
    offers = package_processors()
    matching = [offer for offer in offers if offer.name == name]
    providers = [f"the package {offer.package}" for offer in matching]
    if name in BUILT_IN_NAMES:
        providers.insert(0, "Poolwright itself")
    if len(providers) > 1:
        raise OptionsError(
            f"The processor {name!r} is provided by {' and '.join(providers)}. Remove one of them, or name the "
            "function that you mean as module:function."
        )
    if name in BUILT_IN_NAMES:
        return BuiltInProcessor(name=name)
    if matching:
        return matching[0]
    raise OptionsError(f"Unknown processor {name!r}. Available: {_listed(offers)}. Name your own as module:function.")


def package_processors() -> tuple[PackageProcessor, ...]:
    """Return every processor that installed packages offer, sorted by name."""
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
