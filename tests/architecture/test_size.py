"""Files have the size of one noun: neither too long to be read in one go, nor a closet for a few lines.

A folder shows its modules in one listing. Docstrings are not counted against a function.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

FILE_LINES_MAX = 450
FUNCTION_LINES_MAX = 40
#: Below this a module of the package needs a reason.
FILE_LINES_MIN = 60
FOLDER_MODULES_MAX = 16
#: Modules whose size is not theirs to choose.
SKELETONS = ("__init__", "__main__")
SMALL_FILES = {
    "intake/errors": "commands name it without loading what reads lists",
    "cli/order_sample": "a rule about lists, apart from what reads and shows them",
    "ipc/child": "apart from inherited_pipes, which comes before its libraries",
    "ipc/inherited_pipes": "a worker takes over its pipes before it loads any library",
    "portal/errors": "commands name it without loading pydantic models",
    "portal/examination/secret_filter": "what counts as a secret is decided in one place",
    "service/api/dependencies": "the routes and the application both import it",
    "service/browser_check": "only the doctor starts a browser to look at it",
    "service/certificates": "apart from the certificate files, which load a cryptography library",
    "service/daemon/errors": "the HTTP side names them without loading the daemon",
    "service/output_folder": "the names in it are read by programs that must stay light",
    "system/open_files": "a limit of the system that nothing else here is about",
    "version": "the build reads it",
    "worker/page/page_answers": "the reader of pages is long enough without it",
}
#: Folders whose number of modules is not theirs to choose.
WIDE_FOLDERS = {"cli": "one command, one module"}

FOLDERS = ("app", "bench", "examples", "tools")
SOURCES = sorted(path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
PACKAGE = Path("app/poolwright")
MODULES = [path.relative_to(PACKAGE) for path in SOURCES if path.is_relative_to(PACKAGE) and path.stem not in SKELETONS]


def line_count(path: Path) -> int:
    """Lines of a file of the project."""
    return (ROOT / path).read_text(encoding="utf-8").count("\n")


def function_sizes(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The name of each function and the lines of its body, without the docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_a_file_can_be_read_in_one_go(source: Path) -> None:
    tree = ast.parse((ROOT / source).read_text(encoding="utf-8"))

    assert line_count(source) <= FILE_LINES_MAX
    assert not {name: size for name, size in function_sizes(tree) if size > FUNCTION_LINES_MAX}


def test_a_module_is_no_closet() -> None:
    small = {path.with_suffix("").as_posix() for path in MODULES if line_count(PACKAGE / path) < FILE_LINES_MIN}

    assert small == set(SMALL_FILES), "merge it with the noun it belongs to, or give the reason in SMALL_FILES"


def test_a_folder_fits_into_one_listing() -> None:
    folders = {path.parent.as_posix() for path in MODULES} - set(WIDE_FOLDERS)

    counts = {folder: sum(path.parent.as_posix() == folder for path in MODULES) for folder in folders}
    assert not {folder: count for folder, count in counts.items() if count > FOLDER_MODULES_MAX}
