"""Portals of many makes on loopback: how an order shows its list, and how one logs in, in any combination."""
