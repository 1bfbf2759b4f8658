"""``python -m poolwright.demo``: serve the portal until told to stop, as ``serve`` tells it."""

from __future__ import annotations

from importlib import import_module

from poolwright import interpreter


def main() -> None:
    """Load the portal, and serve it."""
    interpreter.prepare_imports()
    serve = import_module("poolwright.demo.server")
    interpreter.finish_imports()
    serve.main()


if __name__ == "__main__":
    main()
