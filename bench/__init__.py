"""mizzle beside the other drivers: the same work in each, every run its own process (`python -m bench`)."""
