import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from naive.incidents import naive_stop
from streams import random_log

from riskkit import InputError
from riskkit.replay.incidents.incident import catalogue, incident
from riskkit.replay.incidents.inject import inject
from riskkit.replay.incidents.stop import compare_stops, stop_report
from riskkit.replay.incidents.stream import incident_log
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import MISSING, DecisionCode, EventKind
from riskkit.rules import MaxOrderQty

SHARED = Path(__file__).parents[3].parent / "shared" / "incidents.json"
ALL = list(catalogue().index)
DIGESTS = {
    "knight-2012-08-01": "14abc064660eae4d",
    "everbright-2013-08-16": "c89cc6f298b62cd4",
    "infinium-2010-02-03": "fa329c80b7608734",
    "hanmag-2013-12-12": "f882a4d27bde4931",
    "citi-2022-05-02": "52a5db91bc1abc86",
    "flash-crash-2010-05-06": "104b26929c400d7b",
    "goldman-2013-08-20": "c726d8d71e14690a",
    "emkay-2012-10-05": "98bdfca41b979a9b",
    "jcom-2005-12-08": "d01a130bb56360fd",
}


def rules(*entries):
    return RuleSet.from_dict({"rules": [{"id": entry["type"], **entry} for entry in entries]})


def rate(limit, window="1s", **more):
    return {"type": "order_rate", "params": {"limit": limit, "window_ns": window}, **more}


def totals(log):
    """Of the account: orders, quantities, notionals and loss at the last marks, by plain arithmetic."""
    c, u = log.columns, log.universe
    money = float(u.instruments[0].tick * u.instruments[0].lot * u.instruments[0].multiplier)
    fill, order = c["kind"] == EventKind.FILL, c["kind"] == EventKind.ORDER
    price = c["kind"] == EventKind.PRICE
    end = dict(zip(c["instrument"][price].tolist(), c["price"][price].tolist(), strict=True))
    last = np.array([end[code] for code in c["instrument"][fill].tolist()])
    side, qty = c["side"][fill].astype(int), c["qty"][fill]
    return {
        "orders": int(order.sum()),
        "fills": int(fill.sum()),
        "quantity": int(qty.sum()) * float(u.instruments[0].lot),
        "traded": float((qty * c["price"][fill]).sum()) * money,
        "long": float((qty * last)[side > 0].sum()) * money,
        "short": float((qty * last)[side < 0].sum()) * money,
        "loss": float((side * qty * (c["price"][fill] - last)).sum()) * money,
        "seconds": float(np.ptp(c["ts"][order])) / 1e9,
        "last_fill": float(c["ts"][fill].max() - c["ts"][order].min()) / 1e9,
    }


# ---------------------------------------------------------------------- records


def test_the_records_say_what_the_shared_file_says():
    if not SHARED.exists():
        pytest.skip("the file of incidents that the records were taken from is not here")
    given = {entry["id"]: entry for entry in json.loads(SHARED.read_text(encoding="utf-8"))}
    for name in ALL:
        one = incident(name)
        assert dict(one.figures) == given[name]["facts"]
        assert list(one.sources) == given[name]["sources"]
        assert list(one.controls) == given[name]["controls_that_should_fire"]
        assert one.what == given[name]["what"]
        told = " ".join([one.what, *map(str, one.figures.values())])
        assert not any(text in told for text in given[name]["from_memory_verify"])


def test_a_record_is_shown_with_its_sources():
    text = repr(incident("knight"))
    assert "SEC Rel. 34-70694" in text and "> 460,000,000" in text
    assert "SEC Rel. 34-70694" in incident("knight")._repr_html_()


@pytest.mark.parametrize("name", ["", "nobody", "k2", None])
def test_an_unknown_incident_is_refused(name):
    with pytest.raises(InputError, match="is not one of knight"):
        incident(name)


# ---------------------------------------------------------------------- streams


