"""``make mutants``: change the pure rules in every small way, and see that some quick test notices each.

mutmut changes the bodies of functions, ``outside_mutants`` all that stands outside them. What no test notices must be
explained in tests/mutants.toml: one sentence that says why the changed program does the same. The exit code is 1 when
one survives that is not explained, and when an explanation is left of one that no longer survives.

    python -m tools.mutants [--fresh] [word ...]      (words narrow it to the modules whose path holds one of them)

A run that was broken off goes on where it was; survivors are always tried again. ``--fresh`` forgets what was found,
which is needed after tests were taken away.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import libcst as cst

from tools.outside_mutants import Change, Copy, changed_lines, outside_mutants

ROOT = Path(__file__).resolve().parent.parent
#: Modules are named by their paths from here.
SOURCE = ROOT / "app"
EXPLAINED = ROOT / "tests" / "mutants.toml"
#: mutmut works here; it finds the project by links, and writes to a folder of its own beside them.
WORK = ROOT / "build" / "mutation"
RESULTS = WORK / "mutants"
OUTSIDE = WORK / "outside.json"
LINKED = ("app/poolwright", "tests", "profiles", "pyproject.toml")
#: What mutmut writes down for a mutant that some test noticed: a failure, an error of pytest, a time that ran out.
KILLED = frozenset({1, 3, 24, 36, 152, 255, -24})


@dataclass(kw_only=True)
class Tally:
    """What became of the mutants of one module."""

    killed: int = 0
    survivors: list[Change] = field(default_factory=list[Change])
    #: Not judged: mutmut was broken off.
    open_count: int = 0

    def add(self, other: Tally) -> None:
        """Count those of another tally too."""
        self.killed += other.killed
        self.survivors += other.survivors
        self.open_count += other.open_count


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a changed program does the same. Without a module or a function it speaks of the change wherever it is."""

    before: str
    after: str
    because: str
    module: str = ""
    function: str = ""

    def fits(self, change: Change) -> bool:
        """Whether this is the change that is spoken of."""
        is_here = self.module in {"", change.module} and self.function in {"", change.function}
        return is_here and (self.before, self.after) == (change.before, change.after)

    @property
    def told(self) -> str:
        """Which one it is, for people."""
        return f"{self.module or 'anywhere'}, {self.function or 'any function'}: {self.after or '(nothing)'}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the survivors come to, held against the explanations."""

    explained: dict[str, int]
    unexplained: list[Change]
    #: Explanations of mutants that do not survive, or are gone.
    stale: list[str]


def settings() -> dict[str, Any]:
    """The table of mutmut in pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]


def chosen_modules(patterns: Sequence[str], there: Iterable[str], words: Sequence[str]) -> list[str]:
    """The modules that are to be changed: those that a pattern names, and whose path holds one of the words if any."""
    named = [one for one in there if any(fnmatch.fnmatch(one, pattern) for pattern in patterns)]
    return sorted(one for one in named if not words or any(word in one for word in words))


def tests_for(module: str, selection: Sequence[str]) -> list[str]:
    """The quick tests of a module: those of the same room of the program."""
    room = Path(module).parts[1]
    return [path for path in selection if room in Path(path).parts]


def explanations(text: str) -> list[Explanation]:
    """Read the list of those that are explained.

    Raises:
        ValueError: one has no sentence.
    """
    found = [Explanation(**entry) for entry in tomllib.loads(text).get("equal", [])]
    for one in found:
        if not one.because.strip().endswith("."):
            raise ValueError(f"{one.told}: `because` must hold a sentence.")
    return found


def judge(tallies: dict[str, Tally], explained: Sequence[Explanation]) -> Verdict:
    """Hold the survivors against the explanations; of modules that were not looked at nothing is said."""
    survivors = [change for tally in tallies.values() for change in tally.survivors]
    equal = [change for change in survivors if any(one.fits(change) for one in explained)]
    return Verdict(
        explained=Counter(change.module for change in equal),
        unexplained=sorted(change for change in survivors if change not in equal),
        stale=[one.told for one in explained if one.module in tallies and not any(map(one.fits, survivors))],
    )


def share(tally: Tally, explained: int) -> float:
    """How many of those that can be noticed are noticed."""
    total = tally.killed + len(tally.survivors) - explained
    return tally.killed / total if total else 1.0


def table(tallies: dict[str, Tally], explained: dict[str, int]) -> str:
    """A line for each module, and one for all."""
    rows = [(module, tally, explained.get(module, 0)) for module, tally in tallies.items()]
    every = Tally()
    for tally in tallies.values():
        every.add(tally)
    rows.append(("all", every, sum(explained.values())))
    lines = [f"{'module':<36} mutants  killed  survived  equal   share"]
    for module, tally, equal in rows:
        total = tally.killed + len(tally.survivors) + tally.open_count
        counts = f"{total:>7} {tally.killed:>7} {len(tally.survivors) - equal:>9} {equal:>6}"
        lines.append(f"{module:<36} {counts} {share(tally, equal):>7.1%}")
    return "\n".join(lines)


def prepare() -> None:
    """Lay out the folder in which mutmut works."""
    WORK.mkdir(parents=True, exist_ok=True)
    for name in LINKED:
        link = WORK / Path(name).name
        if not link.exists():
            link.symlink_to(ROOT / name)


def run_mutmut(names: Sequence[str]) -> int:
    """Let mutmut try these mutants again; with none named, all that it has no verdict on."""
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *names]
    return subprocess.run(command, cwd=WORK, check=False).returncode


def dotted(module: str) -> str:
    """How mutmut calls a module."""
    return module.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def has_functions(module: str) -> bool:
    """Whether there is anything for mutmut."""
    return re.search(r"^ *def ", (SOURCE / module).read_text(encoding="utf-8"), re.MULTILINE) is not None


def verdicts(module: str) -> dict[str, int | None]:
    """What mutmut wrote down about each mutant of a module."""
    path = RESULTS / f"{module}.meta"
    return json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"] if path.is_file() else {}


def tally_of(module: str) -> Tally:
    """What became of mutmut's mutants of a module."""
    found = Tally()
    for name, code in verdicts(module).items():
        if code in KILLED:
            found.killed += 1
        elif code is None:
            found.open_count += 1
        else:
            found.survivors.append(_change(module, name))
    outside = outside_results().get(module, {"killed": 0, "survivors": []})
    found.killed += outside["killed"]
    found.survivors += [Change(**change) for change in outside["survivors"]]
    return found


