"""How often the shapes of surveillance are seen where nobody makes them: on the shipped exchange, and on a quiet market maker."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit.demo import exchange
from riskkit.replay.schema.columns import DecisionCode
from riskkit.rules import CancelBurst, Layering, MomentumIgnition, QuoteStuffing, Spoofing

S = 1_000_000_000
QUIET = ("spoofing", "cancel_burst", "quote_stuffing", "momentum_ignition")
RULES = rk.RuleSet(
    [
        rk.Rule("layering", Layering()),
        rk.Rule("spoofing", Spoofing()),
        rk.Rule("cancel_burst", CancelBurst(limit=100, window_ns="1s")),
        rk.Rule("quote_stuffing", QuoteStuffing()),
        rk.Rule("momentum_ignition", MomentumIgnition()),
    ]
)


def alerts(log: rk.EventLog) -> dict[str, int]:
    """Alerts by rule."""
    rows = rk.replay_log(log, RULES, compiled=False).rows
    masks = rows["mask"][rows["code"] == DecisionCode.ALERTED]
    return {rule.id: int((masks >> bit & 1).sum()) for bit, rule in enumerate(RULES)}


def market_maker(seconds: int, seed: int) -> rk.EventLog:
    """Five levels of 10 on each side of a random walk of one tick; all are quoted anew when it moves, and the touch trades."""
    draw = np.random.default_rng(seed)
    rows, mid, number, standing = [], 1_000, 0, {}

    def row(ts: int, kind: str, **fields: object) -> None:
        rows.append({"ts": ts, "kind": kind, "instrument": "X", **fields})

    for second in range(seconds):
        ts = second * S + int(draw.integers(S // 2))
        touched = draw.random()
        if standing and touched < 0.4:
            side = "B" if touched < 0.2 else "S"
            name, price = standing[side][0]
            row(ts, "fill", account="M", side=side, qty=10, price=price / 100, order_id=name)
            standing[side] = standing[side][1:]
        mid += int(draw.choice([-1, 0, 1]))
        row(ts + 1_000_000, "price", price=mid / 100, bid=(mid - 1) / 100, ask=(mid + 1) / 100)
        for orders in standing.values():
            for name, _ in orders:
                row(ts + 2_000_000, "cancel", account="M", order_id=name)
        standing = {"B": [], "S": []}
        for level in range(1, 6):
            for side, sign in (("B", -1), ("S", 1)):
                number += 1
                standing[side].append((str(number), mid + sign * level))
                row(
                    ts + 3_000_000,
                    "order",
                    account="M",
                    side=side,
                    qty=10,
                    price=(mid + sign * level) / 100,
                    order_id=str(number),
                )
    return rk.EventLog.from_frame(pd.DataFrame(rows), [rk.Instrument("X")], unit="ns")


def test_of_a_market_maker_who_quotes_anew_each_second():
    """Five levels that are quoted anew less than a second after a fill are layers: `layering` takes every such fill."""
    log = market_maker(600, 7)
    assert alerts(log) == {"layering": 242, **dict.fromkeys(QUIET, 0)}


@pytest.mark.slow
def test_moves_of_the_shipped_exchange_need_the_size_of_its_market():
    log, found = exchange.event_log(), {}
    for ticks in (10, 40, 100):
        rules = rk.RuleSet([rk.Rule("ignition", MomentumIgnition(move=ticks))])
        found[ticks] = rk.replay_log(log, rules, compiled=True).alerts()
    assert found == {10: 3306, 40: 388, 100: 45}  # in three days