@pytest.mark.lengthy
@pytest.mark.parametrize("name", ALL)
def test_a_stream_is_what_the_door_would_make_of_its_frame(name):
    log = incident_log(name, scale=0.01, seed=3)
    frame, c = log.to_frame(), log.columns
    given = pd.DataFrame(
        {
            "ts": c["ts"],
            "kind": [str(kind).lower() for kind in frame["kind"]],
            "account": frame["account"].astype(object),
            "instrument": frame["instrument"].astype(object),
            "side": [{1: "B", -1: "S"}.get(side) for side in c["side"].tolist()],
            "qty": frame["qty"].where(frame["kind"] != "CANCEL"),
            "price": frame["price"],
            "type": [
                "market" if k == EventKind.ORDER and p == MISSING else None
                for k, p in zip(c["kind"], c["price"], strict=True)
            ],
            "order_id": [str(row) if row >= 0 else None for row in c["order"].tolist()],
        }
    )
    if "parent" in c:
        given["parent_id"] = [str(row) if row >= 0 else None for row in c["parent"].tolist()]
    made = EventLog.from_frame(given, log.universe.instruments, log.universe.accounts, quanta=log.universe.quanta)
    assert made.universe == log.universe
    for column in c:
        if column != "pair":  # the door numbers pairs as they come
            np.testing.assert_array_equal(made.columns[column], c[column], err_msg=column)
    known = log.pair_instrument[c["pair"]] == made.pair_instrument[made.columns["pair"]]
    assert (known | (c["pair"] < 0)).all() and ((c["pair"] < 0) == (made.columns["pair"] < 0)).all()


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_gives_the_same_log(name):
    one, two, three = (incident_log(name, scale=0.005, seed=seed) for seed in (7, 7, 8))
    assert one.event_hash == two.event_hash and one.universe_hash == two.universe_hash
    if name != "jcom-2005-12-08" and name != "flash-crash-2010-05-06":  # nothing in them is drawn
        assert one.event_hash != three.event_hash


@pytest.mark.parametrize("name", DIGESTS)
def test_the_logs_are_pinned(name):
    assert incident_log(name, scale=0.01).event_hash.hex()[:16] == DIGESTS[name]


def test_knight():
    log, figures = incident_log("knight", scale=0.01), incident("knight").figures
    found = totals(log)
    assert found["orders"] == 40_000 + figures["parents"] and found["fills"] == 40_000
    assert found["quantity"] == 3_970_000
    assert found["seconds"] == 0.01 * 60 * figures["minutes"]
    assert len(np.unique(log.columns["instrument"])) == figures["stocks"]
    side = np.zeros(154)
    fill = log.columns["kind"] == EventKind.FILL
    side[log.columns["instrument"][fill]] = log.columns["side"][fill]
    assert (side > 0).sum() == figures["net_long_stocks"] and (side < 0).sum() == figures["net_short_stocks"]
    assert found["long"] == pytest.approx(0.01 * figures["net_long_usd"], rel=1e-3)
    assert found["short"] == pytest.approx(0.01 * figures["net_short_usd"], rel=1e-3)
    assert found["loss"] == pytest.approx(4_600_000, abs=20)  # one order at one tick


def test_everbright():
    log, figures = incident_log("everbright"), incident("everbright").figures
    found, c = totals(log), log.columns
    order = c["kind"] == EventKind.ORDER
    assert found["orders"] == figures["orders"] and found["seconds"] == figures["seconds"]
    assert [c["qty"][order].min() * 100, c["qty"][order].max() * 100] == figures["single_order_shares"]
    first = c["price"][:180]
    assert (c["qty"][order] * first[c["instrument"][order]]).sum() == pytest.approx(figures["ordered_cny"], rel=1e-6)
    assert found["traded"] == pytest.approx(figures["filled_cny"], rel=1e-3)
    peak = c["price"][c["kind"] == EventKind.PRICE].reshape(-1, 180).max(axis=0) / first - 1
    assert 100 * np.median(peak) == pytest.approx(figures["index_move_pct"], abs=0.15)


def test_infinium():
    found, figures = totals(incident_log("infinium")), incident("infinium").figures
    assert (found["orders"], found["fills"]) == (figures["orders"], figures["filled"])
    assert found["seconds"] == figures["seconds"] and round(found["last_fill"]) == 24
    log = incident_log("infinium")
    assert log.counts()["CANCEL"] == figures["cancelled"]
    fills = log.to_frame().query("kind == 'FILL'")["price"]
    assert [fills.min(), fills.max()] == figures["price_range"]
    assert found["loss"] == figures["loss_usd"]


def test_hanmag():
    found, figures = totals(incident_log("hanmag")), incident("hanmag").figures
    assert (found["orders"], found["seconds"]) == (figures["orders"], figures["seconds"])
    assert len(incident_log("hanmag").universe.instruments) == figures["calls"] + figures["puts"]
    assert found["loss"] == figures["loss_krw"]
    assert incident_log("hanmag").universe.accounts[0].cash == {"KRW": figures["equity_krw"]}


