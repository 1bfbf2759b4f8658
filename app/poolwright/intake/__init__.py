"""Reads the user's list: a file, standard input or typed numbers become an ``OrderList``.

From bytes to orders, one step a module: ``content_kind`` (the kind of file), ``encoding``, ``csv_reader`` and
``csv_parser``, or ``workbook_guard``, ``workbook_reader`` and ``html_reader`` (rows of cells, as ``grid`` defines
them), ``header`` and ``table`` (the table in them), ``column_names`` and ``order_column`` (the column of order
numbers), ``excluded_rows`` and ``orders`` (rows, tasks, notices). A list that cannot be read, or that would exhaust
the memory, is refused with one sentence; everything that was left out or guessed is reported in a notice.
"""
