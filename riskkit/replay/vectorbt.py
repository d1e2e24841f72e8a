"""From a vectorbt portfolio to a frame of events: orders, fills and closes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskkit._check import InputError
from riskkit.replay.door import infer_instruments
from riskkit.replay.universe import Account, Instrument, common_unit, decimal_text, exact

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Simulated", "frame_from_portfolio"]

FINE = Fraction(1, 1_000_000)  # fees are fractions of money: counted to a millionth of it


class Simulated(NamedTuple):
    """What `EventLog.from_frame` needs of a portfolio."""

    frame: pd.DataFrame
    instruments: list[Instrument]
    accounts: list[Account]
    quanta: dict[str, Fraction]


def frame_from_portfolio(portfolio: Any, tick: Any = None, lot: Any = None, quantum: Any = None) -> Simulated:
    """Events of every column of a portfolio, with its instruments, accounts and quantum.

    A column is an account, or its group is where a group shares its cash; its close is an instrument of the same name.
    At each bar the orders come first, each followed by its fill, then the closes: the portfolio trades before the bar
    is over.
    """
    import pandas as pd

    close = portfolio.close
    close = close.to_frame() if isinstance(close, pd.Series) else close
    if not isinstance(close.index, pd.DatetimeIndex):
        raise InputError(f"the portfolio's index is {type(close.index).__name__}; it needs times (a DatetimeIndex)")
    labels = _labels(close.columns)
    owners, cash = _owners(portfolio, labels)
    times = close.index.tz_localize("UTC") if close.index.tz is None else close.index.tz_convert("UTC")
    orders = portfolio.orders.values
    frame = pd.concat([_order_events(orders, labels, owners), _close_events(close, labels)], ignore_index=True)
    frame = frame.sort_values(["bar", "turn", "number"], kind="stable", ignore_index=True)
    frame["ts"] = times[frame["bar"].to_numpy()]
    frame = frame.drop(columns=["bar", "turn", "number"])
    if tick is not None:
        frame["price"] = _rounded(frame["price"].to_numpy(float), exact(tick, "tick"))
    instruments = _instruments(frame, labels, tick, lot)
    _check_sizes(orders, labels, instruments)
    unit = _quantum(frame, instruments, quantum)
    frame["fee"] = _rounded(frame["fee"].to_numpy(float), unit)
    accounts = [Account(name, {"USD": round(exact(amount, "cash") / unit) * unit}) for name, amount in cash.items()]
    return Simulated(frame, instruments, accounts, {"USD": unit})


def _labels(columns: Any) -> list[str]:
    """The names of columns as text; parameters of a column that was made by several stand with slashes between."""
    labels = ["/".join(map(str, column)) if isinstance(column, tuple) else str(column) for column in columns]
    if len(set(labels)) < len(labels):
        twice = next(label for place, label in enumerate(labels) if label in labels[:place])
        raise InputError(f"the portfolio has two columns {twice!r}; give each column a name of its own")
    return labels


def _owners(portfolio: Any, labels: list[str]) -> tuple[list[str], dict[str, float]]:
    """The account of each column, and each account's opening cash."""
    grouper = portfolio.wrapper.grouper
    if portfolio.cash_sharing:
        groups = _labels(grouper.get_columns())
        owners = [groups[group] for group in grouper.get_groups()]
        cash = portfolio.get_init_cash()
    else:
        groups = owners = labels
        cash = portfolio.get_init_cash(group_by=False)
    amounts = np.broadcast_to(np.asarray(cash, float), (len(groups),))
    return owners, dict(zip(groups, amounts.tolist(), strict=True))


def _order_events(orders: np.ndarray, labels: list[str], owners: list[str]) -> pd.DataFrame:
    """Two rows an order: the order, and the fill that vectorbt simulated for it."""
    import pandas as pd

    count = len(orders)
    one = pd.DataFrame(
        {
            "bar": orders["idx"],
            "turn": 0,
            "account": np.array(owners, object)[orders["col"]],
            "instrument": np.array(labels, object)[orders["col"]],
            "side": np.where(orders["side"] == 0, "B", "S"),
            "qty": orders["size"],
            "price": orders["price"],
            "order_id": np.arange(count),
        }
    )
    both = pd.concat([one.assign(kind="order", fee=np.nan), one.assign(kind="fill", fee=orders["fees"])])
    both["number"] = 2 * both["order_id"] + (both["kind"] == "fill")
    return both


def _close_events(close: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    import pandas as pd

    values = close.to_numpy(float)
    bar, column = np.nonzero(np.isfinite(values))
    return pd.DataFrame(
        {
            "bar": bar,
            "turn": 1,
            "number": column,
            "kind": "price",
            "instrument": np.array(labels, object)[column],
            "price": values[bar, column],
        }
    )


def _rounded(values: np.ndarray, unit: Fraction) -> np.ndarray:
    """The nearest multiples of a unit, a tie to the even one."""
    return np.rint(values * unit.denominator / unit.numerator) * unit.numerator / unit.denominator


def _instruments(frame: pd.DataFrame, labels: list[str], tick: Any, lot: Any) -> list[Instrument]:
    if tick is not None and lot is not None:
        return [Instrument(label, exact(tick, "tick"), exact(lot, "lot")) for label in labels]
    asked = frame.drop(columns="qty" if lot is not None else "price" if tick is not None else [])
    try:
        proposed = {instrument.id: instrument for instrument in infer_instruments(asked)}
    except InputError:
        raise InputError(
            "the portfolio's prices or sizes need more than 9 decimals; give tick (prices are rounded to it), and "
            "trade whole sizes (size_granularity=1) or give lot"
        ) from None
    return [
        Instrument(
            label,
            proposed[label].tick if tick is None else exact(tick, "tick"),
            proposed[label].lot if lot is None else exact(lot, "lot"),
        )
        for label in labels
        if label in proposed
    ]


def _check_sizes(orders: np.ndarray, labels: list[str], instruments: Sequence[Instrument]) -> None:
    """Sizes are never rounded: another size is another position."""
    lots = {instrument.id: instrument.lot for instrument in instruments}
    for column, label in enumerate(labels):
        size = orders["size"][orders["col"] == column]
        if label in lots and len(size):
            lot = lots[label]
            steps = size * lot.denominator / lot.numerator
            off = np.abs(steps - np.rint(steps)) > 1e-9 + np.abs(steps) * 1e-15
            if off.any():
                raise InputError(
                    f"column {label!r}: size {float(size[np.argmax(off)])!r} is not a multiple of the lot "
                    f"{decimal_text(lot)}; trade whole sizes (size_granularity=1) or give lot"
                )


def _quantum(frame: pd.DataFrame, instruments: Sequence[Instrument], given: Any) -> Fraction:
    """As given, else the money of one lot at one tick, and finer where there are fees."""
    if given is not None:
        unit = exact(given, "quantum")
        if unit <= 0:
            raise InputError(f"quantum={given!r} is not above zero")
        return unit
    steps = [instrument.tick * instrument.lot for instrument in instruments]
    return common_unit([*steps, FINE] if (frame["fee"].fillna(0) != 0).any() else steps)
