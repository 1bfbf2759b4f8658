"""What was done on the shown pages: the calls that their scripts sent, and the search that a person made."""
