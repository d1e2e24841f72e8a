"""Consecutive order errors of an account.

Unit: errors. Source: sony/gobreaker. A success resets the run; the rule trips at the limit. After `open_ns` the pause
ends and the run restarts at zero; with 0 the reset is manual.

With `half_open` (gobreaker, pybreaker, resilience4j) the end of the pause admits `probes` orders or modifies and no more:
as many successes close the breaker, and an error pauses anew at once. A success is that of a probe only if one was
admitted. An answer that names an order from before the probes, or from before they closed the breaker, is none (the
generations of gobreaker); one that names no order counts. Where a probe has been without an answer for `probe_timeout_ns`, the
pause begins anew at that time; after an answer the time of those that still wait starts again. A reset closes the breaker.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._docs import counted
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import Breach, Count, Duration, Flag, Limit, PositiveCount, at_most, duration_text
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow
from riskkit.replay.schema.durations import duration

ERROR = int(EventKind.ERROR)
ACK = int(EventKind.ACK)


class ConsecutiveErrors(NamedTuple):
    """Fewer than `limit` errors in a row (``breach="exceed"``: at most); a pause lasts `open_ns` (0: until a reset).

    Parameters
    ----------
    limit
        Errors in a row that pause.
    open_ns
        Length of the pause; 0: until a reset.
    half_open
        After the pause, `probes` messages pass; as many successes end it, an error begins it anew.
    probes
        Messages that pass in the half-open state.
    probe_timeout_ns
        Time without an answer after which a probe begins the pause anew; 0: never.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("consecutive_errors", ConsecutiveErrors(limit=3)))
    consecutive_errors: fewer than 3 errors in a row, for each account. After a breach, the account is paused
    until a person resets it: only cancels and orders that reduce a position are accepted (severity WARN).
    """

    limit: Limit[Count]
    open_ns: Duration = 0
    half_open: Flag = False
    probes: PositiveCount = 1
    breach: Breach = "reach"
    probe_timeout_ns: Duration = 0


def evict(state: Record, params: Any, event: EventRow) -> None:
    """Begin the pause anew, by the time at which it begins, if a probe has had no answer."""
    if params.probe_timeout_ns > 0 and state.admitted > state.succeeded:
        if event.ts - state.asked >= params.probe_timeout_ns:
            state.held_until = state.asked + params.probe_timeout_ns
            reset(state)


def is_stale(state: Record, event: EventRow) -> bool:
    """True of an answer that names an order from before the present state."""
    return state.since > 0 and event.order != -1 and event.order < state.since


def check(state: Record, params: Any) -> Verdict:
    """Compare the run with the limit."""
    return Verdict(OBJECT if state.run > params.limit else PASS, state.run, params.limit)


def update(state: Record, params: Any, event: EventRow, accepted: int) -> int:
    """Lengthen or end the run; trip if it is too long, or at an error while half-open."""
    if (event.kind == ERROR or event.kind == ACK) and is_stale(state, event):
        return 0
    if event.kind == ERROR:
        probing = state.probing
        state.probing = 0
        state.run += 1
        return 1 if probing != 0 or state.run > params.limit else 0
    if event.kind != ACK:
        if accepted * state.probing != 0 and state.admitted == state.succeeded:
            state.asked = event.ts
        state.admitted += accepted * state.probing
    elif state.probing == 0:
        state.run = 0
    elif state.succeeded < state.admitted:
        state.succeeded += 1
        state.asked = event.ts
        if state.succeeded >= params.probes:
            reset(state)
            state.since = event.seq
    return 0


def reset(state: Record) -> None:
    """Close the breaker and restart the run."""
    state.run = 0
    state.probing = 0
    state.admitted = 0
    state.succeeded = 0


def on_pause_end(state: Record, params: Any, event: EventRow) -> None:
    """After its time, the pause ends with probes if half-open."""
    reset(state)
    state.probing = params.half_open
    if params.half_open:
        state.since = event.seq


def holds_back(state: Record, params: Any) -> bool:
    """True if half-open and all probes are admitted."""
    return state.probing != 0 and state.admitted >= params.probes


def apply_pending(state: Record, sign: int) -> None:
    """Count an order of a list as a probe while the later ones are checked."""
    state.admitted += sign * state.probing


def misfit(rule: Any) -> str:
    """Reason why the parameters do not fit together."""
    if rule.parameters.half_open and rule.hold_ns() == "reset":
        return "half_open=True begins when a pause ends by itself, and this one never does; give open_ns above zero"
    if rule.parameters.half_open and not rule.can_pause:
        return f"half_open=True is what follows a pause, and action={rule.action!r} does not pause; use PAUSE or HALT"
    if not rule.parameters.half_open and rule.parameters.probes != 1:
        return f"probes={rule.parameters.probes} has no effect without half_open=True"
    if not rule.parameters.half_open and duration(rule.parameters.probe_timeout_ns, "probe_timeout_ns"):
        return "probe_timeout_ns has no effect without half_open=True"
    return ""


def sentence(params: ConsecutiveErrors) -> str:
    """The limit in words."""
    probes = counted(params.probes, "trial message")
    wait = duration(params.probe_timeout_ns, "probe_timeout_ns")
    late = f", or {duration_text(wait)} without an answer," if wait else ""
    then = (
        f" (then {probes} may pass: as many successes end the pause, an error{late} starts it again)"
        if params.half_open
        else ""
    )
    return f"{at_most(params, 'fewer than')} {counted(params.limit, 'error')} in a row{then}"


CONSECUTIVE_ERRORS = register(
    RuleType(
        name="consecutive_errors",
        parameters=ConsecutiveErrors,
        state=("run", "probing", "admitted", "succeeded", "asked", "since"),
        check=check,
        update=update,
        reset=reset,
        evict=evict,
        on_pause_end=on_pause_end,
        holds_back=holds_back,
        apply_pending=apply_pending,
        updates_on=frozenset({EventKind.ORDER, EventKind.MODIFY, EventKind.ERROR, EventKind.ACK}),
        breached_by=frozenset({EventKind.ERROR}),
        action="PAUSE",
        hold="open_ns",
        checked_by_pause=True,
        exempt_reducing=True,
        observes="limit",
        standing=True,
        evidence=(Need(("ERROR",)),),
        misfit=misfit,
        sentence=sentence,
    )
)
