"""Effectiveness: what a rule stops is what it would stop alone; the minimal set stops everything and is the least."""

from __future__ import annotations

import numpy as np
import pytest
from naive.sweep import earned, smallest_cover
from replay.sweeps.test_utilization import single
from streams import random_log

from riskkit import InputError, Rule, RuleSet, replay_log
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.sweeps.rule_value.effectiveness import effectiveness, stops_of
from riskkit.replay.sweeps.rule_value.min_rule_set import min_rule_set
from riskkit.rules import (
    ConsecutiveLosses,
    DailyLoss,
    DrawdownLimit,
    MaxActiveOrders,
    MaxOrderNotional,
    MaxOrderQty,
    MessageThrottle,
    OrderRate,
    PositionLimit,
    VolumeCap,
)

RULES = RuleSet(
    [
        Rule("warn", MaxOrderQty(limit=1), action="ALERT"),
        Rule("size", MaxOrderQty(limit=3)),
        Rule("looser", MaxOrderQty(limit=4)),
        Rule("huge", MaxOrderQty(limit=1_000_000)),
        Rule("position", PositionLimit(limit=9), action="PAUSE", hold="session"),
        Rule("rate", OrderRate(limit=2, window_ns="800s"), action="PAUSE", hold="20min"),
        Rule("fall", DrawdownLimit(money=60)),
        Rule("losses", ConsecutiveLosses(limit=2)),
    ]
)


@pytest.mark.lengthy
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_what_a_rule_stops_is_what_it_stops_alone(seed):
    log = random_log(seed, 220)
    extra = [
        Rule("level", MessageThrottle(reject_mps=1, logout_mps=2, window_ns="3s")),
        Rule("day", DailyLoss(limit=30)),
    ]
    extra += [Rule("cap", VolumeCap(limit=20), action="PAUSE"), Rule("works", MaxActiveOrders(limit=4), action="HALT")]
    rules = RuleSet([*RULES, *extra])
    seq, masks = stops_of(replay_log(log, rules, compiled=False))
    for k, rule in enumerate(rules):
        alone = replay_log(log, RuleSet([rule]), compiled=False).rejections()
        by_person = alone["seq"][alone["mask"] & 1 == 0]
        expected = [] if rule.action == "ALERT" else np.setdiff1d(alone["seq"], by_person).tolist()
        assert seq[masks >> k & 1 != 0].tolist() == expected, rule.id


@pytest.mark.lengthy
def test_the_table_of_rules():
    log = single(random_log(7, 300))
    result = replay_log(log, RULES, compiled=False)
    found = effectiveness(result, compiled=False)
    frame, refused = found.frame, set(result.rejections()["seq"].tolist())
    alone = {
        rule.id: set(replay_log(log, RuleSet([rule]), compiled=False).rejections()["seq"].tolist()) for rule in RULES
    }
    assert frame["shadow_stops"].to_dict() == {name: len(stops) for name, stops in alone.items()}
    assert set().union(*alone.values()) == refused
    for name, stops in alone.items():
        others = set().union(*(other for id, other in alone.items() if id != name))
        assert frame.loc[name, "shadow_only"] == len(stops - others)
        assert frame.loc[name, "redundant"] == (bool(stops) and not stops - others)
        assert frame.loc[name, "never_binding"] == (not stops) and not frame.loc[name, "always_binding"]
        for other, also in alone.items():
            share = len(stops & also) / len(stops) if stops else np.nan
            assert found.overlap.loc[name, other] == pytest.approx(share, nan_ok=True)
    assert (
        frame.loc["looser", "redundant"]
        and frame.loc["huge", "never_binding"]
        and frame.loc["warn", "shadow_stops"] == 0
    )
    assert set().union(*(alone[name] for name in found.minimal)) == refused
    assert found.minimal_how == "exact" and frame["minimal"].sum() == len(found.minimal)
    assert frame["shadow_named"].to_dict() == result.refusals_by_rule()
    _check_money(log, alone, frame)
    _check_first(log, alone, frame)


def _check_money(log, alone, frame):
    went = earned(log, None)
    for name, stops in alone.items():
        values = [float(went[seq]) for seq in stops if log.columns["kind"][seq] == EventKind.ORDER]
        assert frame.loc[name, "loss_avoided"] == pytest.approx(-sum(v for v in values if v < 0))
        assert frame.loc[name, "profit_forgone"] == pytest.approx(sum(v for v in values if v > 0))
        assert frame.loc[name, "hindsight_net"] == pytest.approx(-sum(values))
        assert (frame.loc[name, "good_rejections"], frame.loc[name, "bad_rejections"]) == (
            sum(v < 0 for v in values),
            sum(v > 0 for v in values),
        )


