"""A page of the portal: visited, read, guarded, and asked about its network traffic."""
