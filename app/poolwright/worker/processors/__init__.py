"""What is done in a tab. A processor takes a tab and a task and gives a report."""
