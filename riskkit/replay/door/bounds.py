"""Nothing may leave 64 bits: the loop cannot check, so the door bounds what a log can reach before it is let in.

In enforce mode any fill, or part of one, may vanish, so a position reaches at most what it opened with and the sum of
one side's quantities, whatever the rules refuse; and cash at most what one side's fills move. That is far below
turnover for a log that trades both ways, and cannot be less: a rule might refuse all sells and no buys. What rules add
up over a log (volume caps) is bounded by the sum of all its notionals and quantities, of all accounts together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from riskkit._check import InputError
from riskkit.replay.columns import MISSING, Kind
from riskkit.replay.universe import Universe, decimal_text

__all__ = ["check_bounds"]

MAXIMUM = 2.0**62
BALANCE = MAXIMUM / 16  # of cash and of value each: rules take differences and sums of a few of them
TOTAL = MAXIMUM / 4


def check_bounds(
    columns: Mapping[str, np.ndarray],
    universe: Universe,
    pair_account: np.ndarray,
    pair_instrument: np.ndarray,
    place: Callable[[int], int] = int,
) -> None:
    """Refuse a log whose products or balances could leave 64 bits.

    Parameters
    ----------
    columns : mapping of str to ndarray
        The columns of a log.
    universe : Universe
        Its units.
    pair_account, pair_instrument : ndarray of int32, shape (n_pairs,)
        Whose pairs they are.
    place : function
        The row that a message names for an event.

    Raises
    ------
    InputError
        Where something could overflow; the sentence says what to choose larger.
    """
    if not len(universe.instruments):
        nothing = np.zeros(len(universe.accounts))
        _check_balances(columns, universe, nothing, nothing)
        return
    ratios = [universe.ratio(instrument) for instrument in universe.instruments]
    worth = np.array([float(ratio) for ratio in ratios])
    marks, quotes = _highest(columns, len(ratios))
    for instrument, ratio, highest in zip(universe.instruments, ratios, quotes.tolist(), strict=True):
        inner = ratio.numerator * (1 if ratio.denominator == 1 else ratio.denominator)
        if max(highest, 1) * inner >= MAXIMUM:
            raise InputError(
                f"instrument {instrument.id!r}: one lot at one tick is {ratio} quanta of "
                f"{decimal_text(universe.quantum)}, which could overflow 64 bits; choose a quantum near it"
            )
    _check_rows(columns, worth, quotes, place)
    lots = _reachable_lots(columns, universe, pair_account, pair_instrument)
    units = np.array([float(i.qty_step / universe.quantity_unit) for i in universe.instruments])
    over = lots * np.maximum(quotes * worth, units)[pair_instrument] >= MAXIMUM
    if over.any():
        pair = int(np.argmax(over))
        account, instrument = universe.accounts[pair_account[pair]], universe.instruments[pair_instrument[pair]]
        raise InputError(
            f"account {account.id!r} in {instrument.id!r}: {lots[pair]:.3g} lots could be reached, whose value could "
            "overflow 64 bits; choose a larger tick, lot or quantum"
        )
    value = np.bincount(pair_account, lots * (marks * worth)[pair_instrument], minlength=len(universe.accounts))
    traded = columns["kind"] == Kind.FILL
    notional = columns["qty"][traded] * columns["price"][traded].astype(float) * worth[columns["instrument"][traded]]
    _check_balances(columns, universe, value, _one_sided(columns, traded, np.abs(notional), len(universe.accounts)))
    quantity = _messages(columns)
    if float((columns["qty"][quantity] * units[columns["instrument"][quantity]]).sum()) >= TOTAL:
        raise InputError("the quantities of all orders and fills together could overflow 64 bits; choose larger lots")


def _messages(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Orders, modifies and fills: what carries a quantity and a price."""
    kind = columns["kind"]
    return (kind == Kind.ORDER) | (kind == Kind.MODIFY) | (kind == Kind.FILL)


