"""Programs that do the work of the comparison, each started by itself; some need libraries of their own environment."""
