"""Prices that were old when rules judged by them: a feed that stopped is said, because no rule without `max_age_ns` sees it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.money import compares_money
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import MESSAGES, EventKind
from riskkit.replay.schema.constants import DAY_NS
from riskkit.replay.schema.durations import duration_text

GAPS = 10  # usual gaps between prices after which one is old: a log of daily prices has nights, weekends and holidays


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
    kind, instrument, ts = (log.columns[name] for name in ("kind", "instrument", "ts"))
    rows = np.arange(len(log))
    quoted = kind == EventKind.PRICE
    begins = np.full(len(log.universe.instruments), len(log))
    np.minimum.at(begins, instrument[quoted], rows[quoted])
    prices = quoted | ((kind == EventKind.FILL) & (rows < begins[instrument]))
    last = pd.Series(np.where(prices, rows, -1)).groupby(instrument).cummax().to_numpy()
    times = pd.Series(ts[prices]).groupby(instrument[prices])
    usual = times.diff().groupby(instrument[prices]).median().reindex(instrument).fillna(0.0).to_numpy()
    ages = np.where(np.isin(kind, MESSAGES) & (last >= 0), ts - ts[last], 0)
    ages[ages <= np.maximum(DAY_NS, GAPS * usual)] = 0
    row = int(ages.argmax())
    if not ages[row]:
        return ""
    name = log.universe.instruments[instrument[row]].id
    return (
        f"event {row} came {duration_text(int(ages[row]))} after the last price of {name}, at which {' and '.join(valuing)} "
        "judged it; a price_collar with max_age_ns refuses limit orders at an old price"
    )


def _values(rule: Rule) -> bool:
    """True if a rule judges by the last price, however old it is."""
    if "references" in rule.kind.requires:
        return rule.parameters.max_age_ns is None
    return compares_money(rule)