def _highest(columns: Mapping[str, np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest size of a mark (a fill's or a last price) and of any price, by instrument."""
    kind, code, price = columns["kind"], columns["instrument"], columns["price"]
    marks, quotes = np.zeros(count), np.zeros(count)
    priced = price != MISSING
    for rows, found in (
        (priced & ((kind == Kind.FILL) | (kind == Kind.PRICE)), marks),
        (priced & ((kind == Kind.ORDER) | (kind == Kind.MODIFY)), quotes),
    ):
        np.maximum.at(found, code[rows], np.abs(price[rows].astype(float)))
    for name in ("bid", "ask", "reserve"):
        if name in columns:
            rows = columns[name] != MISSING
            np.maximum.at(quotes, code[rows], np.abs(columns[name][rows].astype(float)))
    return marks, np.maximum(marks, quotes)


def _check_rows(
    columns: Mapping[str, np.ndarray], worth: np.ndarray, quotes: np.ndarray, place: Callable[[int], int]
) -> None:
    """Each order, modify and fill at its own price (a market order's at the highest), and all of them together."""
    rows = np.flatnonzero(_messages(columns))
    code, qty, price = (columns[name][rows] for name in ("instrument", "qty", "price"))
    ticks = np.where(price == MISSING, quotes[code], np.abs(np.where(price == MISSING, 0, price).astype(float)))
    money = qty * ticks * worth[code]
    over = money >= MAXIMUM
    if over.any():
        first = int(np.argmax(over))
        raise InputError(
            f"row {place(int(rows[first]))}: quantity {qty[first]} x price {price[first]} (in lots and ticks) could "
            "overflow 64 bits; choose a larger tick, lot or quantum"
        )
    if float(money.sum()) >= TOTAL:
        raise InputError(
            f"all orders and fills together come to {float(money.sum()):.3g} quanta and could overflow 64 bits; "
            "choose a larger quantum"
        )


def _reachable_lots(
    columns: Mapping[str, np.ndarray], universe: Universe, pair_account: np.ndarray, pair_instrument: np.ndarray
) -> np.ndarray:
    """Lots that each pair could hold and have working on one side, whatever is refused."""
    opened = np.zeros(len(pair_account))
    for pair, (a, i) in enumerate(universe.opening_pairs()):
        opened[pair] = abs(universe.opening_steps(universe.accounts[a], universe.instruments[i].id))
    rows = _messages(columns) & (columns["pair"] >= 0)
    key = 2 * columns["pair"][rows].astype(np.int64) + (columns["side"][rows] > 0)
    lots = np.bincount(key, columns["qty"][rows].astype(float), minlength=2 * len(pair_account))
    return opened + lots.reshape(-1, 2).max(1, initial=0.0)


def _one_sided(columns: Mapping[str, np.ndarray], rows: np.ndarray, money: np.ndarray, accounts: int) -> np.ndarray:
    """Money that the fills of the larger side move, by account."""
    key = 2 * columns["account"][rows].astype(np.int64) + (columns["side"][rows] > 0)
    return np.bincount(key, money, minlength=2 * accounts).reshape(-1, 2).max(1, initial=0.0)


def _check_balances(
    columns: Mapping[str, np.ndarray], universe: Universe, value: np.ndarray, reach: np.ndarray
) -> None:
    """Cash, with opening cash, flows, fees and given equity on top of what fills move, and the value of positions."""
    count = len(universe.accounts)
    if not count:
        return
    kind, account, amount = columns["kind"], columns["account"], np.abs(columns["qty"].astype(float))
    reach = reach + np.abs([float(universe.opening_cash(one)) for one in universe.accounts])
    flows = (kind == Kind.CASH) | (kind == Kind.TRADE)
    reach = reach + np.bincount(account[flows], amount[flows], minlength=count)
    if "fee" in columns:
        paid = columns["fee"] != 0
        reach = reach + np.bincount(account[paid], np.abs(columns["fee"][paid].astype(float)), minlength=count)
    given = np.zeros(count)
    told = kind == Kind.EQUITY
    np.maximum.at(given, account[told], amount[told])
    reach = np.maximum(reach + given, value)
    if (reach >= BALANCE).any() or reach.sum() >= TOTAL:
        label = universe.accounts[int(np.argmax(reach))].id
        raise InputError(
            f"account {label!r}: its balance could reach {reach.max():.3g} quanta and overflow 64 bits; "
            "choose a larger quantum"
        )
