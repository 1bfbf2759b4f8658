"""The daemon's HTTP interface: routes, what they take and give, who may ask. Knows the daemon, never the pool."""
