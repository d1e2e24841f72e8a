"""Alerts: conditions, ids, who hears what; what is raised changes no decision."""

import gc
import json
import logging
import threading
import time
from dataclasses import replace
from itertools import groupby

import pytest
import random_scenarios
import scenario_runner
from alert_parts import AT_ONCE, ORDER, SECOND, Heard, alert, alert_threads, broken, refuse, session_of, sized
from live_rows import submit
from proofs.test_proof import RULES
from streams import random_log

import riskkit as rk
from riskkit import InputError
from riskkit.compat.rules import Direction, Order, Trade, build_config
from riskkit.desk import (
    CONDITIONS,
    Alert,
    AlertSystem,
    RequestError,
    Subscription,
    TableChannel,
    UnknownAlertError,
    condition,
)
from riskkit.desk.alerts import from_decisions
from riskkit.replay.ingest.rows import DTYPES
from riskkit.replay.schema.columns import EventKind

# ---------------------------------------------------------------------- the five conditions


PARAMETERS = {
    "MaxExposure": ("max_exposure", {"limit": 1_000}),
    "ConcentrationLimit": ("concentration", {"limit": "0.4", "above": 300}),
    "DrawdownLimit": ("drawdown", {"pct": "0.1"}),
    "VarLimit": ("var_limit", {"limit": 20, "bar_ns": "1s", "warmup": 2}),
    "ConsecutiveLosses": ("consecutive_losses", {"limit": 2}),
}


def events_of(name: str, desk) -> None:
    """What breaches each condition once; the last event does."""
    order = {**ORDER, "ts": 9 * SECOND, "order_id": "last"}
    desk.process_price(instrument="X", price=100, ts=0)
    if name == "MaxExposure":
        desk.process_order(**order, qty=11)
    elif name == "ConcentrationLimit":
        desk.process_order(**order, qty=4)
    elif name == "DrawdownLimit":
        desk.process_trade(ts=1, account="ann", instrument="X", side="B", qty=50, price=100, trade_id="t")
        desk.process_price(instrument="X", price=70, ts=9 * SECOND)
    elif name == "VarLimit":
        for second in range(1, 8):
            desk.process_price(instrument="X", price=100 + second % 2, ts=second * SECOND)
        desk.process_order(**order, qty=90)
    else:
        closed = {"account": "ann", "instrument": "X", "side": "B", "pnl": -5, "ret": "-0.1", "exit": "stop_loss"}
        desk.process_closed_trade(ts=1, **closed)
        desk.process_closed_trade(ts=9 * SECOND, **closed)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_condition_is_a_rule_of_the_catalogue_with_action_and_severity(name):
    kind, params = PARAMETERS[name]
    entry = {"id": name, "type": kind, "action": "PAUSE", "severity": "CRITICAL", "params": params}
    if kind in ("max_exposure", "concentration", "var_limit"):
        entry["action"] = "ALERT"
    made = condition(name, action=entry["action"], severity="CRITICAL", **params)
    assert rk.RuleSet([made]) == rk.RuleSet.from_dict({"rules": [entry]})
    assert CONDITIONS[name].name == kind and condition(name, "mine", **params).id == "mine"


def test_a_condition_that_is_unknown_is_refused():
    assert set(CONDITIONS) == set(PARAMETERS)
    with pytest.raises(InputError, match="name='MaxLoss' is not one of 'MaxExposure'"):
        condition("MaxLoss", limit=1)
    with pytest.raises(InputError, match="has no parameter 'most'"):
        condition("MaxExposure", most=1)


