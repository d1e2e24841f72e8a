"""A real server on loopback: what clients send and read, restarts without loss, and limits that are another person's."""

import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

import riskkit as rk
from riskkit.cli import main

ORDER = {"account": "desk-1", "instrument": "ES", "side": "buy", "qty": 2, "price": 100.25}
EVALUATE = {
    "positions": [{"symbol": "BTC-USD", "quantity": 0.1, "price": 100000, "value": 10000}],
    "portfolio_value": 100000,
}
VALIDATE = {
    "symbol": "BTC-USD", "side": "buy", "quantity": 0.1, "price": 100000, "current_positions": [],
    "portfolio_value": 100000, "max_position_size": 0.40, "max_drawdown_limit": 10.0,
}  # fmt: skip


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.slow)])
def workers(request):
    """Every answer is the same, whoever takes the connection."""
    return request.param


def test_the_imitated_service_answers_verbatim(served):
    health = served.ask("GET", "/health", key=None).json()
    assert health.keys() == {"status", "service", "version", "timestamp"}
    assert (health["status"], type(health["timestamp"])) == ("ok", int)
    found = served.ask("POST", "/risk/evaluate", EVALUATE).json()
    names = {"drawdown", "max_drawdown", "var_95", "var_99", "cvar_95", "risk_score", "approved", "timestamp"}
    assert found.keys() >= names
    assert (found["drawdown"], found["risk_score"], found["approved"]) == (0.0, 0.0, True)
    lower = served.ask("POST", "/risk/evaluate", {**EVALUATE, "portfolio_value": 97_500}).json()
    assert (lower["drawdown"], lower["risk_score"]) == (2.5, 0.25)
    state = served.ask("GET", "/risk/state").json()
    assert state.keys() == {"current_drawdown", "max_drawdown", "var_95", "var_99", "cvar_95", "last_updated"}
    assert (state["current_drawdown"], state["last_updated"]) == (2.5, lower["timestamp"])
    check = served.ask("POST", "/risk/validate", VALIDATE).json()
    assert check.keys() == {
        "approved", "reason", "risk_score", "position_size_pct", "estimated_drawdown", "timestamp"
    }  # fmt: skip
    assert (check["approved"], check["reason"], check["position_size_pct"]) == (True, "Trade approved", 10.0)
    without = {name: value for name, value in VALIDATE.items() if not name.startswith("max_")}
    assert served.ask("POST", "/risk/validate", without).json()["approved"]
    large = served.ask("POST", "/risk/validate", {**without, "quantity": 0.5}).json()
    assert (large["approved"], large["reason"]) == (
        False,
        "BTC-USD would be 50 % of the portfolio; at most 40 % is allowed",
    )


def test_the_var_of_a_portfolio_needs_its_earlier_values(served):
    assert served.ask("POST", "/risk/evaluate", EVALUATE).json()["var_95"] is None
    history = [100_000 + 1_000 * (-1) ** day for day in range(40)]
    assert served.ask("POST", "/risk/evaluate", {**EVALUATE, "history": history}).json()["var_95"] > 1


def test_a_probe_says_what_would_be_answered_and_changes_nothing(serve):
    served = serve()
    served.order("a1")
    before = served.ask("GET", "/journal").json()
    assert served.ask("POST", "/probe", {**ORDER, "qty": 5}).json() == {"approved": True, "actions": []}
    refused = served.ask("POST", "/probe", {**ORDER, "qty": 6}).json()
    assert not refused["approved"] and refused["actions"][0]["rule"] == "size"
    assert served.ask("GET", "/journal").json() == before
    answer = served.ask("POST", "/probe", {**ORDER, "ts": 5})
    assert (answer.status_code, answer.json()["error"]) == (422, "a probe is of now; leave ts out")


