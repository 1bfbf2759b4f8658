"""Files and spreadsheets out: safe names, true content, the output tree, manifests and reports.

``names`` and ``content`` are pure enough for a worker to import; they load nothing heavy. The rest runs beside the
supervisor, which owns the output folder. Nothing here talks to a portal, a browser or the journal.
"""