@pytest.mark.parametrize(
    ("name", "action", "trade_id", "observed", "limit"),
    [
        ("MaxExposure", "REJECT", "last", 1_100, 1_000),
        ("ConcentrationLimit", "REJECT", "last", 400, 160),
        ("DrawdownLimit", "PAUSE", None, None, None),
        ("VarLimit", "REJECT", "last", None, 20),
        ("ConsecutiveLosses", "PAUSE", None, 2, 2),
    ],
)
def test_a_breach_of_each_condition_is_an_alert(name, action, trade_id, observed, limit):
    session, heard = session_of(condition(name, severity="CRITICAL", **PARAMETERS[name][1])), Heard()
    alerts = AlertSystem([heard])
    events_of(name, alerts.watch(session))
    alerts.deliver()
    (one,) = heard
    assert (one.user, one.rule, one.severity, one.action) == ("ann", name, "CRITICAL", action)
    assert (one.timestamp, one.trade_id, one.seq) == (9 * SECOND, trade_id, len(session) - 1)
    assert name in one.message and one.message.endswith(".")
    assert {type(value) for value in one.metrics.values()} <= {int, float}
    books = session.status().accounts().loc["ann"]
    assert one.metrics["cash"] == books["cash"] and one.metrics["realized"] == books["realised"]
    if name != "ConsecutiveLosses":  # which does not look at marks
        assert one.metrics["equity"] == books["equity"] and one.metrics["net_exposure"] == books["value"]
        assert one.metrics["max_drawdown_money"] == books["drawdown"]
    if observed is not None:
        assert (one.metrics["observed"], one.metrics["limit"]) == (observed, limit)
        assert one.metrics.get("headroom", limit - observed) == limit - observed
    if name == "VarLimit":
        assert one.metrics["observed"] > limit == one.metrics["limit"]
    if name == "DrawdownLimit":
        assert (
            one.metrics["equity"] == 8_500 and one.metrics["unrealized"] == -1_500 == -one.metrics["max_drawdown_money"]
        )


def test_the_message_is_the_sentence_of_the_action():
    session, heard = session_of(sized()), Heard()
    alerts = AlertSystem([heard])
    (action,) = alerts.watch(session).process_order(ts=0, qty=9, **ORDER)
    alerts.deliver()
    assert heard[0].message == action.reason and str(heard[0]) == f"WARN size ann: {action.reason}"


def test_where_no_rule_looks_at_marks_no_number_pretends_to():
    session = refuse(session_of(sized()))
    heard = AlertSystem().take(session, session.process_order(ts=5, qty=9, **ORDER))
    assert set(heard[0].metrics) == {"observed", "limit", "headroom", "cash", "realized"}


def test_of_a_refused_order_every_rule_that_objects_is_told():
    mild = sized(1, severity="INFO")
    severe = rk.Rule("large", rk.rules.MaxOrderQty(limit=2), severity="CRITICAL")
    warned = rk.Rule("warned", rk.rules.MaxOrderQty(limit=3), severity="WARN", action="ALERT")
    silent = rk.Rule("silent", rk.rules.MaxOrderQty(limit=100))
    session = session_of(mild, severe, warned, silent)
    made = AlertSystem().take(session, session.process_order(ts=0, qty=9, **ORDER))
    assert [(one.rule, one.severity, one.action) for one in made] == [
        ("size", "INFO", "REJECT"),
        ("large", "CRITICAL", "REJECT"),
        ("warned", "WARN", "ALERT"),
    ]
    assert made[1].message == "large objects (one order of at most 2 in quantity) to what size rejects."
    assert len({one.alert_id for one in made}) == 3


def test_the_pause_of_a_person_hides_no_rule():
    session, alerts = session_of(sized(severity="CRITICAL")), AlertSystem()
    desk = alerts.watch(session)
    desk.pause("ann", 0)
    (action,) = desk.process_order(ts=1, **{**ORDER, "qty": 9, "order_id": "o"})
    frame = alerts.history()
    assert action.rule == "" and frame["rule"].tolist() == ["size"] and frame["severity"].tolist() == ["CRITICAL"]
    assert frame["message"][0] == "size objects (one order of at most 5 in quantity) to what manual control rejects."


def test_what_a_person_does_and_the_end_of_a_pause_are_no_alerts():
    session, alerts = session_of(sized(action="PAUSE", hold="1s")), AlertSystem()
    desk = alerts.watch(session)
    assert desk.process_order(ts=0, qty=1, **ORDER) == []
    assert [str(one.action) for one in desk.pause("bob", 1)] == ["PAUSE"]
    assert [str(one.action) for one in desk.process_order(ts=2, qty=1, **{**ORDER, "account": "bob"})] == ["REJECT"]
    desk.process_order(ts=3, qty=9, **ORDER)
    raised = alerts.counters()["raised"]
    assert raised > 0
    assert [str(one.action) for one in desk.tick(5 * SECOND)] == ["RESUME"]
    assert alerts.counters()["raised"] == raised


