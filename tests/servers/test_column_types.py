"""What the servers tell of a column beyond its code (UUID, INET, JSON, VECTOR), and what such values become."""

from __future__ import annotations

import ipaddress
import json
import struct
import uuid
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mizzle
from mizzle.constants.field_types import MYSQL_TYPE_BLOB, MYSQL_TYPE_VAR_STRING
from mizzle.testing import Server

pytestmark = pytest.mark.protocols("prepared")

SINGLES = st.floats(-1e6, 1e6, width=32)  # MariaDB refuses those whose squares do not fit
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
#: On MariaDB a vector is a VARBINARY to whoever reads it: a program without other such columns can say this.
VARBINARY_IS_VECTOR = {("varbinary", "binary"): lambda data: array("f", data)}


def has_vectors(server: Server) -> bool:
    return server.version >= ((11, 7) if server.is_mariadb else (9, 0))


def names(conn: Any, sql: str) -> list[str]:
    return [column.type_name for column in conn.execute(sql).description]


def test_type_names(conn: Any) -> None:
    conn.execute(
        "CREATE TEMPORARY TABLE v (t TINYINT, s SMALLINT, m MEDIUMINT, i INT UNSIGNED, l BIGINT, f FLOAT, g DOUBLE, "
        "d DECIMAL(9,2), b BIT(3), y YEAR, da DATE, ti TIME, dt DATETIME, ts TIMESTAMP NULL, c CHAR(3), v VARCHAR(3), "
        "bi BINARY(3), vb VARBINARY(3), tx TEXT, bl LONGBLOB, e ENUM('a'), se SET('a'), j JSON, ge GEOMETRY)"
    )
    wanted = (
        "tinyint smallint mediumint int bigint float double decimal bit year date time datetime timestamp char varchar "
        "binary varbinary text blob enum set json geometry"
    )
    assert " ".join(names(conn, "SELECT * FROM v")) == wanted
    assert names(conn, "SELECT NULL") == ["null"]


def test_what_mariadb_says_besides(conn: Any, server: Server) -> None:
    columns = conn.execute("SELECT JSON_OBJECT('a', 1) j, 1 i").description
    assert [column.extended_type for column in columns] == ["json" if server.is_mariadb else None, None]
    assert columns[0].type_name == "json"
    if server.is_mariadb:
        conn.execute("CREATE TEMPORARY TABLE v (u UUID, i4 INET4, i6 INET6, j JSON, p POINT, l LINESTRING, t TEXT)")
        columns = conn.execute("SELECT u, i4, i6, j, p, l, t FROM v").description
        wanted = ["uuid", "inet4", "inet6", "json", "point", "linestring", None]
        assert [column.extended_type for column in columns] == wanted
        assert [column.column.extended_type for column in conn.prepare("SELECT j FROM v").description] == ["json"]


def test_a_description_is_that_of_pep_249_too(conn: Any) -> None:
    [column] = conn.execute("SELECT 'a' AS x").description
    assert column[:2] == (column.name, column.type_code) == ("x", MYSQL_TYPE_VAR_STRING)
    assert len(column) == 7
    assert (column.null_ok, column.scale) == (column[6], column[5])


@pytest.mark.feature("JSON told apart and decoded")
def test_json_is_decoded_on_request(connect: Callable[..., Any]) -> None:
    document = {"a": [1, 2.5, None, True], "é": '😀 " \\'}
    for wish, wanted in ((True, document), (lambda text: ("mine", json.loads(text)), ("mine", document))):
        conn = connect(autocommit=True, json=wish)
        conn.execute("CREATE TEMPORARY TABLE v (id INT, j JSON, t TEXT)")
        conn.execute("INSERT INTO v VALUES (1, %s, '{}'), (2, NULL, NULL)", [json.dumps(document)])
        assert conn.execute("SELECT j, t FROM v ORDER BY id").fetchall() == [(wanted, "{}"), (None, None)]