def test_the_metrics_count_what_was_decided(serve):
    served = serve()
    assert served.ask("GET", "/metrics", key=None).status_code == 401
    for qty in (1, 2, 9):
        served.order(qty=qty)
    served.order(qty="many")
    served.ask("POST", "/orders/batch", [{**ORDER, "qty": 9}, {**ORDER, "qty": 1}, {**ORDER, "side": "up"}])
    answer = served.ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert [float(found[f'riskkit_orders_total{{verdict="{one}"}}']) for one in ("passed", "refused")] == [3, 2]
    assert float(found["risk_calculations_total"]) == float(found["risk_calculation_duration_seconds_count"]) == 5
    assert float(found["riskkit_bad_events_total"]) >= 1 and float(found["riskkit_ready"]) == 1


def test_events_go_through_the_rules(serve):
    served = serve()
    first = served.ask("POST", "/orders", {**ORDER, "order_id": "a1"})
    assert first.status_code == 200
    assert first.json() | {"ts": "", "timestamp": 0} == {
        "approved": True, "seq": 0, "ts": "", "timestamp": 0, "actions": [], "order_id": "a1"
    }  # fmt: skip
    large = served.ask("POST", "/orders", {**ORDER, "order_id": "a2", "qty": 9}).json()
    assert not large["approved"]
    (action,) = large["actions"]
    assert (action["action"], action["rule"], action["observed"], action["limit"]) == ("REJECT", "size", 9, 5)
    assert action["reason"].startswith("the order is refused by size (one order of at most 5 in quantity)")
    assert served.ask("POST", "/fills", {"order_id": "a1", "trade_id": "t1", "qty": 1, "price": "100.25"}).json()[
        "approved"
    ]
    assert served.ask("POST", "/prices", {"instrument": "ES", "price": 101}).json()["approved"]
    assert served.ask("POST", "/modifies", {"order_id": "a1", "price": 100.5}).json()["approved"]
    assert served.ask("POST", "/cancels", {"order_id": "a1"}).json()["approved"]
    assert served.ask("POST", "/events/cash", {"account": "desk-2", "amount": 500}).json()["approved"]
    threading.Event().wait(0.06)  # a status is at most 50 ms old
    found = served.ask("GET", "/status").json()
    assert [(row["account"], row["instrument"], row["qty"]) for row in found["positions"]] == [("desk-1", "ES", 1.0)]
    assert {row["account"]: row["cash"] for row in found["accounts"]} == {"desk-1": 999_899.75, "desk-2": 500.0}


def test_orders_for_money_for_what_is_held_pegged_and_of_legs_are_fields_of_an_order(serve):
    served, order = serve(), {name: value for name, value in ORDER.items() if name != "qty"}
    sizes = [served.ask("POST", "/orders", {**order, "quote_qty": money}).json() for money in ("501.25", "601.50")]
    assert [size["approved"] for size in sizes] == [True, False] and sizes[1]["actions"][0]["observed"] == 6
    served.ask("POST", "/fills", {**ORDER, "qty": 3})
    close = {**order, "side": "sell", "close_position": True, "order_id": "c"}
    assert served.ask("POST", "/orders", close).json()["approved"]
    peg = {**ORDER, "type": "peg", "reference": "last", "offset": "-0.25"}
    assert (
        served.ask("POST", "/orders", peg).status_code == 422
    )  # its price is as far as it goes, and there is no trade yet
    served.ask("POST", "/prices", {"instrument": "ES", "price": 101})
    assert served.ask("POST", "/orders", peg).json()["approved"]
    legs = [{"instrument": "ES", "side": "B", "ratio": 1}, {"instrument": "ES", "side": "S", "ratio": 1}]
    twice = served.ask("POST", "/orders", {**ORDER, "legs": legs})
    assert twice.status_code == 422 and "is the instrument of two legs" in twice.text


def test_the_venue_says_what_an_account_has_and_each_difference_is_an_alert(serve):
    served = serve()
    served.ask("POST", "/orders", {**ORDER, "order_id": "a1", "qty": 4})
    rest = {"order_id": "a1", "instrument": "ES", "side": "B", "qty": 1, "price": 100.25}
    said = {"account": ORDER["account"], "positions": {"ES": 3}, "orders": [rest, {**rest, "order_id": "z", "qty": 2}]}
    found = served.ask("POST", "/events/snapshot", said).json()
    assert found["approved"] and [action["action"] for action in found["actions"]] == ["ALERT"] * 3
    assert found["actions"][0]["reason"] == "3 is held in ES by the venue, nothing as we believed."
    assert served.ask("POST", "/cancels", {"order_id": "z"}).json()["approved"]
    wrong = served.ask("POST", "/events/snapshot", {**said, "orders": [rest, rest]})
    assert wrong.status_code == 422 and "is stated twice in a snapshot" in wrong.text


