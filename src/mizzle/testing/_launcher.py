"""Becomes a server program: the few steps between fork and exec, run as a script by a fresh interpreter.

A `preexec_fn` would do the same inside the parent's copy, where other threads may hold locks.
Knows only its orders, one JSON argument. Must import nothing of mizzle: it runs isolated (-I -S).
"""

import ctypes
import fcntl
import json
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
FIRST_PASSED_FD = 3  # SD_LISTEN_FDS_START


def main() -> None:
    """Tie this process to its parent, arrange the passed sockets, and execute the server."""
    order = json.loads(sys.argv[1])
    # A Ctrl-C in the terminal is for our parent, not for the server. A session of its own would do that too, but Linux
    # schedules each session as a group: two that talk to each other then keep interrupting one another, and what a
    # client's work costs cannot be measured any more (its CPU time rises by a third, and swings).
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != order["parent"]:  # it died before the line above
        raise SystemExit("the process that wanted this server is gone")
    environment = dict(order["environment"])
    if order["sockets"]:
        above = FIRST_PASSED_FD + len(order["sockets"])  # out of the way of the dup2 below
        copies = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, above) for fd in order["sockets"]]
        for fd in order["sockets"]:
            os.close(fd)
        for number, fd in enumerate(copies, FIRST_PASSED_FD):
            os.dup2(fd, number, inheritable=True)
        environment.update(LISTEN_FDS=str(len(copies)), LISTEN_PID=str(os.getpid()))
    os.execve(order["command"][0], order["command"], environment)


main()
