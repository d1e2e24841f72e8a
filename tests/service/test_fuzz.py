"""What nobody would send: a service answers everything that its description allows, and any bytes, without a fault of its own."""

import contextlib
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

LINES = [
    b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n", b"POST /orders HTTP/1.1\r\n", b"content-length: 5\r\n", b"\r\n", b"host: x\r\n",
    b"transfer-encoding: chunked\r\n", b"5\r\nabcde\r\n", b"authorization: Bearer ", b"upgrade: websocket\r\n", b"{\"qty\":",
]  # fmt: skip
RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=40)


def answer_to(served, data):
    """What a server answers to some bytes, until it closes or waits for more."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as client:
        with contextlib.suppress(OSError):
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        found = b""
        with contextlib.suppress(OSError):
            while part := client.recv(65536):
                found += part
        return found


@RELAXED
@given(data=st.lists(st.sampled_from(LINES) | st.binary(max_size=60), max_size=8).map(b"".join))
def test_any_bytes_at_the_port_are_no_fault_of_the_service(served, data):
    assert b"HTTP/1.1 500" not in answer_to(served, data)
    assert served.ask("GET", "/health", key=None).status_code == 200


@RELAXED
@given(path=st.sampled_from(["/orders", "/orders/batch", "/risk/evaluate", "/probe", "/events/cash"]), body=st.binary())
def test_any_body_is_refused_with_a_sentence(served, path, body):
    answer = served.ask("POST", path, body)
    assert answer.status_code in (400, 422) and answer.json()["error"]


@RELAXED
@given(messages=st.lists(st.text(max_size=80) | st.binary(max_size=80), max_size=5))
def test_any_message_to_a_socket_harms_nobody(served, messages):
    url, head = f"ws://127.0.0.1:{served.port}/ws/desk-1", {"Authorization": f"Bearer {served.keys['trade']}"}
    with connect(url, additional_headers=head, compression=None) as one:
        with contextlib.suppress(WebSocketException):
            for message in messages:
                one.send(message)
            one.send('{"command":"refresh"}')
            for _ in range(4):
                one.recv(timeout=20)
    assert served.ask("GET", "/health", key=None).status_code == 200


@pytest.mark.slow
def test_what_the_description_allows_is_answered(serve, long):
    schemathesis = pytest.importorskip("schemathesis", reason="pip install schemathesis")
    served = serve()
    schema = schemathesis.openapi.from_dict(served.ask("GET", "/openapi.json", key=None).json())
    schema.config.update(base_url=served.url)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 20
    for operation in operations:
        key = "limits" if "'limits'" in operation.definition.raw.get("description", "") else "trade"
        answer_all(operation, {"Authorization": f"Bearer {served.keys[key]}"}, 200 if long else 6)


def answer_all(operation, head, examples):
    @settings(RELAXED, max_examples=examples, database=None)
    @given(case=operation.as_strategy())
    def answered(case):
        answer = case.call(headers=head)
        assert answer.status_code < 500, (case.method, case.path, case.body, answer.text)

    answered()
