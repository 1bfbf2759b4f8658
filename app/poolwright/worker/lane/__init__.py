"""The HTTP lane: orders without a tab, as far as that is surely the same."""
