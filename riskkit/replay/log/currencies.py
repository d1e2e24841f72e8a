"""Currencies of a log: those in which its accounts have money or trade."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskkit._check import InputError
from riskkit.replay.schema.columns import MISSING, EventKind

if TYPE_CHECKING:
    from riskkit.replay.log.event_log import EventLog


def account_currencies(log: EventLog) -> list[tuple[str, ...]]:
    """Currencies of each account, sorted: of its opening cash, its cash flows, its reserved credit and its instruments.

    An account with none of them has the first currency of the log.

    Examples
    --------
    >>> import riskkit as rk
    >>> account_currencies(rk.replay.tiny_log([1, 2]))
    [('USD',)]
    """
    universe, columns = log.universe, log.columns
    found = [set(account.cash) for account in universe.accounts]
    for a, i in zip(log.pair_account.tolist(), log.pair_instrument.tolist(), strict=True):
        found[a].add(universe.instruments[i].currency)
    if "kind" in columns:  # the books of a live session have no events
        paid = np.isin(columns["kind"], (EventKind.CASH, EventKind.CREDIT))
        named = paid & (columns["price"] != MISSING) & (columns["account"] >= 0)
        flows = np.unique(np.column_stack([columns["account"][named], columns["price"][named]]), axis=0)
        for a, currency in flows.tolist():
            found[a].add(universe.currencies[currency])
    return [tuple(sorted(names)) or (universe.currency,) for names in found]


def accounts_by_currency(log: EventLog) -> dict[str, list[int]]:
    """Accounts by currency, so that amounts of several are never added; one that mixes them is under "EUR and USD".

    Examples
    --------
    >>> import riskkit as rk
    >>> accounts_by_currency(rk.replay.tiny_log([1, 2]))
    {'USD': [0]}
    """
    found: dict[str, list[int]] = {}
    for code, names in enumerate(log.account_currencies):
        found.setdefault(" and ".join(names), []).append(code)
    return found or {log.universe.currency: []}


def one_currency(log: EventLog) -> dict[str, list[int]]:
    """`accounts_by_currency` without the accounts that mix several."""
    return {name: codes for name, codes in accounts_by_currency(log).items() if name in log.universe.currencies}


def refuse_currencies(log: EventLog, what: str) -> None:
    """Refuse `what`, which would add or compare money of all accounts, where a log has several currencies.

    Raises
    ------
    InputError
        With the currencies and what fits.
    """
    currencies = sorted({name for names in log.account_currencies for name in names})
    if len(currencies) > 1:
        listed = f"{', '.join(currencies[:-1])} and {currencies[-1]}"
        raise InputError(
            f"{what} needs one currency, and the accounts of this log have {listed}; "
            "take the accounts of each currency as a log of their own"
        )
