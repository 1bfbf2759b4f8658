"""The worker processes as the supervisor sees them: slots, generations and connections."""
