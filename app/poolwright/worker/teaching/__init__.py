"""The window in which a person shows a portal: its panel, what it notes, and the pages that it writes."""
