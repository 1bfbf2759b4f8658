"""The inbox, a watched folder: each list in it is submitted once and then moved to ``done/`` or ``refused/``.

``folders`` (which files are complete lists, and every move between the folders), ``watcher`` (scans, reads, submits).
"""