def test_the_user_is_the_account_of_the_key():
    falls = condition("DrawdownLimit", pct="0.1")
    session, alerts = session_of(falls), AlertSystem()
    session.process_trade(ts=0, account="ann", instrument="X", side="B", qty=50, price=100)
    fill = {"account": "bob", "instrument": "X", "side": "S", "qty": 1, "price": 70}
    made = alerts.take(session, session.process_trade(ts=1, **fill))  # bob's fill marks ann's position down
    assert [one.user for one in made] == ["ann"]
    pairs = session_of(sized(scope="account_instrument"))
    made = alerts.take(pairs, pairs.process_order(ts=0, **{**ORDER, "instrument": "BTC/USD", "qty": 9}))
    assert [one.user for one in made] == ["ann"]
    everything = session_of(rk.Rule("all", rk.rules.DrawdownLimit(money=100)), sized(scope="global"))
    made = alerts.take(everything, everything.process_order(ts=0, qty=9, **ORDER))
    assert [one.user for one in made] == ["ann"]


def test_orders_of_a_list_have_their_own_ids():
    session, alerts = session_of(sized()), AlertSystem()
    orders = [{"instrument": "X", "side": "B", "qty": 9, "price": 100, "order_id": name} for name in ("p", "q")]
    alerts.watch(session).process_order_list(ts=0, account="ann", orders=orders)
    frame = alerts.history()
    assert set(frame["trade_id"]) <= {"p", "q"} and len(frame) >= 1
    assert [frame["trade_id"][row] for row in frame.index] == [["p", "q"][seq] for seq in frame["seq"]]


# ---------------------------------------------------------------------- ids


def ids_of(session) -> list[str]:
    alerts = AlertSystem()
    events(alerts.watch(session))
    return alerts.history()["alert_id"].tolist()


def events(desk, start: int = 0, stop: int = 120) -> None:
    for ts in range(start, stop):
        desk.process_price(instrument="X", price=100 + ts % 3, ts=ts)
        desk.process_order(ts=ts, **{**ORDER, "qty": 1 + ts % 9, "price": 100 + ts % 2})


def test_the_same_events_give_the_same_ids():
    first, second = ids_of(session_of(sized())), ids_of(session_of(sized()))
    assert first == second and len(set(first)) == len(first) > 40
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in first)


def test_ids_are_those_that_older_alerts_have():
    assert ids_of(session_of(sized()))[0] == "5747ac8add02735e"


def test_what_came_later_is_in_the_id_of_events_that_have_it(monkeypatch):
    def found(smp_id: int | None) -> list[str]:
        session, alerts = session_of(sized()), AlertSystem()
        for ts in range(30):
            alerts.watch(session).process_order(ts=ts, **{**ORDER, "qty": 9}, smp_id=smp_id if ts > 20 else None)
        return alerts.history()["alert_id"].tolist()

    without, with_it = found(None), found(7)
    assert without[:21] == with_it[:21] and not set(without[21:]) & set(with_it[21:])
    for copied in (0, 10**9):  # events are read one by one, or from columns
        monkeypatch.setattr(from_decisions, "COPIED", copied)
        assert found(7) == with_it and found(None) == without


@pytest.mark.xdist_group("generic")
def test_compiled_rules_give_the_same_ids():
    log, found = random_log(3, 150), []
    rows = [{name: int(log.columns[name][place]) for name in DTYPES} for place in range(len(log))]
    for compiled in ("generic", False):
        engine, alerts = rk.replay.Engine(RULES, log.universe, compiled=compiled), AlertSystem()
        for _, group in groupby(
            enumerate(rows), key=lambda item: item[1]["batch"] if item[1]["batch"] >= 0 else -item[0] - 1
        ):
            alerts.take(engine, engine.take([dict(row) for _, row in group]))
        found.append(alerts.history().drop(columns="trade_id"))
    assert found[0].equals(found[1]) and len(found[0]) > 20


def test_other_events_rules_or_modes_give_other_ids():
    plain = ids_of(session_of(sized()))
    for other in (session_of(sized(severity="INFO")), session_of(sized(), mode="enforce")):
        assert not set(plain) & set(ids_of(other))
    before = session_of(sized())
    before.process_price(instrument="X", price=1, ts=0)
    assert not set(plain) & set(ids_of(before))


