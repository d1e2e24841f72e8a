"""The covariance kept by a replay for rules on VaR: bars, an EWMA matrix, and Σw of every key, in floats.

Time is cut into bars, for all instruments at once. A bar ends at a multiple of `bar_ns`, detected at the first event of
any kind at or after it, or (without `bar_ns`) at each CLOCK event; a bar without a price is skipped. At its close the
return r of each instrument since the previous close enters

    Σ <- λ Σ + (1 - λ) r r'

from Σ = 0, and exposures are revalued at the new closes. The weights λ^k (1 - λ) of an instrument's n returns sum to
1 - λ^n, not yet to 1: its exposure is divided by the root of that sum, so that an early variance is a weighted mean
like a later one, and Σ stays positive semidefinite whenever an instrument joins.

Each key (an account, a desk, ...) has its lots, integers that are exact below 2^53, and the vector Σw of its exposures
w = lots x value of a lot. The variance after d more of instrument i is w'Σw + 2 d (Σw)_i + d² Σ_ii, in O(1). A fill adds
d times a column, in O(N). At a bar Σw follows Σ by rank one, in O(N), then by a column for each position with another
value. After `rebuild` such updates of a key, and whenever the key is flat, Σw is computed from scratch, which bounds
rounding errors.

Σ takes O(N²) words and a bar O(N²); each key takes O(N) words, and O(N x its positions) at a bar. Only + - * / and sqrt,
in loops of a fixed order: no BLAS, no libm, so that compiled, plain and live runs agree to the bit.

References: J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., sections 5.2 (weights, zero mean) and
6.3 (VaR of linear positions); M. Garman (1996), Improving on VaR, Risk 9(5) (VaR before a trade from a cached Σw).
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit._jit import apart
from riskkit.replay.kernels.integers import MILLION
from riskkit.replay.kernels.records import Record, Words, at
from riskkit.replay.schema.columns import MISSING
from riskkit.replay.schema.constants import LARGEST, NEVER
from riskkit.replay.schema.scopes import key_of
from riskkit.replay.schema.universe import Universe

# the fields of a key's record; offsets count words of the workspace (`memory`) or floats (`reals`)
FIELDS: dict[str, str] = {
    "memory": "offset of the words that all keys of the rule share",
    "matrix": "offset of the rule's floats, Σ first",
    "reals": "offset of the key's floats",
    "held": "number of instruments with a position",
    "unready": "of these, the number with too few returns",
    "updates": "updates of Σw since it was computed from scratch",
    "variance:f8": "w'Σw in squared quanta, for one bar",
}

# the words that all keys of a rule share
SIZE = 0  # number of instruments
BAR_END = 1  # end of the present bar, nanoseconds
FRESH = 2  # 1 once the bar has a price
BARS = 3  # number of closed bars
HEADER = 4  # then each instrument's last close in ticks (0: none), then its number of returns

# the floats of a rule: Σ, then four vectors: returns of the last bar, sums of weights, exposures of one lot now, and
# before that bar; the floats of a key: lots, Σw
VECTORS = 4
MAX_FLOATS = 2**28  # 2 GiB


# ---------------------------------------------------------------------- allocation


def shared_words(params: Any, universe: Universe) -> list[int]:
    """Initial values of the words that all keys of a rule share."""
    size = len(universe.instruments)
    return [size, MISSING, 0, 0, *[0] * (2 * size)]


def lay_down(
    scope: str, name: str, universe: Universe, accounts: np.ndarray, table: np.ndarray, start: int
) -> np.ndarray:
    """Allocate the floats of a rule with the opening lots; write their offsets into its records.

    Parameters
    ----------
    scope : str
        account, trader, desk, firm or global.
    name : str
        The rule, for messages.
    universe : Universe
        Instruments, and accounts with their opening positions.
    accounts, table : structured ndarray
        The records of accounts and of the rule's keys, each after one record of no account or key.
    start : int
        Offset of the first float.

    Raises
    ------
    InputError
        If the matrix does not fit into memory.
    """
    size, keys = len(universe.instruments), len(table) - 1
    matrix, reals = size * size + VECTORS * size, _blank(name, size, keys)
    place(table, int(table["memory"][0]), start, size)
    tables = SimpleNamespace(accounts=accounts)
    for a, account in enumerate(universe.accounts):
        key = key_of(scope, {"account": a}, tables)
        for label in account.positions:
            reals[matrix + 2 * size * key + universe.instrument_codes[label]] += universe.opening_steps(account, label)
    for key in range(keys):
        lots = reals[matrix + 2 * size * key : matrix + 2 * size * key + size]
        table["held"][key + 1] = table["unready"][key + 1] = np.count_nonzero(lots)
    return reals


def _blank(name: str, size: int, keys: int) -> np.ndarray:
    """The floats of a rule, all zero; an InputError if they do not fit into memory."""
    floats = size * size + VECTORS * size + 2 * size * keys
    if floats > MAX_FLOATS:
        raise InputError(
            f"rule {name!r}: a covariance of {size:,} instruments for {keys:,} keys needs "
            f"{floats:,} floats; at most {MAX_FLOATS:,} fit, take fewer instruments or a wider scope"
        )
    return np.zeros(floats)


def relaid(
    name: str, table: np.ndarray, memory: np.ndarray, reals: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """The shared words and the floats of a rule, laid out for `size` instruments; those without a price so far are blank.

    The records of `table` have the offsets of what is there; a key without floats of its own has those of a blank one.
    """
    shared, matrix, keys = int(table["memory"][0]), int(table["matrix"][0]), len(table) - 1
    old = int(memory[shared + SIZE])
    words = np.zeros(HEADER + 2 * size, np.int64)
    words[:HEADER] = memory[shared : shared + HEADER]
    words[SIZE] = size
    words[HEADER:].reshape(2, size)[:, :old] = memory[shared + HEADER : shared + HEADER + 2 * old].reshape(2, old)
    shared_floats = size * size + VECTORS * size
    floats = _blank(name, size, keys)
    floats[: size * size].reshape(size, size)[:old, :old] = reals[matrix : matrix + old * old].reshape(old, old)
    vectors = reals[matrix + old * old : matrix + old * old + VECTORS * old].reshape(VECTORS, old)
    floats[size * size : shared_floats].reshape(VECTORS, size)[:, :old] = vectors
    of_keys = reals[table["reals"][1:, None] + np.arange(2 * old)].reshape(keys, 2, old)
    floats[shared_floats:].reshape(keys, 2, size)[:, :, :old] = of_keys
    return words, floats


def place(table: np.ndarray, words_at: int, floats_at: int, size: int) -> None:
    """Write into the records of a rule where its words and floats begin."""
    first = floats_at + size * size + VECTORS * size
    table["memory"], table["matrix"] = words_at, floats_at
    table["reals"] = first + 2 * size * (np.arange(len(table)) - 1)


# ---------------------------------------------------------------------- time


def price_came(key: Record, memory: Words) -> None:
    """Note that the present bar has a price."""
    memory[key.memory + FRESH] = 1


@apart
def pass_time(
    now: int, forced: int, params: Any, keys: Record, count: int, instruments: Record, memory: Words, reals: Words
) -> int:
    """Close the bar that has ended by `now`, or that a CLOCK event ends (`forced` 1); return the end of the present one."""
    shared = at(keys, -1).memory
    by_clock = params.bar_ns >= LARGEST
    if by_clock and forced == 0:
        return NEVER
    if by_clock or now >= memory[shared + BAR_END]:
        close_bar(params, keys, count, instruments, memory, reals)
        memory[shared + BAR_END] = NEVER if by_clock else (now // params.bar_ns + 1) * params.bar_ns
    return memory[shared + BAR_END]


def close_bar(params: Any, keys: Record, count: int, instruments: Record, memory: Words, reals: Words) -> None:
    """Update the matrix by the returns of a bar, revalue exposures, and update every key."""
    shared = at(keys, -1)
    if memory[shared.memory + FRESH] == 0:
        return
    memory[shared.memory + FRESH] = 0
    memory[shared.memory + BARS] += 1
    decay = float(params.decay) / float(MILLION)
    take_closes(shared, decay, instruments, memory, reals)
    update_matrix(shared, decay, memory, reals)
    for index in range(count):
        key = at(keys, index)
        if key.held != 0:
            follow(key, params, decay, memory, reals)


def take_closes(shared: Record, decay: float, instruments: Record, memory: Words, reals: Words) -> None:
    """Compute each instrument's return since the previous close, and the exposure of one lot.

    A mark at or below zero is no close: a relative return is undefined there.
    """
    size = memory[shared.memory + SIZE]
    closes = shared.memory + HEADER
    returns = shared.matrix + size * size
    weights = returns + size
    loadings = weights + size
    for i in range(size):
        instrument = at(instruments, i)
        close = max(instrument.mark, 0)
        before = memory[closes + i]
        weight = decay * reals[weights + i]
        change = 0.0
        if close > 0 and before > 0:
            change = float(close - before) / float(before)
            weight += 1.0 - decay
            memory[closes + size + i] += 1
        memory[closes + i] = close
        reals[returns + i] = change
        reals[weights + i] = weight
        reals[loadings + size + i] = reals[loadings + i]
        reals[loadings + i] = 0.0
        if close > 0 and weight > 0.0:
            lot = float(close) * float(instrument.numerator) / float(instrument.denominator)
            reals[loadings + i] = lot / math.sqrt(weight)


def update_matrix(shared: Record, decay: float, memory: Words, reals: Words) -> None:
    """Σ <- λ Σ + (1 - λ) r r'; products commute, so it stays symmetric to the last bit."""
    size = memory[shared.memory + SIZE]
    fresh = 1.0 - decay
    returns = shared.matrix + size * size
    for i in range(size):
        here = reals[returns + i]
        line = shared.matrix + i * size
        for j in range(size):
            reals[line + j] = decay * reals[line + j] + fresh * (here * reals[returns + j])


