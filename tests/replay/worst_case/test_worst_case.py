"""The worst case inside the limits: no stream beats the upper bound, and the replayed one is as bad as any where tight."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive.worst_case import MANY, World, best

from riskkit import Account, EventLog, InputError, Instrument, Rule, RuleSet, replay_log, worst_case
from riskkit.replay import WorstCase
from riskkit.replay.schema.columns import DecisionCode, EventKind
from riskkit.rules import (
    CashLimit,
    ConsecutiveLosses,
    DailyLoss,
    DrawdownLimit,
    LongOnly,
    MaxExposure,
    MaxOrderNotional,
    MaxOrderQty,
    OrderRate,
    PositionLimit,
    PriceCollar,
    VolumeCap,
)

OBJECTIVES = ("position", "loss", "turnover")
DAY = 86_400_000_000_000


def rate(limit, window=1_000_000_000, **rest):
    options = {name: rest.pop(name) for name in ("scope", "action") if name in rest}
    return Rule("rate", OrderRate(limit=limit, window_ns=window, **rest), **options)


def size(limit, **rest):
    return Rule("size", MaxOrderQty(limit=limit), **rest)


def held(limit, **rest):
    return Rule("held", PositionLimit(limit=limit), **rest)


def answer(rules, horizon="1s", capital=10_000, price_bound="0.1", **rest) -> WorstCase:
    found = worst_case(RuleSet(rules), horizon, capital, price_bound, **{"max_orders": 40, **rest})
    assert len(found.result.rejections()) == 0
    assert found.upper is None or found.lower <= found.upper
    return found


# ---------------------------------------------------------------------- against every stream of a tiny world

TINY = [
    (World(98, 102, 100, 2, 6, rate=2, window=2, size=2), "tight"),
    (World(98, 102, 100, 2, 6, rate=2, window=2, size=2, held=3), "tight"),
    (World(98, 102, 100, 1, 3, rate=3, window=2, held=1), "tight"),
    (World(98, 102, 100, 0, 5, size=2, held=2, volume=6), "tight"),
    (World(98, 102, 100, 1, 4, rate=2, window=1, notional=200), ""),
    (World(98, 102, 100, 0, 5, size=1, held=2, loss=6), "tight"),
    (World(98, 102, 100, 0, 3, held=1, loss=3, largest=2), "tight"),
]


def rules_of(world: World) -> RuleSet:
    """The tiny world's limits as rules; its price of 1 is a cent."""
    rules = []
    if world.rate < MANY:
        rules.append(rate(world.rate, world.window))
    if world.size < MANY:
        rules.append(size(world.size))
    if world.notional < MANY:
        rules.append(Rule("money", MaxOrderNotional(limit=f"{world.notional / 100:.2f}")))
    if world.held < MANY:
        rules.append(held(world.held))
    if world.volume < MANY:
        rules.append(Rule("volume", VolumeCap(limit=world.volume)))
    if world.loss < MANY:
        rules.append(Rule("loss", DailyLoss(limit=f"{world.loss / 100:.2f}")))
    return RuleSet(rules)


@pytest.mark.parametrize("world, verdict", TINY)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_against_every_stream(world, verdict, objective):
    price_bound = (world.high - world.start) / world.start
    options = {"objective": objective, "price": "1.00", "max_orders": world.max_orders}
    found = worst_case(rules_of(world), world.horizon, 1_000, price_bound, **options)
    scale = 1 if objective == "position" else 100
    every = best(world, objective)
    assert round(found.lower * scale) <= every
    if found.upper is not None:
        upper = round(found.upper * scale)
        assert every <= upper
        if verdict == "tight" and world.volume == MANY and not (objective != "position" and world.loss < MANY):
            assert found.verdict == "tight" and every == upper


@pytest.mark.lengthy
@pytest.mark.parametrize("world", [TINY[5][0], TINY[6][0]])
def test_a_daily_loss_bounds_the_loss_of_each_day_and_the_gap_after_it(world):
    """In one moment no day turns, so all of the day's loss is in it: exactly what the search finds."""
    found = worst_case(rules_of(world), 0, 1_000, "0.02", price="1.00")
    most = world.held * (2 if world.size == MANY else 1)
    assert found.upper == pytest.approx((world.loss - 1 + most * 4) / 100)
    assert round(found.upper * 100) >= best(world._replace(max_orders=5), "loss")
    assert found.verdict == "tight"


