"""WebSockets of a real server: snapshots, alerts to one user, filters, tickets, and slow clients that harm nobody."""

import asyncio
import contextlib
import json
import threading

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import riskkit as rk
from riskkit.service.guard import Guard
from riskkit.service.keys import add_key
from riskkit.service.settings import Settings
from riskkit.service.sockets import Hub

RULES = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.slow)])
def workers(request):
    """Messages are the same, whoever takes the connection."""
    return request.param


@pytest.fixture
def watch():
    """A function that opens a socket of a user; all are closed after the test."""
    with contextlib.ExitStack() as stack:

        def open_one(served, user, *, query="", key="trade", **headers):
            given = {"Authorization": f"Bearer {served.keys[key]}"} if key else {}
            url = f"ws://127.0.0.1:{served.port}/ws/{user}{query}"
            opened = connect(url, additional_headers=given | headers, compression=None, max_queue=None)
            return stack.enter_context(opened)

        yield open_one


def read(one, *kinds, count=1):
    """The next messages of these kinds."""
    found = []
    while len(found) < count:
        message = json.loads(one.recv(timeout=20))
        if message["type"] in kinds:
            found.append(message)
    return found


def closed(one):
    """The code and the reason of a close."""
    with pytest.raises(ConnectionClosed) as ended:
        while True:
            one.recv(timeout=20)
    frame = ended.value.rcvd
    return frame.code, frame.reason


def test_a_dashboard_gets_metrics_then_alerts_as_they_come_and_exposures(serve, watch):
    served = serve(snapshot_seconds=0.3)
    served.order("a1", qty=2)
    one, other = watch(served, "desk-1"), watch(served, "desk-2")
    (metrics,) = read(one, "RiskMetrics")
    assert metrics.keys() >= {
        "total_exposure_usd", "concentration_risk", "var_95", "max_drawdown", "sharpe_ratio", "win_rate", "avg_trade_size"
    }  # fmt: skip
    served.ask("POST", "/fills", {"order_id": "a1", "qty": 2, "price": "100.25"})
    (position,) = read(one, "PositionUpdate")
    assert (position["token"], position["amount"], position["value_usd"]) == ("ES", 2.0, 200.5)
    exposure = read(one, "ExposureUpdate", count=2)[-1]
    assert (exposure["user_id"], exposure["total_exposure_usd"]) == ("desk-1", 200.5)
    assert exposure["token_exposures"] == [{"token": "ES", "amount": 2.0, "value_usd": 200.5, "percentage": 100.0}]
    refused = served.order("a2", qty=9).json()
    (alert,) = read(one, "Alert")
    assert (alert["user_id"], alert["rule_name"], alert["severity"], alert["seq"]) == (
        "desk-1",
        "size",
        "WARN",
        refused["seq"],
    )
    assert alert["message"] == refused["actions"][0]["reason"]
    assert alert["current_metrics"] == {"observed": 9.0, "limit": 5.0, "headroom": -4.0}
    served.order(account="desk-2", qty=7)
    (theirs,) = read(other, "Alert")
    assert (theirs["user_id"], theirs["current_metrics"]["observed"]) == ("desk-2", 7.0)


def test_an_alert_does_not_wait_for_the_events_that_nobody_waits_for(serve, watch, monkeypatch):
    monkeypatch.setattr("riskkit.service.turns.SOON", 3600)
    served = serve()
    one = watch(served, "desk-1")
    served.order(qty=1)
    served.order(qty=9)
    assert read(one, "Alert")[0]["seq"] == 1


def test_an_alert_that_one_has_acknowledged_is_seen_by_all(serve, watch):
    served = serve(snapshot_seconds=0.3)
    one, other, stranger = watch(served, "desk-1"), watch(served, "desk-1"), watch(served, "desk-2")
    for socket in (one, other, stranger):
        read(socket, "RiskMetrics")
    served.order(qty=9)
    (alert,) = read(one, "Alert")
    for socket in (stranger, one, other):  # the first is not told of it, and the last comes too late
        socket.send(json.dumps({"command": "acknowledge", "alert_id": alert["alert_id"]}))
        socket.send('{"command":"refresh"}')
        read(socket, "RiskMetrics")
    expected = {"type": "Acknowledged", "user_id": "desk-1", "alert_id": alert["alert_id"], "who": "trade"}
    late = watch(served, "desk-1", query="?after=-1")
    assert read(late, "Alert", "Acknowledged", count=2) == [alert, expected]
    assert read(late, "Acknowledged", "ExposureUpdate")[0]["type"] == "ExposureUpdate"


