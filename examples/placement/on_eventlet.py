"""Placement on eventlet: `python on_eventlet.py DESCRIPTOR`, of a socket that listens already."""

import eventlet

eventlet.monkey_patch()  # before anything else is imported, as every service on eventlet does it

import socket  # noqa: E402
import sys  # noqa: E402

import eventlet.wsgi  # noqa: E402
from placement.wsgi.api import application  # noqa: E402

eventlet.wsgi.server(socket.socket(fileno=int(sys.argv[1])), application, log_output=False)