# ---------------------------------------------------------------------- the numbers one can do by hand


@pytest.mark.parametrize(
    "options, orders",
    [
        ({"window": 10}, 6),  # three at the one edge, three at the other
        ({"window": 11}, 3),
        ({"window": 5}, 9),
        ({"window": 10, "kind": "fixed_from_first"}, 6),
        ({"window": 10, "bucket_ns": 5}, 6),
        ({"window": 0, "kind": "calendar_day"}, 6),
    ],
)
def test_orders_at_the_edges_of_windows(options, orders):
    kind = options.pop("kind", "sliding")
    found = answer([rate(3, window=options.pop("window"), **options) if kind == "sliding" else
                    Rule("rate", OrderRate(limit=3, window_ns=options["window"], window=kind)), size(1)],
                   10, objective="position")  # fmt: skip
    assert found.upper == orders and found.rules == ("rate", "size")
    assert found.lower <= orders and (found.lower == orders or options.get("bucket_ns"))


def test_every_account_has_its_own_limits_and_shares_the_global_ones():
    own = answer([rate(3), size(10)], objective="position", accounts=3)
    shared = answer([rate(3, scope="global"), size(10)], objective="position", accounts=3)
    assert (own.lower, own.upper) == (180, 180)
    assert (shared.lower, shared.upper) == (60, 60)
    assert answer([held(7, scope="global")], objective="position", accounts=3).upper == 21  # a position is an account's


def test_the_side_that_loses_has_half_of_what_is_traded_and_held():
    found = answer([rate(3), size(10), held(25)], "3s")
    assert (found.lower, found.upper) == (1_400, 1_400)  # 7 of 12 orders of 10 lots lose 20 each
    assert answer([rate(3), size(10)], "3s").upper == 2_400


def test_limits_in_money_are_worth_most_lots_at_the_lowest_price():
    found = answer([Rule("x", MaxExposure(limit=900))], objective="position")
    assert (found.lower, found.upper) == (10, 10)
    assert answer([Rule("p", PositionLimit(notional=900))], objective="position").lower == 10
    worth = answer([rate(1), Rule("m", MaxOrderNotional(limit=900))], 0, objective="turnover")
    assert (worth.lower, worth.upper) == (900, 900)


@pytest.mark.lengthy
def test_a_drawdown_and_the_gap_after_it():
    found = answer([held(25), size(25), Rule("dd", DrawdownLimit(pct="0.05"))])
    assert (found.lower, found.upper, found.rules) == (1_000, 1_000, ("dd", "held"))
    strict = answer([held(25), size(25), Rule("dd", DrawdownLimit(money=500, breach="reach"))])
    assert strict.upper == 999.99 and strict.verdict == "tight"


def test_without_debt_and_short_sales_the_capital_is_all_that_can_be_lost():
    found = answer([Rule("cash", CashLimit()), Rule("long", LongOnly())], capital=500, price_bound="0.99")
    assert found.upper == 500 and found.lower == 396  # two lots at 199 that fall to 1
    held_too = answer([Rule("cash", CashLimit()), Rule("long", LongOnly())], capital=500, objective="position")
    assert held_too.verdict == "not known"  # profit in the band would buy more


def test_a_day_can_turn_within_any_horizon():
    cap = [Rule("volume", VolumeCap(limit=100)), size(10)]
    assert answer(cap, 0, objective="turnover").upper == 11_000
    assert answer(cap, 1, objective="turnover").lower == 22_000
    assert answer(cap, 2 * DAY, objective="turnover").upper == 33_000


# ---------------------------------------------------------------------- what is not claimed


