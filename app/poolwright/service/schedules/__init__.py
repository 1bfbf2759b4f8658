"""Lists that are fetched by themselves, at times of a cron entry.

``entry`` (what is asked), ``firing`` (pure: when, what was missed, what an overlap means), ``records`` and ``ledger``
(what is remembered over a restart), ``source`` (file, glob or command become lists), ``submitted`` and ``own_batch``
(the two ways to run one), ``timetable`` (one timer to the next fire, and all that it starts).
"""
