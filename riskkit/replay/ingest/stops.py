"""Convert the types of a frame's orders, and the stops at which a trade triggers them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.labels import label_text
from riskkit.replay.ingest.order_types import ABSENT, BOTH, NO_DISTANCE, NOT_ITS, ORDER_TYPES, UNKNOWN, fields_of
from riskkit.replay.ingest.prices import optional_prices
from riskkit.replay.schema.columns import MISSING, EventKind, RowFlag
from riskkit.replay.schema.universe import Instrument


def types_of(frame: Frame) -> np.ndarray:
    """Codes of the type of each order, its place in `ORDER_TYPES`; 0 (a limit) of other events."""
    if not frame.has("type"):
        return np.zeros(frame.size, np.int8)
    codes, words = pd.factorize(frame.column("type"))
    known = list(ORDER_TYPES)
    found = np.array(
        [known.index(text) if (text := label_text(word).lower()) in known else -1 for word in words] + [0], np.int8
    )
    orders = frame.rows_of(EventKind.ORDER)
    frame.refuse(orders & (found[codes] < 0), "type", UNKNOWN)
    return np.where(orders, found[codes], np.int8(0))


def stops(
    frame: Frame, kinds: np.ndarray, code: np.ndarray, declared: Sequence[Instrument], flags: np.ndarray
) -> np.ndarray | None:
    """Ticks of the stops of orders and modifies, or of their distances, which are flagged; None without any."""
    orders, modifies = frame.rows_of(EventKind.ORDER), frame.rows_of(EventKind.MODIFY)
    given = {}
    for name in ABSENT:
        of_type = np.array([one.waits == name for one in ORDER_TYPES.values()])[kinds]
        frame.refuse(of_type & frame.missing(name), name, ABSENT[name])
        other = np.array([name in fields_of(one) for one in ORDER_TYPES.values()])[kinds]
        frame.refuse(orders & ~other & ~frame.missing(name), name, NOT_ITS[name])
        if frame.has(name):
            given[name] = optional_prices(frame, name, of_type | modifies, code, declared)
    if not given:
        return None
    none = np.full(frame.size, MISSING)
    fixed, distance = given.get("stop", none), given.get("offset", none)
    trails = distance != MISSING
    frame.refuse(trails & (fixed != MISSING), "offset", BOTH)
    frame.refuse(trails & (distance <= 0), "offset", NO_DISTANCE)
    flags[trails] |= int(RowFlag.TRAILING)
    return np.where(trails, distance, fixed)
