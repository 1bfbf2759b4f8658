"""All that runs inside a worker process. Started by ``python -m app.worker``; nobody imports it from outside."""
