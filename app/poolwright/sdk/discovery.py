"""Finds a processor by its name: a built-in one, one of an installed package, or ``module:function``.

Only the metadata of packages is read here; no package is imported. A processor that a script gives as a function is
located, so that the worker processes can import it.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from poolwright.domain.errors import OptionsError
from poolwright.sdk.protocol import Processor

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorLocation:
    """How workers import a processor."""

    #: Name of a processor, or ``module:function``.
    name: str
    #: Folders that are searched first for its module.
    import_path: tuple[str, ...] = ()


def locate_processor(processor: Processor | str) -> ProcessorLocation:
    """Find how a worker can import a processor.

    A function is imported from its file, even if that is the running script, whose own work must therefore be under
    ``if __name__ == "__main__"``. The module of a name is searched beside the script.

    Raises:
        OptionsError: The function is nested, a method, or in no file; or no processor or several packages have this
            name, or its module does not exist.
    """
    if isinstance(processor, str):
        return locate_processor_by_name(processor, (sys.path[0],) if sys.path and sys.path[0] else (str(Path.cwd()),))
    function = getattr(processor, "__qualname__", "")
    module = inspect.getmodule(processor)
    file = getattr(module, "__file__", None)
    if not function.isidentifier() or module is None or file is None:
        raise OptionsError(
            f"The processor {function or processor!r} cannot be imported by workers: it must be a function of a "
            "module at its top level, not a nested function, a lambda or a method."
        )
    name = _module_name(module.__name__, getattr(module, "__spec__", None), Path(file))
    folder = Path(file).resolve().parents[name.count(".")]
    return ProcessorLocation(name=f"{name}:{function}", import_path=(str(folder),))


def locate_processor_by_name(name: str, import_path: tuple[str, ...]) -> ProcessorLocation:
    """Resolve a processor name without importing the module it names.

    Raises:
        OptionsError: No processor or several packages have this name, or its module does not exist.
    """
    reference = find_processor(name)
    if isinstance(reference, ModuleProcessor) and not _module_exists(reference.outermost, import_path):
        raise OptionsError(
            f"There is no processor {name!r}: no module {reference.outermost} is in {', '.join(import_path)}, "
            "and no package of that name is installed."
        )
    return ProcessorLocation(name=name, import_path=import_path)


def _module_exists(module: str, import_path: Sequence[str]) -> bool:
    """Return whether a top-level module can be found; submodules cannot be checked without importing the parent."""
    if PathFinder.find_spec(module, import_path) is not None:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # the module is loaded without a spec: it is the running script
        return True


def _module_name(name: str, spec: object, file: Path) -> str:
    """Return the name under which other processes import the module; the running script is ``__main__`` here."""
    if name != "__main__":
        return name
    return getattr(spec, "name", None) or file.stem
