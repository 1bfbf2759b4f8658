"""The output tree, its manifests and evidence, and the reports. Used by the supervisor, which owns the output folder.

No module here uses a portal, a browser or the journal.
"""
