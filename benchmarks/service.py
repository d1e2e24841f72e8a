"""The service over real sockets: requests in a CPU-second of the server, and their median time.

Client and server share the machine's cores, so that wall clocks say less than the server's own processor time, which is read from
/proc. ``--only http``, ``workers``, ``snapshot``, ``batches`` or ``sockets`` runs a part. Every answer is asserted.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import uvloop

from benchmarks._bench import Bound
from riskkit._check import optional

RULES = '[[rules]]\nid = "size"\ntype = "max_order_qty"\nparams = { limit = 500 }\n'
RULES += '[[rules]]\nid = "day"\ntype = "daily_loss"\naction = "PAUSE"\nparams = { limit = 1000000 }\n'
UNITS = "".join(f'[[accounts]]\nid = "desk-{number}"\n' for number in range(1000))
UNITS += '[[instruments]]\nid = "ES"\ntick = "0.25"\n'
ORDER = {"account": "desk-1", "instrument": "ES", "side": "B", "qty": 2, "price": "5100.25"}
EVALUATE = {
    "positions": [{"symbol": "BTC-USD", "quantity": 0.1, "price": 100000, "value": 10000}],
    "portfolio_value": 1e5,
}
VALIDATE = {"symbol": "BTC-USD", "side": "buy", "quantity": 0.1, "price": 100000, "portfolio_value": 1e5}
ROOM = "rate = 1e9\nburst = 1000000000\nbatch_events = 100000\nbody_bytes = 100000000\n"
LENGTH = b"content-length: "
SECONDS, SOCKETS, ALERTS = 3.0, 1000, 300


class Client(asyncio.Protocol):
    """One connection that sends the same request again as soon as it has the answer."""

    def __init__(self, request: bytes, times: list[float]) -> None:
        self.request, self.times, self.found, self.last = request, times, b"", b""

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self.transport = transport
        self.send()

    def send(self) -> None:
        """Send the request once more."""
        self.begun = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer."""
        found = self.found = self.found + data if self.found else data
        body = found.find(b"\r\n\r\n") + 4
        at = found.find(LENGTH) + len(LENGTH)
        if body > 3 and len(found) - body == int(found[at : found.index(b"\r", at)]):
            assert found.startswith(b"HTTP/1.1 200"), found
            self.times.append(time.perf_counter() - self.begun)
            self.last, self.found = found[body:], b""
            self.send()


class Server:
    """A service in a process of its own."""

    def __init__(self, folder: Path, settings: str) -> None:
        for name, text in {"rules": RULES, "units": UNITS, "settings": settings + ROOM}.items():
            (folder / f"{name}.toml").write_text(text)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "riskkit", "serve", "rules.toml", "--units", "units.toml", "--state", "state"]
        self.process = subprocess.Popen([*command, "--settings", "settings.toml", "--port", str(self.port)], cwd=folder)
        while not self._ready():
            assert self.process.poll() is None, "the service has ended"
            time.sleep(0.2)
        self.key = (folder / "state" / "trade.key").read_text()

    def _ready(self) -> bool:
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", self.port)) as connection:
                connection.sendall(b"GET /ready HTTP/1.1\r\nhost: x\r\n\r\n")
                return connection.recv(4096).startswith(b"HTTP/1.1 200")
        return False

    @property
    def cpu(self) -> float:
        """Processor time of the server and its workers so far, in seconds."""
        workers = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return self.engine_cpu + sum(map(_cpu, workers))

    @property
    def engine_cpu(self) -> float:
        """Processor time of the process with the engine so far, in seconds."""
        return _cpu(self.process.pid)

    def request(self, path: str, body: bytes, kind: str = "application/json") -> bytes:
        """A request as bytes."""
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self.key}\r\ncontent-type: {kind}\r\n"
        return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body

    def load(self, request: bytes, connections: int) -> tuple[float, float, float, bytes]:
        """Requests in a CPU-second and in a second, median time in milliseconds, and one of the answers."""

        async def main() -> tuple[int, float, float, list[float], bytes]:
            loop, times = asyncio.get_running_loop(), list[float]()
            clients = [
                (await loop.create_connection(lambda: Client(request, times), "127.0.0.1", self.port))
                for _ in range(connections)
            ]
            await asyncio.sleep(0.5)
            before, begun, cpu = len(times), time.perf_counter(), self.cpu
            await asyncio.sleep(SECONDS)
            count, wall, used = len(times) - before, time.perf_counter() - begun, self.cpu - cpu
            for transport, _ in clients:
                transport.abort()
            return count, wall, used, times[before:], clients[0][1].last

        count, wall, used, times, last = uvloop.run(main())
        return count / used, count / wall, 1e3 * float(np.median(times)), last

    def stop(self) -> None:
        """End the service."""
        self.process.terminate()
        self.process.wait()


