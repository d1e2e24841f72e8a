"""All thresholds at once: equal to running each, over random logs, where it is said to be exact; and run where not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from naive.sweep import accepted
from streams import random_log

from riskkit import EventLog, InputError, Rule, RuleSet, replay_log
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.sweeps.one_pass.curve import ThresholdCurve
from riskkit.replay.sweeps.one_pass.levels import attempts_in_window, window_levels
from riskkit.replay.sweeps.one_pass.observed import ALWAYS
from riskkit.replay.sweeps.rule_value.utilization import utilization
from riskkit.rules import (
    DailyLoss,
    MaxActiveOrders,
    MaxExposure,
    MaxOrderNotional,
    MaxOrderQty,
    OrderRate,
    PositionLimit,
    PriceCollar,
    TradingState,
    VolumeCap,
)

WINDOW = "800s"
RATES = {
    "accepted": Rule("r", OrderRate(limit=3, window_ns=WINDOW)),
    "accepted, modifies too": Rule(
        "r", OrderRate(limit=3, window_ns=WINDOW, kinds=("order", "modify")), scope="account_instrument"
    ),
    "attempted": Rule("r", OrderRate(limit=3, window_ns=WINDOW, count="attempted"), scope="product"),
    "reached": Rule("r", OrderRate(limit=3, window_ns=WINDOW, count="attempted", breach="reach")),
    "accepted, reached": Rule("r", OrderRate(limit=3, window_ns=WINDOW, breach="reach"), scope="session"),
    "a day": Rule("r", OrderRate(limit=3, window="calendar_day"), scope="desk"),
    "fixed": Rule("r", OrderRate(limit=3, window_ns=WINDOW, window="fixed_from_first"), scope="strategy"),
    "fixed, attempted": Rule(
        "r",
        OrderRate(limit=3, window_ns=WINDOW, window="fixed_from_first", count="attempted", kinds=("order", "cancel")),
        scope="firm",
    ),
    "working": Rule("r", MaxActiveOrders(limit=3)),
}
SIZES = {
    "quantity": (Rule("r", MaxOrderQty(limit=3)), "limit"),
    "notional": (Rule("r", MaxOrderNotional(limit=300)), "limit"),
    "position": (Rule("r", PositionLimit(limit=6)), "limit"),
    "position in money": (Rule("r", PositionLimit(notional=900, measure="gross", breach="reach")), "notional"),
    "volume": (Rule("r", VolumeCap(limit=20)), "limit"),
    "volume in money": (
        Rule("r", VolumeCap(notional=900, on_missing_price="alert"), scope="account_product"),
        "notional",
    ),
    "exposure": (Rule("r", MaxExposure(limit=2_000), scope="account"), "limit"),
    "net exposure": (Rule("r", MaxExposure(limit=900, measure="net", on_missing_price="allow")), "limit"),
}


def single(log: EventLog) -> EventLog:
    """The same events as single messages, and with nobody's commands."""
    columns = {name: column.copy() for name, column in log.columns.items()}
    columns["batch"][:], columns["weight"][:] = -1, 1
    columns["kind"][columns["kind"] == EventKind.CONTROL] = EventKind.CLOCK
    return EventLog(columns, log.pair_account, log.pair_instrument, log.universe, log.about)


def assert_equal_to_runs(curve: ThresholdCurve, thresholds: list) -> None:
    assert curve.exact, curve.observed.why
    for threshold in thresholds:
        result = replay_log(curve.log, curve.with_threshold(threshold), compiled=False)
        refused = result.rejections()["seq"].tolist()
        assert curve.rejections(threshold).tolist() == refused
        assert curve.counts([threshold]).tolist() == [len(refused)]
        assert curve.rows(threshold).tolist() == result.rows.tolist()
        assert curve.digest(threshold) == result.digest


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", RATES)
def test_counts_of_messages_under_every_threshold(name, seed):
    curve = ThresholdCurve(single(random_log(seed, 150)), RATES[name], "limit", compiled=False)
    assert_equal_to_runs(curve, [0, 1, 2, 3, 5, 9])


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("name", SIZES)
def test_amounts_under_every_threshold(name, seed):
    rule, parameter = SIZES[name]
    curve = ThresholdCurve(single(random_log(seed, 150)), rule, parameter, compiled=False)
    limits, _ = curve.steps()
    some = limits[np.linspace(0, len(limits) - 1, 5).round().astype(int)]
    unit = (
        curve.log.universe.quantum
        if "notional" in (name, parameter) or "exposure" in name
        else curve.log.universe.quantity_unit
    )
    exact = [int(value) * unit for value in some.tolist()]
    assert_equal_to_runs(curve, [*exact, exact[2] + unit / 2, 10**9])