# ---------------------------------------------------------------------- a key's Σw


def follow(key: Record, params: Any, decay: float, memory: Words, reals: Words) -> None:
    """Update a key's Σw to the new Σ, by rank one, then to its new exposures, by a column for each that changed."""
    size = memory[key.memory + SIZE]
    fresh = 1.0 - decay
    returns = key.matrix + size * size
    loadings = returns + 2 * size
    projected = 0.0  # r'w, at the exposures before the bar
    for j in range(size):
        projected += reals[key.reals + j] * reals[loadings + size + j] * reals[returns + j]
    for i in range(size):
        element = key.reals + size + i
        reals[element] = decay * reals[element] + fresh * (projected * reals[returns + i])
    unready = 0
    for j in range(size):
        lots = reals[key.reals + j]
        if lots != 0.0:
            add_column(key, size, j, lots * reals[loadings + j] - lots * reals[loadings + size + j], reals)
            if not is_ready(key, j, params.warmup, memory):
                unready += 1
    key.unready = unready
    settle_key(key, params, size, reals)


@apart
def book_lots(key: Record, params: Any, instrument: int, lots: int, memory: Words, reals: Words) -> None:
    """Add a fill to a key (`lots` negative for a sale)."""
    size = memory[key.memory + SIZE]
    loading = reals[key.matrix + size * size + 2 * size + instrument]
    before = reals[key.reals + instrument]
    after = before + lots
    reals[key.reals + instrument] = after
    change = 0
    if before == 0.0 and after != 0.0:
        change = 1
    elif before != 0.0 and after == 0.0:
        change = -1
    key.held += change
    if not is_ready(key, instrument, params.warmup, memory):
        key.unready += change
    add_column(key, size, instrument, after * loading - before * loading, reals)
    settle_key(key, params, size, reals)


