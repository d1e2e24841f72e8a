"""Overflow bounds of a log: no amount that its replay can reach may leave 64 bits, for the loop cannot check.

In enforce mode any fill, or part of one, may be refused. So a position is at most its opening lots plus the quantities
of one side, and cash at most the money of one side's fills, whatever the rules refuse. That is far below turnover for a
log that trades both ways, and cannot be less: a rule may refuse all sells and no buys. Sums that rules keep over a log
(volume caps) are bounded by the sum of all its notionals and quantities, of all accounts together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from riskkit._check import InputError
from riskkit.replay.schema.columns import MISSING, RATE_UNIT, SETTLES, EventKind, RowFlag
from riskkit.replay.schema.universe import OutOfRange, Universe, decimal_text

MARKING = (EventKind.FILL, EventKind.CORRECT, EventKind.PRICE, EventKind.ADJUST, *SETTLES)
MAXIMUM = 2.0**62
BALANCE = MAXIMUM / 16  # of cash and of value each: rules use differences and sums of a few of them
TOTAL = MAXIMUM / 4
DIGITS = 19  # of 64 bits


def check_bounds(
    columns: Mapping[str, np.ndarray],
    universe: Universe,
    pair_account: np.ndarray,
    pair_instrument: np.ndarray,
    source_row: Callable[[int], int] = int,
) -> None:
    """Refuse a log whose products or balances could overflow 64 bits.

    Parameters
    ----------
    columns : mapping of str to ndarray
        The columns of a log.
    universe : Universe
        Its units.
    pair_account, pair_instrument : ndarray of int32, shape (n_pairs,)
        Account and instrument of each pair.
    source_row : function
        The row to report for an event.

    Raises
    ------
    OutOfRange
        If an amount could overflow; the caller adds which units would fit.
    """
    if not len(universe.instruments):
        nothing = np.zeros(len(universe.accounts))
        _check_balances(columns, universe, nothing, nothing)
        return
    ratios = [universe.ratio(instrument) for instrument in universe.instruments]
    later = _multiplied(columns, ratios)
    worth = np.array([float(max(every)) for every in later])
    times = _split_factors(columns, len(ratios))
    marks, quotes = (prices * times for prices in _highest(columns, universe))
    for instrument, every, highest in zip(universe.instruments, later, quotes.tolist(), strict=True):
        ratio = max(every, key=lambda one: one.numerator * one.denominator)
        inner = ratio.numerator * (1 if ratio.denominator == 1 else ratio.denominator)
        if max(highest, 1) * inner >= MAXIMUM:
            raise OutOfRange(
                f"instrument {instrument.id!r}: one lot at one tick is {ratio} quanta of "
                f"{decimal_text(universe.quantum)}, which could overflow 64 bits"
            )
    _check_rows(columns, worth, quotes, source_row)
    held = _reachable_lots(columns, universe, pair_account, pair_instrument) * times[pair_instrument]
    closing = held * _closings(columns, len(held))  # at most, of the orders that close what is held
    lots = held + closing
    units = np.array([float(i.qty_step / universe.quantity_unit) for i in universe.instruments])
    over = lots * np.maximum(quotes * worth, units)[pair_instrument] >= MAXIMUM
    if over.any():
        pair = int(np.argmax(over))
        account, instrument = universe.accounts[pair_account[pair]], universe.instruments[pair_instrument[pair]]
        raise OutOfRange(
            f"account {account.id!r} in {instrument.id!r}: {lots[pair]:.3g} lots could be reached, whose value could "
            "overflow 64 bits"
        )
    paid = np.bincount(
        pair_account, lots * (_paid_ticks(columns, marks) * worth)[pair_instrument], len(universe.accounts)
    )
    value = np.bincount(pair_account, lots * (marks * worth)[pair_instrument], minlength=len(universe.accounts))
    traded = (columns["kind"] == EventKind.FILL) | (columns["kind"] == EventKind.CORRECT)
    notional = columns["qty"][traded] * columns["price"][traded].astype(float) * worth[columns["instrument"][traded]]
    moved = _one_sided(columns, traded, np.abs(notional), len(universe.accounts))
    implied = _implied(columns, pair_account, lots * (quotes * worth)[pair_instrument], len(universe.accounts))
    _check_balances(columns, universe, value, moved + paid + implied)
    quantity = _messages(columns)
    asked = (columns["qty"][quantity] * units[columns["instrument"][quantity]]).sum()
    if float(asked + (closing * units[pair_instrument]).sum()) >= TOTAL:
        raise OutOfRange("the quantities of all orders and fills together could overflow 64 bits")


def quantum_that_fits(
    columns: Mapping[str, np.ndarray], universe: Universe, pair_account: np.ndarray, pair_instrument: np.ndarray
) -> Fraction | None:
    """The finest unit of money, a power of ten times that of a universe, in which a log passes `check_bounds`."""
    money = np.isin(columns["kind"], (EventKind.CASH, EventKind.EQUITY, EventKind.TRADE, EventKind.CREDIT))
    for digits in range(1, DIGITS):
        scale = 10**digits
        counted = {**columns, "qty": np.where(money, columns["qty"] // scale, columns["qty"])}
        if "fee" in columns:
            counted["fee"] = columns["fee"] // scale
        try:
            coarser = replace(universe, quanta=dict.fromkeys(universe.quanta, universe.quantum * scale))
            check_bounds(counted, coarser, pair_account, pair_instrument)
        except OutOfRange:
            continue
        except InputError:  # an opening balance is no multiple of it
            return None
        return coarser.quantum
    return None


def _closings(columns: Mapping[str, np.ndarray], pairs: int) -> np.ndarray:
    """Number of orders of each pair that close what is held."""
    if "flags" not in columns:
        return np.zeros(pairs)
    rows = (columns["flags"] & int(RowFlag.CLOSE_POSITION) != 0) & (columns["pair"] >= 0)
    return np.bincount(columns["pair"][rows], minlength=pairs).astype(float)


def _messages(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Mask of the events with a quantity and a price: orders, modifies, fills and their corrections, snapshots, adjustments."""
    kind = columns["kind"]
    filled = (kind == EventKind.FILL) | (kind == EventKind.CORRECT)
    return filled | np.isin(kind, (EventKind.ORDER, EventKind.MODIFY, EventKind.SNAPSHOT, EventKind.ADJUST))


