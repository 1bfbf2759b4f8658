"""All that runs inside a worker process. Started by ``python -m poolwright.worker``; nobody imports it from outside."""
