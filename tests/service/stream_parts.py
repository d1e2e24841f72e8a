"""An engine of three rules for the tests of streams, and messages for it that are the same in every process."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

from riskkit import Instrument, Rule, RuleSet
from riskkit.replay.schema.universe import Universe
from riskkit.rules import DailyLoss, MaxOrderQty, OrderRate
from riskkit.service.stream.partition import Partition, Setup

RULES = RuleSet(
    [
        Rule("size", MaxOrderQty(limit=100)),
        Rule("rate", OrderRate(limit=3, window_ns="10ms"), action="PAUSE", hold="20ms"),
        Rule("day", DailyLoss(limit=500)),
    ]
)
RULES_TOML = """\
[[rules]]
id = "size"
type = "max_order_qty"
params = { limit = 100 }
[[rules]]
id = "rate"
type = "order_rate"
params = { limit = 3, window_ns = "10ms" }
action = "PAUSE"
hold = "20ms"
[[rules]]
id = "day"
type = "daily_loss"
params = { limit = 500 }
"""
UNITS_TOML = """\
quanta = { USD = "1e-6" }
[[instruments]]
id = "ES"
tick = "0.25"
[[instruments]]
id = "ETH"
lot = "1e-6"
[[instruments]]
id = "USDC"
tick = "1e-6"
lot = "1e-6"
"""
INSTRUMENTS = [
    Instrument("ES", tick="0.25"), Instrument("ETH", lot="1e-6"), Instrument("USDC", tick="1e-6", lot="1e-6")
]  # fmt: skip
DECIMALS = {"ETH": 18, "USDC": 6}
START = 1_700_000_000_000  # milliseconds


def setup(state: Path, **more: Any) -> Setup:
    """Partitions in plain Python."""
    universe = Universe(tuple(INSTRUMENTS), (), {"USD": Fraction(1, 10**6)})
    options: dict[str, Any] = {"auto_register": INSTRUMENTS[0], "decimals": DECIMALS, "compiled": False} | more
    return Setup(RULES, universe, state, **options)


def prices() -> list[bytes]:
    """A price of each instrument."""
    given = {"ES": "5000", "ETH": 2000, "USDC": 1}
    return [
        json.dumps({"kind": "price", "ts": START * 10**6, "instrument": i, "price": p}).encode()
        for i, p in given.items()
    ]


def messages(seed: int, count: int, accounts: int = 5) -> list[tuple[str, bytes]]:
    """Keys and values of messages: orders, fills, swaps, and some that do not fit."""
    draw, found = random.Random(seed), []
    for number in range(count):
        account, ts = f"A{draw.randrange(accounts)}", (START + number) * 10**6
        common = {"ts": ts, "account": account, "instrument": "ES", "side": draw.choice("BS")}
        kind = draw.random()
        fields: Any = {
            **common,
            "qty": draw.randrange(1, 120),
            "price": 5000 + draw.randrange(40) / 4,
            "order_id": f"{seed}-{number}",
        }
        if kind < 0.2:
            fields = {**common, "kind": "fill", "qty": draw.randrange(1, 9), "price": 5000 + draw.randrange(80) / 4}
        elif kind < 0.3:
            fields = {
                "user_id": account, "trade_id": f"t{seed}-{number}", "token_in": "ETH", "token_out": "USDC",
                "amount_in": str(draw.randrange(10**15, 10**19)), "amount_out": str(draw.randrange(10**8, 10**10)),
                "timestamp": START + number, "dex_source": "uniswap", "gas_used": "21000",
            }  # fmt: skip
        elif kind < 0.34:
            fields = draw.choice([[], "x", {**common, "qty": -1}, {**common, "kind": "nothing"}, {"token_in": "ETH"}])
        found.append((account, json.dumps(fields).encode()))
    return found


def digest_of(folder: Path, number: int, source: str, values: list[bytes]) -> tuple[str, list[bytes]]:
    """Digest and decisions of a partition that takes its messages one after the other, in one piece."""
    partition = Partition(setup(folder), source, number, 4)
    told = [partition.take(offset, value).message(number, offset) for offset, value in enumerate(values)]
    partition.commit()
    digest = partition.session.digest
    partition.close()
    return digest, told