def test_citi():
    log, figures = incident_log("citi"), incident("citi").figures
    found, c = totals(log), log.columns
    parents = np.flatnonzero((c["kind"] == EventKind.ORDER) & (c["parent"] < 0))
    assert len(parents) == figures["lines"]
    first = c["price"][: len(parents)] / 100
    entered = (c["qty"][parents] * first[c["instrument"][parents]]).sum()
    assert entered == pytest.approx(figures["entered_usd"], rel=1e-9)
    assert found["traded"] == pytest.approx(figures["sold_usd"], rel=1e-5)
    assert found["loss"] == pytest.approx(figures["loss_usd"], rel=1e-5)


def test_flash_crash():
    log, figures = incident_log("flash"), incident("flash").figures
    found, c = totals(log), log.columns
    fill = c["kind"] == EventKind.FILL
    since = (c["ts"] - log.about["incident"]["since"]) / 1e9
    assert found["quantity"] == figures["contracts"]
    assert c["qty"][fill & (since <= 780)].sum() == figures["sold_by_14_45"]
    assert found["traded"] == pytest.approx(figures["usd"], rel=1e-4)
    assert since[fill].max() == 60 * figures["minutes"]
    price = c["kind"] == EventKind.PRICE
    way = np.interp([540, 807], since[price], c["price"][price])
    assert 1 - way[1] / way[0] > 0.05
    assert not (fill & (since >= 808) & (since < 813)).any()


def test_goldman_emkay_and_jcom():
    found, figures = totals(incident_log("goldman")), incident("goldman").figures
    assert (found["orders"], found["quantity"]) == (figures["orders"], figures["contracts"])
    assert found["loss"] == pytest.approx(figures["loss_usd"], rel=1e-5)
    assert found["traded"] == figures["shares"] * figures["price_usd"]
    found, figures = totals(incident_log("emkay")), incident("emkay").figures
    assert found["orders"] == figures["orders"]
    assert found["traded"] == pytest.approx(figures["value_inr"], rel=1e-5)
    assert found["loss"] == pytest.approx(figures["loss_inr"], rel=1e-5)
    found, log = totals(incident_log("jcom")), incident_log("jcom")
    order = log.to_frame().query("kind == 'ORDER'").iloc[0]
    assert (order["qty"], order["price"]) == (610_000, 1)
    assert 40e9 < found["loss"] < 40.001e9


def test_a_scale_is_the_beginning_at_its_own_pace():
    whole, half = totals(incident_log("hanmag")), totals(incident_log("hanmag", scale=0.5))
    assert half["seconds"] == whole["seconds"] / 2 and half["loss"] == whole["loss"] / 2
    assert incident_log("jcom", scale=0.1).counts()["ORDER"] == 1


@pytest.mark.parametrize("name", ALL)
def test_the_smallest_part_and_a_way_through_a_file(name, tmp_path):
    log = incident_log(name, scale=1e-7)
    assert log.counts()["ORDER"] == 1 + incident(name).stream.get("parents", 0)
    assert stop_report(log, rules(rate(1)), compiled=False).orders >= 1
    log.to_parquet(tmp_path / "log.parquet")
    again = EventLog.from_parquet(tmp_path / "log.parquet")
    assert again.about == log.about and again.event_hash == log.event_hash


@pytest.mark.parametrize("scale", [0, -1, 1.5, math.nan, "all"])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(InputError, match="scale"):
        incident_log("infinium", scale=scale)


def test_when_it_begins():
    day = incident_log("infinium", scale=0.01, at="2020-01-02 09:00")
    assert day.columns["ts"][0] == pd.Timestamp("2020-01-02 09:00", tz="UTC").value
    zoned = incident_log("infinium", scale=0.01, at=pd.Timestamp("2020-01-02 09:00", tz="Asia/Tokyo"))
    assert zoned.columns["ts"][0] == pd.Timestamp("2020-01-02", tz="UTC").value
    assert incident("knight").start_ns == pd.Timestamp("2012-08-01 13:30", tz="UTC").value
    for wrong in ("noon-ish", pd.NaT):
        with pytest.raises(InputError, match="is not a time"):
            incident_log("infinium", scale=0.01, at=wrong)


# ---------------------------------------------------------------------- injection


