"""Manages profiles: the bases with a login, and the clones that workers use. No browser is started here.

- ``repository``: the ``profiles/`` folder, named profiles and their ``profile.toml``.
- ``base``: the checks of a base before it is cloned.
- ``in_use``: the lock of a base, and the detection of a browser that has it open.
- ``clone``: the selection of files for a clone, and the copy.
- ``integrity`` with ``cookie_db`` and ``leveldb``: the checks of settings, databases and stores.
- ``seal``: the files of a base when its login was known to be good.
- ``damage`` and ``backups``: the mark that refuses a damaged base, and the commands accept and restore.
- ``storage_state``: a login that is imported from another browser.
- ``profile``: the ``Profile`` of one worker with its states, and the preparation of its clone for a launch.
- ``run_folder``: the short private folder of one run, and the removal of those of dead runs.
- ``inspection``: the health of named profiles for reports.

All functions block, on files only; the supervisor calls them in a thread. Facts and rules were measured with Chromium
156 on Linux; differences of other platforms are noted.
"""
