"""Market-wide circuit breaker: an index that falls from its previous close halts everything.

Unit: fraction of the close. Source: NYSE Rule 7.12 (80B) and Nasdaq Rule 4121, Trading Halts Due to Extraordinary Market
Volatility: declines of 7 % and 13 % (levels 1 and 2) halt for 15 minutes, each once a day and only up to and including 3:25 p.m.
(12:25 p.m. on half days); one of 20 % (level 3) halts until the next day. A decline equal to a level reaches it; one through
several levels is the deepest, and spends the milder ones. Orders that only reduce are halted too; cancels pass. Investor pages
have it that a decline "at or after 3:25 p.m." does not halt: ``last_halt="15:24"`` is their reading, to the minute.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.integers import exceeds_fraction, split_mark
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import Duration, Label, LocalTime, Proportion, TimeZone, duration_text
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow
from riskkit.replay.schema.constants import NEVER
from riskkit.replay.schema.universe import Universe

CLOSE, SPLIT = int(EventKind.CLOSE), int(EventKind.SPLIT)


class MarketBreaker(NamedTuple):
    """Everything halts for `halt_ns` when `index` has fallen by `level_1` or `level_2` from its close, by `level_3` for the day.

    Parameters
    ----------
    index
        Instrument whose fall is measured.
    level_1
        Fall that halts for `halt_ns`.
    level_2
        Fall that halts for `halt_ns` once more.
    level_3
        Fall that halts for the rest of the day.
    halt_ns
        Length of a halt.
    last_halt
        Last time of the day at which levels 1 and 2 halt.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("market", MarketBreaker(index="SPX")))
    market: only cancels for 15 min after SPX has fallen by 7 % or 13 % from its previous close (each once a
    day, up to 15:25 America/New_York), and for the rest of the day after 20 %, for all accounts together.
    Orders and modifications that would breach it are rejected (severity WARN).
    """

    index: Label  # type: ignore[assignment]  # which hides the method of tuples
    level_1: Proportion = "0.07"
    level_2: Proportion = "0.13"
    level_3: Proportion = "0.2"
    halt_ns: Duration = "15min"
    opens: LocalTime = "09:30"
    last_halt: LocalTime = "15:25"
    tz: TimeZone = "America/New_York"


def index_code(params: MarketBreaker, universe: Universe) -> list[int]:
    """The code of the index, -1 if the log does not have it."""
    return [universe.instrument_codes.get(params.index, -1)]


def check(state: Record, event: EventRow) -> Verdict:
    """Refuse what comes before the end of a halt."""
    return Verdict(OBJECT if event.ts < state.halted_until else PASS, event.ts, state.halted_until)


def fallen(params: Any, close: int, price: int) -> int:
    """The deepest level that a price has reached from the close; 0 for none."""
    if exceeds_fraction(close - price, params.level_3, close, 1):
        return 3
    if exceeds_fraction(close - price, params.level_2, close, 1):
        return 2
    return 1 if exceeds_fraction(close - price, params.level_1, close, 1) else 0


def update(state: Record, params: Any, event: EventRow, memory: Words, day: int) -> int:
    """Take the close of the index, or halt at a decline of a level that is not spent."""
    if event.instrument != memory[state.memory] or event.price == MISSING:
        return 0
    if event.kind == CLOSE:
        state.close = event.price
    elif event.kind == SPLIT:
        state.close = split_mark(state.close, event.qty, event.price)
    elif state.close > 0 and event.ts >= day + params.opens:
        level = fallen(params, state.close, event.price)
        if level > state.spent:
            state.spent = level
            if level == 3:
                state.halted_until = NEVER
            elif event.ts <= day + params.last_halt:
                state.halted_until = event.ts + params.halt_ns
    return 0


def on_new_day(state: Record) -> None:
    """Start a trading day: no level is spent, and no halt is in force."""
    state.spent = 0
    state.halted_until = 0


def sentence(params: MarketBreaker) -> str:
    """The limit in words."""
    one, two, three = (f"{float(level) * 100:g} %" for level in (params.level_1, params.level_2, params.level_3))
    return (
        f"only cancels for {duration_text(params.halt_ns)} after {params.index} has fallen by {one} or {two} from its "
        f"previous close (each once a day, up to {params.last_halt} {params.tz}), and for the rest of the day after {three}"
    )


MARKET_BREAKER = register(
    RuleType(
        name="market_breaker",
        parameters=MarketBreaker,
        state=("close", "spent", "halted_until", "memory"),
        check=check,
        update=update,
        on_new_day=on_new_day,
        shared_workspace=index_code,
        updates_on=frozenset({EventKind.PRICE, EventKind.CLOSE, EventKind.SPLIT}),
        scopes=("global",),
        may_pause=None,
        observes=Measure.TIME,
        bounds="nothing",
        evidence=lambda rule: tuple(
            Need((what,), instrument=rule.parameters.index) for what in ("CLOSE", "last trade")
        ),
        sentence=sentence,
    )
)
