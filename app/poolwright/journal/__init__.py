"""The journal: every list, task, attempt, outcome and state change, in one SQLite file."""
