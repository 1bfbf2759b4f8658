"""The layout of what lies beside a base: a newer version of this program may have written it in another one.

Nobody here knows what such a file says, so nothing follows from it: neither that the profile is fit nor any damage.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from poolwright.profile.failures import ProfileNewerError

#: The one that all files of a profile have now.
LAYOUT = 1


class _Newer(BaseModel):
    """The one entry that every layout has."""

    model_config = ConfigDict(strict=True)

    schema_version: int = Field(alias="schema", gt=LAYOUT)


def refuse_newer(path: Path, written: bytes | Mapping[str, object]) -> None:
    """Make sure that no newer version wrote this file. One that is broken passes: its reader tells that.

    Args:
        path: The file.
        written: What is in it, as JSON or read already.

    Raises:
        ProfileNewerError: One did.
    """
    try:
        newer = _Newer.model_validate_json(written) if isinstance(written, bytes) else _Newer.model_validate(written)
    except ValidationError:
        return
    raise ProfileNewerError(
        f"{path} was written by a newer version of Poolwright (layout {newer.schema_version}; this one knows {LAYOUT})."
        " The profile was not changed and need not be damaged: use it with that version or a later "
        "one. `poolwright --version` tells which one this is."
    )
