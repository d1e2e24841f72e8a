"""Convert a vectorbt portfolio to a frame of events: orders, fills and closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.ingest.vectorbt_steps import choose_steps
from riskkit.replay.schema.universe import Account, Instrument, common_unit, decimal_text, exact

if TYPE_CHECKING:
    import pandas as pd

FINE = Fraction(1, 1_000_000)  # smallest quantum: fees are rounded to it
FINEST_RATIO = 10**8  # quanta are at most so many times the money of one lot at one tick, if steps are chosen
ROUNDING_LOTS = 1_000_000  # positions are rounded to lots if a column's largest size has at least so many


class Simulated(NamedTuple):
    """Arguments of `EventLog.from_frame` for a portfolio."""

    frame: pd.DataFrame
    instruments: list[Instrument]
    accounts: list[Account]
    quanta: dict[str, Fraction]
    about: dict[str, str]


def frame_from_portfolio(
    portfolio: Any, tick: Any = None, lot: Any = None, quantum: Any = None, digits: int | None = None
) -> Simulated:
    """Events of every column of a portfolio, with its instruments, accounts and quantum.

    A column is an account (or its group is, if groups share cash); its close is an instrument of the same name. At each
    bar the orders are first, each followed by its fill, then the closes: the portfolio trades before the end of the bar.
    Ticks and lots that are not given keep at most `digits` digits of a column's largest number.
    """
    import pandas as pd

    close = portfolio.close
    close = close.to_frame() if isinstance(close, pd.Series) else close
    labels = column_labels(close.columns)
    times = utc_times(close.index)
    shared = bool(portfolio.cash_sharing)
    cash = portfolio.get_init_cash() if shared else portfolio.get_init_cash(group_by=False)
    orders = portfolio.orders.values
    orders = orders[np.lexsort((orders["id"], orders["idx"]))]  # in order of time, whichever columns were selected
    names, opened = opening_accounts(portfolio.wrapper.grouper, shared, labels, cash)
    frame = pd.concat([_order_events(orders, labels, names), close_events(close, labels)], ignore_index=True)
    frame = frame.sort_values(["bar", "turn", "number"], kind="stable", ignore_index=True)
    frame["ts"] = times[frame["bar"].to_numpy()]
    steps = choose_steps(frame, labels, tick, lot, digits)
    names_of = frame["instrument"].to_numpy()
    for label, step in steps.ticks.items():
        rows = names_of == label
        frame.loc[rows, "price"] = rounded(frame.loc[rows, "price"].to_numpy(float), step)
    unit = common_quantum(steps.instruments, quantum, fees=bool((orders["fees"] != 0).any()))
    if quantum is None and steps.about:  # a ratio of many digits leaves little range in 64 bits
        unit = min(unit, *(one.tick * one.lot * FINEST_RATIO for one in steps.instruments))
    frame = _in_lots(frame, labels, steps.lots, unit)
    frame = frame.drop(columns=["bar", "turn", "number", "column"])
    frame["fee"] = rounded(frame["fee"].to_numpy(float), unit)
    accounts = [Account(name, {"USD": round(amount / unit) * unit}) for name, amount in opened.items()]
    return Simulated(frame, steps.instruments, accounts, {"USD": unit}, steps.about)


def utc_times(index: Any) -> pd.DatetimeIndex:
    """Times of a portfolio's index; those without a zone are UTC."""
    import pandas as pd

    if not isinstance(index, pd.DatetimeIndex):
        raise InputError(f"the portfolio's index is {type(index).__name__}; it needs times (a DatetimeIndex)")
    return index.tz_localize("UTC") if index.tz is None else index.tz_convert("UTC")


def column_labels(columns: Any) -> list[str]:
    """Names of columns as text; those of a column with several parameters are joined by slashes."""
    labels = ["/".join(map(str, column)) if isinstance(column, tuple) else str(column) for column in columns]
    if len(set(labels)) < len(labels):
        twice = next(label for index, label in enumerate(labels) if label in labels[:index])
        raise InputError(f"the portfolio has two columns {twice!r}; give each column another name")
    return labels


def opening_accounts(grouper: Any, shared: bool, labels: list[str], cash: Any) -> tuple[list[str], dict[str, Fraction]]:
    """Account of each column, and opening cash of each account.

    A column is an account, unless its group shares cash.
    """
    names = groups = labels
    if shared:
        groups = column_labels(grouper.get_columns())
        names = [groups[group] for group in grouper.get_groups()]
    amounts = np.broadcast_to(np.asarray(cash, float), (len(groups),))
    unbounded = np.flatnonzero(~np.isfinite(amounts))
    if len(unbounded):
        raise InputError(
            f"account {groups[unbounded[0]]!r} opens with cash of {amounts[unbounded[0]]}, so it has no value; simulate "
            "with init_cash='auto' or an amount"
        )
    return names, {name: exact(amount, "cash") for name, amount in zip(groups, amounts.tolist(), strict=True)}


