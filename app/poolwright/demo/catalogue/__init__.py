"""What the portal holds: a seed and a count give the orders, their suppliers and their attachments, nothing stored.

* ``order``: the words, as immutable records.
* ``words``: made-up names of firms, people, goods and files.
* ``cases``: which order shows what: the block of forty, and the odd orders outside any list.
* ``orders``: number -> order, by arithmetic and named draws.
* ``truth``: what must come of each order, with the SHA-256 of each file.
* ``lists``: the order lists that users would bring.
"""
