"""The daemon's HTTP interface: routes, models, middleware and server. Depends on the daemon, never on the pool."""
