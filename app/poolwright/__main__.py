"""``python -m poolwright`` is the ``poolwright`` command."""

from __future__ import annotations

from poolwright.cli.start import main

if __name__ == "__main__":
    main()
