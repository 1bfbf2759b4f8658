"""A profile knows its pack: what it keeps of it, what is told when it changes, and which folders its orders get."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.errors import OptionsError, PoolError
from poolwright.profile.errors import ProfileRefusedError
from poolwright.profile.repository import NamedProfile, ProfileFile, ProfileRepository
from poolwright.service.portals.portal_config import (
    resolve_new_portal_config,
    resolve_order_folder,
    resolve_portal_config,
    set_profile_pack,
)
from poolwright.settings import Settings, load_settings
from tests.unit.portal.authoring import written

URL = "https://acme.example"


@pytest.fixture(name="program", autouse=True)
def _desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("acme.toml").write_text(written(), encoding="utf-8")
    return tmp_path


def given(**settings: object) -> Settings:
    return load_settings({"profile": "mine", **settings})


def made(**settings: object) -> NamedProfile:
    """A profile as `profile login` makes it."""
    wanted = given(base_url=URL, **settings)
    _, pack = resolve_new_portal_config(wanted)
    return ProfileRepository(wanted.profiles_dir).create("mine", pack.content, pack.copy)


def test_a_file_is_copied_and_used_when_it_is_gone() -> None:
    profile = made(portal="acme.toml")
    Path("acme.toml").unlink()

    site = resolve_portal_config(given())

    assert (site.pack.name, site.base_url, site.all_notices) == ("acme", URL, ())
    assert profile.read().pack_file == "pack.toml"


def test_a_profile_can_be_moved_with_its_pack(program: Path) -> None:
    made(portal="acme.toml")
    (program / "profiles").rename(program / "elsewhere")
    Path("acme.toml").unlink()

    assert resolve_portal_config(given(profiles_dir="elsewhere")).pack.name == "acme"


def test_a_file_that_changed_is_told_until_the_profile_takes_it(program: Path) -> None:
    made(portal="acme.toml")
    Path("acme.toml").write_text(written({"title": "New"}), encoding="utf-8")

    before = resolve_portal_config(given())
    directly = resolve_portal_config(given(portal="acme.toml"))
    set_profile_pack(given(portal="acme.toml"))
    after = resolve_portal_config(given())

    assert (before.pack.title, directly.pack.title, after.pack.title) == ("Acme", "New", "New")
    file = program / "acme.toml"
    assert before.all_notices == (
        (
            f"{file} is not the same as the profile's copy of it, profiles/mine/pack.toml, and the copy is used: what "
            f"was changed in the file has no effect. `poolwright profile set-pack mine --portal {file}` takes it."
        ),
    )
    assert directly.all_notices == (
        (
            "The pack acme of acme.toml is not the one that the profile mine remembers. It is used here; "
            "`poolwright profile set-pack mine --portal acme.toml` gives it to the profile."
        ),
    )
    assert after.all_notices == ()


def test_a_copy_that_was_changed_is_used_and_told_until_that_is_confirmed(program: Path) -> None:
    profile = made(portal="acme.toml")
    Path("acme.toml").unlink()
    (profile.path / "pack.toml").write_text(written({"title": "New"}), encoding="utf-8")

    before = resolve_portal_config(given())
    set_profile_pack(given())
    after = resolve_portal_config(given())

    assert (before.pack.title, after.pack.title) == ("New", "New")
    assert before.all_notices == (
        (
            "The pack acme of profiles/mine/pack.toml has changed since the profile mine took it. It is used as it is "
            "now; `poolwright profile set-pack mine` confirms the change."
        ),
    )
    assert after.all_notices == ()


def test_a_pack_of_a_folder_is_remembered_by_name_and_hash(program: Path) -> None:
    (program / "packs").mkdir()
    Path("acme.toml").rename("packs/acme.toml")
    profile = made(portal="acme", packs_dir="packs")
    quiet = resolve_portal_config(given(packs_dir="packs")).all_notices
    Path("packs/acme.toml").write_text(written({"title": "New"}), encoding="utf-8")

    site = resolve_portal_config(given(packs_dir="packs"))

    assert (profile.read().pack_file, quiet, site.pack.title) == (None, (), "New")
    assert "The pack acme of packs/acme.toml has changed since the profile mine took it." in site.all_notices[0]
    with pytest.raises(PoolError, match=r"no such pack.*set-pack mine --portal"):
        resolve_portal_config(given())


def test_a_shipped_pack_may_change_without_a_word_and_hiding_it_is_told(program: Path) -> None:
    profile = made(portal="coupa")
    assert profile.read() == ProfileFile(pack="coupa", base_url=URL)
    assert resolve_portal_config(given()).all_notices == ()
    (program / "packs").mkdir()
    Path("packs/coupa.toml").write_text(written({"name": "coupa"}), encoding="utf-8")

    (notice,) = resolve_portal_config(given(packs_dir="packs")).all_notices

    assert notice == "The pack coupa of packs/coupa.toml is used; it hides that of Poolwright itself."


def test_another_pack_than_that_of_the_profile_is_told() -> None:
    made(portal="coupa")

    site = resolve_portal_config(given(portal="acme.toml", base_url="https://other.example"))

    assert site.all_notices[0].startswith("The profile mine is for the portal pack coupa; acme is used here")
    with pytest.raises(OptionsError, match="No address is configured"):
        resolve_portal_config(given(portal="acme.toml"))


@pytest.mark.parametrize("portal", ["", "acme.toml"])
def test_another_address_than_that_of_the_profile_is_told_until_the_profile_takes_it(portal: str) -> None:
    made(portal="acme.toml")
    other = "https://other.example"

    same = resolve_portal_config(given(portal=portal, base_url="https://ACME.example:443/"))
    before = resolve_portal_config(given(portal=portal, base_url=other))
    set_profile_pack(given(base_url=other))
    after = resolve_portal_config(given(portal=portal, base_url=other))

    assert (same.all_notices, after.all_notices) == ((), ())
    assert before.all_notices == (
        (
            f"The profile mine is for {URL}; {other} is used here, as the option or setting base_url says. `poolwright "
            f"profile set-pack mine --base-url {other}` gives it to the profile."
        ),
    )
    assert before.base_url == after.base_url == resolve_portal_config(given()).base_url == other


def test_a_copy_that_is_gone_is_told_with_the_command_that_helps() -> None:
    profile = made(portal="acme.toml")
    (profile.path / "pack.toml").unlink()

    with pytest.raises(PoolError, match=r"there is no file .*pack\.toml.*`poolwright profile set-pack mine --portal"):
        resolve_portal_config(given())
    set_profile_pack(given(portal="acme.toml"))

    assert resolve_portal_config(given()).pack.name == "acme"


def test_a_profile_of_an_earlier_version_uses_its_file_where_it_is(program: Path) -> None:
    content = ProfileFile(pack="acme", pack_file=str(program / "acme.toml"), base_url=URL)
    profile = ProfileRepository(Path("profiles")).create("mine", content)

    assert resolve_portal_config(given()).all_notices == ()
    set_profile_pack(given())
    Path("acme.toml").unlink()

    assert (resolve_portal_config(given()).pack.name, profile.read().pack_file) == ("acme", "pack.toml")


def test_an_invalid_pack_changes_no_profile() -> None:
    profile = made(portal="acme.toml")
    before = profile.read()
    Path("acme.toml").write_text("schema = 1\n")

    with pytest.raises(PoolError):
        set_profile_pack(given(portal="acme.toml"))

    assert profile.read() == before


def test_a_pack_of_the_users_own_is_not_overwritten(program: Path) -> None:
    folder = program / "profiles" / "mine"
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(written({"title": "Own"}), encoding="utf-8")

    with pytest.raises(ProfileRefusedError, match=r"pack\.toml is there already"):
        made(portal="acme.toml")
    profile = made()
    content = profile.read()
    profile.write(content.model_copy(update={"pack_file": None, "pack": "acme"}))
    with pytest.raises(OptionsError, match="is not a copy that Poolwright made"):
        set_profile_pack(given(portal="acme.toml"))

    assert content.pack_source is None
    assert resolve_portal_config(given()).pack.title == "Own"


def test_which_pack_is_asked_for_with_all_that_there_are(program: Path) -> None:
    (program / "packs").mkdir()
    Path("acme.toml").rename("packs/acme.toml")

    with pytest.raises(OptionsError, match="for: acme, coupa, demo, or the path of a pack of your own"):
        resolve_new_portal_config(given(packs_dir="packs"))


def test_the_default_folder_leaves_the_supplier_out_where_there_is_none() -> None:
    made(portal="acme.toml")
    bare = resolve_portal_config(given()).pack
    with_supplier = resolve_portal_config(given(portal="coupa", base_url=URL)).pack

    assert resolve_order_folder(given(), with_supplier).template == "{supplier}/{number}"
    assert resolve_order_folder(given(), with_supplier).notice == ""
    folder = resolve_order_folder(given(), bare)
    assert folder.template == "{number}"
    assert folder.notice == (
        "The folders of orders are called {number}, without the supplier, as the portal pack acme has no field of that "
        "name ([fields.supplier])."
    )


def test_a_template_of_the_users_own_is_never_changed() -> None:
    made(portal="acme.toml")
    pack = resolve_portal_config(given()).pack

    assert resolve_order_folder(given(folder_template="{year}/{number}"), pack).template == "{year}/{number}"
    with pytest.raises(OptionsError, match=r"uses the unknown field \{supplier\}"):
        resolve_order_folder(given(folder_template="{supplier}/{number}"), pack)
