"""An incident inside another log: times merged, everything that stood in the log as it stood."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit.replay.columns import OPTIONAL
from riskkit.replay.door import check_bounds
from riskkit.replay.events import EventLog
from riskkit.replay.incidents.record import Incident
from riskkit.replay.incidents.stream import incident_log
from riskkit.replay.universe import Universe, common_unit, exact

__all__ = ["inject"]

ROWS = ("order", "parent", "batch")  # columns that hold rows of the log


def inject(
    log: EventLog,
    which: str | Incident,
    *,
    at: Any = None,
    account: str = "",
    scale: float = 1.0,
    seed: int = 0,
    rate: Any = None,
) -> EventLog:
    """Let an incident happen within a log.

    The incident trades instruments of its own, so that nobody's marks move; at one time its events stand after the
    log's. Labels and money units of the log stay, and so does what rules with a scope below ``global`` say of others.

    Parameters
    ----------
    log : EventLog
        The record.
    which : str or Incident
        See `incident_log`, as for `scale` and `seed`.
    at : time, optional
        When the incident begins; by default with the log's first event.
    account : str
        Whose it is: an account of the log, or a new one; by default a new one named as the incident.
    rate : str, Decimal or float, optional
        Money of the log for one unit of the incident's currency; needed where they are not the same.

    Returns
    -------
    EventLog
        ``about["incident"]`` says where the incident stands.

    Raises
    ------
    InputError
        Where the currencies differ and no rate is given, the log has the incident's instruments already, or money
        could leave 64 bits.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"ts": [0, 10**10], "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": 1, "price": 10.0})
    >>> both = inject(EventLog.from_frame(frame), "infinium", at=10**9)
    >>> len(both), [account.id for account in both.universe.accounts]
    (13627, ['A', 'INFINIUM'])
    """
    if not len(log):
        raise InputError("log is empty; an incident by itself is made by incident_log")
    first = int(log.columns["ts"].min())
    other = incident_log(which, scale=scale, seed=seed, account=account, at=first if at is None else at)
    world = _joined(log.universe, other.universe, rate)
    places = _places(log.columns["ts"], other.columns["ts"])
    codes = world.account_codes[other.universe.accounts[0].id], len(log.universe.instruments)
    moved = _recoded(other, codes, len(log.pair_account))
    columns = {name: _merged(name, log.columns, moved, places) for name in {**log.columns, **moved}}
    pairs = (
        np.concatenate([log.pair_account, np.full(len(other.pair_account), codes[0])]),
        np.concatenate([log.pair_instrument, other.pair_instrument + codes[1]]),
    )
    check_bounds(columns, world, *pairs)
    title = f"{log.about.get('title', 'A log')}, with {other.about['title']}"
    about = {**log.about, "title": title, "incident": other.about["incident"]}
    about["orders"] = f"an incident was put in ({other.about['incident']['id']}, synthetic)"
    return EventLog(columns, *pairs, world, about)


def _joined(world: Universe, other: Universe, rate: Any) -> Universe:
    """The log's universe with the incident's instruments, in the log's money, and its account."""
    money, own = world.currency, other.currency
    if rate is None and money != own:
        raise InputError(
            f"rate is missing: the log counts in {money} and the incident in {own}; give {money} for 1 {own}"
        )
    factor = exact(1 if rate is None else rate, "rate")
    if factor <= 0:
        raise InputError(f"rate={rate!r} is not above zero")
    for instrument in other.instruments:
        if instrument.id in world.instrument_codes:
            raise InputError(f"the log has an instrument {instrument.id!r} already; an incident is put in once")
    instruments = tuple(replace(one, multiplier=one.multiplier * factor, currency=money) for one in other.instruments)
    quanta = world.quanta or {money: common_unit(world.ratio(one) * world.quantum for one in instruments)}
    accounts = world.accounts
    for account in other.accounts:
        if account.id not in world.account_codes:
            opening = sum(exact(amount, "cash") for amount in account.cash.values()) * factor
            whole = round(opening / world.quantum) * world.quantum
            accounts = (*accounts, replace(account, cash={money: whole}))
    return replace(world, instruments=(*world.instruments, *instruments), accounts=accounts, quanta=quanta)


def _places(ts: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of both logs' events in the joined one; a late event of the log stays behind the one before it."""
    order = np.argsort(np.concatenate([np.maximum.accumulate(ts), other]), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place[: len(ts)], place[len(ts) :]


def _recoded(other: EventLog, codes: tuple[int, int], pairs: int) -> dict[str, np.ndarray]:
    """The incident's columns with the codes of the joined log."""
    columns = dict(other.columns)
    account, instruments = codes
    columns["account"] = np.where(columns["account"] >= 0, account, -1).astype("<i4")
    columns["instrument"] = (columns["instrument"] + instruments).astype("<i4")
    columns["pair"] = np.where(columns["pair"] >= 0, columns["pair"] + pairs, -1).astype("<i4")
    return columns


def _merged(
    name: str, ours: dict[str, np.ndarray], others: dict[str, np.ndarray], places: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """One column of both logs; rows that it holds move with their events."""
    dtype = ours[name].dtype if name in ours else others[name].dtype
    joined = np.empty(len(places[0]) + len(places[1]), dtype)
    for columns, place in zip((ours, others), places, strict=True):
        column = columns[name] if name in columns else np.full(len(place), OPTIONAL[name][1], dtype)
        joined[place] = np.where(column >= 0, place[column], column) if name in ROWS else column
    return joined