@pytest.mark.slow
def test_accepted_counts_of_random_times_are_nested_and_equal_each_run():
    draw = np.random.default_rng(7)
    for _ in range(150):
        ts = np.cumsum(draw.integers(0, 4, 40))
        keys, window = draw.integers(0, 2, 40), int(draw.integers(0, 22))
        levels = window_levels(ts, keys, window, compiled=False)
        for limit in range(int(levels.max()) + 2):
            assert (levels <= limit).tolist() == accepted(ts.tolist(), keys.tolist(), window, limit)
        tried = attempts_in_window(ts, keys, window, compiled=False)
        for i in range(40):
            inside = (keys[: i + 1] == keys[i]) & (ts[: i + 1] > ts[i] - window)
            assert tried[i] == max(int(inside.sum()), 1)


def test_the_compiled_passes_equal_the_plain_ones():
    draw = np.random.default_rng(8)
    ts, keys = np.cumsum(draw.integers(0, 3, 2_000)), draw.integers(0, 5, 2_000)
    for count in (window_levels, attempts_in_window):
        assert (count(ts, keys, 50) == count(ts, keys, 50, compiled=False)).all()


RUN = {
    "pause": (Rule("r", OrderRate(limit=2, window_ns=WINDOW), action="PAUSE", hold="1h"), "PAUSE"),
    "trip closes": (
        Rule("r", OrderRate(limit=2, window_ns=WINDOW, window="fixed_from_first", reset_on_trip=True)),
        "closes",
    ),
    "buckets": (Rule("r", OrderRate(limit=2, window_ns=WINDOW, bucket_ns="100s")), "buckets"),
    "cancels": (Rule("r", OrderRate(limit=2, window_ns=WINDOW, kinds=("order", "cancel"))), "cancels"),
    "ordered": (Rule("r", VolumeCap(limit=9, measure="ordered")), "does not count"),
    "two caps": (Rule("r", PositionLimit(limit=5, notional=900)), "second cap"),
    "loss": (Rule("r", DailyLoss(limit=50)), "PAUSE"),
    "modifies of strategies": (
        Rule("r", OrderRate(limit=2, window_ns=WINDOW, kinds=("modify",)), scope="strategy"),
        "only the loop",
    ),
}


@pytest.mark.parametrize("name", RUN)
def test_what_is_not_nested_is_run_and_says_so(name):
    rule, why = RUN[name]
    log = single(random_log(5, 120))
    curve = utilization(log, RuleSet([rule]), compiled=False).curve("r")
    assert not curve.exact and why in curve.observed.why
    result = replay_log(log, curve.with_threshold(1), compiled=False)
    assert curve.rejections(1).tolist() == result.rejections()["seq"].tolist()
    assert curve.digest(1) == result.digest and curve.counts([1]).tolist() == [len(result.rejections())]
    with pytest.raises(InputError, match="name the thresholds"):
        curve.steps()


def test_lists_of_orders_and_commands_are_run():
    log = random_log(7, 120)
    assert "lists" in ThresholdCurve(log, RATES["accepted"], "limit", compiled=False).observed.why
    columns = {**log.columns, "batch": np.full(len(log), -1)}
    commanded = EventLog(columns, log.pair_account, log.pair_instrument, log.universe)
    assert "commands" in ThresholdCurve(commanded, RATES["accepted"], "limit", compiled=False).observed.why