def _highest(columns: Mapping[str, np.ndarray], universe: Universe) -> tuple[np.ndarray, np.ndarray]:
    """Largest absolute mark (a fill's or a last price) and largest absolute price, by instrument."""
    count = len(universe.instruments)
    slippage = np.array([float(one.stop_slippage / one.price_step) for one in universe.instruments])
    kind, code, price = columns["kind"], columns["instrument"], columns["price"]
    marks, quotes = np.zeros(count), np.zeros(count)
    priced = price != MISSING
    for rows, found in (
        (priced & np.isin(kind, MARKING), marks),
        (priced & np.isin(kind, (EventKind.ORDER, EventKind.MODIFY, EventKind.SNAPSHOT)), quotes),
    ):
        np.maximum.at(found, code[rows], np.abs(price[rows].astype(float)))
    for name in ("bid", "ask", "reserve", "stop"):
        if name in columns:
            rows = (columns[name] != MISSING) & (code >= 0)  # not the rates, which have no instrument
            more = slippage[code[rows]] if name == "stop" else 0.0
            np.maximum.at(quotes, code[rows], np.abs(columns[name][rows].astype(float)) + more)
    return marks, np.maximum(marks, quotes)


def _multiplied(columns: Mapping[str, np.ndarray], ratios: list[Fraction]) -> list[list[Fraction]]:
    """Quanta of one lot at one tick of each instrument: as declared, then at each multiplier that it gets."""
    found = [[ratio] for ratio in ratios]
    for row in np.flatnonzero((columns["kind"] == EventKind.MULTIPLIER) & (columns["instrument"] >= 0)).tolist():
        code = columns["instrument"][row]
        found[code].append(ratios[code] * Fraction(int(columns["qty"][row]), int(columns["price"][row])))
    return found


def _split_factors(columns: Mapping[str, np.ndarray], count: int) -> np.ndarray:
    """By how much the splits of each instrument may raise its lots or its prices, from any event to any later one."""
    units, least, most, times = (
        np.ones(count) for _ in range(4)
    )  # of one unit so far: the units now, the fewest, the most
    for row in np.flatnonzero((columns["kind"] == EventKind.SPLIT) & (columns["instrument"] >= 0)).tolist():
        code = columns["instrument"][row]
        units[code] *= int(columns["qty"][row]) / int(columns["price"][row])
        least[code], most[code] = min(least[code], units[code]), max(most[code], units[code])
        times[code] = max(times[code], units[code] / least[code], most[code] / units[code])
    return times


def _paid_ticks(columns: Mapping[str, np.ndarray], marks: np.ndarray) -> np.ndarray:
    """Ticks that each instrument pays in all: dividends, fundings, settlements."""
    kind, code, price = columns["kind"], columns["instrument"], columns["price"]
    rows = np.isin(kind, (EventKind.DIVIDEND, *SETTLES)) & (code >= 0)
    paid = np.bincount(code[rows], np.abs(price[rows].astype(float)), minlength=len(marks))
    rows = (kind == EventKind.FUNDING) & (code >= 0)
    return paid + marks * np.bincount(code[rows], np.abs(columns["qty"][rows]) / RATE_UNIT, minlength=len(marks))


def _implied(
    columns: Mapping[str, np.ndarray], pair_account: np.ndarray, money: np.ndarray, accounts: int
) -> np.ndarray:
    """Money that snapshots, adjustments and multipliers may move of each account: of its positions before and after each."""
    stated = columns["kind"] == EventKind.SNAPSHOT
    first = columns["kind"] == EventKind.ADJUST
    changes = int((columns["kind"] == EventKind.MULTIPLIER).sum())
    if not (changes or (stated | first).any()):
        return np.zeros(accounts)
    if stated.any():
        first = first | (stated & (columns["batch"] == np.arange(len(stated))))
    times = changes + np.bincount(columns["account"][first], minlength=accounts)
    return 2 * np.bincount(pair_account, money, accounts) * times


