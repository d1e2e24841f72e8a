"""Limits proposed from the record: against plain computations from a table, and against replays of what is proposed."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from naive import proposals as naive
from replay.sweeps.test_utilization import single
from scipy import stats
from streams import random_log

from riskkit import EventLog, InputError, Instrument, Rule, RuleSet, replay_log
from riskkit.replay.schema.universe import exact
from riskkit.replay.sweeps.proposals.return_level import return_level
from riskkit.rules import (
    DrawdownLimit,
    MaxExposure,
    MaxOrderNotional,
    MaxOrderQty,
    OrderRate,
    PositionLimit,
    PriceCollar,
    VolumeCap,
)
from riskkit.sweeps import propose_limits, utilization

DAY = naive.DAY
PLAIN = {"compiled": False}
SIZE = RuleSet([Rule("size", MaxOrderQty(limit=1), scope="account_instrument")])


def orders(n: int, seed: int = 0, step: int = DAY // 3) -> pd.DataFrame:
    """Orders of two accounts in two instruments, filled, with skewed sizes."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"ts": np.arange(n) * step, "kind": "order"})
    frame["account"], frame["instrument"] = draw.choice(["A", "B"], n), draw.choice(["X", "Y"], n, p=[0.8, 0.2])
    frame["side"], frame["price"] = draw.choice(["B", "S"], n), np.where(frame["instrument"] == "X", 10, 50)
    frame["qty"] = np.ceil(draw.lognormal(2.0, 1.0, n)).astype(int)
    frame["order_id"] = [f"o{i}" for i in range(n)]
    return frame


def filled(frame: pd.DataFrame) -> EventLog:
    fills = frame.assign(ts=frame["ts"] + 1, kind="fill")
    return EventLog.from_frame(pd.concat([frame, fills]).sort_values("ts", kind="stable", ignore_index=True))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return orders(900)


@pytest.fixture(scope="module")
def log(table) -> EventLog:
    return filled(table)


@pytest.fixture(scope="module")
def levels(table) -> dict[str, tuple[float, float, float]]:
    """Return level of 24 months of each key, from the table."""
    months, found = (int(table["ts"].max()) + 1) / (365.25 / 12 * DAY), {}
    for key, part in table.groupby(["account", "instrument"]):
        episodes = naive.by_episode(zip(part["ts"], part["qty"], strict=True), DAY)
        found["/".join(key)] = naive.return_level(episodes, 24 * len(episodes) / months, 0.9)
    return found


# ---------------------------------------------------------------------- against a plain computation


@pytest.mark.lengthy
@pytest.mark.parametrize("basis", ["larger", "percentile", "return_level"])
@pytest.mark.parametrize("percentile", [1.0, 0.95])
def test_a_proposal_equals_the_naive_computation(log, table, levels, percentile, basis):
    found = propose_limits(log, SIZE, percentile=percentile, headroom=1.2, basis=basis, once_in_months=24, **PLAIN)
    proposals = {}
    for (account, instrument), part in table.groupby(["account", "instrument"]):
        key, row = f"{account}/{instrument}", found.frame.loc[("size", f"{account}/{instrument}")]
        sizes, pairs = part["qty"].tolist(), list(zip(part["ts"], part["qty"], strict=True))
        assert (row["messages"], row["most"], row["episodes"]) == (
            *(len(sizes), max(sizes)),
            len(naive.by_episode(pairs, DAY)),
        )
        assert row["percentile"] == naive.percentile(sizes, percentile)
        assert row[["return_level", "return_level_low", "return_level_high"]].tolist() == pytest.approx(
            levels[key], rel=2e-2
        )
        choices = {
            "percentile": 1.2 * naive.percentile(sizes, percentile),
            "return_level": math.ceil(row["return_level"]),
        }
        wanted = max(choices.values()) if basis == "larger" else choices[basis]
        proposals[key] = naive.up_to_digits(wanted, 2)
        assert float(row["proposed"]) == pytest.approx(proposals[key])
        assert row["refused"] == sum(size > proposals[key] for size in sizes)
    every = found.frame.loc[("size", "(all)")]
    assert float(every["proposed"]) == pytest.approx(max(proposals.values()))
    assert every["reason"].startswith(f"{max(proposals, key=proposals.__getitem__)}: ")


def test_the_hours_of_a_key_are_those_of_the_table(log, table):
    found = propose_limits(log, SIZE, percentile=0.5, **PLAIN).by_hour("size", tz="Asia/Kathmandu")
    local = pd.to_datetime(table["ts"], utc=True).dt.tz_convert("Asia/Kathmandu")
    for (key, hour), row in found.iterrows():
        account, instrument = key.split("/")
        mine = (table["account"] == account) & (table["instrument"] == instrument) & (local.dt.hour == hour)
        sizes = table["qty"][mine].tolist()
        assert (row["messages"], row["most"]) == (len(sizes), max(sizes))
        assert row["percentile"] == naive.percentile(sizes, 0.5)
    assert found["messages"].sum() == len(table)


