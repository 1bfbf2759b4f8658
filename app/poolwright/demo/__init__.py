"""A made-up procurement portal that runs as a process of its own: for ``poolwright demo`` and for the tests.

It stands apart from the rest of the package and imports nothing of it but ``loading``. From the ground up:

* ``documents``: small valid files of an exact size; ``dice``: named draws.
* ``catalogue``: the orders, their files, and the truth about them; ``shelf``: their bytes.
* ``sessions``, ``faults``, ``counters``: what changes while it runs; ``site`` holds one of each.
* ``pages``, ``order_page``, ``assets``, ``markup``: what browsers receive; ``responses``: how.
* ``login_wall``, ``strike``: what stands before an endpoint; ``endpoints``: the addresses; ``server``: all of it.
* ``process`` starts it, ``serve`` runs it there, ``client`` talks to it.
"""
