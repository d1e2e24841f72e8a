"""Trade ids that were taken, in bounded memory, without ever letting a duplicate pass."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from riskkit._check import InputError
from riskkit.desk.positions.records import DuplicateTradeError, TradeTooOldError

__all__ = ["SeenTrades"]


class SeenTrades:
    """The last `most` ids with their times.

    An id is forgotten only when a later time has come; from then on every trade at or before its time is refused.
    So no duplicate passes, and no trade that comes in order is refused.

    Examples
    --------
    >>> seen = SeenTrades(1)
    >>> seen.take("a", 1); seen.take("b", 2); seen.take("c", 3)
    >>> seen.take("a", 1)
    Traceback (most recent call last):
    riskkit.desk.positions.records.TradeTooOldError: trade 'a' of 1 is not after 2, from where on ids are remembered
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.times: OrderedDict[Any, int] = OrderedDict()  # a dict looks for its oldest key past all that are gone
        self.latest = self.horizon = -(2**63)

    def __len__(self) -> int:
        return len(self.times)

    def take(self, trade_id: Any, stamp: int) -> None:
        """Remember an id, or refuse it; a trade without one is not checked."""
        self.check(trade_id, stamp)
        self.keep(trade_id, stamp)

    def check(self, trade_id: Any, stamp: int) -> None:
        """Refuse an id that was taken before, or may have been."""
        if trade_id is None:
            return
        try:
            known = trade_id in self.times
        except TypeError:
            raise InputError(f"trade_id={trade_id!r} is no id; give a text or an integer") from None
        if known:
            raise DuplicateTradeError(f"trade {trade_id!r} was taken before, at {self.times[trade_id]}")
        if stamp <= self.horizon:
            raise TradeTooOldError(
                f"trade {trade_id!r} of {stamp} is not after {self.horizon}, from where on ids are remembered"
            )

    def keep(self, trade_id: Any, stamp: int) -> None:
        """Remember an id that was checked."""
        if trade_id is None:
            return
        self.times[trade_id] = stamp
        self.latest = max(self.latest, stamp)
        while len(self.times) > self.most:
            oldest = next(iter(self.times))
            if self.times[oldest] >= self.latest:
                break
            self.horizon = max(self.horizon, self.times.pop(oldest))
