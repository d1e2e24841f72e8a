"""What limits are worth, against a second implementation on random logs: every column, policy and attribution."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest
from naive import worth as naive

import riskkit as rk
from riskkit import EventLog, Rule, RuleSet
from riskkit.replay.sweeps.rule_value.coalitions import MAX_EXACT
from riskkit.rules import DrawdownLimit, MaxOrderQty, PositionLimit

HOUR = 3_600 * 10**9
LOGS = {"fast": 60, "usual": 300, "long": 3_000}
NEW_YORK = ("America/New_York", 17)
DAYS = (("UTC", 0), NEW_YORK)


def events_of(seed: int, orders: int = 10) -> list[dict]:
    """Prices, and orders of two accounts in two instruments that are filled at once, over a few days; none is flat for long."""
    draw = random.Random(seed)
    now, events = 1_709_251_200_000_000_000, []  # 2024-03-01
    prices = {"X": 50, "Y": 100}
    for name, price in prices.items():
        events.append({"kind": "price", "instrument": name, "price": price})
    for number in range(orders):
        for name in draw.sample(sorted(prices), draw.randint(0, 2)):
            prices[name] = max(1, prices[name] + draw.randint(-12, 12))
            events.append({"kind": "price", "instrument": name, "price": prices[name]})
        name = draw.choice(["X", "X", "Y"])
        order = {"account": draw.choice("AB"), "instrument": name, "side": draw.choice("BS"), "order_id": str(number)}
        order |= {"qty": draw.randint(1, 9), "price": prices[name]}
        events += [{"kind": "order", **order}, {"kind": "fill", **order, "price": prices[name] + draw.randint(-1, 1)}]
    for event in events:
        now += draw.choice([0, 1, HOUR, 7 * HOUR])
        event["ts"] = now
    return events


def rules_of(seed: int) -> tuple[list[dict], RuleSet]:
    """The rules for the second implementation, and the same for riskkit."""
    draw = random.Random(-seed)
    plain = [
        {"id": "size", "type": "size", "limit": draw.randint(2, 8)},
        {"id": "position", "type": "position", "limit": draw.randint(3, 20)},
        {"id": "fall", "type": "fall", "limit": draw.choice([20, 60, 150])},
    ]
    draw.shuffle(plain)
    made = {
        "size": lambda limit: MaxOrderQty(limit=limit),
        "position": lambda limit: PositionLimit(limit=limit, include_open=False),
        "fall": lambda limit: DrawdownLimit(money=limit),
    }
    return plain, RuleSet([Rule(one["id"], made[one["type"]](one["limit"])) for one in plain])


@pytest.fixture
def cases(request) -> range:
    return range(LOGS[request.config.option.extent])


@pytest.mark.lengthy
def test_every_column_of_an_enforced_replay_equals_the_second_implementation(cases):
    disagree = contradicted = orphaned = 0
    for seed in cases:
        events, (plain, rules) = events_of(seed), rules_of(seed)
        log, day = EventLog.from_frame(pd.DataFrame(events), unit="ns"), DAYS[seed % 2]
        policy, other = naive.POLICIES[seed % 3], plain[0]["id"]
        parameter = "money" if other == "fall" else "limit"
        grid = {f"{other}.{parameter}": [plain[0]["limit"]]}
        row = rk.sweep(log, rules, grid, orphans=policy, account_drawdown=True, compiled=False).frame.iloc[0]
        expected = {one: naive.outcome(events, plain, one, DAYS[0]) for one in naive.POLICIES}
        own, changes = expected[policy], [figures["profit_change"] for figures in expected.values()]
        for name, value in own.items():
            assert row[name] == pytest.approx(float(value), abs=1e-9), (seed, name)
        for one, figures in expected.items():
            for name in ("profit_change", "drawdown"):
                assert row[f"{name}_{one}"] == pytest.approx(float(figures[name])), (seed, name, one)
        agree = len(set(np.sign(changes))) == 1
        assert row["policies_agree"] == agree
        if seed % 3 == 0:
            options = {"orphans": policy, "tz": day[0], "roll_hour": day[1], "resamples": 0, "compiled": False}
            calibrated(rk.calibrate(log, rules, grid, **options), naive.outcome(events, plain, policy, day), agree)
        contradicted += np.sign(own["loss_avoided"] - own["profit_forgone"]) * np.sign(own["profit_change"]) < 0
        disagree += not agree
        orphaned += own["orphan_exits"] > 0
    assert min(disagree, contradicted, orphaned) >= len(cases) / 60  # these logs would show a mixed counterfactual


def calibrated(found: rk.sweeps.Calibration, expected: dict, agree: bool) -> None:
    """A calibration has the same figures by trading day of any zone, and a score with the sign of the profit."""
    row = found.frame.iloc[0]
    for name, value in expected.items():
        per_day = value / found.figures.n_days if name in PER_DAY else value
        if name in row:
            assert row[name] == pytest.approx(float(per_day), abs=1e-9), name
    assert np.sign(row["score"]) == np.sign(expected["profit_change"])
    assert row["policies_agree"] == agree and bool(found.warnings) != agree


PER_DAY = {"profit", "profit_change", "trips", "hours_halted_calendar", "orders_rejected", "notional_rejected"}
PER_DAY |= {"good_rejections", "bad_rejections", "loss_avoided", "profit_forgone"}


@pytest.mark.lengthy
def test_attribution_equals_the_second_implementation_and_adds_up(cases):
    shared = 0
    for seed in cases[::5]:
        events, (plain, rules) = events_of(seed, 10), rules_of(seed)
        log, policy = EventLog.from_frame(pd.DataFrame(events), unit="ns"), naive.POLICIES[seed % 3]
        shadow = rk.replay_log(log, rules, orphans=policy, compiled=False)
        found = rk.effectiveness(shadow, compiled=False)
        for (rule, name), value in naive.attribution(events, plain, policy).items():
            assert found.frame.loc[rule, name] == pytest.approx(float(value)), (seed, rule, name)
        for one in naive.POLICIES:
            for rule in plain:
                alone = naive.outcome(events, [rule], one, DAYS[0])
                column = f"alone_profit_change_{one}"
                assert found.frame.loc[rule["id"], column] == pytest.approx(float(alone["profit_change"]))
                if one == policy:
                    assert found.frame.loc[rule["id"], "alone_stops"] == alone["orders_rejected"]
        for name, total in found.total.items():
            assert found.frame[f"shapley_{name}"].sum() == pytest.approx(total)
        shared += found.frame["shadow_stops"].eq(0).any()
    assert shared > 3


@pytest.mark.lengthy
def test_a_sample_of_orders_is_near_the_exact_values_and_adds_up():
    events, (_, rules) = events_of(4, 40), rules_of(4)
    log = EventLog.from_frame(pd.DataFrame(events), unit="ns")
    more = [Rule(f"idle {k}", MaxOrderQty(limit=1_000 + k)) for k in range(MAX_EXACT)]
    exact = rk.effectiveness(rk.replay_log(log, rules, compiled=False), compiled=False)
    shadow = rk.replay_log(log, RuleSet([*rules, *more]), compiled=False)
    without = rk.effectiveness(shadow, compiled=False)
    assert without.frame["shapley_profit_change"].isna().all() and "give rng" in repr(without)
    found = rk.effectiveness(shadow, rng=np.random.default_rng(1), permutations=120, compiled=False)
    names = [rule.id for rule in rules]
    distance = (found.frame.loc[names, "shapley_profit_change"] - exact.frame["shapley_profit_change"]).abs()
    errors = found.frame["shapley_profit_change_error"]
    assert (distance <= 4 * errors[names]).all() and errors[names].max() > 0 and errors.drop(names).max() == 0
    assert found.frame["shapley_profit_change"].sum() == pytest.approx(found.total["profit_change"])
    assert found.attribution == "120 random orders"
    with pytest.raises(rk.InputError, match="rng=3 is not a numpy Generator"):
        rk.effectiveness(shadow, rng=3, compiled=False)


def test_a_limit_that_avoids_losses_in_hindsight_and_costs_money_is_not_chosen():
    """The refused entry loses to the end; but its recorded exit goes with it."""
    order = {"account": "A", "instrument": "X"}
    trades = [("B", 10, 100), ("S", 5, 150), ("S", 5, 150)]
    rows = []
    for number, (side, qty, price) in enumerate(trades):
        one = {**order, "side": side, "qty": qty, "price": price, "order_id": str(number)}
        rows += [{"kind": "order", **one}, {"kind": "fill", **one}]
        if number == 0:
            rows.append({"kind": "price", "instrument": "X", "price": 150})
    rows.append({"kind": "price", "instrument": "X", "price": 50})
    log = EventLog.from_frame(pd.DataFrame(rows).assign(ts=range(len(rows))))
    rules = RuleSet([Rule("q", MaxOrderQty(limit=5))])
    found = rk.calibrate(log, rules, {"q.limit": [5, 10]}, orphans="clip", resamples=0, compiled=False)
    assert found.chosen == {"q.limit": 10} and found.frame["score"].tolist() == [-500.0, 0.0]
    assert found.frame["loss_avoided"].tolist() == [500.0, 0.0]
    assert found.frame.loc[5, ["profit_change_keep", "profit_change_clip", "profit_change_drop"]].tolist() == [
        500,
        -500,
        -500,
    ]
