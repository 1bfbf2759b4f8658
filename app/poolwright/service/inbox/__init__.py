"""A watched folder: a list that is dropped there is taken once, and lies in ``done/`` or ``refused/`` afterwards.

``names`` (pure: what is a list by its name), ``settling`` (pure: what has been written to its end), ``shelves`` (the
folders below the watched one, and every move between them), ``watch`` (looks, reads, submits).
"""
