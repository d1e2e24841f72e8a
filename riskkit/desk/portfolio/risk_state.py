"""`RiskState`: the risk of one portfolio as last evaluated, safe under threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from riskkit._check import Duration, positive
from riskkit._commit import commit
from riskkit._fork import lock_of
from riskkit._plain import fields, integer, maybe, number, table
from riskkit._show import Row, Shown
from riskkit.desk.core.records import (
    CheckedRecord,
    FreeFraction,
    PositiveMoney,
    Time,
    UnitFraction,
    in_percent,
    optional_nanoseconds,
)
from riskkit.desk.core.state_digest import checked_state, digest_of
from riskkit.replay.schema.durations import MAX_AHEAD, duration, refuse_ahead
from riskkit.replay.schema.universe import exact

FORMAT = 1
SHAPE = fields(format=integer(0), max_ahead=integer(1), late=integer(0), reading=table(maybe(number())))
"""Check of a state."""
IN_PERCENT = ("drawdown", "current_drawdown", "max_drawdown", "var_95", "var_99", "cvar_95")
"""Fractions that a REST service gives in percent."""


@dataclass(frozen=True, repr=False, eq=False)
class RiskReading(CheckedRecord):
    """One reading of a `RiskState`; fractions, losses positive, None where nothing is known.

    Attributes
    ----------
    current_drawdown
        Fall from the highest portfolio value, as a fraction of it.
    max_drawdown
        Largest fall so far.
    var_95
        VaR at 95 %, as a fraction of the portfolio value.
    var_99
        VaR at 99 %, as a fraction of the portfolio value.
    cvar_95
        Expected shortfall at 95 %, as a fraction of the portfolio value.
    last_updated
        Time of the last evaluation, as given.
    peak
        Highest portfolio value, in money.

    Raises
    ------
    RequestError
        A drawdown outside [0, 1], a number that is not finite, an invalid time.

    Examples
    --------
    >>> state = RiskState()
    >>> state.update(100.0, timestamp=1), state.update(90.0, timestamp=2)
    (0.0, 0.1)
    >>> state.reading.max_drawdown, state.reading.peak
    (0.1, 100.0)
    """

    current_drawdown: UnitFraction = 0.0
    max_drawdown: UnitFraction = 0.0
    var_95: FreeFraction | None = None
    var_99: FreeFraction | None = None
    cvar_95: FreeFraction | None = None
    last_updated: Time | None = None
    peak: PositiveMoney | None = None


class RiskState(Shown):
    """Current and maximum drawdown and VaR of one portfolio; `evaluate` updates it, `validate` reads it.

    `reading` is replaced as a whole, so that a reader never sees half of an update; its fields are attributes of the
    state too. An evaluation of an earlier time than the last one can raise drawdowns and the peak, but neither lower
    them nor restore old numbers; `late` counts them. A time that is more than `max_ahead` after the last one is refused.

    Parameters
    ----------
    reading : RiskReading, optional
        Reading to continue from; without it the portfolio has no drawdown.
    max_ahead : str, Timedelta or int

    Examples
    --------
    >>> state = RiskState()
    >>> state.update(100.0, timestamp=1), state.update(90.0, timestamp=2), state.update(95.0, timestamp=3)
    (0.0, 0.1, 0.05)
    >>> state.current_drawdown, state.max_drawdown, state.last_updated
    (0.05, 0.1, 3)
    """

    current_drawdown: float
    max_drawdown: float
    var_95: float | None
    var_99: float | None
    cvar_95: float | None
    last_updated: Any
    peak: float | None

    def __init__(self, reading: RiskReading | None = None, *, max_ahead: Duration = MAX_AHEAD) -> None:
        self._lock = lock_of(self)
        self.late = 0
        self._max_ahead = duration(max_ahead, "max_ahead", zero=False)
        self.reading = RiskReading() if reading is None else reading

    def __getattr__(self, name: str) -> Any:
        """A field of the present reading."""
        if name in RiskReading._fields and "reading" in self.__dict__:
            return getattr(self.reading, name)
        raise AttributeError(f"RiskState has no attribute {name!r}")

    def update(
        self,
        value: float,
        *,
        peak: float = 0.0,
        max_drawdown: float = 0.0,
        var_95: float | None = None,
        var_99: float | None = None,
        cvar_95: float | None = None,
        timestamp: Any = None,
    ) -> float:
        """Add a portfolio value and return its drawdown, as a fraction of the peak.

        Parameters
        ----------
        value : float
            Portfolio value, above zero.
        peak, max_drawdown : float
            Highest value and largest drawdown of a history before it.
        var_95, var_99, cvar_95 : float, optional
            Fractions of the portfolio value.
        timestamp : int, datetime or ISO text, optional
            A time earlier than the last one raises drawdowns and `peak` only.
        """
        positive(value, "value")
        with self._lock:
            old = self.reading
            top = max(value, peak, old.peak or 0.0)
            drawdown = drawdown_of(value, top)
            last = old.last_updated
            stamp, before = optional_nanoseconds(timestamp), optional_nanoseconds(last)
            late = before is not None and stamp is not None and stamp < before
            if stamp is not None:
                refuse_ahead(stamp, before, self._max_ahead, "timestamp")
            reading = RiskReading._trusted(
                current_drawdown=max(drawdown, old.current_drawdown) if late else drawdown,
                max_drawdown=max(drawdown, max_drawdown, old.max_drawdown),
                var_95=old.var_95 if late else var_95,
                var_99=old.var_99 if late else var_99,
                cvar_95=old.cvar_95 if late else cvar_95,
                last_updated=last if late or timestamp is None else timestamp,
                peak=top,
            )
            commit([(setattr, self, "reading", reading), (setattr, self, "late", self.late + late)])
        return drawdown

    def to_dict(self) -> dict[str, Any]:
        """The present reading as plain data."""
        return self.reading.to_dict()

    def to_service(self) -> dict[str, Any]:
        """The answer of a REST service: drawdowns and VaR in percent."""
        return {name: value for name, value in percent(self.reading).items() if name != "peak"}

    @classmethod
    def from_dict(cls, data: Any) -> RiskState:
        """Restore a state from its `to_dict`."""
        return cls(RiskReading.from_dict(data))

    def state(self) -> dict[str, Any]:
        """The complete state as plain data for JSON."""
        with self._lock:
            reading = {**self.to_dict(), "last_updated": optional_nanoseconds(self.last_updated)}
            return {"format": FORMAT, "max_ahead": self._max_ahead, "late": self.late, "reading": reading}

    @classmethod
    def from_state(cls, state: Any) -> RiskState:
        """Restore a state from its `state`; malformed data raise `InputError`."""
        checked_state(cls.__name__, SHAPE, state, FORMAT)
        made = cls(RiskReading.from_dict(state["reading"]), max_ahead=state["max_ahead"])
        made.late = state["late"]
        return made

    @property
    def digest(self) -> str:
        """SHA-256 of the reading: equal for equal readings, in whatever form their time was given."""
        return digest_of("RiskState", {**self.to_dict(), "last_updated": optional_nanoseconds(self.last_updated)})

    def _rows(self) -> list[Row]:
        shown = percent(self.reading)
        last = self.last_updated
        return [
            ("current drawdown", shown["current_drawdown"], "%"),
            ("maximum drawdown", shown["max_drawdown"], "%"),
            ("VaR 95%", shown["var_95"], "% of the portfolio"),
            ("VaR 99%", shown["var_99"], "% of the portfolio"),
            ("ES 95%", shown["cvar_95"], "% of the portfolio"),
            ("last updated", None if last is None else str(last), ""),
            *([("late evaluations", self.late, "")] if self.late else []),
        ]


def drawdown_of(value: float, peak: float) -> float:
    """(peak - value) / peak, rounded once: a fall of exactly 10 % is 0.1, also from a peak of 0.3."""
    top = exact(peak, "peak")
    return float((top - exact(value, "value")) / top)


def percent(record: CheckedRecord) -> dict[str, Any]:
    """The fields of a record with its drawdowns and VaR in percent, as a REST service gives them."""
    return {name: in_percent(value) if name in IN_PERCENT else value for name, value in record.to_dict().items()}
