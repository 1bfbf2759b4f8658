"""Communication between the supervisor and its worker processes: messages, frames, pipes, spawning and killing."""
