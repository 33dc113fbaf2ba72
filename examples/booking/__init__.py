"""The demo: a thousand green threads sell seats over some tens of connections while one of them reads a big report.

    python -m examples.booking --help

The same program runs twice, each time in a process of its own: with mizzle, where nothing is monkey-patched, and with
PyMySQL on monkey-patched eventlet. Only `with_mizzle.py` and `with_pymysql.py` differ.

    __main__.py    the command line: a server, the two processes, the table and the picture
    side.py        one of the two processes, from the first connection to the last check
    with_*.py      how each driver connects
    address.py     where the server is
    schema.py      the tables and what is in them at the start
    customers.py   what a customer does: look, book, pay, cancel
    load.py        green threads: the customers, the report, the heartbeat
    ledger.py      what the customers were promised, compared with what the database says
    measure.py     latencies, stalls, processor time, and what is made of them
    progress.py    the line on the terminal while it runs
    outcome.py     what a side hands to the process that draws both
    summary.py     the figures as text, and the table
    chart.py       lines and axes as SVG
    page.py        the picture: one HTML file
"""

import warnings

# eventlet says at every import that it is in bugfix mode; who runs this demo knows
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
