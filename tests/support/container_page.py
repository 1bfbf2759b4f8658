"""The commands that docs/operations/container.md and the examples beside it give, word by word."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from tests.support.deploy_examples import COMPOSE, MANIFESTS, compose_services
from tests.support.paths import ROOT

PAGE = ROOT / "docs/operations/container.md"
TEXT = PAGE.read_text(encoding="utf-8")

_FENCED = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TYPED = re.compile(r"^#   ((?:docker|kubectl|mkdir) .*?)(?:  +#.*)?$", re.MULTILINE)


def typed(text: str) -> list[list[str]]:
    """Each command of a text as its words; a line that ends with a backslash goes on."""
    return [shlex.split(line, comments=True) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def commands_of_examples() -> list[list[str]]:
    """Those that the comments of the examples give."""
    texts = [path.read_text(encoding="utf-8") for path in (COMPOSE, *MANIFESTS)]
    return [words for text in texts for words in typed("\n".join(_TYPED.findall(text.replace("\\\n#", ""))))]


COMMANDS = [words for block in _FENCED.findall(TEXT) for words in typed(block)]
EVERYWHERE = [*COMMANDS, *commands_of_examples()]


def behind_options(words: Sequence[str]) -> list[str]:
    """What comes behind the options of docker, which all stand as one word with their value."""
    return list(words[next(index for index, word in enumerate(words) if not word.startswith("-")) :])


def arguments_of(words: list[str]) -> list[str] | None:
    """What a line gives to our program, if it starts it."""
    match words:
        case ["docker", "run", *rest]:
            image, *arguments = behind_options(rest)
            assert image == "poolwright"
        case ["docker", "compose", "run", *rest]:
            service, *given = behind_options(rest)
            arguments = given or list(compose_services()[service]["command"])
        case (
            ["poolwright", *arguments]
            | ["docker", "exec", "poolwright", "poolwright", *arguments]
            | ["docker", "compose", "exec", "serve", "poolwright", *arguments]
            | ["kubectl", "exec", "deployment/poolwright", "--", "poolwright", *arguments]
        ):
            pass
        case _:
            return None
    return arguments
