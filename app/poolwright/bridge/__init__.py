"""The border between supervisor and worker processes: pipes, frames, spawning and ending. Decides nothing."""
