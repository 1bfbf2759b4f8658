"""Reads workbooks of every kind into rows of cells as a person sees them, with notices about hidden and merged cells.

``parts`` opens a package as Excel does, ``number_format`` formats a number, ``cell`` is one cell with its doubt, and
``sheet_rows`` collects the rows of a sheet. Each kind of workbook has a reader of its own: ``ooxml``, ``xlsb``,
``xls``, ``ods`` and ``xml2003``.
"""
