"""What a portal tells about the state of a file: only what promises equal bytes is used to leave a download out."""

from __future__ import annotations

import pytest

from poolwright.worker.transfer.validators import NO_VALIDATORS, Validators

DATE = "Mon, 30 Nov 2026 09:00:00 GMT"
A_MINUTE_BEFORE = "Mon, 30 Nov 2026 08:59:00 GMT"
LESS_THAN_A_MINUTE_BEFORE = "Mon, 30 Nov 2026 08:59:01 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"etag": '"a1"'}, Validators(etag='"a1"')),
        ({"etag": ' "a1" '}, Validators(etag='"a1"')),
        ({"etag": '"x"'}, Validators(etag='"x"')),
        ({"etag": 'W/"a1"'}, NO_VALIDATORS),
        ({"etag": "a1"}, NO_VALIDATORS),
        ({"etag": '""'}, NO_VALIDATORS),
        ({"etag": '"'}, NO_VALIDATORS),
        ({"etag": '"a1'}, NO_VALIDATORS),
        ({"etag": 'a1"'}, NO_VALIDATORS),
        ({"etag": '"a", "b"'}, NO_VALIDATORS),
        ({"etag": '"ä"'}, NO_VALIDATORS),
        ({"etag": '"a\n"'}, NO_VALIDATORS),
        ({"etag": f'"{"a" * 198}"'}, Validators(etag=f'"{"a" * 198}"')),
        ({"etag": f'"{"a" * 199}"'}, NO_VALIDATORS),
        ({"last-modified": A_MINUTE_BEFORE, "date": DATE}, Validators(last_modified=A_MINUTE_BEFORE)),
        ({"last-modified": LESS_THAN_A_MINUTE_BEFORE, "date": DATE}, NO_VALIDATORS),
        ({"last-modified": A_MINUTE_BEFORE}, NO_VALIDATORS),
        ({"date": DATE}, NO_VALIDATORS),
        ({"last-modified": "yesterday", "date": DATE}, NO_VALIDATORS),
        ({"last-modified": "Mon, 30 Nov 2026 08:59:00 -0000", "date": DATE}, None),
        ({}, NO_VALIDATORS),
    ],
)
def test_only_strong_validators_are_kept(headers: dict[str, str], expected: Validators | None) -> None:
    found = Validators.read(headers)

    assert found == (expected or Validators(last_modified=headers["last-modified"]))


@pytest.mark.parametrize(
    ("validators", "condition"),
    [
        (NO_VALIDATORS, {}),
        (Validators(etag='"a"'), {"If-None-Match": '"a"'}),
        (Validators(etag='"a"', last_modified=DATE), {"If-None-Match": '"a"'}),
        (Validators(last_modified=DATE), {"If-Modified-Since": DATE}),
    ],
)
def test_the_strongest_one_is_asked_with(validators: Validators, condition: dict[str, str]) -> None:
    assert validators.condition == condition