def _check_rows(
    columns: Mapping[str, np.ndarray], worth: np.ndarray, quotes: np.ndarray, source_row: Callable[[int], int]
) -> None:
    """Check each order, modify and fill at its price (a market order: the highest), and their sum."""
    rows = np.flatnonzero(_messages(columns))
    code, qty, price = (columns[name][rows] for name in ("instrument", "qty", "price"))
    ticks = np.where(price == MISSING, quotes[code], np.abs(np.where(price == MISSING, 0, price).astype(float)))
    money = qty * ticks * worth[code]
    over = money >= MAXIMUM
    if over.any():
        first = int(np.argmax(over))
        raise OutOfRange(
            f"row {source_row(int(rows[first]))}: quantity {qty[first]} x price {ticks[first]:.0f} (in lots and ticks) could "
            "overflow 64 bits"
        )
    if float(money.sum()) >= TOTAL:
        raise OutOfRange(
            f"all orders and fills together are {float(money.sum()):.3g} quanta and could overflow 64 bits"
        )


def _reachable_lots(
    columns: Mapping[str, np.ndarray], universe: Universe, pair_account: np.ndarray, pair_instrument: np.ndarray
) -> np.ndarray:
    """Largest number of lots that each pair could have as position and working orders on one side."""
    opened = np.zeros(len(pair_account))
    for pair, (a, i) in enumerate(universe.opening_pairs()):
        opened[pair] = abs(universe.opening_steps(universe.accounts[a], universe.instruments[i].id))
    rows = _messages(columns) & (columns["pair"] >= 0)
    key = 2 * columns["pair"][rows].astype(np.int64) + (columns["side"][rows] > 0)
    lots = np.bincount(key, columns["qty"][rows].astype(float), minlength=2 * len(pair_account))
    by_side = lots.reshape(-1, 2)
    if np.isin(
        columns["kind"], (EventKind.SNAPSHOT, *SETTLES)
    ).any():  # they end what one side was, and the other one goes on
        return (
            opened
            + by_side.sum(1)
            + _rolled_lots(columns, universe, opened + by_side.sum(1), pair_account, pair_instrument)
        )
    return opened + by_side.max(1, initial=0.0)


def _rolled_lots(
    columns: Mapping[str, np.ndarray],
    universe: Universe,
    lots: np.ndarray,
    pair_account: np.ndarray,
    pair_instrument: np.ndarray,
) -> np.ndarray:
    """Lots that each pair could have by rolls, of what their accounts could have in other instruments."""
    more = np.zeros(len(lots))
    code, batch = columns["instrument"], columns.get("batch", np.full(len(columns["kind"]), -1))
    for row in np.flatnonzero(columns["kind"] == EventKind.ROLL).tolist():
        if batch[row] != row or row + 1 == len(code):
            continue
        old, new = (universe.instruments[code[place]].qty_step for place in (row, row + 1))
        held = np.zeros(len(universe.accounts))
        before = pair_instrument == code[row]
        held[pair_account[before]] = (lots + more)[before] * float(old / new)
        after = pair_instrument == code[row + 1]
        more[after] += held[pair_account[after]]
    return more


def _one_sided(columns: Mapping[str, np.ndarray], rows: np.ndarray, money: np.ndarray, accounts: int) -> np.ndarray:
    """Money of the fills of the larger side, by account."""
    key = 2 * columns["account"][rows].astype(np.int64) + (columns["side"][rows] > 0)
    return np.bincount(key, money, minlength=2 * accounts).reshape(-1, 2).max(1, initial=0.0)


def _check_balances(
    columns: Mapping[str, np.ndarray], universe: Universe, value: np.ndarray, moved: np.ndarray
) -> None:
    """Check cash (opening, moved by fills, dividends and settlements, flows, fees, equity from outside) and the value of positions."""
    count = len(universe.accounts)
    if not count:
        return
    kind, account, amount = columns["kind"], columns["account"], np.abs(columns["qty"].astype(float))
    bound = moved + np.abs([float(universe.opening_cash(opened)) for opened in universe.accounts])
    flows = np.isin(kind, (EventKind.CASH, EventKind.TRADE, EventKind.CREDIT))
    bound = bound + np.bincount(account[flows], amount[flows], minlength=count)
    if "fee" in columns:
        paid = columns["fee"] != 0
        bound = bound + np.bincount(account[paid], np.abs(columns["fee"][paid].astype(float)), minlength=count)
    external = np.zeros(count)
    equity = kind == EventKind.EQUITY
    np.maximum.at(external, account[equity], amount[equity])
    bound = np.maximum(bound + external, value)
    if (bound >= BALANCE).any() or bound.sum() >= TOTAL:
        label = universe.accounts[int(np.argmax(bound))].id
        raise OutOfRange(f"account {label!r}: its balance could reach {bound.max():.3g} quanta and overflow 64 bits")
