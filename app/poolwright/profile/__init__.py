"""Profiles: the base that a person logged in to, and the clones that workers run on. No browser is started here.

- ``home``: the ``profiles/`` folder, named profiles and their ``profile.toml``.
- ``base``, ``cookies``, ``everyday``: whether a base may be cloned at all.
- ``locks``, ``occupancy``: who else has it; one lock of our own, two signs of a living browser.
- ``selection``, ``survey``, ``clone``: what a clone needs, what there is, and the copy.
- ``structure`` with ``preferences``, ``database``, ``leveldb``, ``records``: whether the stores of a folder are whole.
- ``seal``: what was in a base when its login was known good.
- ``marker``, ``keeping``: what refuses a damaged base, and what a person decides about it: accept or restore.
- ``launch``: what is done to a clone before every launch.
- ``profile``: the living ``Profile`` of one worker, with its states. The supervisor owns it.
- ``runs``: the short private folder of one run, and the removal of those that dead runs left.

Everything blocks, on files only; the supervisor calls it in a thread. Facts and rules come from measurements of
Chromium 156 on Linux; places where another platform differs say so.
"""
