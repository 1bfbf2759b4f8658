"""The processors: each takes a tab and a task, and returns a report."""