def test_injection_changes_nothing_else():
    log = random_log(5, 300)
    at = int(np.median(log.columns["ts"]))
    both = inject(log, "infinium", at=at, scale=0.02)
    old = np.flatnonzero(both.columns["account"] != both.universe.account_codes["INFINIUM"])
    old = old[both.columns["instrument"][old] < len(log.universe.instruments)]
    assert len(old) == len(log) and len(both) == len(log) + len(incident_log("infinium", scale=0.02))
    for name, column in log.columns.items():
        want = np.where(column >= 0, old[column], column) if name in ("order", "parent", "batch") else column
        np.testing.assert_array_equal(both.columns[name][old], want, err_msg=name)
    new, ts = np.setdiff1d(np.arange(len(both)), old), both.columns["ts"]
    assert (ts[new] == np.maximum.accumulate(ts)[new]).all()
    chosen = rules(
        rate(3, "500s"),
        {"type": "max_order_qty", "params": {"limit": 3}},
        {"type": "position_limit", "scope": "account_instrument", "params": {"limit": 6}},
        {"type": "daily_loss", "action": "PAUSE", "params": {"limit": 40}},
    )
    for mode in ("shadow", "enforce"):
        alone = replay_log(log, chosen, mode, compiled=False)
        beside = replay_log(both, chosen, mode, compiled=False)
        rows = beside.rows[np.isin(beside.rows["seq"], old)]
        released = (rows["code"] == DecisionCode.RELEASE) & (rows["key"] == both.universe.account_codes["INFINIUM"])
        rows = rows[~released]  # by a command of the log to all
        assert len(alone.rows) and len(beside.rows) > len(rows)
        cancelled = alone.rows["code"] == DecisionCode.CANCELLED  # which say the row of the order
        alone.rows["observed"][cancelled] = old[alone.rows["observed"][cancelled]]
        for field in ("mask", "observed", "limit", "cause", "code", "until"):
            np.testing.assert_array_equal(rows[field], alone.rows[field])
        np.testing.assert_array_equal(rows["seq"], old[alone.rows["seq"]])
        pd.testing.assert_frame_equal(beside.accounts().loc[alone.accounts().index], alone.accounts())


def test_an_incident_of_an_account_that_is_there():
    log = random_log(6, 100)
    both = inject(log, "infinium", account="A1", scale=0.01)
    assert len(both.universe.accounts) == 3
    report = stop_report(both, rules(rate(5)), lasting_ns="1ms", compiled=False)
    assert report.account == "A1" and report.stopped and report.rule == "order_rate"


def test_what_an_account_lost_before_is_not_counted():
    both = inject(by_hand(*TRADE), "infinium", at=10 * 10**9, account="A", scale=0.01)
    report = stop_report(both, rules(rate(20)), compiled=False)
    alone = stop_report(incident_log("infinium", scale=0.01), rules(rate(20)), compiled=False)
    marked = replay_log(both, RuleSet([]), sample_ns=10**9, compiled=False)
    assert marked.accounts()["profit"]["A"] == -14.0 - alone.loss
    for name in ("loss", "loss_with_limits", "loss_at_stop", "time_to_stop", "orders_accepted", "notional_accepted"):
        assert getattr(report, name) == pytest.approx(getattr(alone, name)), name


def test_another_currency_needs_a_rate():
    log = random_log(6, 100)
    with pytest.raises(InputError, match="rate is missing: the log is in USD and the incident in KRW"):
        inject(log, "hanmag", scale=0.01)
    both = inject(log, "hanmag", scale=0.01, rate="0.001")
    loss = stop_report(both, RuleSet([]), compiled=False).loss
    assert loss == pytest.approx(46_200_000 * 0.01, rel=1e-3)
    assert both.universe.quanta == log.universe.quanta
    with pytest.raises(InputError, match="above zero"):
        inject(log, "hanmag", rate=0)
    with pytest.raises(InputError, match="already"):
        inject(both, "hanmag", rate=1)
    with pytest.raises(InputError, match="empty"):
        inject(EventLog({name: column[:0] for name, column in log.columns.items()}, [], [], log.universe), "hanmag")


# ---------------------------------------------------------------------- stops


def as_events(log):
    frame = log.to_frame()
    names = ("kind", "instrument", "side", "qty", "price", "order")
    rows = zip(log.columns["ts"].tolist(), *(frame[name].tolist() for name in names), strict=True)
    return [dict(zip(("ts", *names), row, strict=True)) for row in rows]


