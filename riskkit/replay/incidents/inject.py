"""Insert an incident into another log: events are merged by time, the log's own events stay unchanged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from riskkit._check import Amount, InputError
from riskkit.replay.incidents.incident import Incident
from riskkit.replay.incidents.stream import Time, incident_log
from riskkit.replay.ingest.bounds import check_bounds
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.given import needs_a_log
from riskkit.replay.log.merge import merged, new_rows
from riskkit.replay.schema.universe import Universe, common_unit, exact


@needs_a_log
def inject(
    log: EventLog,
    which: str | Incident,
    *,
    at: Time | None = None,
    account: str = "",
    scale: float = 1.0,
    seed: int = 0,
    rate: Amount | None = None,
) -> EventLog:
    """Insert an incident into a log.

    The incident trades separate instruments, so that no other mark changes; at equal times its events come after the
    log's. Labels and money units of the log stay, and so do the decisions of rules on other accounts, except those of
    scope ``global``.

    Parameters
    ----------
    log : EventLog
        Recorded events.
    which : str or Incident
        See `incident_log`, as for `scale` and `seed`.
    at : time, optional
        Start of the incident; by default the time of the log's first event.
    account : str
        An account of the log, or a new one; by default a new account named after the incident.
    rate : str, Decimal or float, optional
        Price of one unit of the incident's currency in the log's currency; needed if they differ.

    Returns
    -------
    EventLog
        ``about["incident"]`` has the account and the times of the incident.

    Raises
    ------
    InputError
        If the currencies differ and no rate is given, the log has the incident's instruments already, or amounts do
        not fit in 64 bits.

    Examples
    --------
    >>> from riskkit.replay import tiny_log
    >>> both = inject(tiny_log([1, 1], spacing_ns=10**10), "infinium", at=10**9)
    >>> len(both), [account.id for account in both.universe.accounts]
    (13627, ['A', 'INFINIUM'])
    """
    if not len(log):
        raise InputError("the log is empty; incident_log makes the incident alone")
    first = int(log.columns["ts"].min())
    other = incident_log(which, scale=scale, seed=seed, account=account, at=first if at is None else at)
    world = _joined(log.universe, other.universe, rate)
    rows = new_rows(log.columns["ts"], other.columns["ts"])
    codes = world.account_codes[other.universe.accounts[0].id], len(log.universe.instruments)
    moved = _recoded(other, codes, len(log.pair_account))
    columns = merged(log.columns, moved, rows)
    pairs = (
        np.concatenate([log.pair_account, np.full(len(other.pair_account), codes[0])]),
        np.concatenate([log.pair_instrument, other.pair_instrument + codes[1]]),
    )
    check_bounds(columns, world, *pairs)
    title = f"{log.about.get('title', 'A log')}, with {other.about['title']}"
    about = {**log.about, "title": title, "incident": other.about["incident"]}
    about["orders"] = f"an incident was inserted ({other.about['incident']['id']}, synthetic)"
    return EventLog(columns, *pairs, world, about)


def _joined(world: Universe, other: Universe, rate: Amount | None) -> Universe:
    """The log's universe with the incident's instruments, in the log's currency, and its account."""
    money, foreign = world.currency, other.currency
    if rate is None and money != foreign:
        raise InputError(
            f"rate is missing: the log is in {money} and the incident in {foreign}; give the price of 1 {foreign} in {money}"
        )
    factor = exact(1 if rate is None else rate, "rate")
    if factor <= 0:
        raise InputError(f"rate={rate!r} is not above zero")
    for instrument in other.instruments:
        if instrument.id in world.instrument_codes:
            raise InputError(f"the log already has an instrument {instrument.id!r}; an incident can be inserted once")
    instruments = tuple(
        replace(instrument, multiplier=instrument.multiplier * factor, currency=money)
        for instrument in other.instruments
    )
    quanta = world.quanta or {money: common_unit(world.ratio(added) * world.quantum for added in instruments)}
    accounts = world.accounts
    for account in other.accounts:
        if account.id not in world.account_codes:
            opening = sum(exact(amount, "cash") for amount in account.cash.values()) * factor
            rounded = round(opening / world.quantum) * world.quantum
            accounts = (*accounts, replace(account, cash={money: rounded}))
    return replace(world, instruments=(*world.instruments, *instruments), accounts=accounts, quanta=quanta)


def _recoded(other: EventLog, codes: tuple[int, int], pairs: int) -> dict[str, np.ndarray]:
    """The incident's columns with the codes of the joined log."""
    columns = dict(other.columns)
    account, instruments = codes
    columns["account"] = np.where(columns["account"] >= 0, account, -1).astype("<i4")
    columns["instrument"] = (columns["instrument"] + instruments).astype("<i4")
    columns["pair"] = np.where(columns["pair"] >= 0, columns["pair"] + pairs, -1).astype("<i4")
    return columns
