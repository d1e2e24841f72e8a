"""What a `CircuitBreaker` is told: times, and money in quanta."""

from __future__ import annotations

import math
from fractions import Fraction
from numbers import Integral
from typing import Any

from riskkit._check import InputError, shown
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.universe import exact

SURE = 2**40  # quanta, and units of money, below which a float is right to a hundredth of a quantum


class Money:
    """Money in quanta.

    Parameters
    ----------
    quantum : Fraction
        Money of the integer 1.

    Examples
    --------
    >>> cents = Money(Fraction(1, 100))
    >>> cents.quanta(-1.25), cents.quanta("0.125"), cents.quanta(0.135)
    (-125, 12, 14)
    """

    def __init__(self, quantum: Fraction) -> None:
        self.quantum = quantum
        self._per_unit = float(1 / quantum) if 1 / quantum < SURE else math.nan  # NaN: never in floats

    def quanta(self, pnl: Any) -> int:
        """A profit or a loss in quanta, half to even; in floats where they cannot round otherwise."""
        if type(pnl) is float or (type(pnl) is int and -SURE < pnl < SURE):
            quanta = pnl * self._per_unit
            if -SURE < quanta < SURE and abs(quanta - round(quanta)) < 0.49:
                return round(quanta)
        return round(exact(pnl, "pnl") / self.quantum)


def instant_of(now: Any) -> int:
    """Nanoseconds since the epoch from an integer or a Timestamp.

    Examples
    --------
    >>> import pandas as pd
    >>> instant_of(pd.Timestamp("1970-01-01 00:00:01", tz="UTC")), instant_of(5)
    (1000000000, 5)
    """
    if isinstance(now, Integral) and not isinstance(now, bool):
        if not -LARGEST < int(now) < LARGEST:
            raise InputError(f"now={shown(now)} is not a time from 1824 to 2116, in nanoseconds since the epoch")
        return int(now)
    import pandas as pd

    from riskkit.replay.ingest.times import iso_time

    try:
        stamp = iso_time(now) if isinstance(now, str) else None if isinstance(now, bool | float) else pd.Timestamp(now)
    except (ValueError, TypeError, OverflowError, RecursionError):
        stamp = None
    if not isinstance(stamp, pd.Timestamp):
        raise InputError(f"now={shown(now)} is not a time; use a Timestamp or nanoseconds since the epoch")
    if stamp.tz is None:
        raise InputError(f"now={shown(now)} has no time zone; write pd.Timestamp(..., tz='America/New_York')")
    return int(stamp.as_unit("ns").value)
