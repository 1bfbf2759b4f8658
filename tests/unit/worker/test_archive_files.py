"""What is taken out of an archive, and what is refused."""

from __future__ import annotations

import errno
import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.domain.options import SizeLimits
from poolwright.domain.tasks import MissedFile
from poolwright.worker.download import archive_files
from poolwright.worker.download.archive_files import (
    ZIP_TYPE,
    ArchiveLockedError,
    unpack_archive,
    unpack_archives,
)
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.received_file import DownloadRefusedError

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def archive(folder: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> DownloadedFile:
    path = folder / "part-1"
    with zipfile.ZipFile(path, "w", compression) as content:
        for name, body in entries.items():
            content.writestr(name, body)
    return DownloadedFile(
        path=path, label="all.zip", size_bytes=path.stat().st_size, sha256="", media_type=ZIP_TYPE, source_url="u"
    )


def unpacked(file: DownloadedFile, sizes: SizeLimits | None = None) -> list[DownloadedFile | MissedFile]:
    return unpack_archive(file, DownloadAllowance(sizes or SizeLimits()))


def test_an_archive_becomes_its_files_in_their_order(tmp_path: Path) -> None:
    entries = {"b/": b"", "b/Größe.pdf": PDF, "a.txt": b"a", "LICENSE": b"all rights", "__MACOSX/._a.txt": b"x"}

    files = unpacked(archive(tmp_path, entries))

    assert all(isinstance(file, DownloadedFile) for file in files)
    found = [file for file in files if isinstance(file, DownloadedFile)]
    assert [(file.label, file.path.read_bytes()) for file in found] == [
        ("b/Größe.pdf", PDF),
        ("a.txt", b"a"),
        ("LICENSE", b"all rights"),
    ]
    assert [file.sha256 for file in found] == [hashlib.sha256(file.path.read_bytes()).hexdigest() for file in found]
    assert [file.media_type for file in found] == ["application/pdf", "text/plain", "text/plain"]
    assert all(file.source_url == "u" and file.is_name_given for file in found)
    assert not (tmp_path / "part-1").exists()


def test_no_path_in_an_archive_leads_anywhere(tmp_path: Path) -> None:
    files = unpacked(archive(tmp_path, {"../../evil.pdf": PDF, "/etc/evil.pdf": PDF}))

    assert [file.path.parent for file in files if isinstance(file, DownloadedFile)] == [tmp_path, tmp_path]


def test_a_file_that_is_none_is_missed_and_the_others_stay(tmp_path: Path) -> None:
    first, second = unpacked(archive(tmp_path, {"a.pdf": b"", "b.pdf": PDF}))

    assert isinstance(first, MissedFile)
    assert (first.label, first.is_retryable) == ("a.pdf", True)
    assert isinstance(second, DownloadedFile)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["part-1-entry-2"]


def test_names_in_utf8_are_read_also_where_the_archive_does_not_say_so(tmp_path: Path) -> None:
    file = archive(tmp_path, {"Gr\N{LATIN SMALL LETTER O WITH DIAERESIS}.txt": b"a"})
    content = file.path.read_bytes()
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        begin = content.index(mark) + at
        content = content[:begin] + b"\x00\x00" + content[begin + 2 :]
    file.path.write_bytes(content)

    (found,) = unpacked(file)

    assert found.label == "Grö.txt"


def test_a_damaged_archive_is_refused_for_another_try(tmp_path: Path) -> None:
    file = archive(tmp_path, {"a.txt": b"right content"}, zipfile.ZIP_STORED)
    file.path.write_bytes(file.path.read_bytes().replace(b"right content", b"wrong content"))

    with pytest.raises(DownloadRefusedError, match="damaged") as caught:
        unpacked(file)

    assert caught.value.is_retryable
    file.path.write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(DownloadRefusedError, match="damaged"):
        unpacked(file)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_is_told_in_every_compression(tmp_path: Path, compression: int) -> None:
    file = archive(tmp_path, {"a.txt": bytes(range(256)) * 8}, compression)
    content = file.path.read_bytes()
    file.path.write_bytes(content[:45] + b"\xff" * 20 + content[65:])

    with pytest.raises(DownloadRefusedError, match="the archive is damaged"):
        unpacked(file)

    (kept,) = unpack_archives([file], SizeLimits(), tmp_path)
    assert "the archive is damaged" in kept.notes[0]


@pytest.mark.parametrize("mark", [b"PK\x03\x04", b"PK\x01\x02"])
def test_a_damaged_name_is_told_as_damage(tmp_path: Path, mark: bytes) -> None:
    file = archive(tmp_path, {"\N{LATIN SMALL LETTER O WITH DIAERESIS}.txt": b"a"})
    content = file.path.read_bytes()
    name = content.index(b"\xc3\xb6", content.index(mark))
    file.path.write_bytes(content[:name] + b"\xff" + content[name + 1 :])

    with pytest.raises(DownloadRefusedError, match="the archive is damaged"):
        unpacked(file)


def test_a_disk_that_fails_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive_files, "_write", refuse)

    with pytest.raises(OSError, match="No space left"):
        unpacked(archive(tmp_path, {"a.txt": b"a"}))


def test_an_archive_whose_parts_begin_before_it_is_damaged(tmp_path: Path) -> None:
    file = archive(tmp_path, {"a.txt": b"a"})
    content = file.path.read_bytes()
    end = content.index(b"PK\x05\x06")
    file.path.write_bytes(content[: end + 16] + b"\xff\xff\x00\x00" + content[end + 20 :])

    with pytest.raises(DownloadRefusedError, match="the archive is damaged"):
        unpacked(file)


def test_an_archive_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DownloadRefusedError, match="no file"):
        unpacked(archive(tmp_path, {"folder/": b""}))