def _check_first(log, alone, frame):
    account = log.columns["account"]
    counts = dict.fromkeys(alone, 0)
    for code in range(len(log.universe.accounts)):
        starts = {name: min((s for s in stops if account[s] == code), default=None) for name, stops in alone.items()}
        earliest = min((s for s in starts.values() if s is not None), default=None)
        for name, start in starts.items():
            counts[name] += start is not None and start == earliest
    assert frame["shadow_first"].to_dict() == counts and sum(counts.values()) >= len(log.universe.accounts)


def test_limits_against_the_traded_day_and_the_most_observed():
    log = single(random_log(8, 300))
    rules = RuleSet(
        [
            Rule("size", MaxOrderQty(limit=3)),
            Rule("money", MaxOrderNotional(limit=900)),
            Rule("rate", OrderRate(limit=2, window_ns="1h")),
        ]
    )
    frame = effectiveness(replay_log(log, rules, compiled=False), compiled=False).frame
    columns, universe = log.columns, log.universe
    fills = [i for i in np.flatnonzero(columns["kind"] == EventKind.FILL) if not columns["flags"][i] & _skipped()]
    days = len({int(columns["ts"][i]) // 86_400_000_000_000 for i in fills})
    quantity, money = {}, {}
    for i in fills:
        instrument, account = universe.instruments[columns["instrument"][i]], columns["account"][i]
        lots = float(columns["qty"][i] * instrument.qty_step)
        place = account, instrument.id
        quantity[place] = quantity.get(place, 0.0) + lots
        worth = abs(lots * float(columns["price"][i] * instrument.price_step * instrument.multiplier))
        money[account] = money.get(account, 0.0) + worth
    assert frame.loc["size", "limit_to_own_volume"] == pytest.approx(3 / (max(quantity.values()) / days))
    assert frame.loc["money", "limit_to_own_volume"] == pytest.approx(900 / (max(money.values()) / days))
    assert np.isnan(frame.loc["rate", "limit_to_own_volume"])
    sizes = [
        float(columns["qty"][i] * universe.instruments[columns["instrument"][i]].qty_step)
        for i in range(len(log))
        if columns["kind"][i] == EventKind.ORDER
    ]
    assert frame.loc["size", "observed_most"] >= max(sizes)
    assert frame.loc["size", "limit_to_most"] == pytest.approx(3 / frame.loc["size", "observed_most"])


def _skipped() -> int:
    from riskkit.replay.schema.columns import RowFlag

    return int(RowFlag.BAD_TS | RowFlag.DUPLICATE | RowFlag.CLOSE_POSITION)  # one that closes nothing is for none


def test_always_binding_and_no_rules():
    log = single(random_log(9, 60))
    columns = dict(log.columns)
    only_orders = columns["kind"] == EventKind.ORDER
    assert only_orders.any()
    rules = RuleSet([Rule("size", MaxOrderQty(limit=0)), Rule("none", MaxOrderQty(limit=10**6))])
    frame = effectiveness(replay_log(log, rules, compiled=False), compiled=False).frame
    skipped = (columns["flags"] & _skipped() != 0) & np.isin(columns["kind"], (EventKind.ORDER, EventKind.MODIFY))
    assert frame.loc["size", "always_binding"] == (not skipped.any()) and frame.loc["none", "never_binding"]
    empty = effectiveness(replay_log(log, RuleSet([]), compiled=False), compiled=False)
    assert empty.minimal == () and len(empty.frame) == 0 and "no rule" in repr(empty)


@pytest.mark.parametrize("seed", range(40))
def test_the_minimal_cover_is_the_least(seed):
    draw = np.random.default_rng(seed)
    bits = int(draw.integers(1, 8))
    masks = draw.integers(0, 2**bits, int(draw.integers(0, 14))).tolist()
    found, how = min_rule_set(masks)
    assert how == "exact" and len(found) == smallest_cover(masks, bits)
    assert all(any(mask >> bit & 1 for bit in found) for mask in masks if mask)


def test_a_large_cover_is_greedy_and_says_so():
    draw = np.random.default_rng(1)
    masks = [int(sum(1 << int(bit) for bit in draw.choice(40, 3, replace=False))) for _ in range(60)]
    found, how = min_rule_set(masks)
    assert how == "greedy" and all(any(mask >> bit & 1 for bit in found) for mask in masks)


def test_enforce_is_refused_and_pictures_are_drawn():
    import matplotlib

    matplotlib.use("Agg")
    log = single(random_log(9, 80))
    with pytest.raises(InputError, match="shadow mode"):
        effectiveness(replay_log(log, RULES, "enforce", compiled=False), compiled=False)
    found = effectiveness(replay_log(log, RULES, compiled=False), horizon_ns=10**12, compiled=False)
    assert "stop everything" in found.plot().get_title(loc="left")
    assert "1,000 s after" in repr(found) and "<table" in found._repr_html_()
