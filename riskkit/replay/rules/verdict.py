"""Verdicts: what a check returns, and the units of its observed value and limit."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from riskkit._docs import with_described_fields
from riskkit.replay.rules.parameters import OnMissingPrice
from riskkit.replay.schema.columns import DecisionCode

PASS = int(DecisionCode.PASS)
OBJECT = int(DecisionCode.OBJECT)
NO_PRICE = int(DecisionCode.NO_PRICE)
HELD = int(DecisionCode.HELD)
NOTICE = int(DecisionCode.ALERTED)
QUEUED = int(DecisionCode.QUEUED)
MISSING_REJECT = int(OnMissingPrice.REJECT)
MISSING_ALERT = int(OnMissingPrice.ALERT)


class Measure(StrEnum):
    """Unit of the observed value and the limit of a verdict.

    DELTA is in millionths of a quantity of the underlying, NETTED in millionths of a quantity, LOTS and PRICE are steps of the
    event's instrument, TIME nanoseconds since the epoch (the limit is the earliest time that passes), FRACTION a fraction of the
    verdict's `base`, PER_FILL messages against fills; RANKED_PRICE is a price times the order's side; DISTANCE is one from a
    reference price, which is half of the `base`, and its limit a fraction of the reference.
    """

    NOTHING = ""
    MONEY = "money"
    QUANTITY = "quantity"
    DELTA = "delta"
    NETTED = "netted quantity"
    LOTS = "lots"
    PRICE = "price"
    RANKED_PRICE = "ranked price"
    DISTANCE = "distance"
    COUNT = "count"
    TIME = "time"
    FRACTION = "fraction"
    PER_FILL = "messages a fill"


class Observation(NamedTuple):
    """Unit of an observed value, and the parameter that is its limit; empty if the check computes the limit."""

    measure: Measure
    limit: str = ""


@with_described_fields
class Verdict(NamedTuple):
    """Result of a check: code, observed value and limit.

    PASS; OBJECT: a breach; NO_PRICE: no price is known, so the limit cannot be checked; NOTICE: an alert only; QUEUED: it waits
    until the time `limit`.
    The observed value of a breach is exact; that of a pass may be an upper bound (`order_rate` counts lazily).

    Attributes
    ----------
    code
        PASS, OBJECT, NO_PRICE, NOTICE or QUEUED.
    observed
        What was counted or summed, in the integer unit of the limit.
    limit
        The limit with which it was compared, in the same unit; of QUEUED a time.

    Examples
    --------
    >>> Verdict(1, observed=12, limit=10).code
    1
    """

    code: int
    observed: int
    limit: int


class CapVerdict(NamedTuple):
    """Verdict of a rule with several limits: `cap` is the index of the limit in `RuleType.observes`.

    ``base``: denominator of an observed value shown as a fraction, or twice a reference price; else 0.

    Examples
    --------
    >>> CapVerdict(1, observed=600_000, limit=500_000, cap=1, base=0).cap
    1
    """

    code: int
    observed: int
    limit: int
    cap: int
    base: int


def unpriced(policy: int, observed: int, limit: int) -> Verdict:
    """Verdict on an order without a known price, by the rule's `on_missing_price`."""
    if policy == MISSING_REJECT:
        return Verdict(NO_PRICE, observed, limit)
    return Verdict(NOTICE if policy == MISSING_ALERT else PASS, observed, limit)


def unpriced_cap(policy: int, observed: int, limit: int) -> CapVerdict:
    """As `unpriced`, for a rule with several limits."""
    verdict = unpriced(policy, observed, limit)
    return CapVerdict(verdict.code, verdict.observed, verdict.limit, 0, 0)
