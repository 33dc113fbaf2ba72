"""The generated tables: current, consistent, and with the numbers that the manuals give."""

import subprocess
import sys
from pathlib import Path

import pytest

from mizzle.constants import capabilities, charsets, commands, errnos, field_types, status

ROOT = Path(__file__).resolve().parent.parent


def test_generated_files_are_current() -> None:
    run = subprocess.run(
        [sys.executable, "tools/generate_constants.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_some_numbers() -> None:
    assert (commands.COM_QUERY, commands.COM_RESET_CONNECTION, commands.COM_STMT_BULK_EXECUTE) == (3, 0x1F, 0xFA)
    assert (capabilities.CLIENT_SSL, capabilities.CLIENT_DEPRECATE_EOF) == (0x800, 0x0100_0000)
    assert capabilities.MARIADB_CLIENT_EXTENDED_METADATA == 1 << 35
    assert (field_types.MYSQL_TYPE_NEWDECIMAL, field_types.MYSQL_TYPE_VECTOR) == (246, 242)
    assert (status.SERVER_MORE_RESULTS_EXISTS, status.SERVER_STATUS_NO_BACKSLASH_ESCAPES) == (8, 0x200)
    assert (errnos.CR_SERVER_LOST, errnos.ER_DUP_ENTRY) == (2013, 1062)


@pytest.mark.parametrize(
    ("id", "collation", "charset", "codec"),
    [
        (8, "latin1_swedish_ci", "latin1", "cp1252"),
        (33, "utf8mb3_general_ci", "utf8mb3", "utf8"),
        (45, "utf8mb4_general_ci", "utf8mb4", "utf8"),
        (54, "utf16_general_ci", "utf16", "utf_16_be"),
        (56, "utf16le_general_ci", "utf16le", "utf_16_le"),
        (63, "binary", "binary", "binary"),
        (213, "utf8mb3_croatian_ci", "utf8mb3", "utf8"),
        (255, "utf8mb4_0900_ai_ci", "utf8mb4", "utf8"),
        (2304, "utf8mb4_uca1400_ai_ci", "utf8mb4", "utf8"),
    ],
)
def test_collation(id: int, collation: str, charset: str, codec: str) -> None:
    wanted = charsets.Charset(id, collation, charset, codec)
    assert charsets.by_id(id) == wanted
    assert charsets.by_collation(collation.upper()) == wanted


def test_unknown_collations() -> None:
    assert charsets.by_id(65535)[2:] == ("utf8mb4", "utf8")
    with pytest.raises(LookupError, match="unknown collation 'x'"):
        charsets.by_collation("x")
    with pytest.raises(LookupError, match="unknown character set 'x'"):
        charsets.default_collation("x")


def test_defaults_are_of_their_charset_and_fit_the_handshake() -> None:
    for name in charsets.charset_names():
        default = charsets.default_collation(name)
        assert default.charset == name
        assert default.id < 256
    assert charsets.default_collation("utf8mb4").id == 45
    assert charsets.default_collation("UTF8") == charsets.default_collation("utf8mb3")
    assert charsets.by_collation("utf8_bin").collation == "utf8mb3_bin"
    # a name that is utf8mb3_croatian_ci in both families: the id that fits one byte
    assert charsets.by_collation("utf8mb3_croatian_ci").id == 213
