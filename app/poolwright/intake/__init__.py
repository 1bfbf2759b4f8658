"""The user's list comes in: a file, standard input or numbers typed become an ``OrderList``.

From bytes to orders, one step a module: ``content`` (what file is this), ``encoding`` and ``delimited``, or
``package``, ``markup`` and ``workbook`` (rows of cells), ``header`` (where the table begins), ``sheet`` (the table),
``names`` and ``column`` (which column has the order numbers), ``orders`` (rows, tasks, notices). Nothing is dropped
unsaid: what cannot be read is refused with one sentence, as is what would exhaust the memory (``budget``); what had to
be guessed is told in a notice.
"""
