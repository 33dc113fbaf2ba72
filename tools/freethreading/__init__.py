"""mizzle in an interpreter without a GIL: where that comes from, and what it has to stand there."""