def test_a_client_filters_refreshes_and_closes(serve, watch):
    served = serve()
    one = watch(served, "desk-1")
    read(one, "ExposureUpdate")
    one.send("not JSON")
    one.send('{"command":"dance"}')
    assert [message["message"][:12] for message in read(one, "Error", count=2)] == ["a command is"] * 2
    one.send('{"command":"filter","kinds":["Alert"],"severities":["CRITICAL"]}')
    one.send('{"command":"refresh"}')
    one.send('{"command":"dance"}')
    assert json.loads(one.recv(timeout=20))["type"] == "Error"  # the rest is filtered
    served.order(qty=9)
    while not served.app.hub._kept:  # its alert comes after its answer
        threading.Event().wait(0.001)
    one.send('{"command":"filter"}')
    one.send('{"command":"refresh"}')
    assert json.loads(one.recv(timeout=20))["type"] == "RiskMetrics"
    one.send('{"command":"close"}')
    assert closed(one)[0] == 1000


def test_who_comes_back_gets_what_was_missed_or_is_told_that_some_is_gone(serve, watch):
    served = serve()
    for qty in (6, 7, 8):
        served.order(qty=qty)
    one = watch(served, "desk-1", query="?after=0")
    assert [alert["current_metrics"]["observed"] for alert in read(one, "Alert", count=2)] == [7.0, 8.0]
    one.close()
    served.stop()
    served = serve()
    served.order(qty=9)
    again = watch(served, "desk-1", query="?after=1")
    assert read(again, "Missed", "Alert", count=2)[0] == {"type": "Missed", "before": 3}
    again.close()
    (alert,) = read(watch(served, "desk-1", query="?after=2"), "Missed", "Alert")
    assert alert["seq"] == 3


def test_a_page_opens_a_socket_with_a_ticket_once(serve, watch):
    served = serve(origins=["https://desk.example"])
    ticket = served.ask("POST", "/ws-ticket").json()["ticket"]
    one = watch(served, "desk-1", query=f"?ticket={ticket}", key=None, Origin="https://desk.example")
    assert read(one, "RiskMetrics")
    again = f"?ticket={ticket}"
    for more in ({"query": again, "key": None}, {"key": None}, {"Origin": "https://other.example"}):
        with pytest.raises(Exception, match="403"):
            watch(served, "desk-1", **more)
    assert served.keys["trade"] not in ticket


def test_a_key_watches_only_its_accounts_and_sockets_are_bounded(serve, watch):
    served = serve()
    secret = add_key(served.folder / "keys.toml", "one", ["read"], accounts=["desk-1"])
    served.stop()
    served = serve(sockets=2)
    served.keys["one"] = secret
    watch(served, "desk-1", key="one")
    with pytest.raises(Exception, match="403"):
        watch(served, "desk-2", key="one")
    watch(served, "desk-2")
    with pytest.raises(Exception, match="403"):
        watch(served, "desk-2")
    assert served.app.hub.count == 2


def test_a_slow_client_is_closed_and_told_and_the_others_get_everything():
    async def client(hub, got, gate):
        async def send(message):
            await gate.wait()
            got.append(message)

        messages = [{"type": "websocket.connect"}]

        async def receive():
            return messages.pop() if messages else await asyncio.Event().wait()

        scope = {"path": "/ws/desk-1", "query_string": b"", "headers": []}
        await hub.serve(scope, receive, send)

    async def main():
        hub = Hub(settings := Settings(anonymous=["read"], socket_messages=16), Guard({}, settings))
        slow, quick, never, always = [], [], asyncio.Event(), asyncio.Event()
        always.set()
        serving = [asyncio.create_task(client(hub, quick, always))]
        never.set()
        serving.append(asyncio.create_task(client(hub, slow, never)))
        await asyncio.sleep(0)
        while hub.count < 2:
            await asyncio.sleep(0)
        never.clear()
        for _ in range(40):
            hub.publish(refused_order)
            await asyncio.sleep(0)
        assert hub.too_slow >= 1
        assert [message["type"] for message in quick].count("websocket.send") == 40
        never.set()
        while not slow or slow[-1]["type"] != "websocket.close":
            await asyncio.sleep(0)
        assert (slow[-1]["code"], slow[-1]["reason"]) == (1013, "too slow; come back with ?after=")
        for task in serving:
            task.cancel()

    session = rk.Session.create(RULES, [rk.Instrument("ES")], ["desk-1"], compiled=False)
    refused_order = session.process_order(ts=0, account="desk-1", instrument="ES", side="B", qty=9, price=1)
    asyncio.run(main())


def test_positions_that_nobody_watches_are_not_looked_up():
    async def main():
        hub = Hub(settings := Settings(anonymous=["read"], snapshot_seconds=0.05), Guard({}, settings))
        hub.views, hub.touched, hub._shown = NoViews(), {"desk-1": 1}, lambda: 1
        showing = asyncio.create_task(hub._snapshots())
        while hub.touched:
            await asyncio.sleep(0.001)
        showing.cancel()

    class NoViews:
        def __getattr__(self, name):
            asked.append(name)
            raise AttributeError(name)

    asked = []
    asyncio.run(main())
    assert asked == []


def test_a_stop_closes_sockets_so_that_clients_come_back(serve, watch):
    served = serve()
    one = watch(served, "desk-1")
    read(one, "RiskMetrics")
    served.stop()
    assert closed(one)[0] == 1012
