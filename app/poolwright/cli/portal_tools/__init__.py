"""The commands for the author of a portal pack that start a browser: `poolwright portal probe`, `record`, `replay`."""
