"""What was found on a page of a portal, for the author of its pack: facts, reasons, saved pages and comparisons."""