def test_limits_against_the_volume_of_the_market(log, table):
    money = RuleSet(
        [*SIZE, Rule("money", MaxOrderNotional(limit=500)), Rule("rate", OrderRate(limit=9, window_ns="1d"))]
    )
    found = propose_limits(log, money, market_volume={"X": 5_000, "Y": 400}, **PLAIN).frame
    assert found.loc[("size", "A/X"), "proposed_to_adv"] == float(found.loc[("size", "A/X"), "proposed"]) / 5_000
    assert found.loc[("size", "A/Y"), "now_to_adv"] == 1 / 400
    row = found.loc[("money", "A")]  # 5,000 at 10 is 50,000, 400 at 50 is 20,000 in money
    assert row["now_to_adv"] == pytest.approx(500 / 20_000)
    assert row["proposed_to_adv"] == pytest.approx(float(row["proposed"]) / 20_000)
    assert math.isnan(found.loc[("rate", "A"), "now_to_adv"])
    own = propose_limits(log, SIZE, market_volume="log", **PLAIN).frame
    bought = table[(table["side"] == "B")]
    adv = bought.groupby("instrument")["qty"].sum() / bought["ts"].floordiv(DAY).nunique()
    assert own.loc[("size", "B/Y"), "now_to_adv"] == pytest.approx(1 / adv["Y"])
    assert own.loc[("size", "(all)"), "now_to_adv"] == pytest.approx(1 / adv.min())


# ---------------------------------------------------------------------- against replays

EVERY = RuleSet(
    [
        Rule("size", MaxOrderQty(limit=1)),
        Rule("money", MaxOrderNotional(limit="0.01", breach="reach")),
        Rule("rate", OrderRate(limit=1, window_ns="1h")),
        Rule("tries", OrderRate(limit=1, window_ns="3h", count="attempted", breach="reach"), scope="instrument"),
        Rule("position", PositionLimit(limit=1), scope="account_instrument"),
        Rule("volume", VolumeCap(limit=1), scope="instrument"),
        Rule("exposure", MaxExposure(limit=1)),
    ]
)


@pytest.mark.lengthy
@pytest.mark.parametrize("seed", range(2))
def test_what_is_proposed_is_refused_as_often_as_it_says(seed):
    log = single(random_log(seed, 160))
    for percentile, headroom in ((1.0, 1.0), (0.8, 1.0), (1.0, 1.7)):
        found = propose_limits(
            log, EVERY, percentile=percentile, headroom=headroom, basis="percentile", digits=9, **PLAIN
        )
        proposed = found.to_rules()
        for rule, row in found.frame.reset_index("key").query("key == '(all)'").iterrows():
            alone = replay_log(log, RuleSet([proposed[rule]]), **PLAIN)
            priced = alone.rejections()["seq"]
            curve = utilization(log, EVERY, **PLAIN).curve(rule)
            unpriced = curve.rejections(10**12)
            assert len(priced) - len(unpriced) == row["refused"]
            if percentile == 1.0:
                assert row["refused"] == 0
        assert set(found.not_proposed) | set(found.observations) == {rule.id for rule in EVERY}


def test_a_proposal_goes_straight_into_a_rule_set(log):
    mixed = RuleSet([*SIZE, Rule("loss", DrawdownLimit(money=500)), Rule("collar", PriceCollar(pct="0.1"))])
    found = propose_limits(log, mixed, **PLAIN)
    rules = found.to_rules()
    assert [rule.id for rule in rules] == ["size", "loss", "collar"]
    assert rules["loss"] == mixed["loss"] and rules["collar"] == mixed["collar"]
    assert rules["size"].parameters.limit == found.frame.loc[("size", "(all)"), "proposed"]
    assert RuleSet.from_dict(rules.to_dict()) == rules
    assert set(found.not_proposed) == {"loss", "collar"} and "no proposal" in repr(found)
    assert "refused in the record" in repr(found)
    none = propose_limits(log, RuleSet([mixed["loss"]]), **PLAIN)
    assert none.to_rules() == none.base and none.frame.empty


