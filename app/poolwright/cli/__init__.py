"""The command line: the commands, their options and output, and the exit codes."""
