"""Real servers for tests: on loopback, at free ports, in temporary folders, and stopped afterwards.

A server that is not installed skips the test and says how to install it; with RISKKIT_SERVERS=required, as in `.ci/run`, it fails.
`conftest.py` gives them to all tests of this folder.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

TIMESCALE = Path(__file__).parent / "timescale"
PATIENCE = 60  # seconds for a server to start on a busy machine
POSTGRES_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # the processes are killed in tests, the machine is not
    "max_connections": "20",
    "shared_buffers": "16MB",
}


def missing(what: str, install: str) -> None:
    """Skip the test, or fail it where servers are required."""
    required = os.environ.get("RISKKIT_SERVERS") == "required"
    (pytest.fail if required else pytest.skip)(f"{what} is not installed; {install}, or all servers: make servers")


def program(name: str, package: str, *folders: str) -> str:
    """Path of a program of a Debian package."""
    found = shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)]))
    if found is None:
        missing(name, f"apt-get install {package}")
    assert found
    return found


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """One process that listens on loopback; it can be killed, silenced and started again.

    Parameters
    ----------
    command : list of str
        Program and arguments.
    port : int
        Where it listens.
    is_ready : callable
        Whether it answers.
    folder : Path
        Its log goes there.
    user : str, optional
        Who runs it.
    """

    def __init__(
        self, command: list[str], port: int, is_ready: Callable[[], bool], folder: Path, user: str | None = None
    ) -> None:
        self.command, self.port, self.is_ready, self.folder, self.user = command, port, is_ready, folder, user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return when it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, user=self.user
            )
        end = time.monotonic() + PATIENCE
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                pytest.fail(f"{self.command[0]} does not start:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, how: int = signal.SIGKILL) -> None:
        """End it by a signal, at once."""
        if self._process is not None:
            self.speak()
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def silence(self) -> None:
        """Let it accept connections, by the system, and answer nothing."""
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)

    def speak(self) -> None:
        """Let it answer again."""
        for process in self._family():
            with suppress(psutil.NoSuchProcess):  # a child that has just ended
                process.send_signal(signal.SIGCONT)

    def _family(self) -> list[psutil.Process]:
        """It and its children: a PostgreSQL has one for each connection."""
        assert self._process
        one = psutil.Process(self._process.pid)
        return [one, *one.children(recursive=True)]


def answers(port: int, says: bytes = b"", reply: bytes = b"") -> bool:
    """Whether something listens at a port, and replies."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as client:
            client.settimeout(1)
            client.sendall(says)
            return not reply or client.recv(64).startswith(reply)
    except OSError:
        return False


@contextmanager
def running_redis(folder: Path) -> Iterator[Server]:
    """A Redis without persistence, so that it is empty after a restart."""
    command, port = program("redis-server", "redis-server"), free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    server = Server([command, *options], port, lambda: answers(port, b"PING\r\n", b"+PONG"), folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Server]:
    """A Redis of one test."""
    with running_redis(tmp_path) as server:
        yield server


@contextmanager
def running_postgres() -> Iterator[Server]:
    """A PostgreSQL; `stop` with SIGQUIT is its crash."""
    folders = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    command, initdb = (program(name, "postgresql", *folders) for name in ("postgres", "initdb"))
    folder, port = Path(tempfile.mkdtemp(prefix="riskkit-postgres-")), free_port()
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to be run by root
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    initial = ["-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    subprocess.run([initdb, *initial], check=True, capture_output=True, cwd=folder, user=user)
    options = [part for name, value in POSTGRES_OPTIONS.items() for part in ("-c", f"{name}={value}")]
    server = Server([command, "-D", str(data), "-p", str(port), *options], port, lambda: _selects(port), folder, user)
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL of the whole run."""
    with running_postgres() as server:
        yield server


def _selects(port: int) -> bool:
    psycopg = pytest.importorskip("psycopg", reason="psycopg comes with the extra 'postgres'")
    try:
        with psycopg.connect(f"host=127.0.0.1 port={port} user=postgres dbname=postgres", connect_timeout=1):
            return True
    except psycopg.Error:
        return False


@pytest.fixture
def postgres(postgres_server: Server) -> Iterator[str]:
    """The connection string of an empty database."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg comes with the extra 'postgres'")
    server = f"host=127.0.0.1 port={postgres_server.port} user=postgres connect_timeout=2"
    with psycopg.connect(f"{server} dbname=postgres", autocommit=True) as connection:
        connection.execute("drop database if exists test with (force)")
        connection.execute("create database test")
    yield f"{server} dbname=test"


@pytest.fixture
def timescale(tmp_path: Path) -> Iterator[str]:
    """The connection string of an empty database with TimescaleDB: one connection at a time, and no COPY."""
    node = program("node", "nodejs")
    if not (TIMESCALE / "node_modules").is_dir():
        missing("TimescaleDB", f"npm ci --legacy-peer-deps --prefix {TIMESCALE.relative_to(TIMESCALE.parents[2])}")
    port = free_port()
    server = Server([node, str(TIMESCALE / "server.mjs"), str(port)], port, lambda: answers(port), tmp_path)
    server.start()
    yield f"host=127.0.0.1 port={port} user=postgres password=postgres sslmode=disable dbname=postgres"
    server.stop()
