"""Repeated automated execution: number of executions of a strategy before it must be re-enabled by hand.

Unit: executions. Source: ESMA RTS 6 (2017/589), Art. 15(3): after a pre-set number the strategy is disabled until a
designated person re-enables it, never automatically. Refusals are under the rule's id; orders that only reduce pass.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._docs import counted
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import Breach, Count, Limit, at_most
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict
from riskkit.replay.schema.columns import EventKind


class RepeatedExecutionThrottle(NamedTuple):
    """Orders only while executions since the start or the last reset are below `limit` (``exceed``: at most).

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("repeat_exec_throttle", RepeatedExecutionThrottle(limit=3)))
    repeat_exec_throttle: fewer than 3 automated executions until a person enables more, for each account.
    Orders and modifications that would breach it are rejected, unless they only reduce a position (severity
    WARN).
    """

    limit: Limit[Count]
    breach: Breach = "reach"


def check(state: Record, params: Any) -> Verdict:
    """Compare the executions with the limit."""
    return Verdict(OBJECT if state.executions > params.limit else PASS, state.executions, params.limit)


def update(state: Record) -> int:
    """Count an execution."""
    state.executions += 1
    return 0


def reset(state: Record) -> None:
    """Restart the count."""
    state.executions = 0


REPEAT_EXEC_THROTTLE = register(
    RuleType(
        name="repeat_exec_throttle",
        parameters=RepeatedExecutionThrottle,
        state=("executions",),
        check=check,
        update=update,
        reset=reset,
        updates_on=frozenset({EventKind.EXECUTION}),
        may_pause=None,
        exempt_reducing=True,
        observes="limit",
        standing=True,
        evidence=(Need(("EXECUTION",)),),
        sentence=lambda params: (
            f"{at_most(params, 'fewer than')} {counted(params.limit, 'automated execution')} until a person enables more"
        ),
    )
)
