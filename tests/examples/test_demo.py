"""The demo with small numbers: both sides, the check against the database, the picture, and how it fails."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from decimal import Decimal
from pathlib import Path

import pytest

import mizzle
from mizzle.testing import Server

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "examples.booking"]
SMALL = ["--workers=60", "--connections=5", "--seconds=1.5", "--rows=2000", "--pause=0.02"]


def environment(url: str) -> dict[str, str]:
    return {**os.environ, "MIZZLE_URL": url}


def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DEMO, *SMALL, *arguments],
        cwd=ROOT,
        env=environment(url),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_both_sides_agree_with_the_database_and_are_drawn(server: Server, tmp_path: Path) -> None:
    picture = tmp_path / "demo.html"
    done = run(server.url, f"--output={picture}")

    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^OS threads +1 +1$", done.stdout, re.MULTILINE)
    assert re.search(r"^checked against the database +all 9 right +all 9 right$", done.stdout, re.MULTILINE)
    assert done.stdout.count("rows in the report") == 2
    assert str(picture) in done.stdout

    html = picture.read_text(encoding="utf-8")
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in html
    drawing = ET.fromstring(html[html.index("<svg") : html.index("</svg>") + len("</svg>")])
    words = ["".join(element.itertext()) for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"mizzle, median", "PyMySQL, median", "Latency of an operation"} <= set(words)


def test_one_side_alone(server: Server, tmp_path: Path) -> None:
    done = run(server.url, "--only=mizzle", "--yield-every=100", f"--output={tmp_path / 'one.html'}")
    assert (done.returncode, done.stderr) == (0, "")
    assert "PyMySQL" not in done.stdout


@pytest.mark.parametrize("only", ["mizzle", "pymysql"])
def test_a_server_that_is_not_there_is_named(only: str, tmp_path: Path) -> None:
    with socket.socket() as nobody:  # bound, and nobody listens
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        done = run(f"mysql://app@{address}", f"--only={only}", f"--output={tmp_path / 'none.html'}")
    assert done.returncode == 1
    assert f"server at {address}" in done.stderr
    assert "2003" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    done = run("localhost", "--only=mizzle", f"--output={tmp_path / 'none.html'}")
    assert done.returncode == 2
    assert "it looks like mysql://" in done.stderr


def test_an_interrupt_stops_it(server: Server, tmp_path: Path) -> None:
    command = [*DEMO, *SMALL, "--seconds=60", "--only=mizzle", f"--output={tmp_path / 'none.html'}"]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a child would inherit that it is ignored
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(server.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stdout
        assert demo.stderr
        next(line for line in demo.stdout if "op/s" in line)
        os.killpg(demo.pid, signal.SIGINT)  # as a terminal does it
        assert demo.wait(20) == 130
        assert demo.stderr.read().strip() == "stopped"
    assert not (tmp_path / "none.html").exists()


def test_the_check_finds_a_booking_that_the_database_does_not_have(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT)
    from examples.booking import ledger, schema  # noqa: PLC0415 (found from here on)

    promised = ledger.Ledger()
    with mizzle.connect(url=server.url, autocommit=True) as connection:
        schema.create(connection, 10)
        before = [check.name for check in ledger.check(promised, connection) if not check.passed]
        promised.booked(ledger.Booking(1, 3, (7, 8), Decimal("37.00")))
        promised.booked(ledger.Booking(2, 3, (8,), Decimal("18.50")))
        after = [check.name for check in ledger.check(promised, connection) if not check.passed]
        schema.drop(connection)
    assert before == []
    assert after == [
        "seats booked",
        "seats promised twice",
        "seats that differ from the client's ledger",
        "bookings",
        "worth of the bookings",
    ]
