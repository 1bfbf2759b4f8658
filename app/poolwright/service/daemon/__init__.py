"""The daemon: a pool that lives on for days, takes lists as they come, and is watched and steered by people."""
