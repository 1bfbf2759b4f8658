"""Reads the facts of the machine: memory, processors, browsers, the sandbox, and access to folders."""
