"""Flask in gevent's WSGI server: each request is a green thread, which waits for mizzle in the hub. Patched or not.

MIZZLE_URL=mysql://user:password@127.0.0.1:3306/test python examples/web/on_flask.py [PORT] [patched]
"""

import os
import sys

if __name__ == "__main__" and sys.argv[-1] == "patched":
    from gevent import monkey

    monkey.patch_all()  # before anything else is imported
    import mizzle as mysql  # finds the patches
else:
    import mizzle.gevent as mysql  # needs none

import contextlib

from flask import Flask
from gevent.pywsgi import WSGIServer

app = Flask(__name__)
pool = mysql.Pool(url=os.environ["MIZZLE_URL"], autocommit=True, max_size=20)


@app.get("/")
def visits() -> dict[str, int]:
    with pool.connection() as conn:
        return dict(conn.execute("SELECT page, number FROM visits").fetchall())


@app.post("/<page>")
def visit(page: str) -> tuple[str, dict[str, str]]:
    with pool.connection() as conn:
        conn.execute("INSERT INTO visits VALUES (%s, 1) ON DUPLICATE KEY UPDATE number = number + 1", [page])
    return '"welcome"', {"content-type": "application/json"}


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 8080
    with pool, contextlib.suppress(KeyboardInterrupt):
        with pool.connection() as conn:
            conn.execute("CREATE TABLE IF NOT EXISTS visits (page VARCHAR(80) PRIMARY KEY, number INT)")
        WSGIServer(("127.0.0.1", port), app, log=None).serve_forever()
