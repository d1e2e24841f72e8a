"""The pace of Hummingbot."""

from __future__ import annotations

from fractions import Fraction

from riskkit._check import Amount, Duration
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.durations import duration
from riskkit.replay.schema.universe import exact


def hummingbot(*, requests: int = 10, interval: Duration = "1s", margin: Amount = "0.05") -> RuleSet:
    """Hummingbot's AsyncThrottler: what is beyond a rate waits its turn.

    A request as old as the interval still counts, so that the next one goes just after it; the interval is longer by a margin.

    Parameters
    ----------
    requests : int
        Requests in an interval (``limit``).
    interval : str or int
        Its length (``time_interval``).
    margin : fraction
        By which it is longer (``safety_margin_pct``).

    References
    ----------
    hummingbot/hummingbot, test/hummingbot/core/api_throttler/test_async_throttler.py
    (test_within_capacity_for_limits_with_milliseconds_interval).

    Examples
    --------
    >>> hummingbot(requests=2, interval="200ms", margin=0)[0].parameters.window_ns
    200000001
    """
    longest = duration(interval, "interval") * (1 + exact(margin, "margin"))
    kinds = ["order", "order_list", "modify"]
    return rule_set(
        entry("pace", "pace", action="QUEUE", limit=requests, window_ns=int(Fraction(longest)) + 1, kinds=kinds)
    )
