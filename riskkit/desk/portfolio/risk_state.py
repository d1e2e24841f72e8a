"""`RiskState`: the risk of one portfolio as it was last evaluated, read and written safely from any thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, ClassVar

from riskkit._check import finite_number, positive
from riskkit._show import Row, Shown
from riskkit.desk.canonical import digest_of
from riskkit.desk.fields import Record, as_time, at_least_zero, nanoseconds, optionally
from riskkit.replay.universe import exact

__all__ = ["RiskReading", "RiskState"]


@dataclass(frozen=True, repr=False, eq=False)
class RiskReading(Record):
    """What a `RiskState` held at one moment; all numbers in percent, None where nothing is known.

    Raises
    ------
    RequestError
        A drawdown that is negative, a number that is not finite, a time that is none.

    Examples
    --------
    >>> state = RiskState()
    >>> state.fall_to(100.0, timestamp=1), state.fall_to(90.0, timestamp=2)
    (0.0, 10.0)
    >>> state.reading.max_drawdown, state.reading.peak
    (10.0, 100.0)
    """

    current_drawdown: float = 0.0
    max_drawdown: float = 0.0
    var_95: float | None = None
    var_99: float | None = None
    cvar_95: float | None = None
    last_updated: Any = None
    peak: float | None = None
    """Highest portfolio value seen, in money."""

    _checks: ClassVar = {
        "current_drawdown": at_least_zero,
        "max_drawdown": at_least_zero,
        "var_95": optionally(finite_number),
        "var_99": optionally(finite_number),
        "cvar_95": optionally(finite_number),
        "last_updated": optionally(as_time),
        "peak": optionally(positive),
    }


class RiskState(Shown):
    """Current and maximum drawdown, VaR and its time of one portfolio; `evaluate` updates it, `validate` reads it.

    Every reading is one object that is exchanged as a whole, so that a reader never sees half of an update. An
    evaluation of an earlier time than the last one can deepen the maximum and raise the peak, but does not bring
    old numbers back.

    Parameters
    ----------
    reading : RiskReading, optional
        Where to go on, as `RiskReading.from_dict` reads it back; without it a portfolio that never fell.

    Examples
    --------
    >>> state = RiskState()
    >>> state.fall_to(100.0, timestamp=1), state.fall_to(90.0, timestamp=2), state.fall_to(95.0, timestamp=3)
    (0.0, 10.0, 5.0)
    >>> state.current_drawdown, state.max_drawdown, state.last_updated
    (5.0, 10.0, 3)
    """

    def __init__(self, reading: RiskReading | None = None) -> None:
        self._lock = threading.Lock()
        self.reading = RiskReading() if reading is None else reading

    @property
    def current_drawdown(self) -> float:
        """Fall from the highest portfolio value, in percent of it."""
        return self.reading.current_drawdown

    @property
    def max_drawdown(self) -> float:
        """The deepest fall seen, in percent."""
        return self.reading.max_drawdown

    @property
    def var_95(self) -> float | None:
        """VaR at 95 % in percent of the portfolio value, None without a history."""
        return self.reading.var_95

    @property
    def var_99(self) -> float | None:
        """VaR at 99 %, in percent."""
        return self.reading.var_99

    @property
    def cvar_95(self) -> float | None:
        """Expected shortfall at 95 %, in percent."""
        return self.reading.cvar_95

    @property
    def last_updated(self) -> Any:
        """The timestamp of the last evaluation, as it came."""
        return self.reading.last_updated

    def fall_to(
        self,
        value: float,
        *,
        peak: float = 0.0,
        deepest: float = 0.0,
        var_95: float | None = None,
        var_99: float | None = None,
        cvar_95: float | None = None,
        timestamp: Any = None,
    ) -> float:
        """Take in a portfolio value and return the drawdown that it means, in percent.

        Parameters
        ----------
        value : float
            Portfolio value, above zero.
        peak, deepest : float
            The highest value and the deepest drawdown (in percent) of a history before it.
        var_95, var_99, cvar_95 : float, optional
            In percent of the portfolio value.
        timestamp : int, datetime or ISO text, optional
            When; not earlier than the last one, or only maximum and peak are kept.
        """
        positive(value, "value")
        with self._lock:
            old = self.reading
            top = max(value, peak, old.peak or 0.0)
            fall = drawdown_percent(value, top)
            last = old.last_updated
            late = last is not None and timestamp is not None and nanoseconds(timestamp) < nanoseconds(last)
            self.reading = RiskReading._trusted(
                current_drawdown=old.current_drawdown if late else fall,
                max_drawdown=max(fall, deepest, old.max_drawdown),
                var_95=old.var_95 if late else var_95,
                var_99=old.var_99 if late else var_99,
                cvar_95=old.cvar_95 if late else cvar_95,
                last_updated=last if late or timestamp is None else timestamp,
                peak=top,
            )
        return fall

    def to_dict(self) -> dict[str, Any]:
        """The present reading as plain data."""
        return self.reading.to_dict()

    @classmethod
    def from_dict(cls, data: Any) -> RiskState:
        """Go on from what `to_dict` wrote."""
        return cls(RiskReading.from_dict(data))

    @property
    def digest(self) -> str:
        """SHA-256 of the reading: equal for equal ones, in whatever form their time came."""
        last = self.last_updated
        return digest_of("RiskState", {**self.to_dict(), "last_updated": None if last is None else nanoseconds(last)})

    def _rows(self) -> list[Row]:
        reading = self.reading
        return [
            ("current drawdown", reading.current_drawdown, "%"),
            ("maximum drawdown", reading.max_drawdown, "%"),
            ("VaR 95%", reading.var_95, "% of the portfolio"),
            ("VaR 99%", reading.var_99, "% of the portfolio"),
            ("ES 95%", reading.cvar_95, "% of the portfolio"),
            ("last updated", None if reading.last_updated is None else str(reading.last_updated), ""),
        ]


def drawdown_percent(value: float, peak: float) -> float:
    """100 × (peak - value) / peak, rounded once: a fall of exactly 10 % is 10.0, also from a peak of 0.3."""
    top = exact(peak, "peak")
    return float(100 * (top - exact(value, "value")) / top)
