"""The other half of ``make mutants``: what mutmut leaves alone, because it only changes the bodies of plain functions.

That is everything that stands outside them, the state tables above all, and properties. mutmut's own operators are
used where they say something there; added are those for tables: an element that is missing, and a move that leads back
to where it came from. Each mutant is one changed file in a copy of the project, and a forked pytest.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libcst as cst
import pytest
from mutmut.mutation import mutators

#: mutmut's operators that make something of each kind of node which can still be imported.
OPERATORS: Sequence[tuple[type[cst.CSTNode], Callable[[Any], Iterable[cst.CSTNode]]]] = (
    (cst.CSTNode, mutators.operator_keywords),
    (cst.CSTNode, mutators.operator_swap_op),
    (cst.BaseNumber, mutators.operator_number),
    (cst.Name, mutators.operator_name),
    (cst.UnaryOperation, mutators.operator_remove_unary_ops),
    (cst.IfExp, mutators.operator_if_exp),
)
#: No mutant takes as long as this, unless it never ends.
LIMIT_S = 120
#: What the tests need of the project.
NEEDED = ("app", "tests", "profiles", "pyproject.toml")
_NOT_COPIED = shutil.ignore_patterns("__pycache__")


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One changed line of one function; the function is the class or the module where the line stands in none."""

    module: str
    function: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class OutsideMutant:
    """A change, and the whole text of the module with it."""

    change: Change
    code: str


def outside_mutants(module: str, code: str) -> Iterator[OutsideMutant]:
    """Every mutant of what mutmut leaves alone in a module."""
    tree = cst.parse_module(code)
    collector = _Collector()
    tree.visit(collector)
    for name, node, others in collector.found:
        for other in others:
            mutated = _replaced(tree, node, other)
            before, after = changed_lines(code, mutated)
            yield OutsideMutant(Change(module, name or "(module)", before, after), mutated)


def changed_lines(before: str, after: str) -> tuple[str, str]:
    """The lines that differ between two texts with one change, each run of them on one line."""
    old, new = before.splitlines(), after.splitlines()
    shortest = min(len(old), len(new))
    head = next((number for number in range(shortest) if old[number] != new[number]), shortest)
    rest = shortest - head
    tail = next((number for number in range(rest) if old[-1 - number] != new[-1 - number]), rest)
    return _one_line(old[head : len(old) - tail]), _one_line(new[head : len(new) - tail])


def _one_line(lines: Sequence[str]) -> str:
    return " ".join(" ".join(lines).split())


def _replaced(tree: cst.Module, node: cst.CSTNode, other: cst.CSTNode) -> str:
    return cst.ensure_type(tree.deep_replace(node, other), cst.Module).code


class _Collector(cst.CSTVisitor):
    """Finds each node that may be changed, with the name of where it stands and what it may become."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, cst.CSTNode, list[cst.CSTNode]]] = []
        self._names: list[str] = []
        self._is_inside = False

    def on_visit(self, node: cst.CSTNode) -> bool:
        match node:
            case cst.Annotation() | cst.Decorator() | cst.Import() | cst.ImportFrom() | cst.SimpleString():
                return False
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value="__all__"))]):
                return False
            case cst.FunctionDef():
                self._names.append(node.name.value)
                if not _is_left_alone(node):
                    return False
            case cst.ClassDef():
                self._names.append(node.name.value)
            case _:
                others = [*_others(node)]
                if others:
                    self.found.append((".".join(self._names), node, others))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._names.pop()


def _is_left_alone(function: cst.FunctionDef) -> bool:
    """Whether mutmut does not touch a function: one with any decorator but these two."""
    names = [one.decorator.value for one in function.decorators if isinstance(one.decorator, cst.Name)]
    return bool(function.decorators) and names not in (["staticmethod"], ["classmethod"])


def _others(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What a node may become."""
    for kind, operator in OPERATORS:
        if isinstance(node, kind):
            yield from operator(node)
    match node:
        case cst.Set() | cst.Tuple() | cst.List() if len(node.elements) > 1:
            for number in range(len(node.elements)):
                yield node.with_changes(elements=[*node.elements[:number], *node.elements[number + 1 :]])
        case cst.Dict():
            yield from _other_tables(node)
        case _:
            return


def _other_tables(table: cst.Dict) -> Iterator[cst.Dict]:
    """The table without one of its rows; and, where a row is a table itself, with one move that leads nowhere."""
    for number, row in enumerate(table.elements):
        before, behind = table.elements[:number], table.elements[number + 1 :]
        yield table.with_changes(elements=[*before, *behind])
        if isinstance(row, cst.DictElement) and isinstance(row.value, cst.Dict):
            for stay in _other_rows(row.key, row.value):
                yield table.with_changes(elements=[*before, row.with_changes(value=stay), *behind])


def _other_rows(state: cst.BaseExpression, row: cst.Dict) -> Iterator[cst.Dict]:
    for number, move in enumerate(row.elements):
        if isinstance(move, cst.DictElement) and not move.value.deep_equals(state):
            stay = move.with_changes(value=state)
            yield row.with_changes(elements=[*row.elements[:number], stay, *row.elements[number + 1 :]])


class Copy:
    """A copy of the project in which one file at a time is changed."""

    def __init__(self, root: Path, folder: Path) -> None:
        """Make it anew from what stands at ``root``."""
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in NEEDED:
            source = root / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=_NOT_COPIED)
            else:
                shutil.copy2(source, folder / name)

    def warm_up(self, arguments: Sequence[str]) -> None:
        """Load the libraries that these tests need, for all children, and go to work in the copy."""
        os.chdir(self._folder)
        sys.path[:0] = [str(self._folder), str(self._folder / "app")]
        sys.dont_write_bytecode = True  # two mutants of a second may have one size, and so would share their bytecode
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            pytest.main(["--collect-only", "-q", *arguments])
        for name in [name for name in sys.modules if name.partition(".")[0] in {"poolwright", "tests"}]:
            del sys.modules[name]

    def is_well(self, arguments: Sequence[str]) -> bool:
        """Whether the tests pass as things stand."""
        return _forked_pytest(arguments) == 0

    def is_killed(self, mutant: OutsideMutant, arguments: Sequence[str]) -> bool:
        """Whether some test fails with this mutant."""
        path = self._folder / "app" / mutant.change.module
        original = path.read_text(encoding="utf-8")
        path.write_text(mutant.code, encoding="utf-8")
        try:
            return _forked_pytest(arguments) != 0
        finally:
            path.write_text(original, encoding="utf-8")


def _forked_pytest(arguments: Sequence[str]) -> int:
    """Run pytest in a child that has the libraries already, and nothing of the project."""
    child = os.fork()
    if child == 0:
        signal.alarm(LIMIT_S)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        code = 1
        try:
            code = int(pytest.main(["-x", "-q", *arguments]))
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
