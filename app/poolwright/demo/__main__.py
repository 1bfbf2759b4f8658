"""``python -m poolwright.demo``: serve the portal until told to stop, as ``serve`` tells it."""

from __future__ import annotations

from importlib import import_module

from poolwright import loading


def main() -> None:
    """Load the portal, and serve it."""
    loading.begin()
    serve = import_module("poolwright.demo.serve")
    loading.done()
    serve.main()


if __name__ == "__main__":
    main()
