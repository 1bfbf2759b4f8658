"""The policy of the pool: events in, commands out. Pure; nothing here acts or waits."""