def _change(module: str, name: str) -> Change:
    """Tell a mutant in a way that stays the same when other lines of its module change."""
    from mutmut.mutation.diff_apply import read_functions_from_index  # noqa: PLC0415 - looks for the working folder

    functions = read_functions_from_index(name, module)
    if functions is None:
        raise ValueError(f"{name} is not to be found in {RESULTS}; try again with --fresh")
    before, after = (cst.Module([function]).code for function in functions)
    title = name.rpartition(".")[2].partition("__mutmut_")[0].removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    return Change(module, title, *changed_lines(before, after))


def run_outside(modules: Sequence[str], selection: Sequence[str], arguments: Sequence[str]) -> None:
    """Try every mutant of what stands outside the functions, and write down what came of it.

    Raises:
        ValueError: a test fails without any mutant.
    """
    copy = Copy(ROOT, WORK / "outside")
    copy.warm_up([*arguments, *selection])
    found, tried = outside_results(), list[list[str]]()
    for module in modules:
        tests = [*arguments, *tests_for(module, selection)]
        if tests not in tried and not copy.is_well(tests):
            raise ValueError(f"The tests of {module} fail as it is.")
        tried.append(tests)
        mutants = outside_mutants(module, (SOURCE / module).read_text(encoding="utf-8"))
        judged = [(mutant.change, copy.is_killed(mutant, tests)) for mutant in mutants]
        survivors = [asdict(change) for change, is_killed in judged if not is_killed]
        found[module] = {"killed": len(judged) - len(survivors), "survivors": survivors}
        OUTSIDE.write_text(json.dumps(found, indent=1), encoding="utf-8")
        print(f"{module}, outside its functions: {len(judged)} mutants, {len(survivors)} survived", flush=True)


def outside_results() -> dict[str, Any]:
    """What was written down about the mutants outside of functions, by module."""
    return json.loads(OUTSIDE.read_text(encoding="utf-8")) if OUTSIDE.is_file() else {}


def run_inside(modules: Sequence[str], *, is_narrowed: bool) -> int:
    """Let mutmut judge what it has not judged yet, and everything that survived the last time once more."""
    if is_narrowed:
        names = [f"{dotted(module)}.*" for module in modules if has_functions(module)]
        return run_mutmut(names) if names else 0
    survivors = [name for module in modules for name, code in verdicts(module).items() if code not in {None, *KILLED}]
    return run_mutmut([]) or (run_mutmut(survivors) if survivors else 0)


def parsed() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs found")
    parser.add_argument("--table", action="store_true", help="only tell what earlier runs found")
    parser.add_argument("words", nargs="*", help="parts of the paths of modules")
    return parser.parse_args()


def main() -> int:
    """Run both halves and tell what came of it."""
    asked, known = parsed(), settings()
    there = [path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py")]
    modules = chosen_modules(known["only_mutate"], there, asked.words)
    if not modules:
        print("No module of [tool.mutmut] in pyproject.toml has such a path.")
        return 2
    if asked.fresh:
        shutil.rmtree(RESULTS, ignore_errors=True)
    prepare()
    if not asked.table:
        if code := run_inside(modules, is_narrowed=bool(asked.words)):
            return code
        run_outside(modules, known["pytest_add_cli_args_test_selection"], known["pytest_add_cli_args"])
    os.chdir(WORK)
    return report({module: tally_of(module) for module in modules})


def report(tallies: dict[str, Tally]) -> int:
    """Print the table and what is to be done; the exit code says whether anything is."""
    verdict = judge(tallies, explanations(EXPLAINED.read_text(encoding="utf-8")))
    for change in verdict.unexplained:
        print(f"\n{change.module}, {change.function}: no test notices it, and nothing explains it\n  - {change.before}")
        print(f"  + {change.after}")
    for told in verdict.stale:
        print(f"\nexplained in vain, for it does not survive: {told}")
    print(f"\n{table(tallies, verdict.explained)}")
    is_done = not any(tally.open_count for tally in tallies.values())
    return 0 if is_done and not verdict.unexplained and not verdict.stale else 1


if __name__ == "__main__":
    sys.exit(main())