def test_an_archive_with_a_password_stays_as_it_is(tmp_path: Path) -> None:
    file = archive(tmp_path, {"a.txt": b"a"})
    content = file.path.read_bytes()
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        begin = content.index(mark) + at
        content = content[:begin] + bytes([content[begin] | 1]) + content[begin + 1 :]
    file.path.write_bytes(content)

    with pytest.raises(ArchiveLockedError, match="password"):
        unpacked(file)

    assert file.path.read_bytes() == content


def test_a_compression_that_is_not_known_leaves_the_archive_as_it_is(tmp_path: Path) -> None:
    file = archive(tmp_path, {"a.txt": b"a"})
    content = file.path.read_bytes()
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        begin = content.index(mark) + at
        content = content[:begin] + b"\x63\x00" + content[begin + 2 :]
    file.path.write_bytes(content)

    with pytest.raises(ArchiveLockedError, match="compression"):
        unpacked(file)


@pytest.mark.parametrize("is_size_told", [True, False])
def test_an_archive_that_grows_beyond_the_limits_is_refused(tmp_path: Path, *, is_size_told: bool) -> None:
    size_bytes = 5 * 1024 * 1024
    file = archive(tmp_path, {"a.txt": b"a", "b.txt": bytes(size_bytes)})
    if not is_size_told:
        told = size_bytes.to_bytes(4, "little")
        file.path.write_bytes(file.path.read_bytes().replace(told, (10).to_bytes(4, "little")))

    with pytest.raises(DownloadRefusedError, match=r"limit for one order|damaged"):
        unpacked(file, SizeLimits(order_bytes=2 * 1024 * 1024))

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 3 * 1024 * 1024


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_files, "LINK_COUNT_MAX", 2)

    with pytest.raises(DownloadRefusedError, match="at most 2"):
        unpacked(archive(tmp_path, {f"{number}.txt": b"a" for number in range(3)}))


def beside(
    folder: Path, *files: DownloadedFile, sizes: SizeLimits | None = None
) -> tuple[list[DownloadedFile], tuple[str, ...]]:
    """Return the files with what is in archives among them, and the notes of the first."""
    found = unpack_archives(files, sizes or SizeLimits(), folder)
    return found, found[0].notes


def test_the_files_of_an_archive_are_filed_beside_it(tmp_path: Path) -> None:
    packed = replace(
        archive(tmp_path, {"a/b.pdf": PDF, "c.txt": b"c"}), source="contract", section="Line 3", name="All files.zip"
    )

    (first, second, third), notes = beside(tmp_path, packed)

    assert (first, notes) == (packed, ())
    assert packed.path.exists()
    assert [(file.label, file.name, file.source) for file in (second, third)] == [
        ("all.zip: a/b.pdf", "All files - b.pdf", "contract"),
        ("all.zip: c.txt", "All files - c.txt", "contract"),
    ]
    assert [file.path.read_bytes() for file in (second, third)] == [PDF, b"c"]
    assert {file.section for file in (second, third)} == {"Line 3"}


def test_other_files_and_an_archive_that_is_the_same_as_before_stay_alone(tmp_path: Path) -> None:
    packed = archive(tmp_path, {"b.pdf": PDF})
    kept, other = replace(packed, is_unchanged=True), replace(packed, media_type="application/pdf", label="a.pdf")

    assert beside(tmp_path, kept, other) == ([kept, other], ())


def test_an_archive_of_another_kind_is_told(tmp_path: Path) -> None:
    packed = replace(archive(tmp_path, {"b.pdf": PDF}), label="a.7z", media_type="application/x-7z-compressed")

    (file,), notes = beside(tmp_path, packed)

    assert file.path == packed.path
    assert notes == ("Not all files of the archive a.7z are beside it: only ZIP archives are unpacked.",)


def test_what_is_not_taken_out_of_an_archive_is_told_and_the_rest_is_filed(tmp_path: Path) -> None:
    packed = archive(tmp_path, {"a.pdf": PDF, **{f"{name}.pdf": b"" for name in "bcde"}})

    (_, found), (note,) = beside(tmp_path, packed)

    assert found.label == "all.zip: a.pdf"
    assert note.startswith("Not all files of the archive all.zip are beside it: b.pdf: ")
    assert note.count(".pdf: ") == 3
    assert note.endswith("; and 1 more.")


def test_a_damaged_archive_is_filed_as_it_is(tmp_path: Path) -> None:
    packed = archive(tmp_path, {"a.pdf": PDF}, zipfile.ZIP_STORED)
    packed.path.write_bytes(packed.path.read_bytes().replace(b"endobj", b"endobX"))

    (file,), (note,) = beside(tmp_path, packed)

    assert file.path.exists()
    assert "the archive is damaged" in note


def test_files_of_archives_count_to_the_limits_of_the_order(tmp_path: Path) -> None:
    packed = archive(tmp_path, {"a.pdf": PDF, "b.pdf": PDF})
    room = packed.size_bytes + len(PDF)

    (_, found), (note,) = beside(tmp_path, packed, sizes=SizeLimits(order_bytes=room))
    assert found.label == "all.zip: a.pdf"
    assert "Not all files" in note

    (_, *both), notes = beside(tmp_path, packed, sizes=SizeLimits(order_bytes=room + len(PDF)))
    assert (len(both), notes) == (2, ())


def test_an_order_that_is_full_keeps_its_archive(tmp_path: Path) -> None:
    packed = archive(tmp_path, {"a.pdf": PDF})
    other = replace(packed, media_type="application/pdf", label="a.pdf")

    (first, second), (note,) = beside(tmp_path, packed, other, sizes=SizeLimits(order_bytes=1))

    assert (first.label, second) == ("all.zip", other)
    assert note.startswith("Not all files of the archive all.zip are beside it: ")
