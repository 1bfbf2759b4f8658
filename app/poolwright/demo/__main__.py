"""``python -m poolwright.demo``: run the demo portal until it is stopped; see ``server``."""

from __future__ import annotations

from importlib import import_module

from poolwright import interpreter


def main() -> None:
    """Load the portal and run its server."""
    interpreter.prepare_imports()
    serve = import_module("poolwright.demo.server")
    interpreter.finish_imports()
    serve.main()


if __name__ == "__main__":
    main()
