"""Convert a frame of events to integer columns: the steps in their order, each in its own file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskkit._check import InputError, one_of
from riskkit.replay.ingest.actions import check_rolls, check_transfers, funding_events
from riskkit.replay.ingest.bounds import check_bounds
from riskkit.replay.ingest.closing import FLAGS as CLOSING
from riskkit.replay.ingest.closing import of_positions
from riskkit.replay.ingest.credits import check_amounts, name_reservations
from riskkit.replay.ingest.displays import check_displays
from riskkit.replay.ingest.dividends import dividend_events
from riskkit.replay.ingest.expiries import check_expiries, expiry_times, insert_expiries, with_sessions
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.infer import choose_quanta, propose_instruments
from riskkit.replay.ingest.labels import (
    kinds,
    label_codes,
    one_spelling,
    pairs_of,
    plain_codes,
    sides,
    strategy_codes,
    truths,
    word_codes,
)
from riskkit.replay.ingest.money import money_events, one_currency
from riskkit.replay.ingest.multipliers import multiplier_events, multiplier_times
from riskkit.replay.ingest.order_ids import UNIQUE, OrderPolicy
from riskkit.replay.ingest.pegs import price_pegs
from riskkit.replay.ingest.phases import phase_events
from riskkit.replay.ingest.prices import optional_prices, prices, quantities, refine
from riskkit.replay.ingest.quote_quantities import count_amounts
from riskkit.replay.ingest.rates import rate_currencies, rate_events
from riskkit.replay.ingest.references import batches, inherit, no_trade_ids, orders, parents, trade_ids, weights
from riskkit.replay.ingest.rows import NOT_LISTED
from riskkit.replay.ingest.smp_ids import smp_numbers
from riskkit.replay.ingest.snapshots import check_snapshots
from riskkit.replay.ingest.splits import finer_steps, split_events, split_ratios
from riskkit.replay.ingest.stops import stops, types_of
from riskkit.replay.ingest.times import TimeForm, in_time_order, timestamps
from riskkit.replay.ingest.units import units_that_may_fit
from riskkit.replay.schema.columns import MISSING, OPTIONAL, REQUIRED, CancelFrees, EventKind, RowFlag
from riskkit.replay.schema.decimals import ROUNDINGS, TOO_LARGE
from riskkit.replay.schema.universe import (
    Account,
    Instrument,
    OutOfRange,
    Universe,
    accounts_of,
    decimal_text,
    instruments_of,
)


class Converted(NamedTuple):
    """Integer columns of a frame, the accounts and instruments of its pairs, its universe, and its source rows.

    ``source_rows`` is each event's row in the frame, -1 for an inserted one; None if nothing was moved or inserted.
    ``unit`` is that of times that were numbers, as declared or as their size tells. ``order_ids`` are those of the orders
    that have one, in the order of their rows.
    """

    columns: dict[str, np.ndarray]
    pair_account: np.ndarray
    pair_instrument: np.ndarray
    universe: Universe
    source_rows: np.ndarray | None
    unit: str
    order_ids: Sequence[Any]


def columns_from_frame(
    frame: pd.DataFrame,
    instruments: Sequence[Instrument] | None,
    accounts: Sequence[Account | str] | None,
    quanta: Mapping[str, Any] | None,
    tz: str,
    on_bad_order: str,
    ts_policy: str,
    currencies: str = "one",
    columns: Mapping[Any, str] | None = None,
    ignore: Collection[Any] = (),
    unit: str | None = None,
    time_format: str | None = None,
    rounding: str = "refuse",
    order_policy: OrderPolicy = UNIQUE,
) -> Converted:
    """Convert a frame; see `EventLog.from_frame` for the arguments."""
    one_of(on_bad_order, ("raise", "flag"), "on_bad_order")
    one_of(ts_policy, ("raise", "reject", "clamp", "sort"), "ts_policy")
    one_of(currencies, ("one", "many"), "currencies")
    one_of(rounding, ROUNDINGS, "rounding")
    order_policy.checked()
    read = one_spelling(Frame.read(frame, columns, ignore))
    read.nearest = rounding == "nearest"
    source, found, form = _in_time(read, TimeForm.checked(tz, unit, time_format), ts_policy)
    declared = list(propose_instruments(read) if instruments is None else instruments_of(instruments))
    opened = _declared_once(accounts_of(() if accounts is None else accounts))
    labels = _labels(source, found, declared, opened)
    entry = Entry(source, found, form, opened, labels, on_bad_order == "flag", currencies, order_policy)
    if not read.nearest:
        try:
            return entry.in_units(declared, quanta)
        except OutOfRange as problem:
            raise OutOfRange(f"{problem}; {entry.way_out(declared, quanta)}") from None
    made, why = entry.in_first_that_fit(declared, quanta, keep_steps=instruments is not None)
    if made is None:
        raise InputError(f"{why}; {entry.way_out(declared, quanta)}")
    return made


class Entry(NamedTuple):
    """A frame in order, with its codes of times, kinds and labels; its numbers are converted in given units."""

    source: Frame
    columns: dict[str, np.ndarray]
    form: TimeForm
    opened: Mapping[str, Account]
    labels: tuple[list[str], tuple[str, ...], tuple[str, ...]]
    flag: bool
    currencies: str
    order_policy: OrderPolicy

    def in_units(self, declared: Sequence[Instrument], quanta: Mapping[str, Any] | None) -> Converted:
        """Convert the numbers and what follows from them; without quanta money needs no rounding."""
        source, found = self.source, {**self.columns, "flags": self.columns["flags"].copy()}
        names, strategies, connections = self.labels
        ratios = split_ratios(source)
        times = multiplier_times(source, found["instrument"], declared)
        stepped = _numbers(source, found, declared, self.flag, ratios, times)
        accounts = tuple(self.opened.get(name, Account(name)) for name in names)
        rated = rate_currencies(source)
        money = choose_quanta(source, stepped, self.opened.values(), quanta, rated)
        mixed = self.currencies == "many" or bool(rated)
        universe = Universe(tuple(stepped), accounts, money, strategies, connections, mixed)
        found["pair"], pair_account, pair_instrument = pairs_of(
            found["account"], found["instrument"], len(stepped), universe.opening_pairs()
        )
        if not mixed:
            one_currency(source, universe, found["account"], pair_account, pair_instrument)
        money_events(source, found, universe)
        check_amounts(source, found)
        rate_events(source, found, universe.currencies)
        dividend_events(source, found, universe)
        funding_events(source, found)
        split_events(source, found, ratios)
        multiplier_events(found, times)
        phase_events(source, found)
        _references(source, found, self.form, self.order_policy)
        check_rolls(source, found, universe)
        check_transfers(source, found)
        check_bounds(found, universe, pair_account, pair_instrument, source.source_row)
        named = found["order"] == np.arange(source.size)
        found, rows = insert_expiries(found)
        pairs, unit = (pair_account, pair_instrument), self.form.unit or ""
        return Converted(_typed(found), *pairs, universe, _source_rows(source, rows), unit, _order_ids(source, named))

    def in_first_that_fit(
        self, declared: Sequence[Instrument], quanta: Mapping[str, Any] | None, keep_steps: bool
    ) -> tuple[Converted | None, str]:
        """Convert in the finest units that 64 bits can hold; else None, and what the last ones could not hold."""
        problem = "its prices and quantities could overflow 64 bits in every unit"
        code, accounts = self.columns["instrument"], self.opened.values()
        for units in units_that_may_fit(self.source, code, declared, accounts, quanta, keep_steps):
            try:
                return self.in_units(*units), ""
            except OutOfRange as error:
                problem = str(error)
        return None, problem

    def way_out(self, declared: Sequence[Instrument], quanta: Mapping[str, Any] | None) -> str:
        """The arguments with which the frame goes in, found by trying: a policy alone, else units as well."""
        self.source.nearest = True
        for given, keep_steps in ((quanta, True), (None, True), (None, False)):
            made, _ = self.in_first_that_fit(declared, given, keep_steps)
            if made is not None:
                return _advice(declared, made.universe, given is None and quanta is not None)
        return TOO_LARGE


def _advice(declared: Sequence[Instrument], universe: Universe, money: bool) -> str:
    """The arguments that give a universe: the policy, the unit of money if another was given, and changed steps."""
    parts = ["give rounding='nearest'"]
    if money:
        parts.append(f"leave out quanta (a unit of money of {decimal_text(universe.quantum)} fits)")
    for old, new in zip(declared, universe.instruments, strict=True):
        changed = [name for name in ("tick", "lot") if getattr(old, name) != getattr(new, name)]
        if changed:
            steps = " and ".join(f"{name}={decimal_text(getattr(new, name))!r}" for name in changed)
            parts.append(f"declare {new.id} with {steps}")
    return ", and ".join(parts)


def _in_time(source: Frame, form: TimeForm, policy: str) -> tuple[Frame, dict[str, np.ndarray], TimeForm]:
    """Sort the frame if the policy is "sort", and convert times, kinds and flags; return the unit found as well."""
    stamps, unit = timestamps(source, "ts", form)
    source.refuse(stamps == MISSING, "ts", "is not a time")
    if policy == "sort" and (np.diff(stamps) < 0).any():
        order = np.argsort(stamps, kind="stable")
        source, stamps = source.in_order(order), stamps[order]
    source.kind = kinds(source)
    source = name_reservations(source)
    flags = np.zeros(source.size, np.int32)
    columns = {"ts": in_time_order(source, stamps, policy, flags), "kind": source.kind, "flags": flags}
    return source, columns, form._replace(unit=unit or form.unit)


def _declared_once(accounts: Iterable[Account]) -> dict[str, Account]:
    """The declared accounts by label."""
    opened: dict[str, Account] = {}
    for account in accounts:
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
        why = f"is not declared (instruments are {few or 'none; instruments=None proposes them'})"
        source.refuse(columns["instrument"] >= len(declared), "instrument", why)
    strategies: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    if source.has("strategy"):
        columns["strategy"], strategies = strategy_codes(source, columns["account"], names)
    if source.has("connection"):
        columns["connection"], connections = plain_codes(source, "connection")
    if source.has("smp_id"):
        columns["smp_id"] = smp_numbers(source)
    return names, strategies, connections


def _numbers(
    source: Frame,
    columns: dict[str, np.ndarray],
    declared: Sequence[Instrument],
    flag: bool,
    ratios: Mapping[int, Fraction],
    times: Mapping[int, Fraction],
) -> list[Instrument]:
    """Convert sides, quantities and prices; return the instruments with steps that represent the off-grid orders kept."""
    code, flags = columns["instrument"], columns["flags"]
    lenient = source.rows_of(EventKind.ORDER, EventKind.MODIFY) if flag else np.zeros(source.size, bool)
    columns["side"] = sides(source)
    flags[of_positions(source)] |= CLOSING
    lots, odd_lots = quantities(source, code, declared, lenient, flags)
    types = types_of(source)
    ticks, odd_ticks = prices(source, code, declared, lenient, flags, types)
    priced = {"price": ticks}
    waits = stops(source, types, code, declared, flags)
    if waits is not None:
        priced["stop"] = waits
    for name, kind in (("bid", EventKind.PRICE), ("ask", EventKind.PRICE), ("reserve", EventKind.ORDER)):
        if source.has(name):
            priced[name] = optional_prices(source, name, source.rows_of(kind), code, declared)
    counted = {"qty": lots}
    lot_cuts = refine(source, counted, odd_lots, code, [1] * len(declared))
    tick_cuts = refine(source, priced, odd_ticks, code, finer_steps(ratios, code, len(declared)))
    columns |= {**counted, **priced}
    stepped = [
        instrument
        if tick == lot == 1
        else replace(instrument, price_step=instrument.tick / tick, qty_step=instrument.lot / lot)
        for instrument, tick, lot in zip(declared, tick_cuts, lot_cuts, strict=True)
    ]
    price_pegs(source, columns, types, stepped, ratios, lenient)
    count_amounts(source, columns, stepped, ratios, lenient, times)
    if source.has("display"):
        check_displays(source, columns, stepped, lenient)
    return stepped


def _references(source: Frame, columns: dict[str, np.ndarray], form: TimeForm, policy: OrderPolicy) -> None:
    """Convert references: orders, parents, lists, ids of fills, and times at which orders lapse."""
    account, flags = columns["account"], columns["flags"]
    columns["order"] = orders(source, account, columns["instrument"], columns["side"], columns["ts"], policy)
    flags[truths(source, "reduce_only", source.rows_of(EventKind.ORDER, EventKind.MODIFY))] |= int(RowFlag.REDUCE_ONLY)
    flags[truths(source, "dnr", source.rows_of(EventKind.ORDER))] |= int(RowFlag.DO_NOT_REDUCE)
    flags[truths(source, "external", source.rows_of(EventKind.ORDER))] |= int(RowFlag.EXTERNAL)
    flags[truths(source, "mmp", source.rows_of(EventKind.ORDER))] |= int(RowFlag.MMP)
    frees = word_codes(source, "cancel_frees", source.rows_of(EventKind.CANCEL), CancelFrees, CancelFrees.REQUEST)
    inherit(source, columns)
    flags[frees == CancelFrees.CONFIRMED] |= int(RowFlag.UNCONFIRMED)
    if source.has("parent_id"):
        columns["parent"] = parents(source, account, columns["order"], policy)
    columns["batch"] = batches(source, account, columns["ts"])
    source.refuse((flags & int(RowFlag.EXTERNAL) != 0) & (columns["batch"] >= 0), "external", NOT_LISTED)
    columns["weight"] = weights(source, columns["batch"])
    check_snapshots(source, columns)
    if source.has("trade_id"):
        trade_ids(source, columns)
    else:
        no_trade_ids(source)
    source, immediate = with_sessions(source) if source.has("tif") else (source, np.zeros(source.size, bool))
    if source.has("expires") or immediate.any():
        expires = expiry_times(source, columns["ts"], form)
        expires[immediate] = columns["ts"][immediate] + 1
        columns["expires"] = check_expiries(source, columns["ts"], expires, columns["order"])


def _typed(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Cast to the column types; leave out an optional column without values."""
    typed = {name: np.ascontiguousarray(columns[name], dtype) for name, dtype in REQUIRED.items()}
    for name, (dtype, absent) in OPTIONAL.items():
        if name in columns and (columns[name] != absent).any():
            typed[name] = np.ascontiguousarray(columns[name], dtype)
    return typed


def _order_ids(source: Frame, named: np.ndarray) -> Sequence[Any]:
    """The ids of the orders that have one, at their rows."""
    found: Sequence[Any] = source.column("order_id")[named].array if named.any() else ()
    return found


def _source_rows(source: Frame, rows: np.ndarray | None) -> np.ndarray | None:
    """Each event's row in the caller's frame."""
    if rows is None:
        return source.source_rows
    return rows if source.source_rows is None else np.where(rows >= 0, source.source_rows[rows], -1)