@pytest.mark.lengthy
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_what_nothing_limits_is_unbounded(objective):
    for rules in (
        [],
        [size(10)],
        [rate(3)],
        [rate(3), size(10, action="ALERT")],
        [size(5), Rule("c", PriceCollar(pct="0.05"))],
    ):
        found = answer(rules)
        assert (found.upper, found.verdict, found.argument) == (None, "unbounded", "unbounded: no rule limits loss")
        assert found.lower > 0
    assert answer([], objective=objective).argument == f"unbounded: no rule limits {objective}"


@pytest.mark.parametrize(
    "rule, why",
    [
        (Rule("r", MaxOrderQty(limit=5), scope="strategy"), "scope strategy"),
        (Rule("r", PositionLimit(limit=5), action="PAUSE"), "action PAUSE"),
        (Rule("r", ConsecutiveLosses(limit=3)), "type consecutive_losses"),
        (Rule("r", VolumeCap(limit=5, tz="Europe/London")), "length of a day"),
        (Rule("r", DailyLoss(limit=5, tz="Europe/London")), "length of a day"),
        (Rule("r", DailyLoss(limit=5), hold=1_000), "pause can end"),
        (Rule("r", DrawdownLimit(money=5), hold=1_000), "pause can end"),
        (Rule("r", OrderRate(limit=5, window_ns=9, window="fixed_from_first", reset_on_trip=True)), "reopens"),
        (Rule("r", OrderRate(limit=5, window_ns=9, kinds=("order_list",))), "single orders"),
    ],
)
def test_what_has_no_proof_is_not_known(rule, why):
    found = answer([rule])
    assert found.upper is None and found.verdict == "not known" and why in found.not_read["r"]
    assert "r" in found.argument
    assert answer([rule, held(25), size(25), rate(1)], 0).upper == 500  # another rule's bound stands beside it


def test_a_price_that_cannot_move_takes_nothing():
    found = answer([], price_bound=0)
    assert (found.lower, found.upper) == (0, 0)


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"price_bound": 1}, "price_bound=1 is not a fraction"),
        ({"price_bound": -0.1}, "price_bound=-0.1"),
        ({"price_bound": math.nan}, "finite"),
        ({"capital": -1}, "capital=-1"),
        ({"capital": "0.001"}, "whole cents"),
        ({"price": 0}, "price=0"),
        ({"horizon": -1}, "horizon"),
        ({"accounts": 0}, "accounts=0"),
        ({"max_orders": True}, "max_orders=True"),
        ({"objective": "ruin"}, "objective"),
    ],
)
def test_bad_arguments(changed, said):
    asked = {"horizon": "1s", "capital": 1, "price_bound": "0.1", **changed}
    with pytest.raises(InputError, match=said):
        worst_case(RuleSet([]), **asked)


# ---------------------------------------------------------------------- the answer


def test_the_stream_is_a_real_log_that_anybody_can_replay():
    rules = RuleSet([rate(3), size(10), held(25), Rule("loss", DailyLoss(limit=400))])
    found = worst_case(rules, "3s", 10_000, "0.1")
    again = replay_log(found.log, rules, "enforce", sample_ns=10**12, compiled=False)
    assert -again.accounts()["profit"].sum() == pytest.approx(found.lower) and not len(again.rejections())
    frame = found.to_frame()
    assert len(frame) == found.log.counts()["FILL"] and frame["position"].max() <= 25
    for objective in ("position", "turnover"):
        other = worst_case(rules, "3s", 10_000, "0.1", objective=objective)
        assert other.to_frame()[objective].max() == pytest.approx(other.lower)
    text = repr(found)
    assert "lower bound" in text and "binding rules" in text and max(map(len, text.splitlines())) < 180
    assert found._repr_html_().startswith("<table>")


def test_plot():

    ax = answer([rate(3), size(10)], objective="position").plot()
    assert "60" in ax.get_title(loc="left") and ax.get_ylabel() == "position, lots" and "second" in ax.get_xlabel()


# ---------------------------------------------------------------------- random streams never beat the bound

