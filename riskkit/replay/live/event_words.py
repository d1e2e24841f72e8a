"""Columns of codes become the words of plain events: a stretch in a few compiled passes.

`steps_of_floats` and `steps_of_integers` convert numbers by the arithmetic of a single one
(`riskkit.replay.ingest.amount.count`); `write_words` writes an event for each row before the first that is not plain;
`write_pairs` adds the codes of pairs from a table, `PairCodes`.
"""

from __future__ import annotations

import numpy as np

from riskkit._jit import kernel
from riskkit.replay.ingest.amount import EXACT_FLOAT
from riskkit.replay.live.compiled_step import WORDS
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.constants import LARGEST, MISSING

# rows of the table of columns; those of `PRICES` have 0 where a number is not plain
NAMES = ("ts", "kind", "account", "instrument", "side", "qty", "price", "bid", "ask", "order", "strategy")
ROWS = {name: row for row, name in enumerate(NAMES)}
ABSENT = np.array([0, int(EventKind.ORDER), *[MISSING] * 7, -1, -1])[:, None]
TS, KIND, ACCOUNT, INSTRUMENT, SIDE, QTY, PRICE, BID, ASK = range(9)
PLACES = tuple(WORDS[name] for name in NAMES)
OWNER, TRADED, PAIR, LOTS, HIGHEST = (WORDS[name] for name in ("account", "instrument", "pair", "lots", "highest"))
QUOTE, QUOTES = int(EventKind.PRICE), WORDS["kind"]
SMALL = 2**31  # products of two such integers fit in 64 bits
MIX = 40_503  # an odd number, so that neighbouring accounts are apart in the table of pairs


@kernel
def steps_of_floats(
    values: np.ndarray, traded: np.ndarray, grids: np.ndarray, nearest: bool, found: np.ndarray
) -> None:
    """Steps of float64 numbers on the grids of their instruments: 0 if not plain, MISSING of NaN."""
    for k in range(len(values)):
        value, code = values[k], traded[k]
        found[k] = MISSING if np.isnan(value) else 0
        if code < 0 or grids[code, 0] == 0:
            continue
        steps = value * grids[code, 1] / grids[code, 0]
        whole = np.rint(steps)
        off = not nearest and abs(steps - whole) > 1e-9 + abs(whole) * 1e-15
        if 1.0 <= whole < EXACT_FLOAT and not off and whole <= LARGEST // grids[code, 2]:
            found[k] = np.int64(whole) * grids[code, 2]


@kernel
def steps_of_integers(values: np.ndarray, traded: np.ndarray, grids: np.ndarray, found: np.ndarray) -> None:
    """Steps of int64 numbers on the grids of their instruments, 0 if not plain."""
    for k in range(len(values)):
        value, code = values[k], traded[k]
        found[k] = 0
        if code < 0 or grids[code, 0] == 0 or not 0 < value < SMALL:
            continue
        counted = value * grids[code, 1]
        whole = counted // grids[code, 0]
        if counted % grids[code, 0] == 0 and whole <= LARGEST // grids[code, 2]:
            found[k] = whole * grids[code, 2]


@kernel
def write_words(
    columns: np.ndarray, template: np.ndarray, latest: int, due: int, clamps: bool, words: np.ndarray
) -> int:
    """Write the events of the rows before the first that is not plain, and return their number.

    Parameters
    ----------
    columns : (n_names, n_rows) int64
        A row for each of `NAMES`.
    template : (n_words,) int64
        The words of an event without fields.
    latest, due : int
        No event is before the one time, or at or after the other.
    clamps : bool
        An earlier time becomes that of the event before.
    words : (n_rows, n_words) int64
        Written.
    """
    for k in range(columns.shape[1]):
        ts, price = columns[TS, k], columns[PRICE, k]
        if clamps and 0 <= ts < latest:
            ts = latest
        if ts < latest or ts >= due or columns[INSTRUMENT, k] < 0 or (clamps and ts < 0):
            return k
        owner, side, lots, highest = columns[ACCOUNT, k], columns[SIDE, k], columns[QTY, k], price
        if columns[KIND, k] == QUOTE:
            highest = max(price, columns[BID, k], columns[ASK, k])
            given = owner != MISSING or side != MISSING or lots != MISSING
            if given or highest <= 0 or price == 0 or columns[BID, k] == 0 or columns[ASK, k] == 0:
                return k
            owner, side, lots = -1, 0, 0
        elif columns[KIND, k] < 0 or owner < 0 or (side != 1 and side != -1) or lots <= 0 or price <= 0:
            return k
        elif columns[BID, k] != MISSING or columns[ASK, k] != MISSING:
            return k
        words[k, :] = template
        for row in range(len(PLACES)):
            words[k, PLACES[row]] = columns[row, k]
        words[k, PLACES[TS]] = latest = ts
        words[k, OWNER], words[k, PLACES[SIDE]], words[k, PLACES[QTY]] = owner, side, lots
        words[k, LOTS], words[k, HIGHEST] = lots, highest
    return columns.shape[1]


@kernel
def write_pairs(words: np.ndarray, start: int, table: np.ndarray) -> int:
    """Write the pair of each event from one on, -1 of prices; stop before one whose pair is not in the table, and return it."""
    mask = len(table) - 1
    for k in range(start, len(words)):
        pair = -1
        if words[k, QUOTES] != QUOTE:
            account, instrument = words[k, OWNER], words[k, TRADED]
            at = (account * MIX + instrument) & mask
            while table[at, 0] >= 0 and (table[at, 0] != account or table[at, 1] != instrument):
                at = (at + 1) & mask
            if table[at, 0] < 0:
                return k
            pair = table[at, 2]
        words[k, PAIR] = pair
    return len(words)


class PairCodes:
    """Codes of pairs by account and instrument, as a table that compiled code reads.

    Examples
    --------
    >>> codes = PairCodes()
    >>> for pair in range(100):
    ...     codes.add(pair // 10, pair % 10, pair)
    >>> words = np.full((2, len(WORDS)), int(EventKind.ORDER))
    >>> words[:, OWNER], words[:, TRADED] = (9, 10), (9, 0)
    >>> write_pairs.function(words, 0, codes.table), int(words[0, PAIR])
    (1, 99)
    """

    def __init__(self) -> None:
        self.table = np.full((64, 3), -1)  # account, instrument and pair, from the place of their hash on
        self._count = 0

    def add(self, account: int, instrument: int, pair: int) -> None:
        """Add a pair, which is new."""
        if 2 * self._count >= len(self.table):
            known, self.table = self.table, np.full((2 * len(self.table), 3), -1)
            for entry in known[known[:, 0] >= 0].tolist():
                self._put(*entry)
        self._put(account, instrument, pair)
        self._count += 1

    def _put(self, account: int, instrument: int, pair: int) -> None:
        mask = len(self.table) - 1
        at = (account * MIX + instrument) & mask
        while self.table[at, 0] >= 0:
            at = (at + 1) & mask
        self.table[at] = account, instrument, pair