def test_ids_after_a_snapshot_go_on_as_they_would_have():
    whole, session, alerts = ids_of(session_of(sized())), session_of(sized()), AlertSystem()
    events(alerts.watch(session), 0, 70)
    again = rk.Session.restore(session.snapshot(), session.rules, compiled=False)
    events(alerts.watch(again), 70, 120)
    assert alerts.history()["alert_id"].tolist() == whole


def test_new_accounts_change_no_id():
    options = {"auto_register": rk.Instrument("any")}
    first, second = session_of(sized(), **options), session_of(sized(), **options)
    one, two = AlertSystem(), AlertSystem()
    refuse(one.watch(first), 5)
    refuse(two.watch(second), 5)
    refuse(one.watch(first), 5, start=5, account="cleo")
    refuse(two.watch(second), 5, start=5, account="cleo")
    assert one.history()["alert_id"].tolist() == two.history()["alert_id"].tolist()
    assert one.history()["user"].tolist() == ["ann"] * 5 + ["cleo"] * 5


def test_answers_that_are_handed_over_late_have_the_same_ids():
    watched, session, said = AlertSystem(), session_of(sized()), []
    refuse(watched.watch(session_of(sized())), 6)
    for ts in range(6):
        said.append(session.process_order(ts=ts, **{**ORDER, "qty": 9, "order_id": f"o{ts}"}))
    late = AlertSystem()
    found = [one.alert_id for actions in reversed(said) for one in late.take(session, actions)]
    assert found[::-1] == watched.history()["alert_id"].tolist()
    assert late.take(session, said[0]) == [] and late.counters()["deduplicated"] == 1  # twice the same is one alert


def test_rows_of_an_engine_have_the_ids_of_the_session():
    session = session_of(sized())
    engine = rk.replay.Engine(session.rules, session.universe, compiled=False)
    order = {"account": 0, "instrument": 0, "side": 1, "qty": 9, "price": 10_000}
    rows = engine.push(0, EventKind.ORDER, order=0, **order)
    (of_engine,) = AlertSystem().take(engine, rows, {0: "o0"})
    (of_session,) = AlertSystem().take(
        session, session.process_order(ts=0, **{**ORDER, "qty": 9, "order_id": "o0"}), {0: "o0"}
    )
    assert engine.row(0) == session._live.row(0)
    assert of_engine == of_session
    with pytest.raises(InputError, match="session came as list; give a Session"):
        AlertSystem().take([], [])
    with pytest.raises(InputError, match="session came as str"):
        AlertSystem().watch("session")


def test_the_short_form_can_be_watched():
    rate = {"type": "OrderRateLimitRule", "threshold": 1, "window_ns": SECOND}
    cap = {"type": "AccountVolumeLimitRule", "daily_cap": 10, "dimensions": ["account"]}
    engine = rk.compat.RiskEngine(build_config({"rules": [rate, cap]}).rules, {"T": "P"}, compiled=False)
    alerts = AlertSystem()
    desk = alerts.watch(engine)
    desk.process_order(Order(1, "ann", "T", Direction.BUY, 100, 12, 0))
    desk.process_order(Order(2, "ann", "T", Direction.BUY, 100, 12, 1))
    desk.process_trade(Trade(7, 1, 100, 12, 2))
    frame = alerts.history()
    assert frame["action"].tolist() == ["PAUSE", "REJECT", "PAUSE"] and frame["trade_id"].tolist() == ["2", "2", "7"]
    assert frame["user"].tolist() == ["ann"] * 3 and frame["alert_id"].is_unique


# ---------------------------------------------------------------------- no decision is delayed or lost