X = Instrument("X", tick="0.01", lot="1")
RULES = st.fixed_dictionaries(
    {},
    optional={
        "rate": st.builds(lambda n, w: rate(n, w), st.integers(0, 3), st.integers(1, 4)),
        "size": st.builds(size, st.integers(1, 3)),
        "held": st.builds(held, st.integers(1, 5)),
        "worth": st.builds(lambda n: Rule("worth", MaxOrderNotional(limit=n)), st.integers(1, 4)),
        "volume": st.builds(lambda n: Rule("volume", VolumeCap(limit=n)), st.integers(1, 9)),
        "money": st.builds(lambda n: Rule("money", VolumeCap(notional=n)), st.integers(1, 9)),
        "loss": st.builds(lambda n: Rule("loss", DailyLoss(limit=f"0.{n:02d}")), st.integers(1, 99)),
        "fall": st.builds(lambda n: Rule("fall", DrawdownLimit(pct=f"0.{n:02d}")), st.integers(1, 60)),
        "exposure": st.builds(lambda n: Rule("exposure", MaxExposure(limit=n)), st.integers(1, 6)),
        "solvent": st.just((Rule("cash", CashLimit()), Rule("long", LongOnly()))),
    },
)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(0, 1), st.sampled_from([1, -1]), st.integers(1, 6), *2 * [st.integers(80, 120)]
    ),
    min_size=1,
    max_size=14,
)


def random_log(steps, accounts):
    """A market that jumps and an order at any price of the band, at each step."""
    rows, now = [(DAY, "price", None, None, None, "1.00", None)], DAY
    for place, (wait, who, side, lots, market, price) in enumerate(steps):
        now = min(now + wait, DAY + 10)
        rows.append((now, "price", None, None, None, f"{market / 100:.2f}", None))
        for kind in ("order", "fill"):
            account = f"A{who % accounts + 1}"
            rows.append((now, kind, account, "B" if side > 0 else "S", lots, f"{price / 100:.2f}", str(place)))
    frame = pd.DataFrame(rows, columns=["ts", "kind", "account", "side", "qty", "price", "order_id"]).assign(
        instrument="X"
    )
    opened = [Account(f"A{place + 1}", {"USD": 5}) for place in range(accounts)]
    return EventLog.from_frame(frame, [X], opened, quanta={"USD": "0.01"}, unit="ns")


def harms(log, rules):
    """Each kind of harm at the end of what passes."""
    result = replay_log(log, rules, "enforce", orphans="keep", sample_ns=DAY, compiled=False)
    gone = set(result.rows["seq"][result.rows["code"] == DecisionCode.VANISH].tolist())
    fills = [seq for seq in np.flatnonzero(log.columns["kind"] == EventKind.FILL).tolist() if seq not in gone]
    assert {log.counts()["ORDER"] - len(result.rejections())} == {len(fills)}
    return {
        "position": float(result.positions()["qty"].abs().sum()) if len(result.positions()) else 0.0,
        "loss": -float(result.accounts()["profit"].sum()),
        "turnover": float((log.columns["qty"][fills] * log.columns["price"][fills]).sum()) / 100,
    }


@pytest.mark.lengthy
@settings(max_examples=30, deadline=None)
@given(RULES, STEPS, st.integers(1, 2), st.sampled_from(OBJECTIVES))
def test_no_random_stream_beats_the_upper_bound(chosen, steps, accounts, objective):
    rules = RuleSet([rule for one in chosen.values() for rule in (one if isinstance(one, tuple) else (one,))])
    asked = {"objective": objective, "price": 1, "accounts": accounts, "max_orders": 12}
    found = worst_case(rules, 10, 5, "0.2", **asked)
    assert not len(found.result.rejections())
    if found.upper is not None:
        assert found.lower <= found.upper
        assert harms(random_log(steps, accounts), rules)[objective] <= found.upper + 1e-9


def test_an_argument_in_money_counts_in_the_unit_of_its_bound():
    """The proof of 5,000 on each of two days says 10,000, as its bound does; it said a million, in cents."""
    rules = RuleSet([Rule("traded", VolumeCap(notional=5_000))])
    found = worst_case(rules, "1d", 10_000, "0.1", objective="turnover")
    assert found.argument.startswith(
        "at most 10,000.00 money traded on the 2 days that the horizon can touch. In total at most 10,000."
    )
