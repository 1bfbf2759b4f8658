"""A pack is found by name in the first place that has it, or by the path of its file; what it hides is known."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from poolwright.portal.errors import PackError
from poolwright.portal.pack_library import PackLibrary, PackOrigin, sha256_of
from tests.unit.portal.authoring import written

Installed = Callable[..., None]


@pytest.fixture(name="installed")
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Install a package that offers packs: ``installed("acme-packs", acme=TEXT)``."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def install(package: str, **packs: str) -> None:
        module = package.replace("-", "_")
        (site / module).mkdir()
        (site / module / "__init__.py").write_text("raise RuntimeError('code of a package was run')\n")
        metadata = site / f"{module}-1.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        points = "".join(f"{name} = {module}\n" for name in packs)
        (metadata / "entry_points.txt").write_text(f"[poolwright.packs]\n{points}")
        for name, text in packs.items():
            if text:
                (site / module / f"{name}.toml").write_text(text, encoding="utf-8")

    return install


def put(folder: Path, file: str, **changes: str) -> Path:
    """Write the small pack to a folder."""
    folder.mkdir(exist_ok=True)
    (folder / file).write_text(written(changes), encoding="utf-8")
    return folder


def problem_of(library: PackLibrary, reference: str) -> str:
    with pytest.raises(PackError) as caught:
        library.find(reference).load()
    return str(caught.value)


def test_each_place_is_looked_into_and_the_first_one_wins(tmp_path: Path, installed: Installed) -> None:
    own, shared = tmp_path / "own", tmp_path / "packs"
    put(own, "pack.toml", title="Own")
    put(shared, "acme.toml", title="Shared")
    installed("acme-packs", acme=written({"title": "Packaged"}), coupa=written({"name": "coupa"}))

    whole = PackLibrary(profile_folder=own, packs_dir=shared)
    found = [whole.find("acme"), PackLibrary(packs_dir=shared).find("acme"), PackLibrary().find("acme")]

    assert [entry.load().pack.title for entry in found] == ["Own", "Shared", "Packaged"]
    assert [entry.origin for entry in found] == [PackOrigin.PROFILE, PackOrigin.PACKS_DIR, PackOrigin.PACKAGE]
    assert [other.place for other in found[0].hidden] == [str(shared / "acme.toml"), "the package acme-packs"]
    assert found[2].hidden == ()
    coupa = PackLibrary().find("coupa")
    assert (coupa.origin, [other.place for other in coupa.hidden]) == (PackOrigin.PACKAGE, ["Poolwright itself"])


def test_no_code_of_a_package_is_run(installed: Installed) -> None:
    installed("acme-packs", acme=written())

    assert PackLibrary().find("acme").load().pack.name == "acme"
    assert "acme_packs" not in sys.modules


def test_a_package_without_its_file_or_with_another_name_is_told(installed: Installed) -> None:
    installed("acme-packs", acme="", other=written())

    assert "acme (the package acme-packs): there is no file" in problem_of(PackLibrary(), "acme")
    assert "its name is 'acme', but the package acme-packs offers it as 'other'" in problem_of(PackLibrary(), "other")


def test_a_pack_is_called_as_it_calls_itself_or_else_as_its_file(tmp_path: Path) -> None:
    put(tmp_path / "packs", "one.toml", name="first")
    (tmp_path / "packs" / "broken.toml").write_text("schema = \n")
    library = PackLibrary(packs_dir=tmp_path / "packs")

    assert [entry.name for entry in library.entries()] == ["broken", "first", "coupa", "demo"]
    assert "not readable as TOML" in problem_of(library, "broken")


def test_two_packs_of_one_name_in_one_place_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "packs", "one.toml")
    put(tmp_path / "packs", "two.toml")

    problem = problem_of(PackLibrary(packs_dir=tmp_path / "packs"), "acme")

    assert "one.toml and " in problem
    assert "have the same name; rename one of them" in problem


def test_the_file_of_a_profile_is_no_pack(tmp_path: Path) -> None:
    put(tmp_path / "own", "pack.toml")
    (tmp_path / "own" / "profile.toml").write_text('pack = "acme"\n')

    entries = PackLibrary(profile_folder=tmp_path / "own").entries()

    assert [entry.name for entry in entries if entry.origin is PackOrigin.PROFILE] == ["acme"]


def test_a_path_means_a_file_whatever_packs_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "here", "demo.toml", name="mine")
    put(tmp_path, "plain", name="plain")
    put(tmp_path, "demo", name="hidden")

    assert PackLibrary().find("here/demo.toml").load().pack.name == "mine"
    assert PackLibrary().find("./demo").load().pack.name == "hidden"
    assert PackLibrary().find("plain").load().pack.name == "plain"
    assert PackLibrary().find("demo").origin is PackOrigin.SHIPPED
    assert PackLibrary(profile_folder=tmp_path / "here").find("here/demo.toml").origin is PackOrigin.PROFILE


@pytest.mark.parametrize("reference", ["acme", "", "..", "demo\n", "x" * 5000, "\0"])
def test_a_name_that_nobody_has_is_told_with_those_that_are(reference: str) -> None:
    assert "there are coupa, demo, or give the path of a .toml file" in problem_of(PackLibrary(), reference) or (
        reference == ".." and "there is no file" in problem_of(PackLibrary(), reference)
    )


def test_the_nearest_name_and_a_missing_folder_are_told(tmp_path: Path) -> None:
    problem = problem_of(PackLibrary(packs_dir=tmp_path / "none"), "coupas")

    assert "no such pack (did you mean coupa?)" in problem
    assert problem.endswith(f"the folder of packs {tmp_path / 'none'} does not exist")


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(written({"title": "Größe"}).encode("latin-1"))

    assert problem_of(PackLibrary(), "none.toml") == "portal pack none.toml: there is no file none.toml"
    assert problem_of(PackLibrary(), str(tmp_path / "latin.toml")).endswith("the file is not UTF-8 text")


def test_line_ends_and_byte_order_mark_change_the_hash_and_not_the_pack(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + written().replace("\n", "\r\n").encode()
    (tmp_path / "acme.toml").write_bytes(content)

    loaded = PackLibrary().find(str(tmp_path / "acme.toml")).load()

    assert (loaded.pack.name, loaded.sha256) == ("acme", sha256_of(content))