@pytest.mark.parametrize("seed", range(6))
def test_decisions_and_digest_are_the_same_with_and_without_alerts(seed):
    scenario = random_scenarios.scenario(seed, 40)
    log, _ = scenario_runner.log_of(scenario)
    rules = scenario_runner.rules_of(scenario)
    rows, names, latest = [], scenario_runner._Names(), 0
    for number, event in enumerate(scenario_runner.unroll(scenario), 1):
        late, latest = event["ts"] < latest, max(latest, event["ts"])
        rows += scenario_runner._rows(number, event, names, late)
    options = {"on_bad_order": "flag", "unknown_orders": "external", "ts_policy": "reject", "compiled": False}
    plain, watched = (rk.Session(rules, log.universe, scenario["mode"], **options) for _ in range(2))
    alerts = AlertSystem([broken], capacity=2)
    assert list(map(str, submit(alerts.watch(watched), rows))) == list(map(str, submit(plain, rows)))
    assert watched.digest == plain.digest and alerts.counters()["errors"] == 0
    for one in alerts.history()["alert_id"]:
        made = alerts.alert(one)
        assert Alert.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_a_channel_that_hangs_or_raises_holds_up_neither_decisions_nor_other_channels():
    count, release, hanging = 300, threading.Event(), threading.Event()

    def hangs(one: Alert) -> None:
        hanging.set()
        release.wait()

    plain, watched, heard = refuse(session_of(sized()), count), session_of(sized()), Heard()
    channels = {"hangs": hangs, "raises": broken, "heard": heard}
    alerts = AlertSystem(channels, capacity=count, retry=AT_ONCE).start()
    try:
        refuse(alerts.watch(watched), count)  # ends although one channel never answers
        assert watched.digest == plain.digest
        assert (watched.result().rows == plain.result().rows).all()
        assert hanging.wait(5) and not alerts.flush(0.01)
        assert alerts._queues["heard"].flush(10) and alerts._queues["raises"].flush(10)
        assert heard.ids == alerts.history()["alert_id"].tolist() and len(heard) == count
        found = alerts.counters()
        assert (found["raised"], found["delivered"], found["failed"]) == (count, count, count)
        assert found["waiting"] == count and found["dropped"] == 0
        assert alerts.close(timeout=0) == ("hangs",)  # its thread cannot be stopped while it is in the call
    finally:
        release.set()
    assert alerts.close() == () and alert_threads() == []
    assert alerts.counters()["waiting"] == count - 1  # what it has not heard waits on


def test_an_error_in_raising_an_alert_loses_no_decision(monkeypatch, caplog):
    plain, watched, alerts = refuse(session_of(sized()), 3), session_of(sized()), AlertSystem()

    def fails(*_):
        raise RuntimeError("no memory")

    monkeypatch.setattr(alerts, "post", fails)
    desk = alerts.watch(watched)
    with caplog.at_level(logging.ERROR, "riskkit.desk.alerts"):
        assert len(desk.process_order(ts=0, **{**ORDER, "qty": 9, "order_id": "o0"})) == 1
    refuse(desk, 2, start=1)
    assert watched.digest == plain.digest and alerts.counters()["errors"] == 3
    assert "an alert of a decision failed" in caplog.text


def test_what_the_session_refuses_is_refused_and_raises_nothing():
    session, alerts = session_of(sized()), AlertSystem()
    desk = alerts.watch(session)
    with pytest.raises(InputError):
        desk.process_order(ts=0, **{**ORDER, "qty": "many"})
    assert len(desk) == len(session) == 0 and alerts.counters()["raised"] == 0
    refuse(desk)
    assert desk.digest == session.digest and desk.status().size == 1 and desk.rules == session.rules


