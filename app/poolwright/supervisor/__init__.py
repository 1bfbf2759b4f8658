"""The supervisor: owns tasks, profiles and worker processes, and decides about them; it opens no browser itself."""
