"""Self-match prevention with its modes: what becomes of an order that would meet working orders of its own account, desk or firm.

Unit: lots. Source: Binance spot, Self Trade Prevention FAQ (EXPIRE_TAKER, EXPIRE_MAKER, EXPIRE_BOTH, DECREMENT); CME Group, Client
Systems Wiki, tag 8000. A buy meets a working sell at its price or below, a sell a working buy at its price or above, a market order
any of the other side; the best price first, then the first to come. The mode is that of the incoming order's rule.

Decided here: it acts in enforce mode, where no other rule refuses the order (in shadow the record stands); an order of a list meets
what worked before its list; a modification that would meet something is refused in every mode.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import choice
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow, MatchMode

MODIFY = int(EventKind.MODIFY)
CANCEL_RESTING, DECREMENT = int(MatchMode.CANCEL_RESTING), int(MatchMode.DECREMENT)
WORDS = {
    "cancel_resting": " (working orders that it would meet are cancelled first)",
    "cancel_aggressing": "",
    "cancel_both": " (the first working order that it would meet is cancelled too)",
    "decrement": " (the lots that would match are first taken off both)",
}


class SelfMatchPrevention(NamedTuple):
    """No order matches a working order of its account, trader, desk or firm: the mode says which of them gives way.

    Parameters
    ----------
    mode
        Which of two orders that would match gives way, or both.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("smp", SelfMatchPrevention(mode="cancel_both"), scope="firm"))
    smp: no match of an order with a working order of the other side (the first working order that it would meet
    is cancelled too), for each firm. Orders and modifications that would breach it are rejected (severity
    WARN).
    """

    mode: choice(*(mode.name.lower() for mode in MatchMode)) = "cancel_resting"


def check(params: Any, event: EventRow, met: int) -> Verdict:
    """Refuse an order by its mode, if it meets any lots."""
    if met == 0 or (event.kind != MODIFY and params.mode == CANCEL_RESTING):
        return Verdict(PASS, met, 0)
    if event.kind != MODIFY and params.mode == DECREMENT and met < event.qty:
        return Verdict(PASS, met, 0)
    return Verdict(OBJECT, met, 0)


SELF_MATCH = register(
    RuleType(
        name="self_match",
        parameters=SelfMatchPrevention,
        check=check,
        requires=frozenset({"chains"}),
        reads=frozenset({"offers"}),
        observes=Measure.LOTS,
        evidence=(Need(("named order",)),),
        sentence=lambda params: f"no match of an order with a working order of the other side{WORDS[params.mode]}",
    )
)
