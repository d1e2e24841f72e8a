"""What a reader has read: events for a replay, and what was left out, derived and assumed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from riskkit._check import InputError
from riskkit._show import Shown, table_html, table_text
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.schema.universe import Instrument, exact

if TYPE_CHECKING:
    import pandas as pd

ROW = re.compile(r"row (\d+)(?=[,:])")
FINEST = 18  # decimals of a step with which rounding begins


@dataclass(frozen=True, eq=False, repr=False)
class Reading(Shown):
    r"""Events read from files, with everything that a reader decided.

    Attributes
    ----------
    format : str
        Name of the reader.
    files : tuple of str
        Names of the files.
    frame : DataFrame
        Events in order of time, with the columns of ``riskkit.replay.ingest.columns.FRAME_COLUMNS``; numbers are exact.
    instruments : tuple of Instrument
        With the ticks and lots that occur, and the currency and multiplier of the file or of the arguments.
    places : tuple of (str, str)
        File and row of each event of the frame.
    left_out : DataFrame
        Rows that are no event of their own: file, row (as ``line 3``), reason.
    events : dict of str to int
        Events that the files state, by kind; without fills that were busted later, and without what was derived.
    derived : dict of str to int
        Events that the files do not state: orders of fills without one, ends of orders without a time.
    assumed : tuple of str
        What is not in the files and was decided: time zones, labels, units.
    fees : dict of str to Decimal
        Fees by currency, positive when paid, a rebate below zero.
    cash : dict of str to Decimal
        Cash flows by currency without fees of fills, positive when received.
    realised_pnl : dict of str to Decimal, optional
        Realised profit by currency, where the files state it.
    facts : mapping
        Other facts about the files, as each reader says.

    Examples
    --------
    >>> import io, riskkit as rk
    >>> text = "Time,Symbol,Price,Quantity,Type,Status,Value,Tag\n2024-03-07T14:31:00Z,SPY,500.5,-2,Market,Filled,-1001,\n"
    >>> reading = rk.read.quantconnect(io.StringIO(text))
    >>> reading.events, reading.derived
    ({'order': 1, 'fill': 1}, {})
    >>> reading.log().counts()
    {'ORDER': 1, 'FILL': 1}
    """

    format: str
    files: tuple[str, ...]
    frame: pd.DataFrame
    instruments: tuple[Instrument, ...]
    places: tuple[tuple[str, str], ...]
    left_out: pd.DataFrame
    events: dict[str, int]
    derived: dict[str, int]
    assumed: tuple[str, ...]
    fees: dict[str, Decimal]
    cash: dict[str, Decimal]
    realised_pnl: dict[str, Decimal] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def log(self, instruments: Sequence[Instrument] | None = None, **arguments: Any) -> EventLog:
        """The event log of what was read.

        Parameters
        ----------
        instruments : sequence of Instrument, optional
            By default those of the reading.
        **arguments
            As in `EventLog.from_frame`: accounts, quanta, rounding, about, ...; by default an event of an order from
            before the files is one of an external order.

        Raises
        ------
        InputError
            If a value does not fit; the message names file and row.
        """
        chosen = list(self.instruments if instruments is None else instruments)
        about = {"title": ", ".join(self.files), "read as": self.format, **arguments.pop("about", {})}
        arguments = {
            "currencies": "many" if self._mixed(chosen) else "one",
            "accounts": (),
            "unknown_orders": "external",
            **arguments,
        }
        if instruments is None and arguments.get("rounding") == "nearest":
            return self._rounded(chosen, about, arguments)
        return self._converted(chosen, about, arguments)

    def _converted(self, instruments: list[Instrument], about: dict[str, Any], arguments: dict[str, Any]) -> EventLog:
        """The log; a refusal names the file and the row of the event instead of the row of the frame."""
        try:
            return EventLog.from_frame(self.frame, instruments, about=about, **arguments)
        except InputError as refusal:
            found = ROW.match(str(refusal))
            place = ", ".join(self.places[int(found[1])]) if found else ""
            raise InputError(f"{place}{str(refusal)[found.end() :]}" if found else str(refusal)) from None

    def _rounded(self, instruments: list[Instrument], about: dict[str, Any], arguments: dict[str, Any]) -> EventLog:
        """The log in the finest ticks and lots that 64 bits hold."""
        problem: InputError | None = None
        tried: list[Instrument] | None = None
        for decimals in range(FINEST, -1, -1):
            step = Fraction(1, 10**decimals)
            steps = [
                replace(one, tick=max(one.tick, step), lot=max(one.lot, step), price_step=None, qty_step=None)
                for one in instruments
            ]
            if steps != tried:
                try:
                    return self._converted(steps, about, arguments)
                except InputError as refusal:
                    problem = problem or refusal
            tried = steps
        assert problem is not None
        raise problem

    def standing(self) -> pd.DataFrame:
        """The fills as they stand at the end: without those that were busted, with the contents of corrections."""
        frame = self.frame
        fills = frame[frame["kind"] == "fill"].copy()
        amends = frame[frame["kind"].isin(["bust", "correct"])]
        if "trade_id" not in frame or not len(amends):
            return fills
        key = ["account", "instrument", "trade_id"]
        rows = {tuple(values): index for index, values in zip(fills.index, fills[key].to_numpy(), strict=True)}
        for _, amend in amends.iterrows():
            index = rows.get(tuple(amend[key]))
            if index is None or index not in fills.index:
                continue
            if amend["kind"] == "bust":
                fills = fills.drop(index=index)
            else:
                changed = [name for name in ("qty", "price", "fee") if name in frame and amend[name] is not None]
                fills.loc[index, changed] = amend[changed]
        return fills

    def _mixed(self, instruments: Sequence[Instrument]) -> bool:
        """True if an account has several currencies."""
        if "account" not in self.frame:
            return False
        known = {instrument.id: instrument.currency for instrument in instruments}
        empty = [None] * len(self.frame)
        used: dict[Any, set[str]] = {}
        columns = (self.frame.get(name, empty) for name in ("account", "instrument", "currency"))
        for account, instrument, currency in zip(*columns, strict=True):
            if isinstance(account, str):
                used.setdefault(account, set()).update({known.get(instrument), currency} - {None})
        return any(len([name for name in names if isinstance(name, str)]) > 1 for names in used.values())

    def _table(self) -> tuple[str, tuple[str, str, str], list[tuple[str, Any, str]], list[str]]:
        rows: list[tuple[str, Any, str]] = [(kind, count, "") for kind, count in self.events.items()]
        rows += [(f"derived: {kind}", count, "") for kind, count in self.derived.items()]
        reasons = self.left_out.groupby("reason", sort=False)["row"].agg(["size", "first"])
        rows += [(f"left out: {why}", int(n), f"first {first}") for why, n, first in reasons.itertuples()]
        rows += [("fees", str(amount), currency) for currency, amount in self.fees.items()]
        rows += [("cash", str(amount), currency) for currency, amount in self.cash.items()]
        if len(self.frame):
            rows += [("from", str(self.frame["ts"].iloc[0]), ""), ("to", str(self.frame["ts"].iloc[-1]), "")]
        title = f"{self.format}: {', '.join(self.files)}"
        return title, ("", "read", ""), rows, [f"assumed: {sentence}" for sentence in self.assumed]

    def __repr__(self) -> str:
        """Return what was read, derived, left out and assumed as text."""
        return table_text(*self._table())

    def _repr_html_(self) -> str:
        return table_html(*self._table())


def with_units(
    instrument: str, prices: Collection[Decimal], quantities: Collection[Decimal], facts: Mapping[str, Any]
) -> Instrument:
    """An instrument with the largest powers of ten, at most 1, of which its prices and quantities are multiples."""
    low = any(price <= 0 for price in prices)
    multiplier = exact(facts.get("multiplier", 1), f"multiplier of {instrument}")
    if multiplier <= 0:
        raise InputError(f"multipliers[{instrument!r}]={facts['multiplier']} is not above zero")
    currency = facts.get("currency") or "USD"
    return Instrument(instrument, _step(prices), _step(quantities), multiplier, currency, negative_price=low)


def _step(numbers: Collection[Decimal]) -> Decimal:
    digits = [int(number.normalize().as_tuple().exponent) for number in numbers]
    return Decimal(1).scaleb(min([0, *digits]))
