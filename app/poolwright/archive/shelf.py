"""Where a former folder of an order waits, out of sight, until the new one stands in its place.

Nothing that could be missed is deleted from it. Each file moves to the place that the new manifest has for it; notes
that people put into a folder and files that they changed move on as they are; what is among the new files goes.
"""

from __future__ import annotations

from pathlib import Path

from poolwright.archive.disk import make_folders, make_private_folder, sha256_of
from poolwright.archive.ledger import task_key
from poolwright.archive.manifest import MANIFEST_NAME, Manifest, ManifestError
from poolwright.archive.names import RESERVED_NAMES, SUPERSEDED_NAME, unique_name
from poolwright.domain.ids import TaskId


class Shelf:
    """Keeps the earlier folders of each order until a new one replaces them. One writer."""

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
        """Move a folder out of the tree."""
        held = self.held(task_id)
        number = int(held[-1].name) + 1 if held else 1
        make_private_folder(self._root)
        folder.rename(make_private_folder(self._root / task_key(task_id)) / str(number))

    def clear(self, task_id: TaskId, into: Path) -> None:
        """Delete the former folders of an order, after what is to be kept has moved ``into`` its present one."""
        for folder in self.held(task_id):
            _hand_over(folder, into)
        if (place := self._root / task_key(task_id)).is_dir():
            place.rmdir()


def _hand_over(folder: Path, into: Path) -> None:
    """Bring everything to its place. What was brought there before a crash is no longer here.

    The manifest goes last: as long as it is there, a second try knows what is ours.
    """
    present = Manifest.read(into)
    _hand_on(folder, folder, _Receiver(folder=into, present=present))
    (folder / MANIFEST_NAME).unlink(missing_ok=True)
    folder.rmdir()


def _hand_on(place: Path, former: Path, receiver: _Receiver) -> None:
    """Empty a place in a former folder. What is superseded there joins what is superseded in the present folder."""
    for path in sorted(place.iterdir()):
        way = path.relative_to(former)
        if way == Path(MANIFEST_NAME) and _has_manifest(former):
            continue
        if way.parts[0] == SUPERSEDED_NAME and path.is_dir() and not path.is_symlink():
            _hand_on(path, former, receiver)
            path.rmdir()
        else:
            receiver.take(path, way)


def _has_manifest(folder: Path) -> bool:
    try:
        Manifest.read(folder)
    except ManifestError:
        return False
    return True


class _Receiver:
    """The present folder of an order, which takes what former ones had."""

    def __init__(self, *, folder: Path, present: Manifest) -> None:
        self._folder = folder
        self._fetched = {file.sha256 for file in present.files}
        self._places = {file.sha256: file.kept_as for file in present.earlier}

    def take(self, path: Path, way: Path) -> None:
        """Take a file or a person's folder, which was ``way`` below the former folder; delete what is here already."""
        target = self._folder / way
        if path.is_file() and not path.is_symlink():
            sha256 = sha256_of(path)
            target = self._folder / self._places.get(sha256, way)
            if sha256 in self._fetched or (target.is_file() and sha256_of(target) == sha256):
                path.unlink()
                return
        make_folders(self._folder, target.parent)
        taken = [other.name for other in target.parent.iterdir()]
        path.rename(target.with_name(unique_name(target.name, [*RESERVED_NAMES, *taken])))
