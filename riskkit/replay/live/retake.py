"""Events of a journal once more, at the speed of a replay: by compiled steps as far as those can take them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from riskkit.replay.live.compiled_step import EVENT_WORDS, PLACE, WORDS
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.journal import NUMBERS
from riskkit.replay.live.overflow import BY_LOTS, HELD, MONEY, PRICES, QUOTE, TRADED
from riskkit.replay.schema.columns import MISSING

STRETCH = 4096  # events whose words are made at once


def retake_all(engine: Engine, columns: Mapping[str, np.ndarray]) -> None:
    """Take the next events of the engine's journal, given as columns of a log; lists of orders are whole."""
    at, count, batch = 0, len(columns["ts"]), columns["batch"]
    while at < count:
        end = _list_end(batch, min(at + STRETCH, count) - 1)
        at += retake(engine, {name: column[at:end] for name, column in columns.items()})
        if at < end:
            end = _list_end(batch, at)
            values = zip(*(column[at:end].tolist() for column in columns.values()), strict=True)
            engine.take([dict(zip(columns, row, strict=True)) for row in values])
            at = end


def _list_end(batch: np.ndarray, row: int) -> int:
    """The row after a row and, if it is of a list of orders, the rest of its list."""
    end = row + 1
    while end < len(batch) and batch[end] == batch[row] >= 0:
        end += 1
    return end


def retake(engine: Engine, columns: Mapping[str, np.ndarray]) -> int:
    """Take events by compiled steps up to the first that needs the complete way; return how many.

    Parameters
    ----------
    engine : Engine
        After the events before them.
    columns : mapping of str to ndarray
        Columns of a log: the next events of the engine's journal.
    """
    step, journal, first = engine.make_step(), engine.journal, engine.size
    if step is None or engine.finds_duplicates:
        return 0
    engine.cover()
    words = _words(columns, first)
    for name in NUMBERS:
        words[:, WORDS[name]] = journal.places(columns[name])
    pairs, seen = np.unique(columns["pair"], return_index=True)
    for row in seen[pairs >= len(journal.pairs)].tolist():  # by code, as they appeared
        journal.pair(int(columns["account"][row]), int(columns["instrument"][row]))
    taken, used = 0, 0
    while taken < len(words) and used >= 0:
        engine.make_room(len(words) - taken)
        rest = words[taken:]
        used = step.step(step.address, int(rest.ctypes.data), len(rest))
        taken = int(step.block[PLACE["size"]]) + journal.shift - first
    return taken


def _words(columns: Mapping[str, np.ndarray], first: int) -> np.ndarray:
    """Events as the words of the step (`riskkit.replay.live.compiled_step.Prepared`), a row each."""
    count, kind = len(columns["ts"]), columns["kind"]
    words = np.zeros((count, len(EVENT_WORDS)), np.int64)
    words[:, WORDS["prev_duplicate"]] = -1
    for name in columns:
        words[:, WORDS[name]] = columns[name]
    traded = np.isin(kind, TRADED)
    prices = np.array([np.where(columns[name] == MISSING, 0, np.abs(columns[name])) for name in PRICES])
    words[:, WORDS["named"]] = columns["order"] == np.arange(first, first + count)
    words[:, WORDS["lots"]] = np.where(traded, columns["qty"], 0)
    words[:, WORDS["highest"]] = np.where(traded | (kind == QUOTE), prices.max(axis=0), 0)
    paid = np.where(np.isin(kind, MONEY), np.abs(columns["qty"]), 0)
    words[:, WORDS["money"]] = np.where(np.isin(kind, HELD), BY_LOTS, np.abs(columns["fee"]) + paid)
    return words
