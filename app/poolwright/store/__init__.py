"""The journal: the memory of every list, task, attempt, outcome and move, on one machine.

- ``journal``: the SQLite journal behind the port, one limiter between it and the event loop.
- ``memory``: its twin without a file, the same answers and the same errors.
- ``ledger``: what each call means, as one transaction; ``lists``, ``tasks``, ``attempts``, ``reports`` and
  ``transitions`` hold the SQL of one family of tables each; ``schema.sql`` has the tables.
- ``retention``: what may be forgotten, and how without holding anybody up.
- ``moves``: the pure rules of a task, shared by both twins. ``database`` and ``lock``: the file and who may have it.
"""
