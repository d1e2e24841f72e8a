"""Streams whose trips close positions, and the replay that flattens them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from streams import log_of_rows, universe

from riskkit.liquidity import LinearImpact, liquidation_schedule
from riskkit.replay.log.tiny_log import tiny_log
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import EventKind
from riskkit.rules import DailyLoss, MaxOrderQty

SECOND = 1_000_000_000
MARKET = LinearImpact(price_volatility=0.95, half_spread=0.0625, permanent_slope=2.5e-7, temporary_slope=2.5e-6)
EVEN = liquidation_schedule(1_000, 40 / 86_400, 4, MARKET, risk_aversion=0.0)  # a quarter every ten seconds
PACES = {
    "touch": ("touch", "touch"),
    "volume": (0.3, Fraction(3, 10)),
    "schedule": (EVEN, [(10 * SECOND * n, Fraction(n, 4)) for n in range(1, 5)]),
}

FALLING = [100 - n for n in range(60)]
RUNAWAY = tiny_log([100] * 60, price=FALLING, marks=[price - 1 for price in FALLING])  # buys what falls
LOSS = RuleSet([Rule("loss", DailyLoss(limit=10_000), action="PAUSE")])


def stream(seed: int, turns: int = 60) -> list[dict]:
    """Orders of three accounts in two instruments, each filled at once, and quotes."""
    draw = np.random.default_rng(seed)
    events: list[dict] = []
    ts = 1_709_649_000 * SECOND
    for _ in range(turns):
        ts += int(draw.integers(0, 8)) * SECOND
        row = {"ts": ts, "account": int(draw.integers(3)), "instrument": int(draw.integers(2)), "side": 1}
        price = int(draw.integers(95, 106))
        if draw.random() < 0.35:
            events.append({**row, "kind": "PRICE", "account": -1, "side": 0, "qty": 0, "price": price,
                           "bid": price - 1, "ask": price + 2, "order": -1})  # fmt: skip
            continue
        row |= {"side": int(draw.choice([-1, 1])), "qty": int(draw.integers(1, 8)), "price": price}
        order = len(events)
        events += [{**row, "kind": "ORDER", "order": order}, {**row, "kind": "FILL", "order": order}]
    return events


def log_of(events: list[dict]):
    return log_of_rows([{**event, "kind": int(EventKind[event["kind"]])} for event in events], universe(cash=0))


def rules(limit: int = 6, hold: int = 60 * SECOND) -> RuleSet:
    return RuleSet([Rule("size", MaxOrderQty(limit=limit), action="PAUSE", hold=hold)])


def flat(log, chosen, how="touch", **options):
    return replay_log(log, chosen, "enforce", on_trip="flatten", flatten=how, compiled=False, **options)
