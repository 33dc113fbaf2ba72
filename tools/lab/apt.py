"""Downloads of Debian packages with a private apt state, as any user.

Knows apt. Must not know what the packages are for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)
# Taken as installed: what server packages depend on for their maintenance scripts, which are never run here.
_NOT_NEEDED = ("perl", "perl-base", "debconf", "mysql-common", "mariadb-common", "adduser")
_LEFT_OUT = ("IndexTargets", "Changelogs", "AllowInsecure", "AllowWeak", "AllowDowngrade")
_UPDATE_URI = re.compile(r"^'(?P<mirror>\S+?)/+dists/")

Report = Callable[[str], None]


class CannotFetch(RuntimeError):
    """The packages cannot be had on this machine; the message says why."""


def check_tools() -> None:
    """Raise CannotFetch unless this machine has what a download needs."""
    missing = [name for name in ("apt-get", "apt-config", "dpkg", "dpkg-deb") if shutil.which(name) is None]
    if missing:
        raise CannotFetch(f"needs {', '.join(missing)}: only Debian, Ubuntu and their kin have them")


def debian_mirror() -> str:
    """The Debian mirror that this machine's apt sources name; $MIZZLE_DEBIAN_MIRROR before that."""
    if chosen := os.environ.get("MIZZLE_DEBIAN_MIRROR"):
        return chosen.rstrip("/")
    # Unlike `apt-get indextargets` this answers before the first `apt-get update`.
    listed = subprocess.run(["apt-get", "--print-uris", "update"], capture_output=True, text=True, check=False).stdout
    mirrors = [match["mirror"] for line in listed.splitlines() if (match := _UPDATE_URI.match(line))]
    for mirror in mirrors:
        if mirror.endswith("/debian"):
            return mirror
    for mirror in mirrors:
        if "/debian/" in mirror:  # an archive of dated snapshots
            return mirror
    raise CannotFetch(
        "this machine's apt sources name no Debian mirror: set MIZZLE_DEBIAN_MIRROR to the address of one"
    )


class PrivateApt:
    """apt with lists, cache and package state of its own in `folder`, for one suite of Debian: binaries, or sources."""

    def __init__(self, folder: Path, suite: str, kind: str = "deb") -> None:
        self._folder = folder
        self.packages = folder / "cache" / "archives"
        for name in ("etc/parts", "lists/partial", "cache/archives/partial", "log"):
            (folder / name).mkdir(parents=True)
        self._write_sources(suite, kind)
        self._write_status()
        (folder / "etc" / "parts" / "00machine").write_text(_download_settings())
        (folder / "apt.conf").write_text(self._configuration())

    def download(self, names: Iterable[str], plugins_of: Iterable[str], report: Report) -> None:
        """Download `names` with everything they depend on, and `plugins_of` without."""
        self._run(["update"], "reading the package lists", report)
        self._run(["--yes", "--download-only", "install", *names], "downloading", report)
        if names := [*plugins_of]:
            self._run(["download", *names], "downloading", report)

    def download_source(self, name: str, report: Report) -> None:
        """Download the files of a source package; `kind` must be deb-src."""
        self._run(["update"], "reading the package lists", report)
        self._run(["--download-only", "source", name], "downloading", report)

    def _run(self, arguments: list[str], stage: str, report: Report) -> None:
        environment = os.environ | {"APT_CONFIG": str(self._folder / "apt.conf"), "LC_ALL": "C"}
        log = self._folder / "log" / "output"
        reader, writer = os.pipe()
        with log.open("wb") as output, os.fdopen(reader, errors="replace") as status:
            try:
                process = subprocess.Popen(
                    ["apt-get", "--quiet", "-o", f"APT::Status-Fd={writer}", *arguments],
                    cwd=self.packages,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=[writer],
                )
            finally:
                os.close(writer)
            with process:
                for line in status:  # dlstatus:number:percent:text
                    if line.startswith("dlstatus:"):
                        report(f"{stage}, {float(line.split(':')[2]):.0f} %")
        if process.returncode:
            said = [
                line for line in log.read_text(errors="replace").splitlines() if line.startswith(("E:", "W:", "Err:"))
            ]
            raise CannotFetch(f"apt-get {arguments[0]} failed: {' '.join(said[-4:]) or 'see ' + str(log)}")

    def _write_sources(self, suite: str, kind: str) -> None:
        keyring = next((path for path in KEYRINGS if path.exists()), None)
        if keyring is None:
            raise CannotFetch(f"Debian's keys ({KEYRINGS[0]}) are not here: apt install debian-archive-keyring")
        fields = {"Types": kind, "URIs": debian_mirror(), "Suites": suite, "Components": "main", "Signed-By": keyring}
        text = "".join(f"{name}: {value}\n" for name, value in fields.items())
        (self._folder / "etc" / "debian.sources").write_text(text)

    def _write_status(self) -> None:
        architecture = subprocess.run(
            ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
        ).stdout
        fields = (
            "Status: install ok installed\nPriority: optional\nSection: misc\nMaintainer: none\n"
            f"Architecture: {architecture.strip()}\nMulti-Arch: allowed\n"
            "Version: 999:999\nDescription: not needed here\n"
        )
        text = "".join(f"Package: {name}\n{fields}\n" for name in _NOT_NEEDED)
        (self._folder / "status").write_text(text)

    def _configuration(self) -> str:
        folder = self._folder
        settings = {
            "Dir::Etc": folder / "etc",
            "Dir::Etc::parts": folder / "etc" / "parts",
            "Dir::Etc::main": "none",
            "Dir::Etc::sourcelist": folder / "etc" / "debian.sources",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::Etc::trusted": "/dev/null",
            "Dir::Etc::trustedparts": "/dev/null",
            "Dir::State": folder,
            "Dir::State::lists": folder / "lists",
            "Dir::State::status": folder / "status",
            "Dir::State::extended_states": folder / "extended_states",
            "Dir::Cache": folder / "cache",
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "Dir::Log": folder / "log",
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "",  # the folder may be one that apt's own user cannot enter
            "APT::Update::Error-Mode": "any",
            "APT::Get::AllowUnauthenticated": "false",
            "Acquire::AllowInsecureRepositories": "false",
            "Acquire::AllowDowngradeToInsecureRepositories": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Debug::NoLocking": "true",
        }
        return "".join(f'{name} "{value}";\n' for name, value in settings.items())


def _download_settings() -> str:
    """This machine's own Acquire settings (a proxy, say), without those that would weaken the verification."""
    dumped = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    kept = [
        line
        for line in dumped.splitlines()
        if line.startswith("Acquire::") and not line.removeprefix("Acquire::").startswith(_LEFT_OUT)
    ]
    return "\n".join(kept) + "\n"
