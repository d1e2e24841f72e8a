"""`replay_log`: one log through one rule set, in shadow or in enforce mode."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, one_of
from riskkit.replay.engine import Engine, assign_slots, find_twins, fixed_arguments, shape_of
from riskkit.replay.events import EventLog
from riskkit.replay.result import Result
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.state import calendars, new_state
from riskkit.replay.steps import ROW, Counter, Orphans

__all__ = ["replay_log"]

DAY_NS = 86_400_000_000_000
CHUNK = 1 << 22


def replay_log(
    log: EventLog,
    rules: RuleSet,
    mode: str = "shadow",
    *,
    orphans: str | None = None,
    on_trip: str = "leave",
    sample_ns: int | None = None,
    compiled: bool = True,
    chunk: int = CHUNK,
    progress: bool = False,
) -> Result:
    """Put recorded orders, fills and prices through rules: what would have been stopped, when and why.

    Parameters
    ----------
    log : EventLog
        The record.
    rules : RuleSet
        The limits, in their declared order.
    mode : {"shadow", "enforce"}
        shadow: what would each rule have said to the stream as it happened; the book is the record's, and each rule
        is judged as if it alone were on. enforce: a refused order takes its fills, modifies, cancels and children
        with it, and every later decision sees the counterfactual book. Neither the market nor a strategy reacts.
    orphans : {"keep", "clip", "drop"}, optional
        In enforce mode, what becomes of an order that reduced a position in the record but would open or flip one
        here: it stands, is cut to flat, or is left out. Counted in every case. Where nothing is said, what the log
        says of itself: ``log.about["orphans"]``, which is clip for the logs of `EventLog.from_vectorbt`, else keep.
    on_trip : {"leave", "cancel_working"}
        In enforce mode, whether a trip cancels the key's working orders (their later fills vanish).
    sample_ns : int, optional
        Sample every account's equity at this spacing (nanoseconds); 86_400_000_000_000 is a UTC day. Needed for
        equity curves and worst days.
    compiled : bool
        False runs the same rules as plain Python, for proof.
    chunk : int
        Events a turn; the answer does not depend on it.
    progress : bool
        Show a bar (with tqdm, if it is installed).

    Returns
    -------
    Result
        Sparse decisions and transitions, the book at the end, and the digest that proves them.

    Raises
    ------
    InputError
        Where an argument is not one of its choices.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit.replay.rule import Rule
    >>> from riskkit.replay.rules import OrderRate
    >>> frame = pd.DataFrame({"ts": range(4), "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": 1, "price": 10.0})
    >>> rules = RuleSet([Rule("rate", OrderRate(limit=3, window_ns=1_000_000_000))])
    >>> result = replay_log(EventLog.from_frame(frame), rules, compiled=False)
    >>> result.refused()["seq"].tolist()
    [3]
    """
    one_of(mode, ("shadow", "enforce"), "mode")
    orphans = log.about.get("orphans", "keep") if orphans is None else orphans
    orphans = one_of(orphans, ("keep", "clip", "drop"), "orphans")
    one_of(on_trip, ("leave", "cancel_working"), "on_trip")
    if chunk < 1:
        raise InputError(f"chunk={chunk!r} is not above zero")
    ts = log.columns["ts"]
    first, last = (int(ts.min()), int(ts.max())) if len(log) else (0, 0)
    found = calendars(rules, first, last)
    params = [rule.integers(log.universe) for rule in rules]
    opened = any(account.positions for account in log.universe.accounts)
    enforce, cancels = mode == "enforce", on_trip == "cancel_working"
    shape = shape_of(rules, log.columns, enforce=enforce, sampled=sample_ns is not None, cancels=cancels, opened=opened)
    engine = Engine(rules, shape, compiled=compiled)
    columns: dict[str, Any] = dict(log.columns)
    slots = 0
    if shape.orders:
        columns["slots"], slots = assign_slots(log.columns, shape)
    if shape.twins:
        columns["twin"] = find_twins(log.columns)
    state = new_state(log.universe, log.pair_account, log.pair_instrument, rules, params, found, slots)
    state.counts[Counter.ORPHAN_POLICY] = Orphans[orphans.upper()]
    sample_at = _sample_times(first, last, sample_ns)
    state.counts[Counter.SAMPLES] = len(sample_at)
    if shape.samples:
        state.counts[Counter.NEXT_TURN] = min(state.counts[Counter.NEXT_TURN], sample_at[0])
    sampled = np.zeros((2, len(sample_at), len(log.universe.accounts)), np.int64)  # equity, and what was paid in
    fixed = fixed_arguments(rules, params, found, sample_at, sampled)
    blocks: list[np.ndarray] = []
    for start in _progress(range(0, len(log), chunk), progress, f"replay ({mode})"):
        blocks.extend(engine.feed(state, columns, fixed, start, min(start + chunk, len(log))))
    rows = np.concatenate(blocks) if blocks else np.zeros(0, ROW)
    _finish_samples(state, sampled)
    return Result(log, rules, mode, {"orphans": orphans, "on_trip": on_trip}, rows, state, found, sample_at, sampled)


def _sample_times(first: int, last: int, spacing: int | None) -> np.ndarray:
    """Multiples of the spacing after the first event, up to one past the last."""
    if spacing is None:
        return np.zeros(0, np.int64)
    if isinstance(spacing, bool) or not isinstance(spacing, int) or spacing < 1:
        raise InputError(f"sample_ns={spacing!r} is not a number of nanoseconds above zero")
    count = last // spacing - first // spacing + 1
    if count > 5_000_000:
        raise InputError(f"sample_ns={spacing} makes {count:,} samples; at most 5,000,000 fit, choose a wider spacing")
    return (first // spacing + 1 + np.arange(count, dtype=np.int64)) * spacing


def _finish_samples(state: Any, sampled: np.ndarray) -> None:
    """What was not sampled before the last event is as it stands at the end."""
    accounts = state.accounts[1:]
    final = np.where(accounts["has_given"] != 0, accounts["given"], accounts["cash"] + accounts["value"])
    rest = slice(int(state.counts[Counter.SAMPLE]), None)
    sampled[0, rest], sampled[1, rest] = final, accounts["flows"]


def _progress(chunks: range, wanted: bool, what: str) -> Any:
    if not wanted or len(chunks) < 2:
        return chunks
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return chunks
    return tqdm(chunks, desc=what, leave=False)
