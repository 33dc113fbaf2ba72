"""gunicorn's configuration for prefork_app.

The master says when it is ready, which worker has ended, and in the end what came of its own connections.
"""

from __future__ import annotations

import importlib
import json
from typing import Any

wsgi_app = "pool.prefork_app:application"
preload_app = True
workers = 1  # when it has ended the master forks another
control_socket_disable = True  # in gunicorn 25 a server of its own, in the master


def when_ready(server: Any) -> None:  # noqa: ARG001 - gunicorn's hook
    print("ready", flush=True)


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ARG001 - gunicorn's hook
    app: Any = importlib.import_module("pool.prefork_app")
    app.service.lending.close()


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001 - gunicorn's hook
    print(worker.pid, flush=True)


def on_exit(server: Any) -> None:  # noqa: ARG001 - gunicorn's hook
    app: Any = importlib.import_module("pool.prefork_app")
    print(json.dumps(app.service.tell()), flush=True)
