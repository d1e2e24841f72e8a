"""State of a `MarketStream` as plain data for JSON: its bars, its covariance, and the bar under construction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from riskkit._check import InputError
from riskkit._plain import Check, anything, either, fields, integer, maybe, number, row, rows, table, text
from riskkit.desk.core.records import LARGEST_TIME
from riskkit.desk.core.state_digest import checked_state
from riskkit.desk.market.feeds import Bar, Tick
from riskkit.desk.market.live_covariance import LiveCovariance
from riskkit.desk.market.open_bar import OpenBar

FORMAT = 1
COUNT, TIME, PRICE = integer(0), integer(1 - LARGEST_TIME, LARGEST_TIME), number(5e-324)
PRICES = table(PRICE)
BAR = fields(timestamp=TIME, **dict.fromkeys(("opens", "highs", "lows", "closes"), PRICES), ticks=table(COUNT))
BUILDING: dict[str, Check] = {
    **{"start": integer(), "first": table(row(TIME, PRICE)), "last": table(row(TIME, PRICE))},
    **{"high": PRICES, "low": PRICES, "count": table(integer(1))},
}
SHAPE = fields(
    format=COUNT,
    bar=integer(1),
    keep=integer(1),
    max_ahead=integer(1),
    latest=maybe(TIME),
    doubted=maybe(TIME),
    ended=maybe(integer()),
    waiting=maybe(either(row(TIME, text, PRICE), BAR)),
    building=maybe(fields(**BUILDING)),
    closes=PRICES,
    returns=table(number()),
    bars=rows(BAR),
    rejected=table(COUNT),
    ticks=COUNT,
    count=COUNT,
    covariance=anything,  # which its class checks
)
"""Check of a state."""
SAME = ("latest", "doubted", "ended")


def plain_state(stream: Any) -> dict[str, Any]:
    """Times in nanoseconds, floats to their last bit."""
    waiting, building = stream._waiting, stream._building
    return {
        **{"format": FORMAT, "bar": stream.length, "keep": stream.bars.maxlen, "max_ahead": stream._max_ahead},
        **{name: getattr(stream, f"_{name}") for name in SAME},
        "waiting": _plain_bar(waiting) if isinstance(waiting, Bar) else None if waiting is None else list(waiting),
        "building": None if building is None else {name: _plain(getattr(building, name)) for name in BUILDING},
        **{"closes": dict(stream.closes), "returns": dict(stream.returns), "bars": list(map(_plain_bar, stream.bars))},
        **{"rejected": dict(stream.rejected), "ticks": stream.ticks, "count": stream.count},
        "covariance": stream.covariance.state(),
    }


def restored_stream(state: Any) -> tuple[dict[str, Any], Callable[[Any], None]]:
    """The arguments of a stream of this state, and a function that puts the rest into a new one."""
    checked_state("MarketStream", SHAPE, state, FORMAT)
    covariance, bars = LiveCovariance.from_state(state["covariance"]), list(map(_bar, state["bars"]))
    building, waiting = state["building"], state["waiting"]
    if building is not None and len({frozenset(building[name]) for name in BUILDING if name != "start"}) > 1:
        raise InputError("the state is corrupt: the bar under construction has not the same tickers in all columns")

    def fill(stream: Any) -> None:
        for name in SAME:
            setattr(stream, f"_{name}", state[name])
        stream.covariance = covariance
        stream.closes, stream.returns = dict(state["closes"]), dict(state["returns"])
        stream.bars.extend(bars)
        stream.rejected.update(state["rejected"])
        stream.ticks, stream.count = state["ticks"], state["count"]
        if waiting is not None:
            stream._waiting = _bar(waiting) if isinstance(waiting, dict) else Tick(*waiting)
        if building is not None:
            stream._building = OpenBar(building["start"])
            for name in ("first", "last"):
                pairs = {ticker: (stamp, price) for ticker, (stamp, price) in building[name].items()}
                getattr(stream._building, name).update(pairs)
            stream._building.high.update(building["high"])
            stream._building.low.update(building["low"])
            stream._building.count = Counter(building["count"])

    return {name: state[name] for name in ("bar", "keep", "max_ahead")}, fill


def _plain(value: Any) -> Any:
    """Tables and pairs as JSON has them."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _plain_bar(bar: Bar) -> dict[str, Any]:
    return {name: getattr(bar, name) for name in Bar._fields}


def _bar(plain: dict[str, Any]) -> Bar:
    return Bar(**plain)
