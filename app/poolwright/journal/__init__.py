"""The journal: every task, attempt and move of a run, in one SQLite file that outlives the program."""
