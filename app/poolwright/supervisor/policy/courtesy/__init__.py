"""How much a portal is asked: requests a minute, and orders that are open at once. Pure."""
