"""Short programs that show mizzle at work; `python -m examples.booking` is the demo."""
