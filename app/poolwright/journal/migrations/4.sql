-- Cells with numbers and dates in a workbook are distinguished from texts that look like them.

ALTER TABLE rows ADD COLUMN number_places TEXT;
