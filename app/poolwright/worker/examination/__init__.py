"""What a worker does for the author of a pack: it examines pages, saves them, and judges saved pages again."""
