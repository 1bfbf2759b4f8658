"""Workbooks of every kind become rows of cells as a person sees them, with what was hidden, merged or left out told.

``parts`` and ``styles`` open a package as Excel does, ``number_format`` shows a number as its format says, ``cell``
is one cell with what makes it doubtful, ``sheet_rows`` puts rows together; one module a kind of workbook reads it.
"""
