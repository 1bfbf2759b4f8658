"""File names, content types and disk access that any package may use."""
