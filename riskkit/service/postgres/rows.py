"""A piece of a journal as columns of the tables of the schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

from riskkit.replay.live.journal_tail import JournalPiece
from riskkit.replay.results.explain import decision_word, names_in, shown_of
from riskkit.replay.rules.history import RuleHistory
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.universe import Universe, decimal_text
from riskkit.service.postgres.copying import same, times
from riskkit.service.postgres.schema import ROWS

DIGITS = 60  # of a step that is not a decimal, as a third


def numeric_text(value: Any) -> str | None:
    """An exact number as a decimal; one that is none, as 1/3, to sixty digits.

    Examples
    --------
    >>> numeric_text(Fraction(1, 400)), numeric_text(0.1), numeric_text(None)
    ('0.0025', '0.1', None)
    """
    if value is None:
        return None
    if isinstance(value, Fraction):
        text = decimal_text(value)
        if "/" not in text:
            return text
        with localcontext(prec=DIGITS):
            return format(Decimal(value.numerator) / value.denominator, "f")
    return format(Decimal(repr(value)), "f")


def event_columns(engine: str, piece: JournalPiece) -> dict[str, Any]:
    """The columns of rk_event."""
    count = len(piece.columns["ts"])
    numbers = np.arange(piece.first, piece.first + count)
    return {"engine": same(engine, count), "time": times(piece.columns["ts"]), "seq": numbers, **piece.columns}


def decision_columns(engine: str, piece: JournalPiece, universe: Universe, history: RuleHistory) -> dict[str, Any]:
    """The columns of rk_decision."""
    rows, every = piece.rows, history.every
    seq = rows["seq"]
    events = {name: column[seq - piece.first] for name, column in piece.columns.items()}
    place = np.arange(len(seq)) - np.searchsorted(seq, seq)  # among the rows of its event
    accounts = [universe.accounts[code].id if code >= 0 else "" for code in events["account"].tolist()]
    codes = list(zip(*(rows[name].tolist() for name in ("code", "cause", "limit")), strict=True))
    readings = list(_readings(rows, events, universe, lambda number: history.at(number).rules))
    return {
        "engine": same(engine, len(seq)),
        "time": times(events["ts"]),
        "seq": seq,
        "place": place,
        "account_id": accounts,
        "decision": [decision_word(every, universe, *three) for three in codes],
        "rule": [every[cause].id if cause >= 0 else "" for _, cause, _ in codes],
        "objecting": [", ".join(names_in(every, mask)) for mask in rows["mask"].tolist()],
        "observed_value": [numeric_text(reading.observed) for reading in readings],
        "limit_value": [numeric_text(reading.limit) for reading in readings],
        "unit": [reading.unit for reading in readings],
        **{name: rows[name] for name in ROWS},
    }


def _readings(rows: np.ndarray, events: Any, universe: Universe, rules_at: Callable[[int], RuleSet]) -> Iterator[Any]:
    """The observed value and the limit of each row."""
    fields = zip(*(events[name].tolist() for name in ("instrument", "side", "price")), strict=True)
    for row, (instrument, side, price) in zip(rows, fields, strict=True):
        event = {"instrument": instrument, "side": side, "price": price}
        yield shown_of(event, universe, rules_at(int(row["seq"])), row)


def account_columns(engine: str, universe: Universe, known: int) -> dict[str, list[Any]]:
    """The columns of rk_account, of the accounts after those that are known."""
    added = universe.accounts[known:]
    return {"engine": [engine] * len(added), "code": _codes(known, added), "id": [one.id for one in added]}


def instrument_columns(engine: str, universe: Universe, known: int) -> dict[str, list[Any]]:
    """The columns of rk_instrument, of the instruments after those that are known."""
    added = universe.instruments[known:]
    return {
        "engine": [engine] * len(added),
        "code": _codes(known, added),
        "id": [one.id for one in added],
        "price_step": [numeric_text(one.price_step) for one in added],
        "qty_step": [numeric_text(one.qty_step) for one in added],
        "currency": [one.currency for one in added],
        "money_step": [numeric_text(universe.quanta.get(one.currency, Fraction(1, 100))) for one in added],
    }


def _codes(known: int, added: Sequence[Any]) -> list[int]:
    return list(range(known, known + len(added)))
