"""The exception tree, the class of each error number, and what exceptions carry."""

import builtins
import copy
import pickle
import re
import socket
import sys

import pytest

from mizzle import errors
from mizzle.errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)


def test_tree_of_pep_249() -> None:
    assert issubclass(errors.Warning, builtins.Warning)
    assert not issubclass(errors.Warning, Error)
    assert Error.__base__ is Exception
    assert InterfaceError.__base__ is DatabaseError.__base__ is Error
    for cls in (DataError, OperationalError, IntegrityError, InternalError, ProgrammingError, NotSupportedError):
        assert cls.__base__ is DatabaseError


@pytest.mark.parametrize(
    ("cls", "errnos"),
    [
        (OperationalError, [1213, 1205, 1020, 1091, 1051, 1049, 1305, 1047, 2002, 2003, 2006, 2013, 4031, 1292]),
        (OperationalError, [1040, 1044, 1045, 1054, 1142, 1143, 1927, 4025, 3819, 9999]),
        (IntegrityError, [1062, 1451, 1452, 1048, 1216, 1217, 1215]),
        (ProgrammingError, [1146, 1064, 1007, 1149, 1102, 1103, 1110, 1111, 1112, 1113, 1166, 1179]),
        (DataError, [1264, 1265, 1406, 1366, 1263, 1230, 1171, 1441, 1367]),
        (NotSupportedError, [1196, 1235, 1289, 1286]),
        (InternalError, [1, 126, 999]),
    ],
)
def test_class_of_error_number(cls: type[Error], errnos: list[int]) -> None:
    for errno in errnos:
        assert type(errors.server_error(errno, "HY000", "text")) is cls, errno


@pytest.mark.parametrize(
    ("message", "cls"),
    [
        ("Deadlock found when trying to get lock; try restarting transaction", OperationalError),
        ("Deadlock: wsrep aborted transaction", OperationalError),
        ("WSREP detected deadlock/conflict and aborted the transaction. Try restarting the transaction", InternalError),
    ],
)
def test_class_of_1213_depends_on_its_text(message: str, cls: type[Error]) -> None:
    assert type(errors.server_error(1213, "40001", message)) is cls


def test_args_are_number_and_message_and_nothing_else() -> None:
    error = errors.server_error(1305, "42000", "SAVEPOINT x does not exist")
    assert error.args == (1305, "SAVEPOINT x does not exist")
    assert str(error) == "(1305, 'SAVEPOINT x does not exist')"
    assert (error.errno, error.sqlstate, error.sent, error.alive) == (1305, "42000", True, True)


def test_defaults_stand_on_the_class() -> None:
    assert (Error.sqlstate, Error.sent, Error.alive, Error.hint) == (None, True, True, None)
    assert Error().errno == Error("only a text").errno == 0


@pytest.mark.parametrize("errno", [1927, 4031, 1152, 1184])
def test_errors_after_which_the_server_closes(errno: int) -> None:
    assert errors.server_error(errno, None, "text").alive is False


@pytest.mark.parametrize(
    "error",
    [
        errors.server_error(1045, "28000", "Access denied for user 'a'@'b' (using password: NO)"),
        errors.connection_lost("COM_QUERY: end of file", cause=None, sent=True),
        errors.malformed_packet("OK", 7, "the text goes on for 300 bytes, 4 are there"),
        errors.connection_closed("close() was called"),
        ProgrammingError(0, "wrong number of parameters", sent=False),
    ],
)
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_copies_keep_everything(error: Error, duplicate) -> None:
    again = duplicate(error)
    assert type(again) is type(error)
    assert again.args == error.args
    assert vars(again) == vars(error)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="add_note came with Python 3.11")
def test_hint_is_a_note_and_not_in_the_text() -> None:
    error = errors.server_error(1049, "42000", "Unknown database 'x'")
    assert error.hint is not None
    assert error.__notes__ == [f"Hint: {error.hint}"]
    assert error.hint not in str(error)


@pytest.mark.parametrize("errno", [1040, 1044, 1045, 1049, 1129, 1130, 1153, 1205, 1213, 1251, 1524, 3159, 4031, 2059])
def test_well_known_errors_have_a_hint(errno: int) -> None:
    hint = errors.hint_for(errno, "")
    assert hint is not None
    assert 20 < len(hint) < 200
    assert hint.endswith(".")


def test_hint_depends_on_the_text() -> None:
    assert errors.hint_for(1045, "… (using password: NO)") != errors.hint_for(1045, "… (using password: YES)")
    assert "utf8mb4" in (errors.hint_for(1366, "Incorrect string value: '\\xF0\\x9F' for column 'a'") or "")
    assert errors.hint_for(1366, "Incorrect integer value: 'x' for column 'a'") is None
    assert errors.hint_for(1064) is None


def test_no_hint_or_message_looks_like_a_lost_connection() -> None:
    # oslo.db takes an OperationalError whose text has one of these numbers for a lost connection
    numbers = re.compile("2002|2003|2006|2013|1047")
    for errno in range(1000, 5000):
        assert not numbers.search(errors.hint_for(errno, "") or "")


def test_connection_lost() -> None:
    cause = ConnectionResetError(104, "Connection reset by peer")
    error = errors.connection_lost("COM_QUERY was running", cause=cause, sent=True)
    assert type(error) is OperationalError
    assert error.errno == 2013
    assert (error.sent, error.alive) == (True, False)
    assert error.__cause__ is cause
    assert "COM_QUERY was running (Connection reset by peer); the command may have been carried out" in str(error)
    unsent = errors.connection_lost("end of file", cause=None, sent=False)
    assert unsent.sent is False
    assert "nothing of the command was sent" in str(unsent)


def test_connection_closed_is_a_disconnect_to_sqlalchemy() -> None:
    error = errors.connection_closed("close() was called")
    assert isinstance(error, InterfaceError)
    assert error.errno == 0
    assert "already closed" in str(error)
    assert "The cursor is already closed" in str(errors.connection_closed("close() was called", "cursor"))


def test_malformed_packet() -> None:
    error = errors.malformed_packet("column definition", 12, "a length of 70 is beyond its end")
    assert isinstance(error, OperationalError)
    assert (error.errno, error.packet, error.offset, error.alive) == (2027, "column definition", 12, False)
    assert error.args[1] == "Malformed column definition packet at byte 12: a length of 70 is beyond its end"


@pytest.mark.parametrize(
    ("cause", "place", "errno", "text"),
    [
        (
            ConnectionRefusedError(111, "Connection refused"),
            {"host": "db1", "port": 3307},
            2003,
            "Can't connect to MySQL server on 'db1:3307' (Connection refused)",
        ),
        (
            TimeoutError(),
            {"host": "db1", "port": 3307, "timeout": 2.5},
            2003,
            "Can't connect to MySQL server on 'db1:3307' (no connection within 2.5 s)",
        ),
        (
            socket.gaierror(-2, "Name or service not known"),
            {"host": "nowhere.invalid", "port": 3306},
            2005,
            "Unknown MySQL server host 'nowhere.invalid' (Name or service not known)",
        ),
        (
            FileNotFoundError(2, "No such file or directory"),
            {"unix_socket": "/run/x.sock"},
            2002,
            "Can't connect to local MySQL server through socket '/run/x.sock' (No such file or directory)",
        ),
    ],
)
def test_cannot_connect(cause: OSError, place: dict, errno: int, text: str) -> None:
    error = errors.cannot_connect(cause, **place)
    assert type(error) is OperationalError
    assert error.args == (errno, text)
    assert (error.sent, error.alive) == (False, False)
    assert error.__cause__ is cause
