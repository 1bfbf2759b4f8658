"""Keeps the workers alive and decides who does what. Owns tasks, profiles and processes; opens no browser itself."""
