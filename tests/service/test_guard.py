"""What a stranger, a wrong key and a flood get: a refusal, at once, and nothing of the inside."""

import asyncio
import json
import logging
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

import riskkit as rk
from riskkit.service import EngineService
from riskkit.service.audit import Audit, read_audit
from riskkit.service.keys import add_key, first_keys, hash_of, read_keys
from riskkit.service.settings import Settings, read_settings
from riskkit.service.turns import BrokenError, BusyError, Turns

ORDER = {"account": "desk-1", "instrument": "ES", "side": "buy", "qty": 2, "price": 100.25}
PATHS = [
    "/orders", "/fills", "/cancels", "/modifies", "/prices", "/events/cash", "/events/fx", "/events/bust", "/orders/batch",
    "/risk/evaluate", "/risk/validate", "/limits", "/halt", "/limits/halt", "/restart", "/breaker/reset", "/orders/x",
]  # fmt: skip


def raw(served, data, *, wait=5.0):
    """What comes back for bytes on a connection, until it is closed or says nothing for a while."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=wait) as connection:
        found = b""
        try:
            connection.sendall(data)
            while part := connection.recv(65536):
                found += part
                if b"\r\n\r\n" in found and b"connection: close" not in found.lower():
                    break
        except (TimeoutError, ConnectionError):
            pass
        return found


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.slow)])
def workers(request):
    """A refusal is the same, whoever takes the connection."""
    return request.param


def every_route(served):
    for path, methods in served.app.routes.items():
        for method, route in methods.items():
            yield method, path.replace("*", "x"), route.scope


def test_every_route_but_health_and_pages_needs_a_key_with_its_scope(served):
    open_to_all = set()
    for method, path, scope in every_route(served):
        if scope is None:
            open_to_all.add(path)
            continue
        without = served.ask(method, path, b"", key=None)
        assert (without.status_code, without.headers["www-authenticate"]) == (401, "Bearer"), path
        wrong = served.ask(method, path, b"", key=None, headers={"Authorization": "Bearer " + "x" * 43})
        assert wrong.status_code == 401
        other = {"limits": "trade", "trade": "limits"}.get(scope)
        if other:
            assert served.ask(method, path, b"", key=other).status_code == 403, path
    assert open_to_all == {"/health", "/ready", "/docs", "/openapi.json", "/live", "/live.js"}


def test_a_key_for_some_accounts_is_for_no_others_and_not_for_what_concerns_all(serve):
    served = serve()
    secret = add_key(served.folder / "keys.toml", "one", ["trade", "read"], accounts=["desk-1"])
    served.stop()
    served = serve()
    served.keys["one"] = secret
    assert served.ask("POST", "/orders", ORDER, key="one").status_code == 200
    for path, body in [
        ("/orders", {**ORDER, "account": "desk-2"}),
        ("/orders/batch", [ORDER, {**ORDER, "account": "desk-2"}]),
        ("/orders/batch", {name: [value] for name, value in ORDER.items() if name != "account"}),
        ("/orders/batch", {name: [[value]] for name, value in ORDER.items()}),
        ("/events/cash", {"account": ["desk-1"], "amount": 1}),
        ("/prices", {"instrument": "ES", "price": 100}),
        ("/halt", {"why": "for all"}),
    ]:
        refused = served.ask("POST", path, body, key="one")
        assert refused.status_code == 403, (path, refused.text)
        assert "it is for desk-1" in refused.json()["error"]
    found = served.ask("GET", "/status", key="one").json()
    assert {row["account"] for row in found["accounts"]} == {"desk-1"}
    for path in ("/orders/x?account=desk-2", "/accounts/desk-2", "/accounts/desk-9"):
        assert served.ask("GET", path, key="one").status_code == 403


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /health HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 100_000 + b"\r\n", b"431"),
        (b"GET /health HTTP/1.1\r\nhost: x\r\nlong: " + b"x" * 1_000_000, b"431"),
        (b"GET /" + b"x" * 1_000_000, b"431"),
        (b"GET /../../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n", b"404"),
        (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n", b"404"),
        (b"\x00\xff" * 100 + b"\r\n\r\n", b"400"),
        (b"PUT /health HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n", b"405"),
    ],
    # short: the name of a test is in the environment, and a process with a name of a megabyte cannot be started
    ids=["many heads", "long head", "long path", "above the root", "above it in code", "bytes", "method"],
)
def test_heads_are_bounded_and_paths_are_names(served, data, status):
    found = raw(served, data)
    assert found.split(b" ")[1:2] == [status] or (status == b"431" and not found)  # closed while it was sent
    assert served.ask("GET", "/health", key=None).status_code == 200


def test_a_body_is_counted_while_it_arrives(serve):
    served = serve(body_bytes=10_000)
    head = f"POST /orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {served.keys['trade']}\r\n".encode()
    stated = raw(served, head + b"content-length: 2000000000\r\n\r\n")
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    chunked = raw(served, head + b"transfer-encoding: chunked\r\n\r\n" + chunk * 20)
    for found in (stated, chunked):
        assert found.startswith(b"HTTP/1.1 413"), found
        assert b"longer than 10,000 bytes" in found


def test_a_request_that_never_ends_is_closed(serve):
    served = serve(idle_seconds=1)
    head = f"POST /orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {served.keys['trade']}\r\n".encode()
    for data in (b"", b"GET /hea", head, head + b"content-length: 10\r\n\r\nabc"):
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
            connection.sendall(data)
            while connection.recv(4096):
                pass  # until it is closed


def test_a_key_that_asks_too_often_is_told_when_to_come_back(serve):
    served = serve(rate=0.001, burst=3)
    found = [served.ask("GET", "/journal") for _ in range(5)]
    assert [answer.status_code for answer in found] == [200, 200, 200, 429, 429]
    assert found[-1].headers["retry-after"] == "1"
    assert served.ask("GET", "/journal", key="limits").status_code == 200


def test_a_batch_has_a_most(serve):
    served = serve(batch_events=3)
    assert served.ask("POST", "/orders/batch", [ORDER] * 3).status_code == 200
    for body in ([ORDER] * 4, [], {name: [value] * 4 for name, value in ORDER.items()}):
        assert served.ask("POST", "/orders/batch", body).status_code in (413, 422)


def test_a_full_queue_refuses_before_anything_is_decided():
    session = rk.Session.create(rk.RuleSet([]), [rk.Instrument("ES")], ["A"], compiled=False)

    async def main():
        gate = asyncio.Event()
        turns = Turns(EngineService(session), waits=True, most=2)
        turns._thread.submit(lambda: asyncio.run_coroutine_threadsafe(gate.wait(), loop).result())
        waits = [turns.durable("key", seq) for seq in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            turns.admit()
        assert (turns.full, turns.waiting) == (1, 2)
        gate.set()
        await asyncio.gather(*waits)
        turns.admit()
        turns.engine.begin_commit = lambda: (_ for _ in ()).throw(OSError("No space left on device"))
        with pytest.raises(BrokenError, match="No space left"):
            await turns.durable("key", 2)
        with pytest.raises(BrokenError, match="cannot be written"):
            turns.admit()
        await turns.close()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()


def test_a_slow_disk_makes_503_of_what_is_too_much_and_the_service_says_so(serve, monkeypatch):
    served = serve(durability="group", waiting=1)
    gate = threading.Event()
    begin = served.app.engine.begin_commit

    def slow():
        finish = begin()
        return lambda: (gate.wait(20), finish())

    monkeypatch.setattr(served.app.engine, "begin_commit", slow)
    headers = {"Authorization": f"Bearer {served.keys['trade']}"}
    with ThreadPoolExecutor(1) as other:
        first = other.submit(requests.post, f"{served.url}/orders", json=ORDER, headers=headers, timeout=30)
        while not served.app.turns.waiting:
            time.sleep(0.001)
        begun = time.thread_time()
        full = served.order()
        assert (full.status_code, full.headers["retry-after"]) == (503, "1")
        assert time.thread_time() - begun < 1
        gate.set()
        assert first.result().json()["approved"]
    assert served.ask("GET", "/journal").json()["events"] == 1


def test_a_journal_that_cannot_be_written_makes_the_service_unready_and_refuse(serve, monkeypatch):
    served = serve(durability="group")

    def fails():
        raise rk.InputError("'0.events' cannot be written: No space left on device")

    monkeypatch.setattr(served.app.engine, "begin_commit", fails)
    assert served.order().status_code == 503
    ready = served.ask("GET", "/ready", key=None)
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert "No space left" in served.order().json()["error"]
    assert served.ask("GET", "/health", key=None).status_code == 200
    monkeypatch.undo()


def test_an_error_inside_is_a_refusal_that_says_nothing_of_the_inside(serve, monkeypatch, caplog):
    served = serve()
    monkeypatch.setattr(served.app.engine, "decide", lambda *_: 1 / 0)
    with caplog.at_level(logging.ERROR):
        failed = served.order()
    assert failed.status_code == 500
    assert failed.json() == {"error": "the service has failed on this request; see its log"}
    assert "ZeroDivisionError" in caplog.text


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "account", "instrument", "side", "qty", "price", "order_id", "trade_id", "type", "expires", "reserve", "why", "limits",
    "positions", "portfolio_value", "quantity", "symbol", "amount", "pair", "kind", "bid", "history", "parent_id",
]  # fmt: skip
nearly = st.dictionaries(st.sampled_from(FIELDS), plain, max_size=8).map(lambda odd: {**ORDER, **odd})
bodies = (
    st.binary(max_size=200)
    | plain.map(json.dumps).map(str.encode)
    | nearly.map(json.dumps).map(str.encode)
    | st.lists(nearly, max_size=3).map(json.dumps).map(str.encode)
    | nearly.map(lambda row: json.dumps({name: [value] for name, value in row.items()}).encode())
)


@settings(max_examples=400)
@given(path=st.sampled_from(PATHS), body=bodies, key=st.sampled_from(["trade", "limits"]))
def test_no_bytes_whatever_are_an_error_of_the_service(served, path, body, key):
    method = "PUT" if path == "/limits" else "GET" if path == "/orders/x" else "POST"
    found = served.ask(method, path, body, key=key)
    assert found.status_code in (200, 400, 403, 404, 409, 413, 422), found.text
    assert "error" in found.json() or found.status_code == 200


@settings(max_examples=60)
@given(query=st.text(max_size=40), path=st.sampled_from(["/status", "/journal", "/orders/x", "/limits", "/risk/state"]))
def test_no_query_whatever_is_an_error_of_the_service(served, path, query):
    found = served.ask("GET", f"{path}?{quote(query, errors='surrogatepass')}")
    assert found.status_code in (200, 404, 422), found.text
    as_bytes = raw(served, f"GET {path}?".encode() + query.encode("utf-8", "surrogatepass") + b" HTTP/1.1\r\n\r\n")
    assert as_bytes.split(b" ")[1] in (b"400", b"401", b"404")


# ------------------------------------------------------------------ keys, audit, settings


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_keys_are_kept_as_hashes_in_a_file_of_its_owner(tmp_path, served):
    path = tmp_path / "keys.toml"
    made = first_keys(path)
    assert [file.name for file in made] == ["trade.key", "limits.key"]
    assert {oct(file.stat().st_mode & 0o777) for file in [path, *made]} == {"0o600"}
    secret = made[0].read_text()
    assert secret not in path.read_text()
    assert read_keys(path)[hash_of(secret)].scopes == {"read", "trade"}
    assert first_keys(path) == []
    path.chmod(0o640)
    with pytest.raises(rk.InputError, match="can be read by others; run: chmod 600 keys.toml"):
        read_keys(path)
    assert served.keys["trade"] not in repr(served.app.guard.keys)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no keys; nobody could use the service"),
        ("keys = [1]", "a key has 1; it has id, hash and scopes"),
        ('[[keys]]\nid = "a"\nhash = "x"\nscopes = ["all"]', r"key 'a' has the scopes \['all'\]; they are read"),
        ('[[keys]]\nid = "a"\nhash = "x"\nscopes = ["trade", "limits"]', "limits need another key than trading"),
    ],
)
def test_a_file_of_keys_that_does_not_fit_is_refused(tmp_path, text, words):
    path = tmp_path / "keys.toml"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(rk.InputError, match=words):
        read_keys(path)


def test_an_audit_tells_a_line_that_was_altered_or_left_out(tmp_path):
    path = tmp_path / "audit.jsonl"
    for part in range(2):  # continued after a restart, and after a torn line
        audit = Audit(path)
        for number in range(3):
            audit.note(key="desk", number=3 * part + number)
        audit.close()
        with path.open("a") as file:
            file.write('{"torn')
    assert [line["number"] for line in read_audit(path)] == list(range(6))
    lines = path.read_text().splitlines(keepends=True)
    for wrong in ([*lines[:2], *lines[3:]], [lines[0].replace("desk", "disk"), *lines[1:]], lines[1:]):
        path.write_text("".join(wrong))
        with pytest.raises(rk.InputError, match="is altered at line"):
            Audit(path)


def test_every_change_has_an_audit_line_with_its_key_and_reason(serve):
    served = serve()
    served.order("a1")
    served.ask("PUT", "/limits", {"limits": {"size.limit": 1}, "why": "quiet market"}, key="limits")
    served.ask("POST", "/halt", {"account": "desk-1", "why": "wrong prices"})
    served.ask("PUT", "/limits", {"limits": {"size.limit": 3}, "why": "refused"})
    served.stop()
    lines = read_audit(served.folder / "audit.jsonl")
    commands = [(line["key"], line["command"], line["why"], line["seq"]) for line in lines if "command" in line]
    assert commands == [("limits", "set_limits", "quiet market", 1), ("trade", "halt", "wrong prices", 2)]
    events = [(line["key"], line["first"], line["last"]) for line in lines if "events" in line]
    assert sorted({seq for _, first, last in events for seq in range(first, last + 1)}) == [0, 1, 2]
    text = (served.folder / "audit.jsonl").read_text()
    assert not any(secret in text for secret in served.keys.values())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"host": "0.0.0.0"}, "is reached by other machines, which needs tls_certificate and tls_key"),
        ({"host": "0.0.0.0", "anonymous": ["read"]}, "would let every machine in"),
        ({"port": 70_000}, "a setting of the service does not fit: .*65535"),
        ({"prot": 8300}, "unknown field `prot`"),
        ({"anonymous": ["limits"]}, "a setting of the service does not fit"),
    ],
)
def test_settings_that_are_unsafe_or_unknown_are_refused(given, words):
    with pytest.raises(rk.InputError, match=words):
        read_settings(environment={}, **given)


def test_settings_come_from_a_file_the_environment_and_the_call(tmp_path):
    path = tmp_path / "service.toml"
    path.write_text('port = 1\nmode = "shadow"\n[redis]\nttl = 30\n')
    environment = {"RISK_ENGINE_PORT": "2", "REDIS_URL": "redis://127.0.0.1"}
    found = read_settings(path, environment=environment)
    assert (found.port, found.mode, found.redis) == (2, "shadow", {"ttl": 30, "url": "redis://127.0.0.1"})
    assert read_settings(path, environment=environment, port=3).port == 3
    assert read_settings(environment={}) == Settings()
    assert Settings(host="0.0.0.0", behind_proxy=True).port == 8300


def test_without_a_key_only_what_the_settings_say_may_be_done(serve):
    served = serve(anonymous=["trade"])
    assert served.ask("POST", "/orders", ORDER, key=None).status_code == 200
    assert served.ask("GET", "/journal", key=None).status_code == 403
    assert served.ask("POST", "/halt", {"why": "who?"}, key=None).status_code == 401