@pytest.mark.parametrize(("name", "scale"), [("infinium", 0.03), ("hanmag", 0.02), ("emkay", 1.0), ("flash", 0.1)])
@pytest.mark.parametrize(("limit", "window"), [(20, 10**9), (40, 100 * 10**9), (3, 10**7)])
def test_a_stop_is_what_plain_loops_find(name, scale, limit, window):
    log = incident_log(name, scale=scale)
    multipliers = {one.id: float(one.multiplier) for one in log.universe.instruments}
    for lasting in (0, 1_000_000_000, 60_000_000_000):
        want = naive_stop(as_events(log), limit, window, multipliers, lasting)
        options = {"lasting_ns": lasting, "orphans": "keep", "compiled": False}
        report = stop_report(log, rules(rate(limit, window)), **options)
        assert report.stopped is (want is not None)
        word = {None: "not", 0.0: "held"}.get(report.through, "throttled")
        assert report.outcome.startswith("stopped" if want else word)
        if want is not None:
            first = log.columns["ts"][log.columns["kind"] == EventKind.ORDER][0]
            assert report.time_to_stop == (want[1] - first) / 1e9
            assert report.loss_at_stop == pytest.approx(want[2], abs=0.01)


def by_hand(*events):
    rows = [dict(zip(("ts", "kind", "side", "qty", "price", "order_id"), event, strict=True)) for event in events]
    frame = pd.DataFrame(rows).assign(account="A", instrument="X")
    return EventLog.from_frame(frame.assign(ts=frame["ts"] * 10**9))


TRADE = (
    (0, "order", "B", 5, 10.0, "a"),
    (0, "fill", "B", 5, 10.0, "a"),
    (1, "order", "B", 9, 10.0, "b"),
    (1, "fill", "B", 9, 10.0, "b"),
    (2, "order", "S", 2, 9.0, "c"),
    (2, "fill", "S", 2, 9.0, "c"),
)


def test_what_reduces_after_the_stop_does_not_undo_it():
    report = stop_report(
        by_hand(*TRADE),
        rules({"type": "max_order_qty", "params": {"limit": 8}}),
        account="A",
        lasting_ns=0,
        compiled=False,
    )
    assert (report.stopped, report.time_to_stop, report.rule) == (True, 1.0, "max_order_qty")
    assert (report.orders, report.orders_accepted) == (3, 2)
    assert (report.notional, report.notional_accepted) == (158.0, 68.0)
    assert (report.traded, report.traded_accepted) == (158.0, 68.0)
    assert (report.loss_at_stop, report.loss_with_limits, report.loss) == (0.0, 5.0, 14.0)


@pytest.mark.parametrize("orders", [59, 60, 120, 121])
def test_a_limit_that_lets_every_second_order_through_stops_nobody(orders):
    """Whichever order is the last; a latch, a long pause and refusals for the declared time do."""
    flow = by_hand(*[(second, "order", "B", 1, 10.0, str(second)) for second in range(orders)])

    def report(*entries, **options):
        return stop_report(flow, rules(*entries), account="A", compiled=False, **options)

    half = report(rate(1, "2s"))
    assert not half.stopped and half.outcome in [f"throttled, {share}% through" for share in (49, 50, 51)]
    assert half.time_to_stop is None and half.first_rejection == 1.0
    latch = report(rate(1, "2s", action="HALT"))
    assert (latch.stopped, latch.time_to_stop, latch.through) == (True, 1.0, 0.0)
    assert report(rate(1, "2s", action="PAUSE", hold="1h")).stopped
    assert not report(rate(1, "2s", action="PAUSE", hold="5s")).stopped
    assert report(rate(9, "1d")).stopped
    longer = report(rate(9, "1d"), lasting_ns="1min")  # refused for a minute from the tenth second on
    assert longer.stopped is (orders > 69)
    assert longer.stopped or longer.outcome == "held to the end of its orders, less than 1 min"


def test_what_adds_after_a_refusal_undoes_it():
    more = (*TRADE, (3, "order", "B", 1, 9.0, "d"))
    size = rules({"type": "max_order_qty", "params": {"limit": 8}})
    report = stop_report(by_hand(*more), size, account="A", lasting_ns=0, compiled=False)
    assert (report.stopped, report.time_to_stop, report.loss_at_stop, report.rule) == (False, None, None, None)
    assert (report.first_rejection, report.first_rule) == (1.0, "max_order_qty")
    flips = (*TRADE, (3, "order", "S", 4, 9.0, "d"))  # 3 are held
    assert not stop_report(by_hand(*flips), size, account="A", lasting_ns=0, compiled=False).stopped


