"""The output folder, and what lies in the private folder within it."""

from __future__ import annotations

from pathlib import Path

from app.archive.disk import make_private_folder
from app.archive.tree import PRIVATE_NAME
from app.domain.failures import OptionsError
from app.settings import Settings

JOURNAL_NAME, LOG_NAME = "journal.db", "log.jsonl"


def open_out(settings: Settings) -> Path:
    """Make the output folder and the private one in it; returns where the whole log of a run goes.

    Raises:
        OptionsError: They cannot be made.
    """
    private = settings.out / PRIVATE_NAME
    try:
        settings.out.mkdir(parents=True, exist_ok=True)
        make_private_folder(private)
    except OSError as error:
        raise OptionsError(f"out is '{settings.out}', which cannot be written: {error.strerror}.") from error
    return settings.log_file or private / LOG_NAME
