"""Random calls of a session by label: plain ones, and every kind of number, label, id and time that is not."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from riskkit import InputError
from riskkit.replay.live.session import Session

START = 1_709_649_000_000_000_000
STEP_NS = 20_000_000_000
LABELS = {
    "account": ["A0", "A1", "A2"],
    "instrument": ["I0", "I1", "I2"],
    "side": ["B", "S", "buy", "Sell"],
    "qty": [1, 2, "3", 4.0, Decimal(2), np.int64(1), np.float64(2)],
    "price": [100, 101, "99.5", 100.0, Decimal("101.50"), Fraction(199, 2), np.float64(100.5)],
    "strategy": [None, None, "s0", "s1"],
    "connection": [None, None, "A0/c0", "A1/c1"],
}
ODD = {
    "account": ["", " A0", "B", None, 0, ["A0"], float("nan"), "A\n0"],
    "instrument": ["", "I0 ", "J", None, 1.0, {}],
    "side": ["X", "", None, 1, -1, ["B"], 2.5],
    "qty": [0, -1, 10**5000, 2.5, "two", None, float("nan"), float("inf"), True, 2**70, [1], 1e-12, Decimal("NaN")],
    "price": [0, -3, 100.013, "dear", None, float("nan"), False, 10**30, {}, "100.001"],
    "strategy": ["", 7, " s0", "s\x00"],
    "connection": ["", 7.0, " A0/c0", "\x7f"],
    "order_id": ["", 10**5000, " a", "a b", 1.0, True, ["a"], float("nan"), "\u2028"],
    "trade_id": ["", " t", 1.5, 2.0, ["t"], True],
}
KINDS = ["order"] * 8 + ["trade"] * 5 + ["price"] * 3 + ["cancel", "cancel", "modify", "modify", "tick", "ack"]


def calls(seed: int, count: int, odd: float = 0.15) -> Iterator[tuple[str, dict[str, Any]]]:
    """The method and the arguments of each call; of one in seven, one argument is odd."""
    draw = np.random.default_rng(seed)

    def one(values: list[Any]) -> Any:
        return values[int(draw.integers(len(values)))]

    ts, ids = START, ["x"]
    for number in range(count):
        ts += int(one([0, 1, STEP_NS // 100, STEP_NS]))
        kind = one(KINDS)
        if kind == "tick":
            yield "tick", {"now": ts}
            continue
        order = {name: one(LABELS[name]) for name in ("account", "instrument", "side", "qty", "price")}
        known = {"order_id": one(ids[-5:])}
        if kind == "order":
            given = {**order, "strategy": one(LABELS["strategy"]), "connection": one(LABELS["connection"])}
            if draw.random() < 0.8:
                ids.append(one([f"o{number}", number, f"o{number}", one(ids)]))
                given["order_id"] = ids[-1]
            given |= {"expires": ts + 2 * STEP_NS} if draw.random() < 0.1 else {}
            given |= {"reduce_only": True} if draw.random() < 0.1 else {}
            if number % 5 == 1:
                given |= {"type": "stop_limit", "stop": order["price"]}
            elif number % 5 == 2:
                given = {**given, "price": None, "type": "trailing", "offset": "0.5"}
            elif number % 10 == 3:
                given = {**given, "type": "peg", "offset": "-0.5"}
            elif number % 10 == 4:
                given = {**given, "qty": None, "quote_qty": "12000"}
            elif number % 10 == 8:
                given = {**given, "qty": None, "close_position": True}
        elif kind == "trade":
            given = {"qty": order["qty"], "price": order["price"], **(known if draw.random() < 0.7 else order)}
            given |= {"trade_id": one([f"t{number}", number, f"t{int(draw.integers(number + 1))}"])}
            given |= {"fee": "0.05"} if draw.random() < 0.1 else {}
        elif kind == "price":
            given = {"instrument": order["instrument"], one(["price", "bid", "ask"]): order["price"]}
        elif kind == "ack":
            given = {"account": order["account"]}
        else:
            given = {**known, **({"account": order["account"]} if draw.random() < 0.1 else {})}
            given |= {one(["qty", "price"]): one(LABELS["qty"] + LABELS["price"])} if kind == "modify" else {}
            given |= {"stop": 101} if kind == "modify" and number % 3 == 0 else {}
        given["ts"] = ts
        if draw.random() < odd:
            name = one([name for name in given if name in ODD or name == "ts"])
            given[name] = one([ts - 1, float(ts), str(ts), True, None]) if name == "ts" else one(ODD[name])
        yield f"process_{kind}", given


def answer(session: Session, method: str, given: dict[str, Any]) -> list[str]:
    """What a session says to a call: its decisions in full, or the sentence of its refusal."""
    try:
        return list(map(repr, getattr(session, method)(**given)))
    except InputError as error:
        return [f"refused: {error}"]
