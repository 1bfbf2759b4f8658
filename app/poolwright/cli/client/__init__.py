"""Commands that ask a running daemon. They find it, and its token, by the output folder."""
