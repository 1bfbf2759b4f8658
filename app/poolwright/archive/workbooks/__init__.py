"""The copy of the user's own workbook with the results in further columns."""
