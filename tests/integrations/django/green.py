"""Django in green threads, `python green.py eventlet` or `gevent`: one that waits for the server stops no other."""

import importlib
import sys

HUB = sys.argv[1]
hub = importlib.import_module(HUB)
if HUB == "eventlet":
    hub.monkey_patch()
else:
    importlib.import_module("gevent.monkey").patch_all()

import django  # noqa: E402 (what was imported before the patch is not green)

django.setup()

from django.db import connection  # noqa: E402


def ask(sql, *args):
    with connection.cursor() as cursor:
        cursor.execute(sql, args)
        return cursor.fetchone()


def wait_for_the_lock():
    """In a green thread, which has a connection of its own."""
    try:
        return ask("SELECT GET_LOCK('mizzle', 30), CONNECTION_ID()")
    finally:
        connection.close()


(mine,) = ask("SELECT CONNECTION_ID()")
ask("SELECT GET_LOCK('mizzle', 0)")
waiting = hub.spawn(wait_for_the_lock)
WAITS = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE %s"
while ask(WAITS, "SELECT GET_LOCK('mizzle', 30%") == (0,):
    hub.sleep(0)
ask("SELECT RELEASE_LOCK('mizzle')")
got, theirs = waiting.wait() if HUB == "eventlet" else waiting.get()
print("got the lock" if got == 1 and theirs != mine else f"{got} on {theirs}, beside {mine}")
connection.close()
