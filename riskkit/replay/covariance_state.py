"""The covariance that a replay keeps for rules on VaR: bars, an EWMA matrix, and Σw of every key, in floats.

Time is cut into bars, for all instruments at once. A bar ends at a multiple of `bar_ns`, told by the first event of any
kind at or after it, or (where no `bar_ns` is given) with each CLOCK event; one in which no price came is no bar. When it
closes, the return r of each instrument since the close before is taken into

    Σ <- λ Σ + (1 - λ) r r'

from Σ = 0, and exposures are revalued at the new closes. The weights λ^k (1 - λ) of the n returns that an instrument
has sum to 1 - λ^n, not yet to 1: its exposure is divided by the root of that sum, so that a young variance is a
weighted mean like an old one, and Σ stays positive semidefinite whenever an instrument joins.

Each key (an account, a desk, ...) has its lots, whole numbers that are exact below 2^53, and the vector Σw of its
exposures w = lots x value of a lot. So the variance after d more of instrument i is w'Σw + 2 d (Σw)_i + d² Σ_ii, in
O(1). A fill adds d times a column, in O(N). At a bar Σw follows Σ by rank one, in O(N), and then by a column for each
holding that has another value. After `rebuild` such updates of a key Σw is added up from scratch, as it is whenever the
key is flat, so what rounding leaves is bounded.

Σ takes O(N²) words and a bar O(N²); each key takes O(N) words, and O(N x its holdings) at a bar. Only + - * / and sqrt, in
loops of a fixed order: no BLAS, no libm, so that the bits are the same compiled, plain and live.

References: J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., sections 5.2 (weights, zero mean) and
6.3 (VaR of linear positions); M. Garman (1996), Improving on VaR, Risk 9(5) (the answer before a trade from a cached Σw).
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit._jit import apart
from riskkit.replay.columns import MISSING
from riskkit.replay.constants import LARGEST, NEVER
from riskkit.replay.integers import MILLION
from riskkit.replay.records import at
from riskkit.replay.scopes import key_of
from riskkit.replay.universe import Universe

__all__ = [
    "FIELDS",
    "book_lots",
    "has_close",
    "is_ready",
    "lay_down",
    "pass_time",
    "price_came",
    "returns_of",
    "scarcest",
    "shared_words",
    "variance_after",
]

# of a key: where the words of its rule and the floats of its rule and of itself start; how many instruments it holds,
# how many of them are not ready; updates of Σw since it was added up; w'Σw
FIELDS = ("memory", "matrix", "reals", "held", "unready", "updates", "variance:f8")

SIZE = 0  # the words of a rule: instruments, when the bar ends, whether a price came in it, bars closed so far,
BAR_END = 1
FRESH = 2
BARS = 3
HEADER = 4  # then each instrument's last close in ticks (0: none), then how many returns it has

# the floats of a rule: Σ, then a vector each of: returns in the bar that closed, sums of weights, exposures of one lot,
# and those before the bar; the floats of a key: lots, Σw
VECTORS = 4
MOST_FLOATS = 2**28  # 2 GiB


# ---------------------------------------------------------------------- laying the memory down


def shared_words(params: Any, universe: Universe) -> list[int]:
    """The words that all keys of a rule share."""
    size = len(universe.instruments)
    return [size, MISSING, 0, 0, *[0] * (2 * size)]


def lay_down(
    scope: str, name: str, universe: Universe, accounts: np.ndarray, table: np.ndarray, start: int
) -> np.ndarray:
    """The floats of a rule, to be laid down at `start`, with the opening lots in them; its records are told where.

    Parameters
    ----------
    scope : str
        account, desk, firm or global.
    name : str
        The rule, for messages.
    universe : Universe
        Instruments, and accounts with their opening positions.
    accounts, table : structured ndarray
        The records of accounts and of the rule's keys, each with the one of nothing in front.
    start : int
        How many floats stand before these.

    Raises
    ------
    InputError
        Where accounts mix currencies, or the matrix would not fit into memory.
    """
    if universe.mixed:
        raise InputError(f"rule {name!r}: a VaR over several currencies needs exchange rates; keep accounts to one")
    size, keys = len(universe.instruments), len(table) - 1
    own = size * size + VECTORS * size
    if own + 2 * size * keys > MOST_FLOATS:
        raise InputError(
            f"rule {name!r}: a covariance of {size:,} instruments for {keys:,} keys needs "
            f"{own + 2 * size * keys:,} floats; at most {MOST_FLOATS:,} fit, take fewer instruments or a wider scope"
        )
    reals = np.zeros(own + 2 * size * keys)
    table["matrix"] = start
    table["reals"] = start + own + 2 * size * (np.arange(len(table)) - 1)
    tables = SimpleNamespace(accounts=accounts)
    for a, account in enumerate(universe.accounts):
        key = key_of(scope, {"account": a}, tables)
        for label in account.positions:
            reals[own + 2 * size * key + universe.instrument_codes[label]] += universe.opening_steps(account, label)
    for key in range(keys):
        lots = reals[own + 2 * size * key : own + 2 * size * key + size]
        table["held"][key + 1] = table["unready"][key + 1] = np.count_nonzero(lots)
    return reals


# ---------------------------------------------------------------------- time


def price_came(key, memory):
    """Note that an instrument was priced, which makes a bar of the time that is passing."""
    memory[key.memory + FRESH] = 1


@apart
def pass_time(now, told, params, keys, count, instruments, memory, reals):
    """Close the bar that has ended at `now`, or (by a CLOCK event: `told` 1) ends; return when the present one will."""
    shared = at(keys, -1).memory
    by_clock = params.bar_ns >= LARGEST
    if by_clock and told == 0:
        return NEVER
    if by_clock or now >= memory[shared + BAR_END]:
        close_bar(params, keys, count, instruments, memory, reals)
        memory[shared + BAR_END] = NEVER if by_clock else (now // params.bar_ns + 1) * params.bar_ns
    return memory[shared + BAR_END]


def close_bar(params, keys, count, instruments, memory, reals):
    """Take the returns of a bar into the matrix, revalue exposures, and let every key follow."""
    whole = at(keys, -1)
    if memory[whole.memory + FRESH] == 0:
        return
    memory[whole.memory + FRESH] = 0
    memory[whole.memory + BARS] += 1
    decay = float(params.decay) / float(MILLION)
    take_closes(whole, decay, instruments, memory, reals)
    update_matrix(whole, decay, memory, reals)
    for place in range(count):
        key = at(keys, place)
        if key.held != 0:
            follow(key, params, decay, memory, reals)


def take_closes(whole, decay, instruments, memory, reals):
    """Each instrument's return since the close before, and what one lot of it is exposed to now.

    A mark at or below zero is no close: a relative return means nothing there.
    """
    size = memory[whole.memory + SIZE]
    closes = whole.memory + HEADER
    returns = whole.matrix + size * size
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


def update_matrix(whole, decay, memory, reals):
    """Σ <- λ Σ + (1 - λ) r r'; products commute, so it stays symmetric to the last bit."""
    size = memory[whole.memory + SIZE]
    fresh = 1.0 - decay
    returns = whole.matrix + size * size
    for i in range(size):
        here = reals[returns + i]
        line = whole.matrix + i * size
        for j in range(size):
            reals[line + j] = decay * reals[line + j] + fresh * (here * reals[returns + j])