def test_the_table_of_used_shares():
    log = single(random_log(9, 200))
    rules = RuleSet(
        [
            Rule("size", MaxOrderQty(limit=4)),
            Rule("money", MaxOrderNotional(limit=300)),
            Rule("loss", DailyLoss(limit=9)),
        ]
    )
    found = utilization(log, rules, compiled=False)
    result = replay_log(log, rules, compiled=False)
    refused = found.frame["refused"].groupby("rule").sum()
    by_rule = {rule: len(found.curve(rule).rejections(limit)) for rule, limit in (("size", 4), ("money", 300))}
    assert refused.to_dict() == by_rule and by_rule["size"] == result.objections_by_rule()["size"] > 0
    kinds = np.isin(log.columns["kind"], (EventKind.ORDER, EventKind.MODIFY))
    assert found.frame.loc["size", "messages"].sum() <= kinds.sum()
    account = log.columns["account"]
    own = found.curve("size").observed
    shares = own.seen[account[own.seq] == 0] * found.curve("size").unit / 4
    assert found.frame.loc[("size", "A0"), "most"] == pytest.approx(shares.max())
    assert found.frame.loc[("size", "A0"), "median"] == pytest.approx(np.sort(shares)[(len(shares) - 1) // 2])
    assert "loss" not in found.frame.index.get_level_values("rule")
    assert found.how["loss"].startswith("run") and found.how["size"].startswith("replay")
    assert "most used" in repr(found) and "<table" in found._repr_html_()
    seen = found.curve("money").observed.seen  # an order that closes nothing is for none, which no limit refuses
    assert len(found.shares("money")) == ((seen != ALWAYS) & (seen > 0)).sum() < len(seen)


def test_pictures_and_tables_of_curves():
    import matplotlib

    matplotlib.use("Agg")
    log = single(random_log(10, 150))
    rules = RuleSet([Rule("size", PositionLimit(limit=4)), Rule("money", MaxOrderNotional(limit=300))])
    found = utilization(log, rules, compiled=False)
    curve = found.curve("size")
    frame = curve.to_frame()
    assert (
        frame["rejected"].is_monotonic_decreasing
        and frame["rejected"].iloc[-1] == (curve.observed.seen == ALWAYS).sum()
    )
    assert curve.to_frame([1, 2])["rejected"].tolist() == curve.counts([1, 2]).tolist()
    ax = curve.plot()
    assert str(len(curve.rejections(4))) in ax.get_title(loc="left")
    assert len(found.plot().get_lines()) == 3
    assert "rejected at 0" in repr(curve)


def test_refusals_of_bad_questions():
    log = single(random_log(11, 60))
    rules = RuleSet(
        [Rule("loss", DailyLoss(limit=9)), Rule("collar", PriceCollar(pct="0.1")), Rule("gate", TradingState())]
    )
    found = utilization(log, rules, compiled=False)
    with pytest.raises(InputError, match="not in these rules"):
        found.curve("rate")
    with pytest.raises(InputError, match="needs a parameter"):
        found.curve("gate")
    with pytest.raises(InputError, match="not known from one pass"):
        found.shares("loss")
    with pytest.raises(InputError, match="no rule has a used share"):
        found.plot()


def test_an_empty_log_has_empty_curves():
    log = single(random_log(12, 20))
    columns = {name: column[:0] for name, column in log.columns.items()}
    empty = EventLog(columns, log.pair_account, log.pair_instrument, log.universe)
    rules = RuleSet([Rule("size", MaxOrderQty(limit=4)), Rule("rate", OrderRate(limit=4, window_ns="1s"))])
    found = utilization(empty, rules, compiled=False)
    assert len(found.frame) == 0 and found.curve("size").counts([0, 4]).tolist() == [0, 0]
    assert found.curve("rate").digest(4) == replay_log(empty, RuleSet([rules["rate"]]), compiled=False).digest


def test_a_threshold_in_units_of_the_loop_is_the_largest_that_passes():
    log = single(random_log(1, 60))
    for breach, less in (("exceed", 0), ("reach", 1)):
        curve = ThresholdCurve(log, Rule("size", PositionLimit(limit=5, breach=breach)), "limit", compiled=False)
        assert curve.to_integer(3) == 3 / log.universe.quantity_unit - less


@pytest.mark.parametrize(("breach", "messages"), [("exceed", 2), ("reach", 3)])
def test_messages_are_those_that_a_limit_can_refuse(breach, messages):
    """Buy 5, buy 1, sell 6: the last ends flat, and a position limit of zero refuses it only if reaching it does."""
    rows = []
    for number, (side, qty) in enumerate([("B", 5), ("B", 1), ("S", 6)]):
        one = {"account": "A", "instrument": "X", "side": side, "qty": qty, "price": 10, "order_id": str(number)}
        rows += [{"ts": number, "kind": kind, **one} for kind in ("order", "fill")]
    log = EventLog.from_frame(pd.DataFrame(rows))
    found = utilization(log, RuleSet([Rule("position", PositionLimit(limit=4, breach=breach))]), compiled=False)
    assert found.frame["messages"].tolist() == [messages] and len(found.shares("position")) == messages
    at_zero = replay_log(log, RuleSet([Rule("position", PositionLimit(limit=0, breach=breach))]), compiled=False)
    assert len(at_zero.rejections()) == messages