def test_engines_that_share_a_line_reserve_use_and_give_back_and_a_restart_forgets_nothing(serve):
    rules = rk.RuleSet([rk.Rule("line", rk.rules.CreditLimit(100), scope="desk")])

    def step(served, name, step, account="desk-1", **more):
        body = {"account": account, "reserve_id": name, "step": step, **more}
        found = served.ask("POST", "/events/credit", body).json()
        return found["approved"], [action.get("rule") for action in found["actions"]]

    served = serve(rules=rules)
    assert step(served, "a", "reserve", amount=60, currency="USD") == (True, [])
    assert step(served, "b", "reserve", amount="40.01", currency="USD") == (False, ["line"])
    assert step(served, "c", "reserve", amount=40, currency="USD") == (True, [])
    assert step(served, "a", "commit") == step(served, "c", "rollback") == (True, [])
    assert not step(served, "a", "rollback")[0] and not step(served, "x", "commit")[0]
    served.stop()
    again = serve(rules=rules)
    assert step(again, "d", "reserve", amount="40.01", currency="USD") == (False, ["line"])
    assert step(again, "a", "release", amount="0.01") == (True, [])
    assert step(again, "e", "reserve", amount="40.01", currency="USD") == (True, [])
    wrong = again.ask("POST", "/events/credit", {"account": "desk-1", "reserve_id": "f", "step": "take"})
    assert wrong.status_code == 422 and "step='take'" in wrong.text


def test_an_account_is_shown_as_its_dashboard_sees_it(serve):
    served = serve()
    served.order("a1", qty=2)
    served.ask("POST", "/fills", {"order_id": "a1", "qty": 2, "price": "100.25"})
    threading.Event().wait(0.06)  # a snapshot is at most 50 ms old
    found = served.ask("GET", "/accounts/desk-1").json()
    assert (found["metrics"]["user_id"], found["exposure"]["total_exposure_usd"]) == ("desk-1", 200.5)
    assert [(row["token"], row["amount"]) for row in found["positions"]] == [("ES", 2.0)]
    unknown = served.ask("GET", "/accounts/desk-9")
    assert (unknown.status_code, unknown.json()["error"]) == (404, "'desk-9' is not an account that is known")


def test_tables_of_all_accounts_are_made_beside_the_decisions(serve, monkeypatch):
    from riskkit.replay.live.session_status import SessionStatus

    served, gate, begun = serve(), threading.Event(), threading.Event()

    def slow(status):
        begun.set()
        gate.wait(20)
        return 1 / 0

    for name in ("states", "utilization"):
        monkeypatch.setattr(SessionStatus, name, slow)
        gate.clear(), begun.clear()
        path = {"states": "/breaker", "utilization": "/status"}[name]
        with ThreadPoolExecutor(1) as other:
            asking = other.submit(requests.get, served.url + path, headers=served.head(), timeout=30)
            assert begun.wait(20)
            assert served.order().json()["approved"]
            monkeypatch.undo()
            gate.set()
            assert asking.result().status_code == 500  # its own error, told to it alone


def test_an_order_that_is_sent_again_is_answered_with_its_first_answer(served):
    first = served.order("again", qty=9).json()
    again = served.order("again", qty=9)
    assert again.status_code == 409
    assert again.json()["first"] == first == served.ask("GET", "/orders/again").json()
    assert "again" in again.json()["error"]
    assert served.ask("GET", "/orders/never").status_code == 404


