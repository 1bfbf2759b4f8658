"""What is used of google-re2, which brings no types along."""

class error(Exception):
    args: tuple[bytes]

class Options:
    case_sensitive: bool
    dot_nl: bool
    log_errors: bool

class Match:
    @property
    def re(self) -> Pattern: ...
    def group(self, number: int) -> str | None: ...

class Pattern:
    @property
    def groups(self) -> int: ...
    def search(self, text: str) -> Match | None: ...

def compile(pattern: str, *, options: Options) -> Pattern: ...
