"""Poolwright beside other programs on the same orders: ``python -m bench.peers``."""
