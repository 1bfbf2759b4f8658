"""The calls that a page may send although they could change something, as a pack lists them."""