def test_many_threads_through_one_watched_session():
    session, alerts = session_of(sized(), ts_policy="clamp"), AlertSystem(keep=1_000)
    desk = alerts.watch(session)
    threads = [threading.Thread(target=refuse, args=(desk, 60, 100 * k), kwargs={"order_id": None}) for k in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    frame = alerts.history()
    assert frame["seq"].tolist() == list(range(240)) and frame["alert_id"].is_unique
    again = AlertSystem()
    twin = again.watch(session_of(sized(), ts_policy="clamp"))
    for ts in frame["timestamp"]:
        refuse(twin, 1, ts, order_id=None)
    assert again.history()["alert_id"].tolist() == frame["alert_id"].tolist()


def test_two_systems_can_watch_one_session():
    one, two, session = AlertSystem(), AlertSystem(), session_of(sized())
    refuse(one.watch(two.watch(session)), 3)
    assert one.history().equals(two.history()) and len(one.history()) == 3


def test_a_session_that_is_gone_is_forgotten():
    alerts = AlertSystem()
    refuse(alerts.watch(session_of(sized())))
    for _ in range(100):  # a thread may still hold it for a moment
        gc.collect()
        if not len(alerts._makers):
            break
        time.sleep(0.05)
    assert len(alerts._makers) == 0 and alerts.counters()["raised"] == 1


# ---------------------------------------------------------------------- subscriptions, repeats, mutes, acknowledgement


def test_subscriptions_by_user_and_minimum_severity():
    everything, critical, ann = Heard(), Heard(), Heard()
    alerts = AlertSystem({"everything": everything, "critical": critical, "ann": ann})
    alerts.subscribe("critical", minimum_severity="CRITICAL")
    of_ann = alerts.subscribe("ann", "ann", "WARN")
    alerts.subscribe("ann", "bob", "CRITICAL")
    alerts.subscribe("ann", "ann", "CRITICAL")  # fits twice, is told once
    for number, (user, severity) in enumerate((u, s) for u in ("ann", "bob") for s in ("INFO", "WARN", "CRITICAL")):
        alerts.post(alert(number, user=user, severity=severity))
    alerts.deliver()
    assert [int(one, 16) for one in everything.ids] == [0, 1, 2, 3, 4, 5]
    assert [int(one, 16) for one in critical.ids] == [2, 5]
    assert [int(one, 16) for one in ann.ids] == [1, 2, 5]
    alerts.unsubscribe(of_ann)
    alerts.post(alert(9, severity="WARN"))
    alerts.deliver()
    assert len(ann) == 3 and len(everything) == 7
    with pytest.raises(InputError, match="channel='fax' is not known; there are everything, critical, ann"):
        alerts.subscribe("fax")
    with pytest.raises(RequestError, match="minimum_severity='LOUD' is not one of"):
        alerts.subscribe("ann", "ann", "LOUD")


def test_repeats_within_the_window_are_counted_and_dropped():
    heard = Heard()
    alerts = AlertSystem([heard], deduplicate="1s")
    times = [0, 1, SECOND - 1, SECOND, SECOND + 1, 3 * SECOND]
    for ts in times:
        alerts.post(alert(ts))
    alerts.post(alert(7, user="bob"))
    alerts.post(alert(8, rule="other"))
    alerts.deliver()
    assert [one.timestamp for one in heard] == [0, SECOND, 3 * SECOND, 7, 8]  # exactly a window later is no repeat
    assert alerts.counters()["deduplicated"] == 3 and len(alerts.history()) == 5


def test_the_memory_of_repeats_is_bounded():
    alerts = AlertSystem(deduplicate=10, keep=10)
    for ts in range(20_000):
        alerts.post(alert(ts, user=f"u{ts}"))
    assert len(alerts._repeats.last) <= 1_024 and len(alerts.history()) == 10
    assert not alerts.post(alert(99_999, user="u19995", timestamp=20_000))  # those in the window are still known


def test_mutes_hold_until_an_event_time():
    heard = Heard()
    alerts = AlertSystem([heard], deduplicate=5)
    alerts.mute("ann", "size", until=10)
    for ts, fields in ((8, {}), (9, {"rule": "other"}), (9, {"user": "bob"}), (10, {})):
        alerts.post(alert(len(alerts.history()), timestamp=ts, **fields))
    alerts.deliver()
    assert [(one.user, one.rule, one.timestamp) for one in heard] == [
        ("ann", "other", 9),
        ("bob", "size", 9),
        ("ann", "size", 10),  # a muted one begins no window
    ]
    alerts.mute("bob")
    alerts.mute(rule="drawdown", until="1970-01-01T00:00:01+00:00")
    alerts.post(alert(20, user="bob", timestamp=10**12))
    alerts.post(alert(21, rule="drawdown", timestamp=SECOND - 1))
    alerts.post(alert(22, rule="drawdown", timestamp=SECOND))
    alerts.unmute("bob")
    alerts.post(alert(23, user="bob", timestamp=10**12))
    alerts.mute()
    alerts.post(alert(24, user="cleo", timestamp=10**12))
    alerts.deliver()
    assert [int(one, 16) for one in heard.ids[3:]] == [22, 23]
    assert alerts.counters()["muted"] == 4 and alerts.history()["muted"].sum() == 4
    assert alerts.status(f"{24:016x}") == {}
    with pytest.raises(RequestError, match="user=''"):
        alerts.mute("")
    with pytest.raises(InputError, match="until='soon' is not a time"):
        alerts.mute("ann", until="soon")


def test_every_alert_is_raised_muted_or_a_repeat():
    alerts = AlertSystem([Heard()], deduplicate=3)
    alerts.mute("bob", until=30)
    for number in range(60):
        alerts.post(alert(number, user=("ann", "bob")[number % 2], rule=("r", "s", "t")[number % 3]))
    found = alerts.counters()
    assert found["raised"] + found["muted"] + found["deduplicated"] == 60 and found["muted"] == 15
    assert found["waiting"] == found["raised"]


def test_acknowledgement_stays_with_who_came_first():
    alerts = AlertSystem()
    for number in range(3):
        alerts.post(alert(number, severity=("INFO", "WARN", "CRITICAL")[number], user=f"u{number}"))
    alerts.acknowledge(f"{1:016x}", "head of desk", timestamp=77)
    alerts.acknowledge(f"{1:016x}", "another")
    alerts.acknowledge(f"{2:016x}")
    frame = alerts.history()
    assert frame["acknowledged"].tolist() == [False, True, True] and frame["acknowledged"].dtype == bool
    assert frame["acknowledged_by"][1] == "head of desk" and frame["acknowledged_at"][1] == 77
    assert alerts.history(acknowledged=False)["user"].tolist() == ["u0"]
    assert alerts.history(minimum_severity="WARN", acknowledged=True)["user"].tolist() == ["u1", "u2"]
    assert alerts.history(user="u2")["severity"].tolist() == ["CRITICAL"] and len(alerts.history(rule="none")) == 0
    for ask in (alerts.acknowledge, alerts.status, alerts.alert):
        with pytest.raises(UnknownAlertError, match="alert_id='none' is not among the last 10,000 alerts"):
            ask("none")
    with pytest.raises(InputError, match="'LOUD' is not one of"):
        alerts.history(minimum_severity="LOUD")


def test_the_history_holds_the_last_alerts():
    alerts = AlertSystem(keep=4)
    for number in range(9):
        alerts.post(alert(number))
    assert alerts.history()["timestamp"].tolist() == [5, 6, 7, 8]
    assert alerts.alert(f"{8:016x}") == alert(8)
    empty = AlertSystem().history()
    assert list(empty.columns) == list(alerts.history().columns) and len(empty) == 0 == len(AlertSystem().deliveries())


# ---------------------------------------------------------------------- the record


def test_an_alert_is_plain_data_there_and_back():
    one = alert(5, trade_id="t", metrics={"observed": 12, "limit": 10.5}, action="REJECT", seq=3)
    assert Alert.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    assert hash(one) == hash(Alert.from_dict(one.to_dict())) and one != alert(6)
    assert one.metrics == {"observed": 12, "limit": 10.5} and type(one.metrics["observed"]) is int
    assert alert(5, timestamp="1970-01-01T00:00:01+00:00").timestamp == SECOND
    with pytest.raises(AttributeError):
        one.user = "bob"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("alert_id", ""),
        ("user", None),
        ("rule", 5),
        ("severity", "LOUD"),
        ("message", " "),
        ("timestamp", "soon"),
        ("trade_id", 7),
        ("metrics", [1]),
        ("metrics", {"observed": float("nan")}),
        ("metrics", {"observed": "12"}),
        ("metrics", {5: 1.0}),
        ("action", "SHOUT"),
        ("seq", -1),
        ("color", "red"),
    ],
)
def test_every_field_is_validated(field, value):
    with pytest.raises(RequestError) as caught:
        alert(0, **{field: value})
    assert caught.value.to_dict()["field"] == field


def test_what_is_shown():
    alerts = AlertSystem([TableChannel()])
    alerts.post(alert(1, message="<b>x</b>", metrics={"observed": 3}))
    assert repr(alerts).splitlines()[0] == "Alerts to table" and "raised" in repr(alerts)
    assert "&lt;b&gt;" in alert(1, message="<b>x</b>")._repr_html_() and "<b>x" not in alert(1)._repr_html_()
    assert " at 0x" not in repr(alerts) + repr(alert(1)) and repr(AlertSystem()).startswith("Alerts to no channel")


def test_a_subscription_matches_its_user_from_its_severity_upwards():
    told = alert()
    assert Subscription("mail").matches(told) and Subscription("mail", told.user, told.severity).matches(told)
    assert not Subscription("mail", "somebody else").matches(told)
    assert not Subscription("mail", minimum_severity="CRITICAL").matches(replace(told, severity="WARN"))
