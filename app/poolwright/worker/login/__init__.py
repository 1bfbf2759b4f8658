"""The login of a worker's session: whether the portal accepts it, and how it logs in again."""
