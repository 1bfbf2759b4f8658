"""Downloads by our own HTTP client: headers, limits and the bytes of a file."""