def add_column(key: Record, size: int, instrument: int, exposure: float, reals: Words) -> None:
    """Σw <- Σw + exposure x column of an instrument (a row: Σ is symmetric)."""
    if exposure != 0.0:
        column = key.matrix + instrument * size
        for i in range(size):
            reals[key.reals + size + i] += exposure * reals[column + i]


def settle_key(key: Record, params: Any, size: int, reals: Words) -> None:
    """Count an update of a key, compute its Σw from scratch if that is due, and update w'Σw."""
    loadings = key.matrix + size * size + 2 * size
    key.updates += 1
    if key.held == 0 or key.updates >= params.rebuild:
        key.updates = 0
        for i in range(size):
            reals[key.reals + size + i] = 0.0
        for j in range(size):
            add_column(key, size, j, reals[key.reals + j] * reals[loadings + j], reals)
    total = 0.0
    for j in range(size):
        total += reals[key.reals + j] * reals[loadings + j] * reals[key.reals + size + j]
    key.variance = total


# ---------------------------------------------------------------------- queries of a rule


def variance_after(key: Record, instrument: int, lots: int, memory: Words, reals: Words) -> float:
    """Variance of a key for one bar, in squared quanta, after `lots` more (negative: a sale) of an instrument."""
    size = memory[key.memory + SIZE]
    exposure = float(lots) * reals[key.matrix + size * size + 2 * size + instrument]
    diagonal = reals[key.matrix + instrument * size + instrument]
    return key.variance + 2.0 * exposure * reals[key.reals + size + instrument] + exposure * exposure * diagonal


def returns_of(key: Record, instrument: int, memory: Words) -> int:
    """Number of returns of an instrument in the covariance."""
    return memory[key.memory + HEADER + memory[key.memory + SIZE] + instrument]


def has_close(key: Record, instrument: int, memory: Words) -> bool:
    """True if an instrument had a price above zero at the last close."""
    return memory[key.memory + HEADER + instrument] > 0


def is_ready(key: Record, instrument: int, warmup: int, memory: Words) -> bool:
    """True if an instrument has a close and at least `warmup` returns."""
    return has_close(key, instrument, memory) and returns_of(key, instrument, memory) >= warmup


@apart
def scarcest(key: Record, instrument: int, warmup: int, memory: Words, reals: Words) -> int:
    """Smallest number of returns of the instruments that are not ready: the given one and those of the key."""
    size = memory[key.memory + SIZE]
    fewest = warmup
    for i in range(size):
        if (i == instrument or reals[key.reals + i] != 0.0) and not is_ready(key, i, warmup, memory):
            fewest = min(fewest, returns_of(key, i, memory) if has_close(key, i, memory) else 0)
    return fewest
