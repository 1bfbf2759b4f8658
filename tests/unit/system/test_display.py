"""Whether there is a screen for a login by hand."""

from __future__ import annotations

import pytest

from poolwright.domain.errors import SetupError
from poolwright.system.hardware import has_display, require_display


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "win32", True),
        ({}, "darwin", True),
    ],
)
def test_a_screen_is_known_by_its_variables(environment: dict[str, str], platform: str, expected: bool) -> None:
    assert has_display(environment, platform) is expected


def test_without_one_the_sentence_names_the_other_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poolwright.system.hardware.has_display", lambda: False)

    with pytest.raises(SetupError, match=r"profile login mine --form.*profile import-state mine FILE"):
        require_display("mine")
