"""Option files, as the servers' clients read them."""

import ssl
from pathlib import Path

import pytest

from mizzle.options import connect_options, mycnf
from mizzle.options.mycnf import read_file, split_option


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("password", ("password", None)),
        ("password=", ("password", "")),
        ("password = secret ", ("password", "secret")),
        ("password = se cret # why", ("password", "se cret")),
        ("password=a#b", ("password", "a")),
        ('password="a#b"  # why', ("password", "a#b")),
        ("password='a\"#b'", ("password", 'a"#b')),
        (r'password="a\"#b"', ("password", 'a"#b')),
        ("password=a=b", ("password", "a=b")),
        ("password=';x'", ("password", ";x")),
        (r"x=a\n\t\s\\\r\b\"\'", ("x", "a\n\t \\\r\b\"'")),
        (r"x=C:\Program\x", ("x", r"C:\Program\x")),
        ("x=end\\", ("x", "end\\")),
        ('x="', ("x", '"')),
        ("x='it\"", ("x", "'it\"")),
        ("Default-Character-Set=latin1", ("default_character_set", "latin1")),
        ("loose-ssl_mode=x", ("ssl_mode", "x")),
    ],
)
def test_split_option(line: str, wanted: tuple[str, str | None]) -> None:
    assert split_option(line) == wanted


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_every_option(tmp_path: Path) -> None:
    file = write(
        tmp_path / "my.cnf",
        """
        # a comment
        ; another
        [mysqld]
        port = 1
        datadir = /var/lib/mysql

        [client]
        user=u
        password = 'p#1'
        host=h
        port=3307
        socket=/s
        database = d
        default-character-set=latin1
        default-auth=mysql_native_password
        bind-address=127.0.0.2
        init-command="SET a = 1"
        connect-timeout=3
        local-infile
        max_allowed_packet=16M
        ssl-ca=ca
        ssl-capath=certs
        ssl-cert=cert
        ssl-key=key
        ssl-cipher=c
        tls-version=TLSv1.2,TLSv1.3
        no-such-option
        prompt=x
        """,
    )
    options = connect_options(read_default_file=file)
    assert options == connect_options(
        user="u",
        password="p#1",
        host="h",
        port=3307,
        unix_socket="/s",
        database="d",
        charset="latin1",
        auth_plugin="mysql_native_password",
        bind_address="127.0.0.2",
        init_command="SET a = 1",
        connect_timeout=3,
        local_infile=True,
        max_allowed_packet=16 << 20,
        ssl_ca="ca",
        ssl_capath="certs",
        ssl_cert="cert",
        ssl_key="key",
        ssl_cipher="c",
        tls_versions=("TLSv1.2", "TLSv1.3"),
        ssl_mode="verify_ca",
    )


@pytest.mark.parametrize(
    ("line", "mode"),
    [
        ("ssl", "required"),
        ("ssl=1", "required"),
        ("ssl=0", "disabled"),
        ("skip-ssl", "disabled"),
        ("disable_ssl", "disabled"),
        ("enable-ssl", "required"),
        ("ssl-mode=VERIFY_CA", "verify_ca"),
        ("ssl-verify-server-cert", "verify_identity"),
        ("skip-ssl-verify-server-cert", "preferred"),
        ("ssl_verify_server_cert=0", "preferred"),
        ("user=u", "preferred"),
    ],
)
def test_tls_options(tmp_path: Path, line: str, mode: str) -> None:
    assert connect_options(read_default_file=write(tmp_path / "f", f"[client]\n{line}\n")).ssl_mode == mode


def test_group_goes_over_client_wherever_it_stands(tmp_path: Path) -> None:
    file = write(tmp_path / "f", "[nova]\nuser=n\nport=1\n[client]\nuser=c\nhost=h\n[other]\nuser=o\n[nova]\nport=2\n")
    options = connect_options(read_default_file=str(file), read_default_group="nova")
    assert (options.user, options.port, options.host) == ("n", 2, "h")
    assert connect_options(read_default_file=str(file)).user == "c"


