"""The output folder, and what lies in the private folder within it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from poolwright.archive.disk import make_private_folder
from poolwright.archive.tree import PRIVATE_NAME
from poolwright.domain.errors import OptionsError, SetupError
from poolwright.profile.rights import blame
from poolwright.settings import Settings

JOURNAL_NAME, LOG_NAME, STAGING_NAME = "journal.db", "log.jsonl", "staging"


def open_out(settings: Settings) -> Path:
    """Make the output folder and the private one in it, and try them; returns where the whole log of a run goes.

    Raises:
        OptionsError: A file is in their place.
        SetupError: They take nothing: permissions, a disk that is read-only or full.
    """
    private = settings.out / PRIVATE_NAME
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
        make_private_folder(private)
        for folder in (settings.out, private):
            _try_out(folder)
    except (FileExistsError, NotADirectoryError) as error:
        raise OptionsError(
            f"out is '{settings.out}', which is no folder: {error.strerror}. Name another one with --out."
        ) from error
    except OSError as error:
        told = blame(error, settings.out).sentence(otherwise="Put that right, or name another one with --out.")
        raise SetupError(f"The output folder '{settings.out}' cannot be written: {told}") from error
    return settings.log_file or private / LOG_NAME


def _try_out(folder: Path) -> None:
    """Write a file that nobody ever sees: permissions alone do not tell of a disk that is read-only."""
    with tempfile.TemporaryFile(dir=folder):
        pass