def test_a_batch_decides_as_its_rows_one_by_one_however_it_is_sent(served):
    pa = pytest.importorskip("pyarrow")
    rows = [{**ORDER, "qty": qty, "price": 100.25} for qty in (1, 9, 2, -1)]
    columns = {name: [row[name] for row in rows] for name in ORDER}
    sink = pa.BufferOutputStream()
    table = pa.table(columns)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    arrow = served.ask(
        "POST", "/orders/batch", sink.getvalue().to_pybytes(),
        headers={"content-type": "application/vnd.apache.arrow.stream"},
    )  # fmt: skip
    answers = [served.ask("POST", "/orders/batch", rows), served.ask("POST", "/orders/batch", columns), arrow]
    answers.append(served.ask("POST", "/orders/batch", {**columns, "account": "desk-1"}))
    for answer in answers:
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["approved"] == [True, False, True, False]
        assert found["errors"] == {"3": "qty=-1 is not a quantity; a quantity is a number above zero"}
        assert [action["rule"] for action in found["actions"]] == ["size"]
        assert (found["seq"][2] - found["seq"][0], found["seq"][3]) == (2, -1)


def test_limits_need_another_key_and_a_reason_and_are_part_of_the_journal(serve):
    served = serve()
    body = {"limits": {"size.limit": 1}, "why": "quiet market"}
    assert served.ask("PUT", "/limits", body).status_code == 403
    assert served.ask("PUT", "/limits", {"limits": {"size.limit": 1}}, key="limits").status_code == 422
    assert served.ask("PUT", "/limits", {**body, "limits": {"size.limit": -1}}, key="limits").status_code == 422
    changed = served.ask("PUT", "/limits", body, key="limits")
    assert changed.json()["rules"][0]["params"]["limit"] == 1
    assert not served.order(qty=2).json()["approved"]
    (change,) = served.ask("GET", "/limits").json()["changes"]
    assert (change["who"], change["why"]) == ("limits", "quiet market")


def test_a_second_person_is_the_owner_of_a_second_key(serve):
    from riskkit.service.keys import add_key

    served = serve(four_eyes=True)
    secret = add_key(served.folder / "keys.toml", "second", ["limits"], owner="Bob")
    served.stop()
    served = serve(four_eyes=True)
    body = {"limits": {"size.limit": 1}, "why": "quiet market"}
    alone = served.ask("PUT", "/limits", body, key="limits")
    same = served.ask("PUT", "/limits", body, key="limits", headers={"X-Approved-By": served.keys["limits"]})
    trader = served.ask("PUT", "/limits", body, key="limits", headers={"X-Approved-By": served.keys["trade"]})
    assert [alone.status_code, same.status_code, trader.status_code] == [422, 422, 403]
    both = served.ask("PUT", "/limits", body, key="limits", headers={"X-Approved-By": secret})
    assert both.status_code == 200, both.text
    assert served.ask("GET", "/limits").json()["changes"][0]["approved_by"] == "Bob"


def test_everybody_who_trades_may_stop_and_only_another_may_start_again(serve):
    served = serve()
    served.order("a1")
    stopped = served.ask("POST", "/halt", {"desk": "macro", "why": "wrong prices"}).json()
    assert [order["order_id"] for order in stopped["working_orders"]] == ["a1"]
    assert "stopped by a command" in served.order().json()["actions"][0]["reason"]
    assert served.ask("GET", "/breaker").json().keys() == {"desk-1", "desk-2"}
    assert served.ask("POST", "/restart", {"why": "right again"}).status_code == 403
    before = len(served.app.engine.session)
    for row in ({"kind": "control", "cmd": "RESET", "account": "desk-1"}, {"kind": "session"}, {"kind": "clock"}):
        for body in ([row], [ORDER, row], {name: [value] for name, value in row.items()}):
            refused = served.ask("POST", "/orders/batch", body)
            assert refused.status_code == 422 and "is a command; use /halt, /restart" in refused.json()["error"]
    assert len(served.app.engine.session) == before
    assert served.ask("POST", "/restart", {"desk": "macro", "why": "right again"}, key="limits").status_code == 200
    assert served.order().json()["approved"]
    reset = served.ask("POST", "/breaker/reset", {"why": "looked at it"}, key="limits")
    assert [action["action"] for action in reset.json()["actions"]] == ["RESUME"]