def test_keywords_and_url_go_over_files(tmp_path: Path) -> None:
    file = write(tmp_path / "f", "[client]\nuser=f\npassword=f\nhost=f\nsocket=/f\nssl-mode=required\nssl-ca=ca\n")
    options = connect_options(read_default_file=file, url="mysql://u@u", user="k", password="")
    assert (options.user, options.password, options.host, options.unix_socket) == ("k", b"f", "u", None)
    options = connect_options(read_default_file=file, ssl_verify_identity=True)
    assert (options.ssl_mode, options.ssl_ca, options.unix_socket) == ("verify_identity", "ca", "/f")
    context = ssl.create_default_context()
    options = connect_options(read_default_file=file, ssl=context)
    assert (options.ssl, options.ssl_mode, options.ssl_ca) == (context, "verify_identity", None)
    assert connect_options(url=f"mysql:///?read_default_file={file}").user == "f"


def test_include(tmp_path: Path) -> None:
    folder = tmp_path / "conf.d"
    folder.mkdir()
    write(folder / "b.cnf", "[client]\nport=2\n")
    write(folder / "a.cnf", "[client]\nport=1\nhost=a\n")
    write(folder / "c.txt", "[client]\nport=3\n")
    write(tmp_path / "one.cnf", "[client]\nuser=one\n")
    file = write(tmp_path / "f", f"!include {tmp_path}/one.cnf\n! includedir conf.d\n[client]\ndatabase=d\n")
    options = connect_options(read_default_file=file)
    assert (options.user, options.host, options.port, options.database) == ("one", "a", 2, "d")


def test_a_group_goes_on_after_an_include(tmp_path: Path) -> None:
    write(tmp_path / "one.cnf", "[mysqld]\nport=1\n")
    file = write(tmp_path / "f", "[client]\n!include one.cnf\nuser=u\n")
    assert connect_options(read_default_file=file).user == "u"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user=u\n", "an option before the first \\[group\\] in .*, line 1"),
        ("[client\n", "a group without its \\] in .*, line 1"),
        ("[client]\n\nport=x\n", "port in .*, line 3 is 'x', which is not allowed"),
        ("[client]\npassword='a\0b'\n", "password in .*, line 2 is not usable"),
        ("[client]\nssl-verify-server-cert=perhaps\n", "ssl-verify-server-cert in .*, line 2 is 'perhaps'"),
        ("!included x\n", "unknown directive in .*, line 1"),
        ("!include\n", "unknown directive in .*, line 1"),
        ("!include f\n", "include one another more than 10 deep"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        connect_options(read_default_file=write(tmp_path / "f", text))


def test_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing\.cnf"):
        connect_options(read_default_file=tmp_path / "missing.cnf")


def test_empty_values_and_passwords_to_be_asked_for(tmp_path: Path) -> None:
    file = write(tmp_path / "f", "[client]\npassword\nuser=\ndefault-character-set=auto\nport=0\n")
    options = connect_options(read_default_file=file, user="k")
    assert (options.password, options.user, options.charset, options.port) == (b"", "k", "utf8mb4", 3306)


def test_password_that_is_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"[client]\npassword=\xe4\xff\n")
    assert connect_options(read_default_file=file).password == b"\xe4\xff"


def test_usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "etc.cnf", "[client]\nuser=etc\nhost=etc\n")
    write(tmp_path / ".my.cnf", "[mine]\nuser=home\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(mycnf, "DEFAULT_FILES", (f"{tmp_path}/etc.cnf", f"{tmp_path}/none.cnf", "~/.my.cnf"))
    options = connect_options(read_default_group="mine")
    assert (options.user, options.host) == ("home", "etc")
    assert connect_options(read_default_file="~/.my.cnf", read_default_group="mine").user == "home"


def test_places_are_remembered(tmp_path: Path) -> None:
    file = write(tmp_path / "f", "[client]\nuser=u\n")
    assert [(option.name, option.place) for option in read_file(file)] == [("user", f" in {file}, line 2")]
