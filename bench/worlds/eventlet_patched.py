"""Green threads of eventlet, the standard library patched: how a driver written in Python becomes green."""

import eventlet

eventlet.monkey_patch()

from bench.worlds.eventlet import call, run, sleep, spawn  # noqa: E402

__all__ = ["call", "run", "sleep", "spawn"]
