"""The ways of running: puts journal, pool, archive and profile together for a batch."""