def _cpu(process: int | str) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def served(settings: str) -> Iterator[Server]:
    """A service with these settings, ended after the block."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), settings)
        try:
            yield server
        finally:
            server.stop()


def rows(only: str = "") -> Iterator[Any]:
    """The rows of all parts, or of one."""
    yield f"{os.cpu_count()} cores with client and server on them; load average {os.getloadavg()[0]:.1f}"
    if only in ("", "http"):
        with served('durability = "group"\n') as server:
            yield from _orders(server, "POST /orders, on disk before it is answered")
    if only in ("", "workers"):
        with served('durability = "none"\nworkers = 2\n') as server:
            yield from _workers(server)
    if only == "workers":
        return
    with served('durability = "none"\n') as server:
        if only in ("", "http"):
            yield from _orders(server, "POST /orders, on disk 20 ms later")
            for path, body, aim in (("/risk/validate", VALIDATE, 8000), ("/risk/evaluate", EVALUATE, 4000)):
                cpu, _, _, last = server.load(server.request(path, json.dumps(body).encode()), 16)
                assert json.loads(last)["approved"]
                yield Bound(f"{path}: requests in a CPU-second", cpu, aim, "", True)
        if only in ("", "http", "snapshot"):
            yield _snapshot(server)
        if only in ("", "batches"):
            yield from _batches(server)
        if only in ("", "sockets"):
            yield asyncio.run(_sockets(server))


def _orders(server: Server, name: str) -> Iterator[Any]:
    request = server.request("/orders", json.dumps(ORDER).encode())
    for connections in (1, 16, 64):
        cpu, wall, median, last = server.load(request, connections)
        assert json.loads(last)["approved"]
        if connections == 16:
            yield Bound(f"{name}: requests in a CPU-second", cpu, 8000, "", True)
            yield Bound(f"{name}: median at 16 connections", median, 1.0, "ms")
        else:
            yield f"{name}: {connections} connections: {cpu:,.0f}/CPU-s, {wall:,.0f}/s, median {median:.3g} ms"


def _workers(server: Server) -> Iterator[Any]:
    """Orders through two workers; what more cores bring is bounded by the engine's share of the processor time."""
    request = server.request("/orders", json.dumps(ORDER).encode())
    for connections in (16, 64):
        before, begun = server.engine_cpu, server.cpu
        cpu, wall, median, last = server.load(request, connections)
        share = (server.engine_cpu - before) / (server.cpu - begun)
        assert json.loads(last)["approved"]
        name = f"POST /orders by two workers, {connections} connections"
        if connections == 64:
            yield Bound(f"{name}: requests in a second, client included", wall, 15_000, "", True)
        yield f"{name}: {cpu:,.0f}/CPU-s, {wall:,.0f}/s, median {median:.3g} ms"
        yield f"{name}: the engine alone, on a core of its own: {cpu / share:,.0f}/s"


def _snapshot(server: Server) -> Bound:
    """What an account holds, asked one time after the other, with an order between two of them."""
    from http.client import HTTPConnection

    client, head, times = HTTPConnection("127.0.0.1", server.port), {"authorization": f"Bearer {server.key}"}, []
    for number in range(1000):
        client.request("POST", "/orders", json.dumps(ORDER), head)
        assert json.load(client.getresponse())["approved"]
        begun = time.perf_counter()
        client.request("GET", f"/accounts/desk-{number}", headers=head)
        answer = json.load(client.getresponse())
        times.append(time.perf_counter() - begun)
        assert answer["metrics"]["user_id"] == f"desk-{number}"
    client.close()
    name = f"an account from the snapshot: 99th percentile (median {1e3 * np.median(times):.3g} ms)"
    return Bound(name, 1e3 * float(np.quantile(times, 0.99)), 5.0, "ms")


def _batches(server: Server) -> Iterator[Bound]:
    pa = optional("pyarrow", "store")
    rows = [{**ORDER, "price": 5100.25 + number % 40 / 4} for number in range(100)]
    many = pd.DataFrame([{**ORDER, "price": 5100.25 + number % 40 / 4} for number in range(10_000)])
    table, sink = pa.Table.from_pandas(many, preserve_index=False), io.BytesIO()
    for name in ("account", "instrument", "side"):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table.column(name).dictionary_encode())
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    columns = many.to_dict("list") | {"account": "desk-1", "instrument": "ES", "side": "B"}
    arrow = server.request("/orders/batch", sink.getvalue(), "application/vnd.apache.arrow.stream")
    for name, request, count, aim in (
        ("100 rows of JSON", server.request("/orders/batch", json.dumps(rows).encode()), 100, 300_000),
        ("10,000 rows in columns of JSON", server.request("/orders/batch", json.dumps(columns).encode()), 10_000, 1e6),
        ("10,000 rows of Arrow", arrow, 10_000, 1e6),
    ):
        cpu, _, _, last = server.load(request, 4)
        assert all(json.loads(last)["approved"])
        yield Bound(f"batches of {name}: decisions in a CPU-second", cpu * count, aim, "", True)


async def _sockets(server: Server) -> Bound:
    """Alerts to one of a thousand users: from the order that is refused to the client."""
    from websockets.asyncio.client import connect

    head = {"Authorization": f"Bearer {server.key}"}
    async with contextlib.AsyncExitStack() as stack:
        watching = []
        for number in range(SOCKETS):
            url = f"ws://127.0.0.1:{server.port}/ws/desk-{number}"
            watching.append(await stack.enter_async_context(connect(url, additional_headers=head, compression=None)))
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        times = []
        for number in range(ALERTS):
            one = number * 7 % SOCKETS
            body = json.dumps({**ORDER, "account": f"desk-{one}", "qty": 501}).encode()
            begun = time.perf_counter()
            writer.write(server.request("/orders", body))
            while '"Alert"' not in await watching[one].recv():
                pass
            times.append(time.perf_counter() - begun)
            while not (await reader.read(65536)).endswith(b"}"):
                pass
        writer.close()
    name = f"an alert to one of {SOCKETS:,} sockets: 99th percentile (median {1e3 * np.median(times):.3g} ms)"
    return Bound(name, 1e3 * float(np.quantile(times, 0.99)), 10.0, "ms")
