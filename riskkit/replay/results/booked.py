"""Changes of positions that a replay booked: fills as accepted or cut, busts and corrections, snapshots, settlements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from riskkit.replay.results.result import ReplayResult
from riskkit.replay.schema.columns import AMENDS, SETTLES, DecisionCode, EventKind

GONE = (DecisionCode.VANISH, DecisionCode.DUP, DecisionCode.ERROR_TS)  # of a fill that is not booked


class Moves(NamedTuple):
    """Changes of positions in the order of the events: row, pair (account in instrument) and signed lots; (n_moves,)."""

    rows: np.ndarray
    pairs: np.ndarray
    lots: np.ndarray

    def before(self, opening: np.ndarray, pairs: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The positions of these pairs before these rows, in lots; `opening` has that of every pair."""
        held = opening[pairs].astype(np.int64)
        for pair in np.unique(pairs).tolist():
            mine = self.pairs == pair
            total = np.concatenate([[0], np.cumsum(self.lots[mine])])
            asked = pairs == pair
            held[asked] += total[np.searchsorted(self.rows[mine], rows[asked])]
        return held


def accepted_lots(result: ReplayResult) -> np.ndarray:
    """Lots of every event that remain under the rules; int64, shape (n_events,)."""
    rows, accepted = result.rows, result.log.columns["qty"].astype(np.int64)
    accepted[rows["seq"][np.isin(rows["code"], GONE)]] = 0
    cut = rows[rows["code"] == DecisionCode.CUT]
    accepted[cut["seq"]] = cut["limit"]
    return accepted


def booked_moves(result: ReplayResult) -> Moves:
    """The changes of positions that a replay booked.

    Examples
    --------
    >>> import riskkit as rk
    >>> log = rk.replay.tiny_log([5, 2], marks=8)
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=3))])
    >>> booked_moves(rk.replay_log(log, rules, "enforce", compiled=False)).lots.tolist()
    [0, 2]
    """
    columns, booked = result.log.columns, accepted_lots(result)
    kinds = columns["kind"]
    moves = columns["side"] * booked * np.isin(kinds, (EventKind.FILL, EventKind.ADJUST))
    of_fill = np.arange(len(kinds))
    for row, fill, lots in _amendments(result, booked):
        moves[row], of_fill[row] = columns["side"][fill] * lots, fill
    found = np.flatnonzero((kinds == EventKind.FILL) | (moves != 0))
    stated = result.rows[np.isin(result.rows["code"], (DecisionCode.POSITION_BREAK, DecisionCode.SETTLED))]
    rows = np.concatenate([found, stated["seq"]])
    pairs = np.concatenate([columns["pair"][of_fill[found]], stated["key"]])
    gained = np.concatenate([moves[found], stated["limit"] - stated["until"]])
    order = np.argsort(rows, kind="stable")
    return Moves(*(column[order].astype(np.int64) for column in (rows, pairs, gained)))


def _amendments(result: ReplayResult, booked: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield (row, row of the fill, lots that the fill gains) of each bust and correction; `booked` follows them."""
    columns, rows = result.log.columns, result.rows
    if "fill" not in columns:
        return
    unseen = set(rows["seq"][np.isin(rows["code"], (DecisionCode.DUP, DecisionCode.ERROR_TS))].tolist())
    recorded: dict[int, int] = {}
    for row in np.flatnonzero(np.isin(columns["kind"], AMENDS) & (columns["fill"] >= 0)).tolist():
        fill = int(columns["fill"][row])
        before = recorded.get(fill, int(columns["qty"][fill]))
        if row in unseen or fill in unseen or before <= 0 or _settled(columns, fill, row, unseen):
            continue
        recorded[fill] = int(columns["qty"][row]) if columns["kind"][row] == EventKind.CORRECT else 0
        now = recorded[fill] if booked[fill] == before else min(recorded[fill], int(booked[fill]))
        yield row, fill, now - int(booked[fill])
        booked[fill] = now


def _settled(columns: Mapping[str, np.ndarray], fill: int, row: int, unseen: set[int]) -> bool:
    """True if the instrument of a fill was settled between two rows: the fill is final."""
    between = np.isin(columns["kind"][fill:row], SETTLES) & (
        columns["instrument"][fill:row] == columns["instrument"][fill]
    )
    return not unseen.issuperset((fill + np.flatnonzero(between)).tolist())


def recorded_rows(result: ReplayResult, rows: np.ndarray) -> np.ndarray:
    """Rows of the record at these rows of a result's log; at a fill of a flattening, the row before it."""
    return rows if result.flattening is None else np.maximum.accumulate(result.flattening.origin)[rows]


def opening_lots(result: ReplayResult) -> np.ndarray:
    """Opening position of every pair, in lots; shape (n_pairs,)."""
    log = result.log
    lots = np.zeros(len(log.pair_account), np.int64)
    universe = log.universe
    for pair, (account, instrument) in enumerate(universe.opening_pairs()):
        lots[pair] = universe.opening_steps(universe.accounts[account], universe.instruments[instrument].id)
    return lots
