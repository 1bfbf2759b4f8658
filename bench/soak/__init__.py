"""A long life, watched: one pool on light orders and fat pages, sampled every few seconds, judged and drawn at the end.

* ``plan``: what a soak is told.
* ``orders``: which orders it brings home, and what must have come of each.
* ``drive``: the process that holds the pool; it feeds, watches and samples, and keeps nothing that grows.
* ``samples``, ``watch``: what is measured, and what the pool tells meanwhile.
* ``trend``, ``verdict``: pure; growth after the warm-up, and whether the aims are met.
* ``plot``, ``report``: the figure, the numbers and the table.
"""
