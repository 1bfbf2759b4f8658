"""The worker process, started by ``python -m poolwright.worker``; no other package imports it."""