@pytest.mark.parametrize("durability", ["group", "none"])
def test_a_restart_loses_nothing_and_the_journal_opens_in_a_notebook(serve, durability):
    served = serve(durability=durability)
    answers = [served.order(f"a{number}", qty=number + 1).json() for number in range(8)]
    before = served.ask("GET", "/journal").json()
    served.stop()
    opened = rk.open_journal(served.folder / "journal")
    assert (opened.digest, len(opened.log)) == (before["digest"], 8)
    assert rk.replay_log(opened.log, opened.history, mode="enforce", compiled=False).digest == before["digest"]
    served = serve(durability=durability)
    assert served.ask("GET", "/journal").json() == before
    assert [served.ask("GET", f"/orders/a{number}").json() for number in range(8)] == answers


def test_many_clients_at_once_are_one_journal(serve):
    served = serve(durability="group")
    found = {}

    def client(name):
        with requests.Session() as http:
            for number in range(10):
                body = {**ORDER, "order_id": f"{name}-{number}", "qty": 1 + number}
                headers = {"Authorization": f"Bearer {served.keys['trade']}"}
                answer = http.post(f"{served.url}/orders", json=body, headers=headers).json()
                found[answer["seq"]] = body["order_id"], answer["approved"]

    threads = [threading.Thread(target=client, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    served.stop()
    opened = rk.open_journal(served.folder / "journal")
    assert sorted(found) == list(range(80))
    result = rk.replay_log(opened.log, opened.history, mode="enforce", compiled=False)
    assert result.digest == opened.digest
    refused = set(result.rejections()["seq"].tolist())
    assert {seq for seq, (_, approved) in found.items() if not approved} == refused
    assert served.app._turns.commits < 80  # some were on disk with others


def test_a_clock_of_the_events_takes_their_times(serve):
    served = serve(clock="events")
    assert served.order(ts="1700000000000000000").json()["ts"] == "1700000000000000000"
    assert served.order(ts="2023-11-14T22:13:21Z").json()["ts"] == "1700000001000000000"
    assert "is earlier than the event before it" in served.order(ts=0).json()["error"]
    assert served.order().json()["field"] == "ts"
    for ts in ("--5", "- 5", "tomorrow", "9" * 39):
        assert served.order(ts=ts).status_code == 422
    for ts in (1.5, None, [1], {"a": 1}, True, "--5"):
        assert served.ask("POST", "/events/ack", {"account": "desk-1", "ts": ts}).status_code == 422


def test_the_command_ends_with_a_sentence_if_it_cannot_open_its_folder_or_its_port(tmp_path, capsys):
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rules]]\nid = "size"\ntype = "max_order_qty"\nparams = { limit = 5 }\n')
    command = ["serve", str(rules), "--state", str(tmp_path / "state")]
    with rk.Session.open(tmp_path / "state" / "journal", rk.RuleSet.from_toml(rules), compiled=False):
        assert main([*command, "--port", "0"]) == 2
    said = capsys.readouterr()
    assert "listening at 127.0.0.1, port " in said.out
    assert "riskkit: the engine cannot be opened: folder 'journal' is held by" in said.err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main([*command, "--port", str(taken.getsockname()[1])]) == 2
    assert "cannot be listened at: Address already in use; give another --port" in capsys.readouterr().err


def test_without_a_file_of_units_every_label_is_taken(serve):
    served = serve(units=None)
    body = {**ORDER, "account": "new", "instrument": "ETH-USD", "qty": 0.5, "price": "2000.01"}
    assert served.ask("POST", "/orders", body).json()["approved"]


def test_the_pages_need_nothing_of_another_host_and_are_those_of_the_routes(served):
    from riskkit.service.openapi import described, page

    document = served.ask("GET", "/openapi.json", key=None).json()
    assert document == described(), "run python -m riskkit.service.openapi"
    docs = served.ask("GET", "/docs", key=None)
    assert docs.text == page(document)
    assert not re.findall(r'src=|href="(?!#)|https?://', docs.text)
    for path, methods in document["paths"].items():
        assert path in docs.text
        assert all(method["summary"] for method in methods.values()), path
