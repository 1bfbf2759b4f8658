"""Names of the package: no two public classes or modules share one, and docstrings and comments name what exists."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.paths import ROOT

PACKAGE = ROOT / "app" / "poolwright"
#: Shared on purpose, and why.
SHARED_CLASSES = {
    "Tab": "the public protocol in sdk, and the one class in worker that fulfils it",
}
SHARED_MODULES = {
    "errors": "each package names its own",
    "events": "what observers see (domain), and what the policy decides about",
    "main": "the main function of the program, and that of a worker process",
    "options": "what a pool is given (domain), and the options of the command line",
}
#: Names in docstrings and comments that belong to other programs.
FOREIGN_NAMES = {
    "AppData": "a folder of Windows",
    "CERTCertTrust": "a structure of NSS",
    "DocNumber": "a column of a list",
    "GetFileResponse": "an element of a reply",
    "MemAvailable": "a line of /proc/meminfo",
    "SingletonLock": "a file of the browser",
}
#: Modules that every package may have.
SKELETONS = ("__init__", "__main__")


def sources() -> Iterator[Path]:
    """Every module of the package, relative to it."""
    return (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def shared(places: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The names that stand in more than one place."""
    return {name: found for name, found in places.items() if len(found) > 1}


def test_no_two_public_classes_share_a_name() -> None:
    places: defaultdict[str, set[str]] = defaultdict(set)
    for path in sources():
        for node in ast.parse((PACKAGE / path).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(path.as_posix())

    assert shared(places).keys() == SHARED_CLASSES.keys(), shared(places)


def test_no_two_modules_share_a_name() -> None:
    places: defaultdict[str, set[str]] = defaultdict(set)
    for path in sources():
        if path.stem not in SKELETONS:
            places[path.stem].add(path.as_posix())

    assert shared(places).keys() == SHARED_MODULES.keys(), shared(places)


def test_no_module_is_called_like_a_package_of_another_folder() -> None:
    packages = {path.parent.name: path.parent.as_posix() for path in sources() if path.name == "__init__.py"}
    modules = {path.with_suffix("").as_posix(): path.stem for path in sources() if path.stem not in SKELETONS}

    alike = {module for module, name in modules.items() if name in packages}
    assert alike == {
        "cli/demo",  # the commands have their names from what users type
        "cli/journal",
        "cli/login",
        "cli/portal",
        "demo/catalogue/catalogue",  # the main class of the package
        "profile/profile",
        "service/daemon/daemon",
        "supervisor/processes/worker",  # one slot, as the supervisor sees the process whose program is in worker
    }


def names_in(tree: ast.AST) -> Iterator[str]:
    """The names that a module defines, imports or uses."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.ClassDef(name=name) | ast.alias(name=name):
                yield name
            case _:
                pass


def test_every_class_that_a_docstring_or_a_comment_names_exists() -> None:
    existing: set[str] = set()
    mentions: defaultdict[str, set[str]] = defaultdict(set)
    for path in sources():
        text = (PACKAGE / path).read_text(encoding="utf-8")
        existing.update(names_in(ast.parse(text)))
        for name in re.findall(r"``([A-Z][A-Za-z]*[a-z][A-Z][A-Za-z]*)\b", text):
            mentions[name].add(path.as_posix())

    unknown = {name: paths for name, paths in mentions.items() if name not in existing}
    assert unknown.keys() == FOREIGN_NAMES.keys(), unknown
