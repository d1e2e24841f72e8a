"""What to know before the numbers of a replay: rules that could not be judged, limits of nobody, cash, old prices."""

from __future__ import annotations

from collections.abc import Mapping

from riskkit._show import Row
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.stale_prices import stale_prices
from riskkit.replay.rules.judged import cash_taken_as_zero, required_nothing, unknown_keys, unnamed_orders
from riskkit.replay.rules.ruleset import RuleSet


def assumed_rows(rules: RuleSet, log: EventLog, not_judged: Mapping[str, str]) -> list[Row]:
    """The first rows of the print of a result, none if there is nothing to know."""
    old, unnamed = stale_prices(rules, log), unnamed_orders(rules, log)
    return [
        *(("cannot be judged on this log", f"{name}: {why}", "") for name, why in not_judged.items()),
        *(("override of nobody", why, "") for why in unknown_keys(rules, log)),
        *(("cash taken as zero", why, "") for why in cash_taken_as_zero(rules, log)),
        *(("no data", why, "") for why in required_nothing(rules, log)),
        *([("orders without an id", unnamed, "")] if unnamed else []),
        *([("old prices", old, "")] if old else []),
    ]
