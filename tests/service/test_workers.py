"""Workers in front of one engine: the bytes of one process, and what ends when something is killed."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from service.running import UNITS, Served
from service.servers import PATIENCE, free_port
from websockets.sync.client import connect

import riskkit as rk
from riskkit.service.keys import add_key
from riskkit.service.workers import listen

pytestmark = pytest.mark.slow  # a worker is a process

ORDER = {"account": "desk-1", "instrument": "ES", "side": "buy", "qty": 2, "price": 100.25}
EVALUATE = {"positions": [{"symbol": "BTC-USD", "quantity": 0.1, "price": 1000}], "portfolio_value": 1000}
RULES = '[[rules]]\nid = "size"\ntype = "max_order_qty"\nparams = { limit = %d }\n'
LINUX = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads /proc")


@pytest.fixture
def workers():
    return 2


def asked():
    """Requests of every kind: taken, refused, malformed, of a wrong key, too long, too many."""
    at = iter(range(1_700_000_000_000_000_000, 1_800_000_000_000_000_000))

    def order(**fields):
        return {**ORDER, "ts": str(next(at)), **fields}

    why = {"why": "a reason"}
    yield from [
        ("GET", "/health", None, None), ("GET", "/ready", None, None), ("GET", "/nothing", None, "trade"),
        ("GET", "/docs", None, None), ("GET", "/openapi.json", None, None), ("GET", "/live.js", None, None),
        ("PATCH", "/orders", b"{}", "trade"), ("POST", "/orders", order(), None), ("POST", "/orders", order(), "limits"),
        ("POST", "/orders", order(order_id="a1"), "trade"), ("POST", "/orders", order(order_id="a2", qty=9), "trade"),
        ("POST", "/orders", order(order_id="a1"), "trade"), ("GET", "/orders/a2", None, "trade"),
        ("GET", "/orders/a2?account=desk-2", None, "one"), ("GET", "/orders/a2?acount=desk-2", None, "trade"),
        ("POST", "/orders", b"{", "trade"), ("POST", "/orders", b"\xff", "trade"), ("POST", "/orders", {"qty": 1}, "trade"),
        ("POST", "/orders", order(qty="many"), "trade"), ("POST", "/orders", order(account="desk-2"), "one"),
        ("POST", "/orders", b" " * 20_000, "trade"), ("POST", "/probe", ORDER, "trade"),
        ("POST", "/fills", {"order_id": "a1", "qty": 1, "price": "100.25", "ts": str(next(at))}, "trade"),
        ("POST", "/modifies", {"order_id": "a1", "price": 100.5, "ts": str(next(at))}, "trade"),
        ("POST", "/cancels", {"order_id": "a1", "ts": str(next(at))}, "trade"),
        ("POST", "/prices", {"instrument": "ES", "price": 101, "ts": str(next(at))}, "trade"),
        ("POST", "/events/cash", {"account": "desk-2", "amount": 500, "ts": str(next(at))}, "trade"),
        ("POST", "/events/%C3%BC", {}, "trade"), ("POST", "/events/swap", {}, "trade"),
        ("POST", "/orders/batch", [order(), order(qty=9), order(side="up")], "trade"),
        ("POST", "/orders/batch", {name: [value] * 3 for name, value in order().items()}, "trade"),
        ("POST", "/orders/batch", [], "trade"), ("GET", "/limits", None, "trade"),
        ("PUT", "/limits", {"limits": {"size.limit": 4}, **why, "ts": str(next(at))}, "limits"),
        ("PUT", "/limits", {"limits": {"size.limit": 4}, **why}, "trade"), ("PUT", "/limits", {"limits": {}}, "limits"),
        ("GET", "/challengers", None, "trade"), ("GET", "/challengers/tighter", None, "trade"),
        ("POST", "/challengers/tighter", {**why, "ts": str(next(at))}, "limits"),
        ("POST", "/halt", {**why, "account": "desk-1", "ts": str(next(at))}, "trade"),
        ("POST", "/orders", order(), "trade"), ("GET", "/breaker", None, "trade"),
        ("POST", "/restart", {**why, "account": "desk-1", "ts": str(next(at))}, "limits"),
        ("POST", "/breaker/reset", {**why, "ts": str(next(at))}, "limits"), ("POST", "/halt", why, "one"),
        ("POST", "/risk/validate", {}, "trade"), ("GET", "/risk/state", None, "trade"),
        ("GET", "/journal", None, "trade"), ("GET", "/metrics", None, None),
    ]  # fmt: skip
    yield from [("GET", "/limits", None, "few")] * 4


def test_workers_answer_byte_for_byte_what_one_process_does(tmp_path):
    tighter = tmp_path / "tighter.toml"
    tighter.write_text(RULES % 3)
    settings = {"clock": "events", "body_bytes": 10_000, "challengers": {"tighter": str(tighter)}}
    state = tmp_path / "state"
    state.mkdir()
    secrets = {"one": add_key(state / "keys.toml", "one", ["trade", "read"], accounts=["desk-1"])}
    for name, scopes in {"trade": ["trade", "read"], "limits": ["read", "limits"], "few": ["read"]}.items():
        secrets[name] = add_key(state / "keys.toml", name, scopes)
        (state / f"{name}.key").write_text(secrets[name])
    found = {}
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        for file in state.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
            (folder / file.name).chmod(0o600)
        served = Served(folder, workers=workers, **settings)
        served.keys |= secrets
        try:
            answers = [served.ask(*asked_for) for asked_for in limited(served)]
        finally:
            served.stop()
        found[workers] = [(a.status_code, dict(a.headers) | {"date": ""}, a.content) for a in answers]
    requests_made = list(asked())
    for request, one, two in zip(requests_made, found[1], found[2], strict=True):
        if request[1] != "/health":  # which has the time
            assert one == two, request
    assert {status for status, _, _ in found[2]} >= {200, 400, 401, 403, 404, 405, 409, 413, 422, 429}


def limited(served):
    """The requests, the key "few" with two of them at once."""
    for method, path, body, key in asked():
        if key == "few":
            served.app.guard._left.setdefault("few", (2.0, time.monotonic() + 3600))
        yield method, path, body, key


@LINUX
def test_a_worker_knows_no_secret_and_no_address_of_a_store(serve, monkeypatch):
    monkeypatch.setenv("POSTGRES_URL", "postgresql://desk:secret-of-the-store@localhost/risk")
    served = serve(postgres={})
    for worker in served.server._workers:
        text = b"".join(Path(f"/proc/{worker.process.pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
        assert b"riskkit.service.acceptor" in text and b"secret-of-the-store" not in text
        assert not any(secret.encode() in text for secret in served.keys.values())
    assert served.server.setup.settings.postgres == {}


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost_or_decided_twice(serve):
    served = serve(durability="group")
    ending, found, again = threading.Event(), {}, {}

    def client(name):
        number = 0
        with requests.Session() as http:
            while not ending.is_set():
                number += 1
                body = {**ORDER, "order_id": f"{name}-{number}", "qty": 1 + number % 8}
                answer = None
                while answer is None:
                    with contextlib.suppress(requests.RequestException):  # killed: nobody knows whether it was taken
                        answer = http.post(f"{served.url}/orders", json=body, headers=head, timeout=PATIENCE)
                (found if answer.status_code == 200 else again)[body["order_id"]] = answer.json()

    head = {"Authorization": f"Bearer {served.keys['trade']}"}
    clients = [threading.Thread(target=client, args=(f"c{number}",)) for number in range(6)]
    for one in clients:
        one.start()
    for kills in range(4):
        goal = len(found) + 40
        wait_until(lambda goal=goal: len(found) >= goal)
        if kills < 3:
            next(iter(served.server._workers)).process.kill()  # also one that has hardly begun
            wait_until(lambda kills=kills: served.app.metrics.workers_ended > kills)
    ending.set()
    for one in clients:
        one.join()
    answers = found | {order_id: answer["first"] for order_id, answer in again.items()}
    assert "riskkit_workers_ended_total 3.0" in served.ask("GET", "/metrics").text
    assert {order_id: served.ask("GET", f"/orders/{order_id}").json() for order_id in answers} == answers
    journal = served.ask("GET", "/journal").json()
    assert journal["events"] == len(answers)
    served.stop()
    opened = rk.open_journal(served.folder / "journal")
    assert rk.replay_log(opened.log, opened.history, mode="enforce", compiled=False).digest == journal["digest"]


def test_a_worker_that_hangs_is_killed_and_replaced(serve, monkeypatch, caplog):
    monkeypatch.setattr("riskkit.service.workers.SILENT_SECONDS", 6)
    served = serve()
    hanging = next(iter(served.server._workers)).process
    os.kill(hanging.pid, signal.SIGSTOP)
    wait_until(lambda: served.app.metrics.workers_ended >= 1)
    wait_until(lambda: sum(worker.is_ready for worker in served.server._workers) == 2)
    assert hanging.returncode == -signal.SIGKILL
    assert f"worker {hanging.pid} has been silent for 6 s and is killed" in caplog.text
    assert [served.ask("GET", "/limits").status_code for _ in range(8)] == [200] * 8


def test_a_socket_of_a_worker_that_is_killed_is_closed_for_the_hub_too(serve):
    served = serve()
    url, head = f"ws://127.0.0.1:{served.port}/ws/desk-1", {"Authorization": f"Bearer {served.keys['trade']}"}
    with contextlib.ExitStack() as stack:
        for _ in range(6):
            one = stack.enter_context(connect(url, additional_headers=head, compression=None, open_timeout=PATIENCE))
            assert json.loads(one.recv(timeout=PATIENCE))["type"] == "RiskMetrics"
        assert served.app.hub.count == 6
        for worker in list(served.server._workers):
            worker.process.kill()
        wait_until(lambda: served.app.hub.count == 0)
    wait_until(lambda: served.app.metrics.workers_ended == 2)
    with connect(url, additional_headers=head, compression=None, open_timeout=PATIENCE) as one:
        served.order(qty=9)
        while json.loads(one.recv(timeout=PATIENCE))["type"] != "Alert":
            pass


def test_a_port_is_one_service_s():
    for first, second in ((1, 2), (2, 1), (2, 2)):
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(one) for one in listen("127.0.0.1", 0, first)]
            assert len({one.getsockname() for one in held}) == 1
            with pytest.raises(OSError, match="Address already in use"):
                listen("127.0.0.1", held[0].getsockname()[1], second)


# ------------------------------------------------------------------ the command


class Command:
    """``riskkit serve --workers 2 --json`` in a process of its own."""

    def __init__(self, folder, *options, port=None):
        self.folder, self.port = folder, port or free_port()
        (folder / "rules.toml").write_text(RULES % 5)
        (folder / "units.toml").write_text(UNITS)
        files = ["rules.toml", "--units", "units.toml", "--state", "state", "--port", str(self.port)]
        command = [sys.executable, "-m", "riskkit", "serve", *files, "--workers", "2", "--json", *options]
        self.process = subprocess.Popen(
            command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=os.environ | {"RISKKIT_QUIET": "1", "NUMBA_DISABLE_JIT": "1"},
        )  # fmt: skip

    def line(self):
        """The next line of its output."""
        return json.loads(self.process.stdout.readline())

    def head(self):
        """The header with the key for trading."""
        return {"Authorization": f"Bearer {(self.folder / 'state' / 'trade.key').read_text()}"}

    def order(self, order_id):
        """The answer to an order."""
        body = {**ORDER, "order_id": order_id}
        return requests.post(f"http://127.0.0.1:{self.port}/orders", json=body, headers=self.head(), timeout=PATIENCE)


@pytest.fixture
def command(tmp_path):
    """A function that starts the command; what still runs after the test is killed."""
    with contextlib.ExitStack() as stack:

        def start(*options, **more):
            started = Command(tmp_path, *options, **more)
            stack.callback(started.process.communicate)
            stack.callback(started.process.kill)
            return started

        yield start


def test_the_command_says_its_start_and_its_end_as_json(command):
    running = command()
    started = running.line()
    facts = {"host": "127.0.0.1", "port": running.port, "workers": 2, "rules": ["size"], "events": 0}
    assert started == {"event": "started", **facts, "state": str(running.folder.resolve() / "state")}
    assert running.order("a1").json()["approved"]
    running.process.send_signal(signal.SIGTERM)
    said, _ = running.process.communicate(timeout=PATIENCE)
    ended = json.loads(said)
    assert running.process.returncode == 0
    assert ended == {"event": "ended", "events": 1, "digest": rk.open_journal(running.folder / "state/journal").digest}
    again = command(port=running.port)
    assert again.line()["events"] == 1
    assert again.order("a1").status_code == 409


def test_without_its_engine_workers_refuse_with_a_sentence_and_end(command):
    running = command()
    running.line()
    answered = running.order("a1").json()
    found = []
    running.process.send_signal(signal.SIGSTOP)
    waiting = [threading.Thread(target=lambda n=n: found.append(running.order(f"b{n}"))) for n in range(4)]
    for thread in waiting:
        thread.start()
    wait_until(lambda: established(running.port) >= 4)
    time.sleep(0.2)
    running.process.kill()
    for thread in waiting:
        thread.join()
    assert [answer.status_code for answer in found] == [503] * 4
    assert {answer.json()["error"] for answer in found} == {
        "the engine of this service has ended; send it again once the service is back"
    }
    wait_until(lambda: not is_open(running.port))
    again = command(port=running.port)
    again.line()
    head = again.head()
    assert requests.get(f"http://127.0.0.1:{again.port}/orders/a1", headers=head, timeout=PATIENCE).json() == answered
    for number in range(4):
        assert again.order(f"b{number}").status_code in (200, 409)  # the engine may have had it


def test_a_worker_that_cannot_take_connections_ends_the_command_with_a_sentence(command, tmp_path):
    (tmp_path / "not.pem").write_text("no certificate")
    (tmp_path / "settings.toml").write_text('tls_certificate = "not.pem"\ntls_key = "not.pem"\n')
    running = command("--settings", "settings.toml")
    said, errors = running.process.communicate(timeout=PATIENCE)
    (problem,) = [json.loads(line) for line in said.splitlines() if '"error"' in line]
    assert (running.process.returncode, problem["error"]) == (2, "InputError")
    assert problem["message"].startswith("a worker cannot take connections: ")
    assert f"riskkit: {problem['message']}" in errors


def wait_until(true):
    """Wait for a condition."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def is_open(port):
    """True if somebody listens."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def established(port):
    """Number of connections that a port has."""
    wanted = f":{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()
    return sum(line.split()[1].endswith(wanted) and line.split()[3] == "01" for line in lines)


def test_a_system_that_shares_no_port_is_told_of(monkeypatch):
    monkeypatch.delattr(socket, "SO_REUSEPORT", raising=False)
    with pytest.raises(rk.InputError, match="workers=2 needs a system"):
        listen("127.0.0.1", 0, 2)
    [only] = listen("127.0.0.1", 0, 1)
    only.close()
