"""pandas on mysql+mizzle: frames go to the server and come back as they were."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

import mizzle
from mizzle.testing import Server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what it imports
    import pandas as pd


@pytest.fixture
def engine(server: Server) -> Iterator[sa.Engine]:
    engine = sa.create_engine(server.url.replace("mysql://", "mysql+mizzle://"))
    yield engine
    with engine.begin() as conn:
        conn.exec_driver_sql("DROP TABLE IF EXISTS frames")
    engine.dispose()


def frame(rows: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": range(rows),
            "share": [number / 7 for number in range(rows)],
            "name": [f"it's 100% {number}" for number in range(rows)],
            "at": pd.date_range("2024-02-28", periods=rows, freq="h").astype("datetime64[us]"),
            "raw": [bytes([number % 256]) * 3 for number in range(rows)],
        }
    )


@pytest.mark.parametrize("method", [None, "multi"])
def test_a_frame_there_and_back(engine: sa.Engine, method: str | None) -> None:
    there = frame(1500)
    there.to_sql("frames", engine, index=False, chunksize=500, method=method, dtype={"raw": sa.BLOB})
    back = pd.read_sql("SELECT * FROM frames ORDER BY number", engine)
    # MySQL prints a DOUBLE's shortest digits, MariaDB seventeen: both are the same number. DATETIME keeps seconds.
    pd.testing.assert_frame_equal(back, there, check_dtype=False, check_exact=True)
    assert back["at"].dtype.kind == "M"


def test_missing_values_and_parameters(engine: sa.Engine) -> None:
    there = pd.DataFrame({"number": [1, None, 3], "name": ["a", None, "%s"]})
    assert there.to_sql("frames", engine, index=False, if_exists="replace") == 3
    query = sa.text("SELECT * FROM frames WHERE number IS NULL OR name = :name")
    back = pd.read_sql(query, engine, params={"name": "%s"})
    assert math.isnan(back["number"][0])
    assert back["name"][0] is None or back["name"].isna()[0]
    assert list(back["name"])[1] == "%s"


def test_frames_piece_by_piece(engine: sa.Engine) -> None:
    frame(1000).to_sql("frames", engine, index=False, dtype={"raw": sa.BLOB})
    with engine.connect().execution_options(stream_results=True) as conn:
        pieces = [len(piece) for piece in pd.read_sql("SELECT * FROM frames", conn, chunksize=300)]
    assert pieces == [300, 300, 300, 100]


def test_reading_by_a_bare_connection(server: Server) -> None:
    """pandas warns that it has not tested that; it works."""
    with (
        mizzle.connect(**server.connect_args()) as conn,
        pytest.warns(UserWarning, match="only supports SQLAlchemy"),
    ):
        back = pd.read_sql("SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, %s", conn, params=["y"])
    assert back.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
