"""The folder of named profiles: safe names, a file that says what it must, private folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from poolwright.domain.errors import SetupError
from poolwright.profile.errors import ProfileFileError, ProfileMissingError, ProfileNewerError, ProfileRefusedError
from poolwright.profile.repository import ProfileFile, ProfileRepository

CONTENT = ProfileFile(pack="demo", base_url="http://localhost:8000", title='Anna\'s "Einkauf" – 東京 \\ 🛒')


@pytest.fixture
def home(tmp_path: Path) -> ProfileRepository:
    return ProfileRepository(tmp_path / "profiles")


def test_a_profile_is_found_as_it_was_made(home: ProfileRepository) -> None:
    home.create("anna", CONTENT)

    found = home.find("anna")

    assert found.read() == CONTENT
    assert found.base_path == home.root / "anna/base"
    assert home.names() == ("anna",)


def test_its_folders_and_file_are_private(home: ProfileRepository) -> None:
    made = home.create("anna", CONTENT)

    modes = [path.stat().st_mode & 0o777 for path in (made.path, made.base_path, made.file_path)]

    assert modes == [0o700, 0o700, 0o600]


def test_the_file_can_be_written_anew(home: ProfileRepository) -> None:
    made = home.create("anna", CONTENT)
    plain = ProfileFile(pack="coupa", base_url="https://example.test/portal")

    made.write(plain)

    assert made.read() == plain
    assert made.file_path.read_text() == 'schema = 1\npack = "coupa"\nbase_url = "https://example.test/portal"\n'
    assert sorted(path.name for path in made.path.iterdir()) == ["base", "profile.toml"]


def test_a_second_of_the_same_name_is_refused_and_the_first_stands(home: ProfileRepository) -> None:
    made = home.create("anna", CONTENT)

    with pytest.raises(ProfileRefusedError, match="Choose another name"):
        home.create("anna", ProfileFile(pack="coupa", base_url="https://example.test"))

    assert made.read() == CONTENT


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "Anna", "-x", ".hidden", "a b", "a\n", "con", "x" * 65])
def test_names_that_could_lead_astray_are_refused(home: ProfileRepository, name: str) -> None:
    with pytest.raises(ProfileRefusedError, match="is not a valid profile name"):
        home.create(name, CONTENT)
    with pytest.raises(ProfileRefusedError, match="is not a valid profile name"):
        home.find(name)


@pytest.mark.parametrize("name", ["a", "0", "anna.b-c_d", "2026"])
def test_ordinary_names_are_taken(home: ProfileRepository, name: str) -> None:
    assert home.create(name, CONTENT).name == name


def test_a_missing_profile_is_told_with_those_that_exist(home: ProfileRepository) -> None:
    home.create("anna", CONTENT)
    home.create("bert", CONTENT)

    with pytest.raises(ProfileMissingError, match=r"known: anna, bert.*poolwright profile login carl"):
        home.find("carl")


def test_no_profile_at_all_is_told(home: ProfileRepository) -> None:
    with pytest.raises(ProfileMissingError, match="none yet"):
        home.find("anna")

    assert home.names() == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('schema = 1\npack = "demo"\n', "base_url: Field required"),
        ('schema = 0\npack = "demo"\nbase_url = "http://x"\n', "schema: "),
        ('schema = 1\npack = "demo"\nbase_url = "http://x"\npasword = "y"\n', "pasword: Extra"),
        ('schema = 1\npack = "../demo"\nbase_url = "http://x"\n', "pack: "),
        ('schema = 1\npack = "demo"\nbase_url = "file:///etc"\n', "base_url: "),
        ('schema = 1\npack = "demo"\nbase_url = "http://x?y=1"\n', "base_url: "),
        ("schema = = 1", "is not TOML"),
        (b"\xff\xfe", "is not TOML"),
    ],
)
def test_a_wrong_file_is_told_with_its_line_and_without_its_values(
    home: ProfileRepository, text: str | bytes, told: str
) -> None:
    made = home.create("anna", CONTENT)
    made.file_path.write_bytes(text.encode() if isinstance(text, str) else text)

    with pytest.raises(ProfileFileError, match=told) as refusal:
        made.read()

    assert str(made.file_path) in str(refusal.value)


def test_a_file_of_a_newer_version_is_told_as_what_it_is(home: ProfileRepository) -> None:
    made = home.create("anna", CONTENT)
    made.file_path.write_text('schema = 2\nportals = ["demo"]\n')

    with pytest.raises(ProfileNewerError, match=r"profile\.toml was written by a newer version"):
        made.read()


def test_a_lost_file_is_told(home: ProfileRepository) -> None:
    made = home.create("anna", CONTENT)
    made.file_path.unlink()

    with pytest.raises(ProfileFileError, match="can't be read"):
        made.read()


def test_an_unknown_line_is_refused_when_written_too() -> None:
    with pytest.raises(ValidationError):
        ProfileFile.model_validate({"pack": "demo", "base_url": "http://x", "colour": "red"})


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "profiles").write_text("a file stands where the folder should be")

    with pytest.raises(SetupError, match="can't be written"):
        ProfileRepository(tmp_path / "profiles").create("anna", CONTENT)
