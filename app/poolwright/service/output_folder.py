"""The output folder and its private folder: created, and checked to be writable."""

from __future__ import annotations

import tempfile
from pathlib import Path

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.domain.errors import OptionsError, SetupError
from poolwright.files.disk import make_private_folder
from poolwright.files.permissions import describe_error
from poolwright.settings import Settings

JOURNAL_NAME, LOG_NAME, STAGING_NAME = "journal.db", "log.jsonl", "staging"
#: Marks a folder that a demo created; other folders are never emptied.
DEMO_MARKER_NAME = ".made-by-poolwright-demo"
#: The list of a demo, in its output folder.
DEMO_LIST_NAME = "orders.xlsx"


def open_output_folder(settings: Settings) -> Path:
    """Create the output folder and its private folder, check that both are writable, and return the log file's path.

    Raises:
        OptionsError: A file exists at one of these paths.
        SetupError: A folder is not writable: permissions, or a disk that is read-only or full.
    """
    private = settings.out / PRIVATE_NAME
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
        make_private_folder(private)
        for folder in (settings.out, private):
            _check_writable(folder)
    except (FileExistsError, NotADirectoryError) as error:
        raise OptionsError(
            f"out is '{settings.out}', which is not a folder: {error.strerror}. Choose another one with --out."
        ) from error
    except OSError as error:
        advice = describe_error(error, settings.out).sentence(
            otherwise="Fix this, or choose another folder with --out."
        )
        raise SetupError(f"The output folder '{settings.out}' cannot be written: {advice}") from error
    return settings.log_file or private / LOG_NAME


def demo_files(out: Path) -> tuple[str, ...]:
    """Return the names of the files that a demo put into its output folder itself; none for any other folder."""
    return (DEMO_MARKER_NAME, DEMO_LIST_NAME) if (out / DEMO_MARKER_NAME).is_file() else ()


def _check_writable(folder: Path) -> None:
    """Write a temporary file: permissions alone do not reveal a read-only disk."""
    with tempfile.TemporaryFile(dir=folder):
        pass
