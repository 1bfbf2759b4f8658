"""The login of a worker's session: its check and its login steps."""
