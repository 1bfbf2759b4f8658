"""A page of the portal: its visit, its content, its request guard and its network traffic."""
