"""What a person can do about a base that has to be looked at: the next step that every such sentence ends with."""

from __future__ import annotations

from pathlib import Path

from poolwright.profile.home import FILE_NAME


def is_named(base: Path) -> bool:
    """Whether a base belongs to a named profile, so that commands can work on it; so most do, where nobody can tell."""
    try:
        return (base.parent / FILE_NAME).is_file()
    except OSError:  # nobody is told to remove what does not answer
        return True


def ways_out(base: Path) -> str:
    """The next step, in whole sentences."""
    if not is_named(base):
        return f"Remove {base}, and the next start makes it anew."
    name = base.parent.name
    return (
        f"Run `poolwright profile restore {name}` to go back to the last good copy, "
        f"or `poolwright profile accept {name}` if you changed the profile yourself."
    )


def guided(text: str, base: Path) -> str:
    """A text that ends with the next step, once."""
    step = ways_out(base)
    return text if step in text else f"{text} {step}"
