"""The limits of Gobreaker."""

from __future__ import annotations

from typing import Any

from riskkit._check import Duration
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def gobreaker(*, failures: int = 5, open_for: Duration = "60s", probes: int = 1) -> RuleSet:
    """Gobreaker's default: *more* than five failures in a row open the breaker for a minute, then it is half-open.

    At exactly the end of that time it is half-open (the source one nanosecond later). Half-open, it admits `probes`
    requests and refuses the others; as many successes close it, one failure opens it anew. The source knows no positions;
    here an order that only reduces one always passes.

    Parameters
    ----------
    failures : int
        Failures in a row that are still allowed.
    open_for : str or int
        Time for which it is open (``Timeout``).
    probes : int
        Requests admitted while half-open (``MaxRequests``).

    References
    ----------
    sony/gobreaker, gobreaker.go (beforeRequest, onSuccess, onFailure, currentState: half-open strictly after the
    expiry) and v2/gobreaker_test.go (TestDefaultCircuitBreaker).

    Examples
    --------
    >>> gobreaker()[0].parameters.half_open
    True
    """
    params: dict[str, Any] = {"limit": failures, "breach": "exceed", "open_ns": open_for}
    params |= {"half_open": True, "probes": probes}
    return rule_set(entry("failures", "consecutive_errors", action="PAUSE", **params))
