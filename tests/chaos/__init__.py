"""The whole program in a storm: processes die and hang, the portal fails, and nothing may be lost."""