def test_nothing_passes_and_nothing_is_refused():
    none = stop_report(by_hand(*TRADE), RuleSet([]), account="A", compiled=False)
    assert not none.stopped and none.loss == none.loss_with_limits == 14.0
    size = rules({"type": "max_order_qty", "params": {"limit": 1}})
    every = stop_report(by_hand(*TRADE), size, account="A", compiled=False)
    assert (every.time_to_stop, every.loss_at_stop, every.orders_accepted) == (0.0, 0.0, 0)


def test_who_is_asked_for():
    log = by_hand(*TRADE)
    with pytest.raises(InputError, match="account is missing"):
        stop_report(log, RuleSet([]))
    with pytest.raises(InputError, match="is not in this log"):
        stop_report(log, RuleSet([]), account="B", compiled=False)
    both = inject(log, "infinium", scale=0.01)
    quiet = EventLog.from_frame(both_frame := pd.DataFrame({"ts": [1], "kind": "order", "account": "A",
                                "instrument": "X", "side": "B", "qty": 1, "price": 1.0}), accounts=["A", "B"])  # fmt: skip
    assert len(both_frame) == 1
    with pytest.raises(InputError, match="sent no order"):
        stop_report(quiet, RuleSet([]), account="B", compiled=False)
    assert stop_report(both, RuleSet([]), compiled=False).orders == 68


def test_a_basket_that_is_refused_takes_its_slices_along():
    report = stop_report(
        incident_log("citi", scale=0.01), rules({"type": "max_order_notional", "params": {"limit": 1_000_000}}),
        compiled=False,
    )  # fmt: skip
    assert (report.time_to_stop, report.rule) == (0.0, "max_order_notional")
    assert report.orders_accepted == 0 and report.traded_accepted == 0.0


def test_what_is_shown():
    report = stop_report(incident_log("infinium", scale=0.05), rules(rate(100, action="HALT")), compiled=False)
    assert "stopped by" in repr(report) and "order_rate" in report._repr_html_()
    frame = report.to_frame()
    assert frame.index[0] == 0.0 and frame.iloc[0].tolist() == [0.0, 0.0]
    assert frame["without limits"].iloc[-1] == pytest.approx(report.loss)
    assert frame["with limits"].iloc[-1] == pytest.approx(report.loss_with_limits)
    ax = report.plot()
    assert "stopped after" in ax.get_title(loc="left") + ax.get_title()
    import matplotlib.pyplot as plt

    plt.close(ax.figure)


def test_many_incidents_and_rule_sets():
    sets = {"slow": rules(rate(50)), "by size": lambda one: rules(rate(len(one.id)))}
    frame = compare_stops(["infinium", "emkay"], sets, scale=0.02, compiled=False)
    assert frame.index.tolist() == [
        (name, label) for name in ("infinium-2010-02-03", "emkay-2012-10-05") for label in sets
    ]
    alone = stop_report(incident_log("infinium", scale=0.02), sets["slow"], compiled=False)
    assert frame.loc[("infinium-2010-02-03", "slow")].to_dict() == alone.summary()
    with pytest.raises(InputError, match="empty"):
        compare_stops([], sets)


def test_children_that_are_dropped_with_a_refused_parent_show_that_a_stop_lasts():
    """After the refusal of the parent no child passes for 20 s: none of them is refused itself, and none gets through."""
    seconds, parents = [0, 1, *range(2, 23)], [None, None, *["p"] * 21]
    frame = pd.DataFrame({
        "ts": pd.to_datetime(seconds, unit="s", utc=True), "kind": "order", "account": "A", "instrument": "X", "side": "B",
        "qty": [5, 900, *[40] * 21], "price": 10.0, "order_id": ["first", "p", *map(str, range(21))], "parent_id": parents,
    })  # fmt: skip
    log = EventLog.from_frame(frame)
    limit = RuleSet([Rule("size", MaxOrderQty(limit=100))])
    for parents_at, stopped in ((len(frame), True), (8, False)):
        report = stop_report(
            EventLog.from_frame(frame.iloc[:parents_at]), limit, account="A", lasting_ns="10s", compiled=False
        )
        assert report.stopped == stopped and report.first_rule == "size"
        assert report.time_to_stop == (1.0 if stopped else None) and report.orders_accepted == 1
    assert report.orders < len(log)