def test_a_document_that_cannot_be_read_spoils_nothing_else(connect: Callable[..., Any]) -> None:
    def refuse(text: str) -> Any:
        raise LookupError(text)

    conn = connect(json=refuse)
    with pytest.raises(LookupError, match=r"\[1\]"):
        conn.execute("SELECT JSON_ARRAY(1)")
    assert conn.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.feature("UUID, INET4, INET6 told apart")
def test_uuid_and_addresses_on_request(connect: Callable[..., Any], server: Server) -> None:
    if not server.is_mariadb:
        pytest.skip("MySQL has no such types")
    row = (uuid.uuid4(), ipaddress.ip_address("10.0.0.255"), ipaddress.ip_address("2001:db8::ff"))
    for use_unicode in (True, False):
        conn = connect(autocommit=True, uuid=True, inet=True, use_unicode=use_unicode)
        conn.execute("CREATE TEMPORARY TABLE v (u UUID, i4 INET4, i6 INET6)")
        conn.execute("INSERT INTO v VALUES (%s, %s, %s), (NULL, NULL, NULL)", row)
        assert conn.execute("SELECT * FROM v WHERE u IS NOT NULL").fetchall() == [row]
        assert conn.execute("SELECT i6 FROM v WHERE i6 = %s", row[2:]).fetchall() == [row[2:]]
        assert conn.execute("SELECT * FROM v WHERE u IS NULL").fetchall() == [(None,) * 3]


def test_addresses_as_parameters(conn: Any) -> None:
    address = ipaddress.ip_address("::1")
    assert conn.execute("SELECT CONCAT(%s, '')", [address]).fetchone() == ("::1",)


@pytest.mark.feature("converters by type, character set and extended type")
def test_converters_by_name_character_set_and_code(connect: Callable[..., Any]) -> None:
    conn = connect(
        autocommit=True,
        conv={
            ("varchar", "latin1"): lambda text: ("name and charset", text),
            "varchar": lambda text: ("name", text),
            (MYSQL_TYPE_BLOB, "binary"): lambda data: ("code and charset", data),
            MYSQL_TYPE_BLOB: lambda text: ("code", text),
        },
    )
    conn.execute(
        "CREATE TEMPORARY TABLE v (l VARCHAR(9) CHARACTER SET latin1, u VARCHAR(9), b BLOB, t TEXT) "
        "CHARACTER SET utf8mb4"
    )
    conn.execute("INSERT INTO v VALUES ('l', 'u', 'b', 't')")
    # A column's own character set does not reach the client: what it gets is in that of the results.
    assert conn.execute("SELECT * FROM v").fetchone() == (
        ("name", "l"), ("name", "u"), ("code and charset", b"b"), ("code", "t"),
    )  # fmt: skip
    conn.execute("SET character_set_results = NULL")
    assert conn.execute("SELECT l, u FROM v").fetchone() == (("name and charset", "l"), ("name", "u"))


# -- vectors ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def vectors(connect: Callable[..., Any], server: Server) -> Callable[[str], Any]:
    """A connection with a table of vectors, which it reads as it is told."""
    if not has_vectors(server):
        pytest.skip("this server has no vectors")

    def make(wish: str) -> Any:
        conv = {("varbinary", "binary"): mizzle_conversion(wish)} if server.is_mariadb and wish != "bytes" else None
        conn = connect(autocommit=True, vector=wish, conv=conv)
        conn.execute("CREATE TEMPORARY TABLE v (id INT, v VECTOR(3))")
        return conn

    return make


def mizzle_conversion(wish: str) -> Callable[[bytes], Any]:
    numpy = pytest.importorskip("numpy")
    made: dict[str, Callable[[bytes], Any]] = {
        "array": lambda data: array("f", data),
        "memoryview": lambda data: memoryview(data).cast("f"),
        "numpy": lambda data: numpy.frombuffer(data, "<f4"),
    }
    return made[wish]


