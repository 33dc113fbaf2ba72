"""Greenlets of gevent, the standard library patched: how a driver written in Python becomes green."""

import gevent.monkey

gevent.monkey.patch_all()

from bench.worlds.gevent import call, run, sleep, spawn  # noqa: E402

__all__ = ["call", "run", "sleep", "spawn"]
