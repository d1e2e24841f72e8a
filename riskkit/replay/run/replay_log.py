"""`replay_log`: replay one log through one rule set, in shadow or enforce mode."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any, NamedTuple, get_args

import numpy as np

from riskkit._bar import waiting, with_bar
from riskkit._check import Duration, InputError, instance, one_of
from riskkit.replay.engine.compiler import Tier, shape_of
from riskkit.replay.engine.in_force import Part, feed_parts, opening_state, parts_of, shapes_of
from riskkit.replay.engine.order_columns import assign_slots, find_duplicates
from riskkit.replay.engine.samples import Samples, spaced_times
from riskkit.replay.engine.state import Calendars, State, calendars, opening
from riskkit.replay.engine.tiers import CHOICES, next_tier, revaluations
from riskkit.replay.kernels.records import stacked
from riskkit.replay.kernels.runtime import DEFAULT_ORPHANS, ROW, Counter, Orphans, Rejects
from riskkit.replay.log.currencies import one_currency
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.given import needs_a_log
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.results.what_if import Explainer
from riskkit.replay.rules.history import RuleHistory, as_history
from riskkit.replay.rules.judged import refuse_unjudged
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.flatten import flattened, refuse_unflattened
from riskkit.replay.run.pace import TOUCH, OnTrip, Pace, PlainPace, pace_text, plain_pace
from riskkit.replay.run.start import Start, expose_opening
from riskkit.replay.schema.columns import OPTIONAL
from riskkit.replay.schema.durations import duration
from riskkit.replay.schema.universe import Universe

CHUNK = 1 << 22


@needs_a_log
def replay_log(
    log: EventLog,
    rules: RuleSet | RuleHistory,
    mode: str = "shadow",
    *,
    orphans: str | None = None,
    on_trip: OnTrip = "leave",
    flatten: Pace = TOUCH,
    sample_ns: Duration | None = None,
    compiled: Tier = "auto",
    chunk: int = CHUNK,
    progress: bool = False,
) -> ReplayResult:
    """Replay recorded orders, fills and prices through rules: which orders would have been stopped, when and why.

    Parameters
    ----------
    log : EventLog
        The record.
    rules : RuleSet or RuleHistory
        The limits, in their declared order; of a history, each event is judged by those in force at it.
    mode : {"shadow", "enforce"}
        shadow: decisions of each rule on the stream as recorded, with the recorded book, as if no other rule were on.
        enforce: a refused order is dropped with its fills, modifies, cancels and children, and later decisions are
        made on the counterfactual book. Neither the market nor a strategy reacts.
    orphans : {"keep", "clip", "drop"}, optional
        In enforce mode, treatment of an order that reduced a position in the record but would open or flip one here:
        kept, cut to flat, or dropped; always counted, and the printed result gives the profit under each. By default
        clip, which opens no position that nobody ordered, unless ``log.about["orphans"]`` names another.
    on_trip : {"leave", "cancel_working", "flatten"}
        In enforce mode, whether a trip cancels the key's working orders (their later fills vanish), and with "flatten"
        closes its positions too, by fills that are added to the log of the result; see `riskkit.replay.run.flatten`.
    flatten : "touch", float or LiquidationSchedule
        With ``on_trip="flatten"``, the pace: at the next quote, at this share of the market volume in the log, or by a
        schedule of `riskkit.liquidity.liquidation_schedule`; see `riskkit.replay.run.pace`.
    sample_ns : str, Timedelta or int, optional
        Sample every account's equity at this spacing, as "1h" or integer nanoseconds; "1d" is a UTC day. Needed for
        equity curves and worst days.
    compiled : "auto", bool, "generic" or "background"
        Which loop runs, with the same result; `ReplayResult.how` says which it was. "auto" takes plain Python for what is
        small, "background" where ``python -m riskkit warm`` has compiled the generic loop, and otherwise True. True compiles
        the loop of these rules alone, the fastest; "generic" takes the generic loop of the catalogue; "background" too,
        until another process has compiled the loop of these rules, which it begins after four million events; False is
        plain Python.
    chunk : int
        Events per call of the loop; the result does not depend on it.
    progress : bool
        Show a progress bar (needs tqdm).

    Returns
    -------
    ReplayResult
        Decisions other than passes, transitions, the book at the end, and the digest. With ``on_trip="flatten"`` in enforce
        mode, `flattening` has the fills, and rows are those of the result's own log.

    Raises
    ------
    InputError
        If an argument is not one of its choices, no rule can be judged on the log, or the log would misjudge one: it
        does not know the openings that the rule depends on, or accounts have none of the groups of its scope; or if
        positions are to be flattened, and no rule trips, or one trips a strategy or connection.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit import Rule
    >>> from riskkit.rules import OrderRate
    >>> frame = pd.DataFrame({"ts": range(4), "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": 1, "price": 10.0})
    >>> rules = RuleSet([Rule("rate", OrderRate(limit=3, window_ns=1_000_000_000))])
    >>> result = replay_log(EventLog.from_frame(frame), rules, compiled=False)
    >>> result.rejections()["seq"].tolist()
    [3]
    """
    if not isinstance(rules, RuleHistory):
        instance(rules, RuleSet, "rules")
    history = as_history(rules)
    one_of(mode, ("shadow", "enforce"), "mode")
    orphans = orphan_policy(log, orphans)
    if chunk < 1:
        raise InputError(f"chunk={chunk!r} is not above zero")
    options: dict[str, Any] = {
        "orphans": orphans,
        "on_trip": on_trip,
        "flatten": plain_pace(flatten),
        "compiled": compiled,
    }
    if on_trip == "flatten" and mode == "enforce":
        refuse_unflattened(history.every)
        if history.changes:
            raise InputError(
                "rules change on the way, and on_trip='flatten' adds events that move them; use 'leave' or 'cancel_working'"
            )
    refuse_unjudged(history.every, log)
    history = history.placed(log.columns)
    return Stage(log, history, mode, sample_ns=sample_ns, **options).replay(history, chunk=chunk, progress=progress)


def orphan_policy(log: EventLog, orphans: str | None = None) -> str:
    """The policy for orphan exits: the one given, else that of ``log.about``, else `DEFAULT_ORPHANS`."""
    chosen = log.about.get("orphans", DEFAULT_ORPHANS) if orphans is None else orphans
    return one_of(chosen, tuple(policy.name.lower() for policy in Orphans), "orphans")


class _Run(NamedTuple):
    """One replay in progress."""

    parts: list[Part]
    universe: Universe
    state: State
    columns: dict[str, Any]
    found: Calendars
    samples: Samples
    tier: Tier

    def feed(self, start: int, stop: int, *, copy: bool = True) -> Iterator[np.ndarray]:
        """Run events [start, stop) and yield their decision rows."""
        return feed_parts(self.parts, self.state, self.columns, self.universe, start, stop, copy=copy)


class Stage:
    """A log prepared for rules of one shape, shared by replays with other parameters.

    The arguments are those of `replay_log`, which checks them, and ``sample_at``: ascending times of samples instead of
    a spacing, the last after all events. With `total_only` the samples have the total and no accounts, so that a price
    costs the same however many accounts hold its instrument; `replays` is how many are known to come, by which "auto"
    chooses a loop. `replay` may be called from many threads at once.
    """

    def __init__(
        self,
        log: EventLog,
        rules: RuleSet | RuleHistory,
        mode: str,
        *,
        orphans: str,
        on_trip: str,
        flatten: Pace | PlainPace = TOUCH,
        sample_ns: Duration | None = None,
        compiled: Tier,
        sample_at: np.ndarray | None = None,
        total_only: bool = False,
        replays: int = 1,
    ) -> None:
        one_of(on_trip, get_args(OnTrip), "on_trip")
        ts = log.columns["ts"]
        self.log = log
        self.mode = mode
        self.pace = plain_pace(flatten)
        self.flattens = on_trip == "flatten" and mode == "enforce"
        self.options = {"orphans": orphans, "on_trip": on_trip}
        if self.flattens:
            refuse_unflattened(as_history(rules).every)
            self.options["flatten"] = pace_text(self.pace)
        self.first, self.last = (int(ts.min()), int(ts.max())) if len(log) else (0, 0)
        self.sample_at = np.zeros(0, np.int64) if sample_at is None else sample_at
        if sample_ns is not None:
            self.sample_at = spaced_times(ts, duration(sample_ns, "sample_ns", zero=False))
        self.currencies = list(one_currency(log).values())
        self.columns: dict[str, Any] = dict(log.columns)
        if on_trip == "flatten":  # one loop for the log and for that with the fills
            self.columns.setdefault("flags", np.zeros(len(log), OPTIONAL["flags"][0]))
        shape_for = partial(
            shape_of,
            columns=self.columns,
            enforce=mode == "enforce",
            sampled=len(self.sample_at) > 0,
            cancels=on_trip != "leave",
            opened=any(account.positions for account in log.universe.accounts),
            flattens=on_trip == "flatten",
            netted=total_only and _is_whole(log.universe),
        )
        history = as_history(rules)
        self.shapes = shapes_of(history, shape_for)
        self.shape = self.shapes[0]
        one_of(compiled, CHOICES, "compiled")
        self.compiled, self.replays = compiled, replays
        self.turns = len(log) + (revaluations(log) if any(shape.marks for shape in self.shapes) else 0)
        self.slots = 0
        if self.shape.orders:
            self.columns["slots"], self.slots = assign_slots(log.columns, self.shape)
        self.opened = opening(log.universe, log.pair_account, log.pair_instrument)

    def replay(
        self,
        rules: RuleSet | RuleHistory,
        *,
        chunk: int = CHUNK,
        progress: bool = False,
        start: Start | None = None,
        end: int | None = None,
        off: Collection[int] = (),
    ) -> ReplayResult:
        """Replay the log, or its rows from `start` to `end` (excluded), through rules of the stage's shape.

        Rules whose number is in `off` are heard, and stop, cancel and flatten nothing.
        """
        policies = partial(self._under_policy, rules)
        if not self.flattens:
            return self._replay(rules, policies, chunk, progress, start, end, off)

        def once(log: EventLog) -> ReplayResult:
            stage = self if log is self.log else self._of(log, rules)
            return stage._replay(rules, policies, chunk, progress, None, None, off)

        return flattened(self.log, self.pace, once, off)

    def _of(
        self, log: EventLog, rules: RuleSet | RuleHistory, orphans: str | None = None, *, sampled: bool = True
    ) -> Stage:
        """Another log, or policy for orphan exits, under the same options."""
        options: dict[str, Any] = {**self.options, "flatten": self.pace, "compiled": self.compiled}
        options["total_only"] = self.shape.netted
        options |= {"orphans": orphans} if orphans is not None else {}
        return Stage(log, rules, self.mode, sample_at=self.sample_at if sampled else None, **options)

    def _replay(
        self,
        rules: RuleSet | RuleHistory,
        policies: Callable[[str], ReplayResult],
        chunk: int,
        progress: bool,
        start: Start | None,
        end: int | None,
        off: Collection[int],
    ) -> ReplayResult:
        """One replay of the log as it is; `policies` replays the record under another policy for orphan exits."""
        log, run = self.log, self._begin(rules, start)
        for k in off:
            for part in run.parts:
                part.fixed["terms"][k] = part.fixed["terms"][k]._replace(rejects=int(Rejects.NOTHING))
        blocks: list[np.ndarray] = []
        end = len(log) if end is None else end
        chunks = range(0 if start is None else start.row, end, chunk)
        for first in with_bar(chunks, f"replay ({self.mode})", wanted=progress and len(chunks) > 1):
            stop = min(first + chunk, end)
            with waiting(f"replaying {stop - first:,} events, {run.parts[0].loop.how}"):
                blocks.extend(run.feed(first, stop))
        rows = stacked(blocks) if blocks else np.zeros(0, ROW)
        run.samples.finish(run.state)
        options = dict(self.options)
        result = ReplayResult(
            log,
            as_history(rules),
            self.mode,
            options,
            rows,
            run.state,
            run.found,
            run.samples,
            marked=self.shape.marks,
            how=run.parts[0].loop.how,
            explainer=Explainer(self.shapes, run.tier),
            under_policy=policies,
        )
        result.pace = self.pace
        return result

    def start_at(self, rules: RuleSet, row: int) -> Start:
        """The recorded book before a row of the log; the mode is shadow."""
        run = self._begin(rules)
        for _ in run.feed(0, row, copy=False):
            pass
        return Start.of(row, run.state)

    def _under_policy(self, rules: RuleSet | RuleHistory, orphans: str) -> ReplayResult:
        """The same replay under another policy for orphan exits, without samples."""
        return self._of(self.log, rules, orphans, sampled=False).replay(rules)

    def blocks(self, rules: RuleSet) -> Iterator[np.ndarray]:
        """Yield the decision rows of a replay by block, without storing them; the next block overwrites a block."""
        run = self._begin(rules)
        yield from run.feed(0, len(self.log), copy=False)

    def _begin(self, rules: RuleSet | RuleHistory, start: Start | None = None) -> _Run:
        """The state of a replay before its first event."""
        log, shape = self.log, self.shape
        history = as_history(rules)
        found = calendars(history.versions(), self.first, self.last)
        columns = self.columns
        if shape.duplicates:  # a replay in enforce mode writes in it
            columns = {**columns, "prev_duplicate": find_duplicates(log.columns)}
        opened = self.opened if start is None else start.opened
        state = opening_state(history, log.universe, opened, found, self.slots)
        if start is not None and shape.exposures:
            expose_opening(state)
        state.counts[Counter.ORPHAN_POLICY] = Orphans[self.options["orphans"].upper()]
        sizes = (0, len(log.universe.instruments)) if shape.netted else (len(log.universe.accounts), 0)
        samples = Samples.at(self.sample_at, sizes[0], len(self.currencies), sizes[1])
        samples.begin(state, self.currencies)
        tier = next_tier(self.compiled, history, self.shapes[-1], self.turns, replays=self.replays)
        parts = parts_of(history, self.shapes, log.universe, found, samples, tier)
        return _Run(parts, log.universe, state, columns, found, samples, tier)


def _is_whole(universe: Universe) -> bool:
    """True if one currency has whole quanta for every lot and tick, so that values add up without rounding."""
    ratios = map(universe.ratio, universe.instruments)
    return len(universe.quanta) == 1 and all(ratio.denominator == 1 for ratio in ratios)
