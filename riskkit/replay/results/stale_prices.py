"""Prices that were old when rules judged by them: a feed that stopped is said, because no rule without `max_age_ns` sees it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.money import compares_money
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import MESSAGES, MISSING, EventKind
from riskkit.replay.schema.constants import DAY_NS
from riskkit.replay.schema.durations import duration_text

GAPS = 10  # usual gaps between prices after which one is old: a log of daily prices has nights, weekends and holidays
PART = 1 << 20  # events in memory at a time; the usual gaps are those of the first part


def stale_prices(rules: RuleSet, log: EventLog) -> str:
    """The order that came longest after the last price of its instrument, and the rules that value by it.

    Old is a price of more than a day and of more than ten usual gaps (the median) between prices of the instrument. The
    prices are those at which positions are marked: price events, before the first one the fills. Empty without such an order
    or rule.

    Examples
    --------
    >>> import riskkit as rk
    >>> log = rk.replay.tiny_log([1, 1], price=10.0)
    >>> stale_prices(rk.RuleSet([rk.Rule("gross", rk.rules.MaxExposure(limit=100))]), log)
    ''
    """
    valuing = [rule.id for rule in rules if _values(rule)]
    if not valuing or not len(log):
        return ""
    age, row = _oldest(log)
    if not age:
        return ""
    name = log.universe.instruments[log.columns["instrument"][row]].id
    return (
        f"event {row} came {duration_text(age)} after the last price of {name}, at which {' and '.join(valuing)} "
        "judged it; max_mark_age_ns of a limit of exposures, and max_age_ns of a price_collar, refuse old prices"
    )


def _oldest(log: EventLog) -> tuple[int, int]:
    """Age of the oldest price at a message, 0 if none is old, and the row of the message; part by part of the log."""
    marked = np.full(len(log.universe.instruments), MISSING)  # time of the last price
    quoted, usual = np.zeros(len(marked), bool), np.zeros(len(marked))
    oldest = 0, -1
    for start in range(0, len(log) if len(marked) else 0, PART):
        kind, code, ts = (log.columns[name][start : start + PART] for name in ("kind", "instrument", "ts"))
        rows = np.arange(len(ts))
        quotes = kind == EventKind.PRICE
        begins = np.where(quoted, -1, len(ts))
        np.minimum.at(begins, code[quotes], rows[quotes])
        prices = quotes | ((kind == EventKind.FILL) & (rows < begins[code]))
        if not start:
            gaps = pd.Series(ts[prices]).groupby(code[prices]).diff().groupby(code[prices]).median()
            usual[gaps.index] = gaps.fillna(0.0)
        last = pd.Series(np.where(prices, rows, -1)).groupby(code).cummax().to_numpy()
        since = np.where(last >= 0, ts[last], marked[code])
        ages = np.where(np.isin(kind, MESSAGES) & (since != MISSING), ts - since, 0)
        ages[ages <= np.maximum(DAY_NS, GAPS * usual[code])] = 0
        if ages.max() > oldest[0]:
            oldest = int(ages.max()), start + int(ages.argmax())
        marked[code[prices]], quoted[code[quotes]] = ts[prices], True
    return oldest


def _values(rule: Rule) -> bool:
    """True if a rule judges by the last price, however old it is."""
    if "references" in rule.kind.requires:
        return rule.parameters.max_age_ns is None
    return compares_money(rule) and "references" not in rule.requires
