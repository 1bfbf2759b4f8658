-- Cells of a workbook that hold numbers and dates are told from texts that look like them.

ALTER TABLE rows ADD COLUMN number_places TEXT;
