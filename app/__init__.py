"""Poolwright: every attachment of every purchase order, through your own logged-in browser profile.

The package reads from the top down:

* ``cli`` and ``service`` are the faces: they read settings and put the parts together.
* ``supervisor`` keeps 1 to 8 worker processes alive and decides who does what.
* ``worker`` is all that runs inside a worker process: one browser, one tab per purchase order.
* ``store``, ``archive``, ``profile``, ``intake`` own the journal, the output tree, the profiles and the input.
* ``processor`` is what authors of own processors import; workers run what they write.
* ``domain`` holds the words, tables and rules that all of them share; it does no I/O.
"""

__version__ = "0.1.0"
