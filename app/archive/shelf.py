"""Where a former folder of an order waits, out of sight, until the new one stands in its place.

Nothing that could be missed is deleted from it. Notes that people put into a folder and files that they changed move on
into the new one; so do files of an earlier try that the portal still lists and the last try could not fetch.
"""

from __future__ import annotations

from pathlib import Path

from app.archive.disk import make_private_folder, sha256_of
from app.archive.ledger import task_key
from app.archive.manifest import MANIFEST_NAME, Manifest, ManifestError
from app.archive.names import unique_name
from app.domain.ids import TaskId


class Shelf:
    """Former folders of every order, by order. One writer."""

    def __init__(self, root: Path) -> None:
        """Keep folders below ``root``, which only its owner may enter."""
        self._root = root / "replaced"

    @property
    def place(self) -> Path:
        """Where they all are."""
        return self._root

    def held(self, task_id: TaskId) -> list[Path]:
        """The former folders of an order, the one that was put here last at the end."""
        place = self._root / task_key(task_id)
        found = [path for path in place.iterdir() if path.name.isdecimal()] if place.is_dir() else []
        return sorted(found, key=lambda path: int(path.name))

    def take(self, task_id: TaskId, folder: Path) -> None:
        """Take a folder out of the tree."""
        held = self.held(task_id)
        number = int(held[-1].name) + 1 if held else 1
        make_private_folder(self._root)
        folder.rename(make_private_folder(self._root / task_key(task_id)) / str(number))

    def clear(self, task_id: TaskId, into: Path) -> None:
        """Delete the former folders of an order, after what is not ours in them has moved ``into`` its present one."""
        for folder in self.held(task_id):
            _hand_over(folder, into)
            _empty(folder)
        if (place := self._root / task_key(task_id)).is_dir():
            place.rmdir()


def _hand_over(folder: Path, into: Path) -> None:
    """Move what is not replaced. What was moved before a crash is no longer there."""
    former, present = _manifest(folder), Manifest.read(into)
    for path in sorted(folder.iterdir()):
        if not _is_replaced(path, former, present):
            path.rename(into / unique_name(path.name, [other.name for other in into.iterdir()]))


def _is_replaced(path: Path, former: Manifest | None, present: Manifest) -> bool:
    """Whether nothing is lost with ``path``: the present folder has its bytes, or the portal gave others for them."""
    if path.name == MANIFEST_NAME and former is not None:
        return True
    if path.is_symlink() or not path.is_file():
        return False
    sha256 = sha256_of(path)
    if any(file.sha256 == sha256 for file in present.files):
        return True
    labels = [file.label for file in former.files if (file.name, file.sha256) == (path.name, sha256)] if former else []
    return bool(labels) and labels[0] not in {missed.label for missed in present.missed}


def _manifest(folder: Path) -> Manifest | None:
    """The manifest of a former folder; nothing when a crash has left it empty."""
    try:
        return Manifest.read(folder)
    except ManifestError:
        return None


def _empty(folder: Path) -> None:
    """Delete what is left. The manifest goes last: as long as it is there, a second try knows what is ours."""
    for path in folder.iterdir():
        if path.name != MANIFEST_NAME:
            path.unlink()
    (folder / MANIFEST_NAME).unlink(missing_ok=True)
    folder.rmdir()
