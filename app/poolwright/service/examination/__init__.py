"""The tools for the author of a pack: pages of a portal are examined and saved, and judged again without it."""
