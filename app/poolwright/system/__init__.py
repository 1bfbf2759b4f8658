"""Reads what the machine offers: memory, processors, browsers, the sandbox, and access to folders."""
