"""The orders of the demo portal: suppliers, lines and attachments, computed from a seed and a count; nothing is stored.

* ``order``: the immutable records.
* ``seeded_random``: values derived from a seed, and made-up names of companies, people, goods and files.
* ``cases``: which order shows which case: the blocks of forty, and the odd orders outside the list.
* ``catalogue``: the order of a number, and the order lists of users.
* ``truth``: the expected result of each order, with the SHA-256 of each file.
"""