def _order_events(orders: np.ndarray, labels: list[str], names: list[str]) -> pd.DataFrame:
    """Two rows per order: the order, and its simulated fill."""
    import pandas as pd

    count = len(orders)
    order = pd.DataFrame(
        {
            "bar": orders["idx"],
            "turn": 0,
            "account": np.array(names, object)[orders["col"]],
            "instrument": np.array(labels, object)[orders["col"]],
            "side": np.where(orders["side"] == 0, "B", "S"),
            "column": orders["col"],
            "qty": orders["size"],
            "price": orders["price"],
            "order_id": np.arange(count),
        }
    )
    both = pd.concat([order.assign(kind="order", fee=np.nan), order.assign(kind="fill", fee=orders["fees"])])
    both["number"] = 2 * both["order_id"] + (both["kind"] == "fill")
    return both


def close_events(close: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """A price event for each finite close."""
    import pandas as pd

    values = close.to_numpy(float)
    bar, column = np.nonzero(np.isfinite(values))
    return pd.DataFrame(
        {
            "bar": bar,
            "turn": 1,
            "number": column,
            "column": column,
            "kind": "price",
            "instrument": np.array(labels, object)[column],
            "price": values[bar, column],
        }
    )


def rounded(values: np.ndarray, unit: Fraction) -> np.ndarray:
    """The nearest multiples of a unit, half to even."""
    return np.rint(values * unit.denominator / unit.numerator) * unit.numerator / unit.denominator


def _in_lots(frame: pd.DataFrame, labels: list[str], lots_of: Mapping[str, Fraction], unit: Fraction) -> pd.DataFrame:
    """Orders and fills in integer lots; positions are rounded, so that closed positions are flat.

    An order that does not change its rounded position is left out. Columns without a lot in `lots_of` stay as they are.
    """
    found = frame.copy()
    gone = np.zeros(len(frame), bool)
    traded = frame["qty"].notna().to_numpy()
    for column, label in enumerate(labels):
        rows = np.flatnonzero(traded & (frame["column"] == column).to_numpy())
        first = rows[(frame["kind"].to_numpy()[rows] == "order")]
        fills = rows[(frame["kind"].to_numpy()[rows] == "fill")]
        size = frame["qty"].to_numpy(float)[first]
        lot = lots_of.get(label)
        if lot is None or not len(size):
            continue
        check_lot(size, float(size.max()), lot, label)
        side = np.where(frame["side"].to_numpy()[first] == "B", 1.0, -1.0)
        held = np.rint(np.cumsum(side * size) * lot.denominator / lot.numerator)
        lots = np.abs(np.diff(held, prepend=0.0))
        lost = (lots == 0) & (np.abs(frame["fee"].to_numpy(float)[fills]) * 2 > float(unit))
        if lost.any():
            raise lost_fees(float(size[np.argmax(lost)]), lot, label)
        for pick in (first, fills):
            found.loc[pick, "qty"] = lots * lot.numerator / lot.denominator
            gone[pick] = lots == 0
    return found[~gone].reset_index(drop=True)


def check_lot(size: np.ndarray, largest: float, lot: Fraction, label: str) -> None:
    """Refuse sizes that are not multiples of a lot, unless it is so fine that rounding does not matter."""
    steps = size * lot.denominator / lot.numerator
    off = np.abs(steps - np.rint(steps)) > 1e-9 + np.abs(steps) * 1e-15
    if off.any() and float(ROUNDING_LOTS * lot) > largest:
        raise InputError(
            f"column {label!r}: size {float(size[np.argmax(off)])!r} is not a multiple of the lot {decimal_text(lot)}; "
            "trade integer sizes (size_granularity=1), or give a lot of at most a millionth of the largest size, to "
            "which positions are rounded"
        )


def lost_fees(size: float, lot: Fraction, label: str) -> InputError:
    """Error for an order that is smaller than half a lot but has fees."""
    return InputError(
        f"column {label!r}: size {size!r} is less than half a lot of {decimal_text(lot)} and paid fees; give a finer lot"
    )


def common_quantum(instruments: Sequence[Instrument], given: Any, *, fees: bool) -> Fraction:
    """The given quantum, or the money of one lot at one tick, finer with fees; at least a millionth."""
    if given is not None:
        unit = exact(given, "quantum")
        if unit <= 0:
            raise InputError(f"quantum={shown(given)} is not above zero")
        return unit
    steps = [instrument.tick * instrument.lot for instrument in instruments]
    unit = common_unit([*steps, FINE] if fees else steps)
    return max(unit, FINE)  # a finer one would leave little range in 64 bits
