"""Downloads by our HTTP client: headers, limits and the bytes of a file."""
