"""The services: batch, daemon, schedules, inbox, HTTP interface and Python API."""
