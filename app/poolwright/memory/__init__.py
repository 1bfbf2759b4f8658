"""The memory of the machine and its processes: what there is, what is used, how many workers fit. Changes nothing."""
