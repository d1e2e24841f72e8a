"""Reference price of a check, and its age.

Unit: half ticks, so that the middle of a quote is exact. A price is fresh for `max_age_ns` inclusive; older, it is
missing. Source: CME Group, GCC Price Banding (last price, the best bid and ask, or the settlement as reference).
"""

from __future__ import annotations

from typing import Any

from riskkit.replay.kernels.book import Book
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import (
    choice,
    while_unknown,
)
from riskkit.replay.schema.columns import MISSING, EventRow
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.durations import duration, duration_text

NAMES = ("last", "mid", "touch", "own_fill", "close")
LAST, MID, TOUCH, OWN_FILL, CLOSE = range(5)
Reference = choice(*NAMES)
WORDS = {
    "last": "the last trade",
    "mid": "the middle of bid and ask",
    "touch": "the ask (buys) or bid (sells)",
    "own_fill": "the last fill of the account",
    "close": "the previous close or settlement",
}
NEEDS = {
    "last": (Need(("last trade", "FILL"), 'or take quotes with reference="mid" or "touch"'),),
    "mid": (Need(("bid",)), Need(("ask",))),
    "touch": (Need(("bid", "ask")),),
    "own_fill": (Need(("FILL",)),),
    "close": (Need(("CLOSE",)),),
}


def twice_reference(params: Any, book: Book, event: EventRow) -> int:
    """Twice the reference price of an order, in ticks; MISSING if there is none, or none that is fresh.

    The last trade is that of the price events; before the first one, the last fill. The limit of an order that waits for its stop
    is compared with its stop.
    """
    if event.stop != MISSING:
        return 2 * event.stop if abs(event.stop) < LARGEST else MISSING
    instrument = book.instrument
    kind = params.reference
    if kind == MID:
        if instrument.bid == MISSING or instrument.ask == MISSING:
            return MISSING
        oldest = min(instrument.bid_ts, instrument.ask_ts)
        return instrument.bid + instrument.ask if event.ts - oldest <= params.max_age_ns else MISSING
    price, since = instrument.mark, instrument.mark_ts
    if kind == OWN_FILL:
        price, since = book.position.fill_price, book.position.fill_ts
    elif kind == CLOSE:
        price, since = instrument.close if instrument.closed != 0 else MISSING, instrument.close_ts
    elif kind == TOUCH and event.side > 0:
        price, since = instrument.ask, instrument.ask_ts
    elif kind == TOUCH:
        price, since = instrument.bid, instrument.bid_ts
    return 2 * price if price != MISSING and event.ts - since <= params.max_age_ns else MISSING


def reference_text(params: Any) -> str:
    """The reference in words, with what happens without one."""
    age = (
        ""
        if params.max_age_ns is None
        else f" no older than {duration_text(duration(params.max_age_ns, 'max_age_ns'))}"
    )
    return f"{WORDS[params.reference]}{age}{while_unknown(params.on_missing_price, 'none is known')}"


def reference_needs(rule: Any) -> tuple[Need, ...]:
    """Contents of a log that have the reference of a rule."""
    return NEEDS[rule.parameters.reference]
