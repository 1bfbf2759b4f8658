"""Fonts are found where fontconfig and Debian have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.system.hardware import Fonts, find_fonts


def put(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_bare_system_has_none(tmp_path: Path) -> None:
    put(tmp_path / "usr/share/fonts/fonts.dir", tmp_path / "etc/fonts/fonts.conf")

    assert find_fonts(tmp_path, None) == Fonts(count=0, has_cjk=False)


@pytest.mark.parametrize(
    "place", ["usr/share/fonts/truetype/a.ttf", "usr/local/share/fonts/a.OTF", "home/.fonts/a.ttc", "opt/own/x/a.pfb"]
)
def test_a_font_is_found_wherever_browsers_look(tmp_path: Path, place: str) -> None:
    put(tmp_path / place)
    (tmp_path / "etc/fonts").mkdir(parents=True)
    own = '<dir>/opt/own</dir><dir prefix="xdg">fonts</dir><dir>~/.fonts</dir>'
    (tmp_path / "etc/fonts/fonts.conf").write_text(f"<fontconfig>{own}</fontconfig>")

    assert find_fonts(tmp_path, tmp_path / "home") == Fonts(count=1, has_cjk=False)


@pytest.mark.parametrize(
    ("name", "has_cjk"),
    [
        ("NotoSansCJK-Regular.ttc", True),
        ("wqy-microhei.ttc", True),
        ("DroidSansFallbackFull.ttf", True),
        ("ipagp.ttf", True),
        ("LiberationSans-Regular.ttf", False),
        ("NotoColorEmoji.ttf", False),
    ],
)
def test_fonts_for_east_asia_are_known_by_their_names(tmp_path: Path, name: str, has_cjk: bool) -> None:
    put(tmp_path / "usr/share/fonts" / name)

    assert find_fonts(tmp_path, None).has_cjk is has_cjk