# ---------------------------------------------------------------------- a key's Σw


def follow(key, params, decay, memory, reals):
    """Bring a key's Σw to the new Σ, by rank one, and then to its new exposures, by a column for each that moved."""
    size = memory[key.memory + SIZE]
    fresh = 1.0 - decay
    returns = key.matrix + size * size
    loadings = returns + 2 * size
    projected = 0.0  # r'w, at the exposures before the bar
    for j in range(size):
        projected += reals[key.reals + j] * reals[loadings + size + j] * reals[returns + j]
    for i in range(size):
        place = key.reals + size + i
        reals[place] = decay * reals[place] + fresh * (projected * reals[returns + i])
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
def book_lots(key, params, instrument, lots, memory, reals):
    """Count a fill of a key (`lots` with its sign)."""
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


def add_column(key, size, instrument, exposure, reals):
    """Σw <- Σw + exposure x column (a row, for Σ is symmetric) of an instrument."""
    if exposure != 0.0:
        column = key.matrix + instrument * size
        for i in range(size):
            reals[key.reals + size + i] += exposure * reals[column + i]


def settle_key(key, params, size, reals):
    """Count an update of a key, add its Σw up from scratch where that is due, and renew w'Σw."""
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


# ---------------------------------------------------------------------- what a rule asks


def variance_after(key, instrument, lots, memory, reals):
    """The variance of a key for one bar, in squared quanta, after `lots` more (with their sign) of an instrument."""
    size = memory[key.memory + SIZE]
    exposure = float(lots) * reals[key.matrix + size * size + 2 * size + instrument]
    own = reals[key.matrix + instrument * size + instrument]
    return key.variance + 2.0 * exposure * reals[key.reals + size + instrument] + exposure * exposure * own


def returns_of(key, instrument, memory):
    """How many returns of an instrument the covariance has seen."""
    return memory[key.memory + HEADER + memory[key.memory + SIZE] + instrument]


def has_close(key, instrument, memory):
    """Whether an instrument had a price above zero when the last bar closed."""
    return memory[key.memory + HEADER + instrument] > 0


def is_ready(key, instrument, warmup, memory):
    """Whether an instrument has a close and enough returns to be judged."""
    return has_close(key, instrument, memory) and returns_of(key, instrument, memory) >= warmup


@apart
def scarcest(key, instrument, warmup, memory, reals):
    """The fewest returns of what is not ready: of an instrument and of what the key holds."""
    size = memory[key.memory + SIZE]
    least = warmup
    for i in range(size):
        if (i == instrument or reals[key.reals + i] != 0.0) and not is_ready(key, i, warmup, memory):
            least = min(least, returns_of(key, i, memory) if has_close(key, i, memory) else 0)
    return least