def test_fractions_of_lots_are_exact():
    frame = pd.DataFrame({"ts": range(3), "kind": "order", "account": "A", "instrument": "X", "side": "B", "price": 10})
    frame["qty"] = ["0.003", "0.00101", "0.002"]
    log = EventLog.from_frame(frame, [Instrument("X", lot="0.00001")])
    found = propose_limits(log, SIZE, headroom=1.1, **PLAIN)
    assert found.to_rules()["size"].parameters.limit == "0.0033"
    assert exact(propose_limits(log, SIZE, headroom=1.0, digits=1, **PLAIN).frame["proposed"].iloc[0], "") == Fraction(
        3, 1000
    )


# ---------------------------------------------------------------------- return levels


def test_the_return_level_is_met_as_often_as_it_says():
    days = np.random.default_rng(3).exponential(size=400)
    found = return_level(days, 100.0, 0.9)
    assert found.episodes_between(found.level) == pytest.approx(100.0)
    assert found.low < found.level < found.high
    assert found.episodes_between(found.threshold) == pytest.approx(10.0)
    assert math.isnan(found.episodes_between(found.threshold - 1.0))
    bounded = return_level(np.random.default_rng(3).uniform(size=400), 100.0, 0.9)
    assert bounded.episodes_between(2.0) == math.inf
    scaled = return_level(1e6 * days + 5e6, 100.0, 0.9)
    assert scaled[:3] == pytest.approx(tuple(1e6 * end + 5e6 for end in found[:3]))


@pytest.mark.parametrize(
    ("largest", "n", "why"),
    [
        (np.arange(20.0), 50.0, "more than 20 episodes, and there are 20"),
        (np.repeat([1.0, 2.0], [90, 10]), 50.0, "of the 100 episodes are equal"),
        (np.arange(100.0), 4.0, "one in 4 episodes is not rare"),
    ],
)
def test_where_there_is_no_return_level(largest, n, why):
    found = return_level(largest, n, 0.9)
    assert why in found.why and math.isnan(found.level) and math.isnan(found.episodes_between(1e9))


@pytest.mark.parametrize("n_days", [100, 250])
@pytest.mark.parametrize(
    "law", [stats.expon(), stats.lognorm(1.0), stats.pareto(4.0)], ids=["exponential", "lognormal", "Pareto"]
)
def test_intervals_of_return_levels_cover(law, n_days, long):
    rng, n_samples, true = np.random.default_rng(n_days), 1_000 if long else 60, law.isf(1 / 250)
    found = [return_level(law.rvs(n_days, random_state=rng), 250.0, 0.90) for _ in range(n_samples)]
    covered = np.mean([one.low <= true <= one.high for one in found])
    assert covered > 0.85 - 2.0 * math.sqrt(0.85 * 0.15 / n_samples)


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"percentile": 99}, "percentile=99 is not above 0 and at most 1; 0.999 leaves one in a thousand above"),
        ({"headroom": 0.5}, "headroom=0.5 is below 1; it is a factor on the percentile, as 1.5"),
        ({"once_in_months": 0}, "once_in_months=0 is not above zero"),
        ({"basis": "mean"}, "basis='mean' is not one of 'larger', 'percentile', 'return_level'"),
        ({"coverage": 90}, "coverage=90 is not between 0 and 1; use 0.9 for 90%"),
        ({"digits": 0}, "digits=0 is not a whole number from 1 to 9"),
        ({"episode_ns": 0}, "episode_ns=0"),
        ({"market_volume": {"X": 5}}, "market_volume has no 'Y'; give the market's volume of a day of each instrument"),
        ({"market_volume": {"X": 5, "Y": 0}}, r"market_volume\['Y'\]=0 is not above zero"),
        ({"market_volume": 5}, "market_volume=5 is no mapping; give a quantity by instrument"),
        ({"market_volume": "market"}, "market_volume='market' is not one of 'log'"),
    ],
)
def test_what_is_refused(log, wanted, sentence):
    with pytest.raises(InputError, match=sentence):
        propose_limits(log, SIZE, **wanted, **PLAIN)


def test_what_a_log_cannot_say(table):
    unfilled = EventLog.from_frame(table)
    with pytest.raises(InputError, match="needs the fills of the market in the log, and it has no fill"):
        propose_limits(unfilled, SIZE, market_volume="log", **PLAIN)
    with pytest.raises(InputError, match="the log is empty"):
        propose_limits(EventLog.from_frame(table[:0]), SIZE, **PLAIN)
    with pytest.raises(InputError, match="rule='money' has no proposal; these have: size"):
        propose_limits(unfilled, SIZE, **PLAIN).by_hour("money")
    with pytest.raises(InputError, match="tz='Mars' is not a time zone"):
        propose_limits(unfilled, SIZE, **PLAIN).by_hour("size", tz="Mars")
    short = propose_limits(EventLog.from_frame(table[:9]), SIZE, basis="return_level", **PLAIN)
    assert "no return level: it takes more than 20 episodes" in short.not_proposed["size"]
