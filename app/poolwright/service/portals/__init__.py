"""The portal of a run or of a new profile: its pack, its address, and what the profile remembers of them."""
