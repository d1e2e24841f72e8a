"""Convert a frame of events to integer columns: the steps in their order, each in its own file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskkit._check import InputError, one_of
from riskkit.replay.ingest.bounds import check_bounds
from riskkit.replay.ingest.expiries import check_expiries, expiry_times, insert_expiries
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.infer import choose_quanta, propose_instruments
from riskkit.replay.ingest.labels import kinds, label_codes, pairs_of, plain_codes, sides, strategy_codes, truths
from riskkit.replay.ingest.money import money_events, one_currency
from riskkit.replay.ingest.prices import optional_prices, prices, quantities, refine
from riskkit.replay.ingest.references import batches, inherit, no_trade_ids, orders, parents, trade_ids, weights
from riskkit.replay.ingest.times import TimeForm, in_time_order, timestamps
from riskkit.replay.schema.columns import MISSING, OPTIONAL, REQUIRED, EventKind, RowFlag
from riskkit.replay.schema.universe import Account, Instrument, Universe


class Converted(NamedTuple):
    """Integer columns of a frame, the accounts and instruments of its pairs, its universe, and its source rows.

    ``source_rows`` is each event's row in the frame, -1 for an inserted one; None if nothing was moved or inserted.
    ``unit`` is that of times that were numbers, as declared or as their size tells.
    """

    columns: dict[str, np.ndarray]
    pair_account: np.ndarray
    pair_instrument: np.ndarray
    universe: Universe
    source_rows: np.ndarray | None
    unit: str


def columns_from_frame(
    frame: pd.DataFrame,
    instruments: Sequence[Instrument] | None,
    accounts: Sequence[Account | str],
    quanta: Mapping[str, Any] | None,
    tz: str,
    on_bad_order: str,
    ts_policy: str,
    currencies: str = "one",
    columns: Mapping[Any, str] | None = None,
    ignore: Collection[Any] = (),
    unit: str | None = None,
    time_format: str | None = None,
) -> Converted:
    """Convert a frame; see `EventLog.from_frame` for the arguments."""
    one_of(on_bad_order, ("raise", "flag"), "on_bad_order")
    one_of(ts_policy, ("raise", "reject", "clamp", "sort"), "ts_policy")
    one_of(currencies, ("one", "many"), "currencies")
    flag = on_bad_order == "flag"
    read = Frame.read(frame, columns, ignore)
    source, found, form = _in_time(read, TimeForm.checked(tz, unit, time_format), ts_policy)
    declared = list(propose_instruments(read) if instruments is None else instruments)
    opened = _declared_once(accounts)
    names, strategies, connections = _labels(source, found, declared, opened)
    declared = _numbers(source, found, declared, flag)
    universe = Universe(
        tuple(declared),
        tuple(opened.get(name, Account(name)) for name in names),
        choose_quanta(source, declared, opened.values(), quanta),
        strategies,
        connections,
        currencies == "many",
    )
    found["pair"], pair_account, pair_instrument = pairs_of(
        found["account"], found["instrument"], len(declared), universe.opening_pairs()
    )
    if currencies == "one":
        one_currency(source, universe, found["account"], pair_account, pair_instrument)
    money_events(source, found, universe)
    _references(source, found, form, flag)
    check_bounds(found, universe, pair_account, pair_instrument, source.source_row)
    found, rows = insert_expiries(found)
    source_rows = _source_rows(source, rows)
    return Converted(_typed(found), pair_account, pair_instrument, universe, source_rows, form.unit or "")


def _in_time(source: Frame, form: TimeForm, policy: str) -> tuple[Frame, dict[str, np.ndarray], TimeForm]:
    """Sort the frame if the policy is "sort", and convert times, kinds and flags; return the unit found as well."""
    stamps, unit = timestamps(source, "ts", form)
    source.refuse(stamps == MISSING, "ts", "is not a time")
    if policy == "sort" and (np.diff(stamps) < 0).any():
        order = np.argsort(stamps, kind="stable")
        source, stamps = source.in_order(order), stamps[order]
    source.kind = kinds(source)
    flags = np.zeros(source.size, np.int32)
    columns = {"ts": in_time_order(source, stamps, policy, flags), "kind": source.kind, "flags": flags}
    return source, columns, form._replace(unit=unit or form.unit)


def _declared_once(accounts: Iterable[Account | str]) -> dict[str, Account]:
    """The declared accounts by label."""
    opened: dict[str, Account] = {}
    for entry in accounts:
        account = entry if isinstance(entry, Account) else Account(entry)
        if account.id in opened:
            raise InputError(f"account {account.id!r} is declared twice; a label names one account")
        opened[account.id] = account
    return opened


def _labels(
    source: Frame, columns: dict[str, np.ndarray], declared: Sequence[Instrument], opened: Iterable[str]
) -> tuple[list[str], tuple[str, ...], tuple[str, ...]]:
    """Codes of every label; return the labels of accounts, strategies and connections."""
    columns["account"], names = label_codes(source, "account", list(opened))
    columns["instrument"], known = label_codes(source, "instrument", [i.id for i in declared])
    if len(known) > len(declared):
        few = ", ".join(i.id for i in declared[:5]) + (", ..." if len(declared) > 5 else "")
        source.refuse(columns["instrument"] >= len(declared), "instrument", f"is not declared (instruments are {few})")
    strategies: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    if source.has("strategy"):
        columns["strategy"], strategies = strategy_codes(source, columns["account"], names)
    if source.has("connection"):
        columns["connection"], connections = plain_codes(source, "connection")
    return names, strategies, connections


def _numbers(
    source: Frame, columns: dict[str, np.ndarray], declared: Sequence[Instrument], flag: bool
) -> list[Instrument]:
    """Convert sides, quantities and prices; return the instruments with steps that represent the off-grid orders kept."""
    code, flags = columns["instrument"], columns["flags"]
    lenient = source.rows_of(EventKind.ORDER, EventKind.MODIFY) if flag else np.zeros(source.size, bool)
    columns["side"] = sides(source)
    lots, odd_lots = quantities(source, code, declared, lenient, flags)
    ticks, odd_ticks = prices(source, code, declared, lenient, flags)
    priced = {"price": ticks}
    for name, kind in (("bid", EventKind.PRICE), ("ask", EventKind.PRICE), ("reserve", EventKind.ORDER)):
        if source.has(name):
            priced[name] = optional_prices(source, name, source.rows_of(kind), code, declared)
    counted = {"qty": lots}
    lot_cuts = refine(source, counted, odd_lots, code, len(declared))
    tick_cuts = refine(source, priced, odd_ticks, code, len(declared))
    columns |= {**counted, **priced}
    return [
        instrument
        if tick == lot == 1
        else replace(instrument, price_step=instrument.tick / tick, qty_step=instrument.lot / lot)
        for instrument, tick, lot in zip(declared, tick_cuts, lot_cuts, strict=True)
    ]


def _references(source: Frame, columns: dict[str, np.ndarray], form: TimeForm, lenient: bool) -> None:
    """Convert references: orders, parents, lists, ids of fills, and times at which orders lapse."""
    account, flags = columns["account"], columns["flags"]
    columns["order"] = orders(source, account, columns["instrument"], columns["side"], lenient)
    flags[truths(source, "reduce_only", source.rows_of(EventKind.ORDER, EventKind.MODIFY))] |= int(RowFlag.REDUCE_ONLY)
    inherit(source, columns)
    if source.has("parent_id"):
        columns["parent"] = parents(source, columns["order"])
    columns["batch"] = batches(source, account, columns["ts"])
    columns["weight"] = weights(source, columns["batch"])
    if source.has("trade_id"):
        trade_ids(source, columns)
    else:
        no_trade_ids(source)
    if source.has("expires"):
        expires = expiry_times(source, columns["ts"], form)
        columns["expires"] = check_expiries(source, columns["ts"], expires, columns["order"])


def _typed(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Cast to the column types; leave out an optional column without values."""
    typed = {name: np.ascontiguousarray(columns[name], dtype) for name, dtype in REQUIRED.items()}
    for name, (dtype, absent) in OPTIONAL.items():
        if name in columns and (columns[name] != absent).any():
            typed[name] = np.ascontiguousarray(columns[name], dtype)
    return typed


def _source_rows(source: Frame, rows: np.ndarray | None) -> np.ndarray | None:
    """Each event's row in the caller's frame."""
    if rows is None:
        return source.source_rows
    return rows if source.source_rows is None else np.where(rows >= 0, source.source_rows[rows], -1)
