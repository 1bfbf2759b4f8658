"""The command line: what a person types, what they see while it runs, and the exit code that ends it."""
