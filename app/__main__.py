"""``python -m app`` is the ``poolwright`` command."""

from __future__ import annotations

from app.cli.start import main

if __name__ == "__main__":
    main()
