"""Schedules of the daemon: lists that are read and processed at the times of cron entries.

``schedule_definition`` (one schedule, from the settings), ``cron`` (pure: due and missed times, overlaps),
``schedule_state`` (what is saved for the next daemon), ``sources`` (a file, a pattern or a command as input lists),
``runs`` (one run, in the daemon's queue or as a separate batch), ``scheduler`` (one timer and all runs).
"""