VALUE = array("f", [1, 2.5, -3e-20])


@pytest.mark.parametrize("wish", ["bytes", "array", "memoryview", "numpy"])
@pytest.mark.feature("VECTOR")
def test_vectors_in_and_out(vectors: Callable[[str], Any], wish: str) -> None:
    numpy = pytest.importorskip("numpy")
    conn = vectors(wish)
    kinds = {"bytes": bytes, "array": array, "memoryview": memoryview, "numpy": numpy.ndarray}
    given = [VALUE, memoryview(VALUE), numpy.array(VALUE, "f4"), numpy.array(VALUE, "f4")[::1], VALUE.tobytes()]
    for value in given:
        conn.execute("DELETE FROM v")
        conn.execute("INSERT INTO v VALUES (1, %s)", [value])
        [(read,)] = conn.execute("SELECT v FROM v").fetchall()
        assert type(read) is kinds[wish]
        assert bytes(read) == struct.pack("<3f", *VALUE)
        if wish != "bytes":
            assert list(read) == list(VALUE)


def test_many_vectors(vectors: Callable[[str], Any]) -> None:
    conn = vectors("array")
    numpy = pytest.importorskip("numpy")
    values = numpy.arange(300, dtype="f4").reshape(100, 3)
    conn.cursor().executemany("INSERT INTO v VALUES (%s, %s)", list(enumerate(values)))
    assert [list(row) for (row,) in conn.execute("SELECT v FROM v ORDER BY id")] == values.tolist()
    conn.cursor().executemany("UPDATE v SET v = %s WHERE id = %s", [(values[0], number) for number in range(100)])
    assert {tuple(row) for (row,) in conn.execute("SELECT v FROM v")} == {(0.0, 1.0, 2.0)}


def test_what_is_no_vector(conn: Any) -> None:
    for value in (array("d", [1.0]), array("i", [1])):
        with pytest.raises(mizzle.ProgrammingError, match="cannot be written") as raised:
            conn.execute("SELECT %s", [value])
        assert "VECTOR" in (raised.value.hint or "")
    assert conn.execute("SELECT 1").fetchone() == (1,)


# -- both protocols ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def converted(server: Server) -> Iterator[Any]:
    """A connection that converts all that there is, with a table of it."""
    settings = {"json": True, "uuid": True, "inet": True, "vector": "array"}
    if server.is_mariadb:
        settings["conv"] = VARBINARY_IS_VECTOR
    with mizzle.connect(**server.connect_args(autocommit=True), **settings) as conn:
        columns = "j JSON" + (", v VECTOR(4)" if has_vectors(server) else "")
        columns += ", u UUID, i4 INET4, i6 INET6" if server.is_mariadb else ""
        conn.execute(f"CREATE TEMPORARY TABLE v (id INT PRIMARY KEY, {columns}) CHARACTER SET utf8mb4")
        yield conn


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    DOCUMENTS, st.lists(SINGLES, min_size=4, max_size=4).map(lambda values: array("f", values)), st.uuids(version=4),
    st.ip_addresses(v=4), st.ip_addresses(v=6),
)  # fmt: skip
def test_text_and_binary_are_equal(
    converted: Any, server: Server, document: Any, vector: Any, number: uuid.UUID, i4: Any, i6: Any
) -> None:
    row = [json.dumps(document)] + ([vector] if has_vectors(server) else [])
    row += [number, i4, i6] if server.is_mariadb else []
    wanted = (document, *row[1:])
    for key, written in enumerate((False, True)):
        converted.execute(f"REPLACE INTO v VALUES ({key}{', %s' * len(row)})", row, prepare=written)
        for binary in (False, True):
            read = converted.execute("SELECT * FROM v WHERE id = %s", (key,), prepare=binary).fetchone()[1:]
            assert [(type(value), value) for value in read] == [(type(value), value) for value in wanted]
