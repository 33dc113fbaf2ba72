"""OpenStack's placement, as it comes from the package index, on `mysql+mizzle://`: `python -m examples.placement`."""
