"""Convert money to quanta: cash, equity, closed trades and fees; without exchange rates an account has one currency."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd

from riskkit._check import InputError
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.labels import label_text, word_codes
from riskkit.replay.ingest.numbers import count_in
from riskkit.replay.schema.columns import (
    MISSING,
    RETURN_UNIT,
    CashFlowKind,
    CreditStep,
    EventKind,
    RowFlag,
    TradingCommand,
)
from riskkit.replay.schema.decimals import ROUND_IT
from riskkit.replay.schema.universe import GROUPS, Universe, decimal_text

MONEY = (
    (EventKind.CASH, "amount"),
    (EventKind.EQUITY, "equity"),
    (EventKind.TRADE, "pnl"),
    (EventKind.CREDIT, "amount"),
)


def money_events(frame: Frame, columns: dict[str, np.ndarray], universe: Universe) -> None:
    """Convert the values of CASH, EQUITY, TRADE, CONTROL and CREDIT to qty, price and side, and the fees of fills."""
    quantum = universe.quantum
    for kind, name in MONEY:
        rows, missing = frame.rows_of(kind), frame.missing(name)
        if kind not in (EventKind.TRADE, EventKind.CREDIT):
            frame.refuse(rows & missing, name, "is not an amount of money")
        if (rows & ~missing).any():
            columns["qty"] = np.where(rows & ~missing, _quanta(frame, name, rows & ~missing, quantum), columns["qty"])
    for kind, name, words, absent in (
        (EventKind.CASH, "flow", CashFlowKind, CashFlowKind.DEPOSIT),
        (EventKind.CONTROL, "cmd", TradingCommand, None),
        (EventKind.CREDIT, "step", CreditStep, None),
    ):
        rows = frame.rows_of(kind)
        if rows.any():
            columns["side"] = np.where(rows, word_codes(frame, name, rows, words, absent), columns["side"])
    _command_groups(frame, columns, universe)
    if frame.has("currency"):
        columns["price"] = np.where(
            frame.rows_of(EventKind.CASH, EventKind.CREDIT), _currencies(frame, universe), columns["price"]
        )
    executed = frame.rows_of(EventKind.EXECUTION) & ~frame.missing("qty") & ~frame.missing("price")
    frame.refuse(
        executed, "kind", "is one run of a strategy, and this row has a quantity and a price; did you mean 'fill'?"
    )
    trades = frame.rows_of(EventKind.TRADE)
    if trades.any():
        _returns(frame, trades, columns)
    fees = frame.rows_of(EventKind.FILL, EventKind.CORRECT) & ~frame.missing("fee")
    if fees.any():
        columns["fee"] = _quanta(frame, "fee", fees, quantum)


def _command_groups(frame: Frame, columns: dict[str, np.ndarray], universe: Universe) -> None:
    """Convert the group of accounts that a command is for to its scope (``qty``) and its code (``price``)."""
    for number, group in enumerate(GROUPS, 1):
        given = ~frame.missing(group)
        if not given.any():
            continue
        frame.refuse(given & ~frame.rows_of(EventKind.CONTROL), group, "is of a command, and this row is none")
        twice = given & ((columns["account"] >= 0) | (columns["qty"] != 0))
        frame.refuse(twice, group, "is not alone: a command is for an account, a trader, a desk or a firm")
        codes, found = pd.factorize(frame.column(group))
        known = {name: code for code, name in enumerate(getattr(universe, f"{group}s"))}
        places = np.array([*(known.get(label_text(label), -1) for label in found), MISSING], np.int64)[codes]
        frame.refuse(given & (places < 0), group, f"is not the {group} of an account")
        columns["qty"] = np.where(given, number, columns["qty"])
        columns["price"] = np.where(given, places, columns["price"])


def _returns(frame: Frame, trades: np.ndarray, columns: dict[str, np.ndarray]) -> None:
    """Convert the return of a closed trade to billionths, and flag a stop loss; a fill under that name is refused."""
    executed = trades & ~frame.missing("qty") & frame.missing("pnl") & frame.missing("ret")
    frame.refuse(
        executed,
        "kind",
        "is a closed position with its pnl or ret, and this row has a quantity and neither; did you mean 'fill'?",
    )
    counted = count_in(frame, "ret", trades & ~frame.missing("ret"), [Fraction(1, RETURN_UNIT)], None)
    frame.refuse(counted.bad | counted.off, "ret", "is not a return with at most nine decimals")
    columns["price"] = np.where(trades, counted.counts, columns["price"])
    if frame.has("exit"):
        stopped = (frame.column("exit") == "stop_loss").fillna(False).to_numpy(bool)
        columns["flags"][trades & stopped] |= int(RowFlag.STOP_LOSS)


def _currencies(frame: Frame, universe: Universe) -> np.ndarray:
    """Index of each row's currency in ``universe.currencies``, MISSING without one."""
    codes, found = pd.factorize(frame.column("currency"))
    indices = [universe.currencies.index(label_text(label)) for label in found]
    return np.array([*indices, MISSING], np.int64)[codes]


def _quanta(frame: Frame, name: str, rows: np.ndarray, quantum: Fraction) -> np.ndarray:
    counted = count_in(frame, name, rows, [quantum], None)
    frame.refuse(counted.bad, name, "is not an amount of money")
    frame.refuse(counted.off, name, f"is not a multiple of the quantum of money, {decimal_text(quantum)}; {ROUND_IT}")
    return counted.counts


def one_currency(
    frame: Frame,
    universe: Universe,
    account: np.ndarray,
    pair_account: np.ndarray,
    pair_instrument: np.ndarray,
) -> None:
    """Refuse an account that mixes currencies: without exchange rates its balance is undefined."""
    used: list[set[str]] = [set(opened.cash) for opened in universe.accounts]
    for a, i in zip(pair_account.tolist(), pair_instrument.tolist(), strict=True):
        used[a].add(universe.instruments[i].currency)
    if frame.has("currency"):
        cash = frame.rows_of(EventKind.CASH) & ~frame.missing("currency")
        for a, label in set(zip(account[cash].tolist(), frame.column("currency")[cash].tolist(), strict=True)):
            used[a].add(label_text(label))
    for code, currencies in enumerate(used):
        if len(currencies) > 1:
            label = universe.accounts[code].id
            names = " and ".join(sorted(currencies))
            raise InputError(
                f"account {label!r} mixes {names}; split it, say currencies='many', or give exchange rates (rows kind=\"fx\")"
            )
