"""Evidence that a rule needs in a log, declared by its type (`RuleType.evidence`)."""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.schema.columns import EventKind


class Need(NamedTuple):
    """Contents of a log (`riskkit.replay.log.evidence.TESTS`) of which a rule needs at least one.

    ``instead``: what to do without them; ``instrument``: the only one whose events count.

    Examples
    --------
    >>> Need(("TRADE",)).any_of
    ('TRADE',)
    """

    any_of: tuple[str, ...]
    instead: str = ""
    instrument: str = ""


_PLURAL = {
    EventKind.ORDER: "orders", EventKind.MODIFY: "modifies", EventKind.CANCEL: "cancels", EventKind.FILL: "fills",
    EventKind.PRICE: "prices", EventKind.ACK: "acknowledgements", EventKind.ERROR: "errors",
    EventKind.CASH: "cash flows", EventKind.EQUITY: "given equity", EventKind.TRADE: "closed trades",
    EventKind.EXECUTION: "automated executions", EventKind.CLOCK: "clock ticks", EventKind.SESSION: "ends of days",
    EventKind.CONTROL: "commands", EventKind.EXPIRE: "orders that expire", EventKind.MARK: "moves of equity",
    EventKind.REJECT: "orders rejected by the venue", EventKind.CANCEL_REJECT: "cancels rejected by the venue",
    EventKind.MODIFY_REJECT: "modifies rejected by the venue", EventKind.BUST: "busted fills",
    EventKind.CORRECT: "corrected fills", EventKind.FX: "exchange rates",
    EventKind.CLOSE: "previous closes", EventKind.DIVIDEND: "dividends", EventKind.SNAPSHOT: "snapshots",
    EventKind.ADJUST: "adjusted positions", EventKind.FUNDING: "fundings", EventKind.EXPIRY: "expiries", EventKind.ROLL: "rolls",
    EventKind.SPLIT: "splits", EventKind.CREDIT: "reservations of credit",
    EventKind.MULTIPLIER: "changes of multipliers", EventKind.PHASE: "phases of trading",
}  # fmt: skip
WORDS: dict[str, str] = {
    **{kind.name: f'{words} (rows kind="{kind.name.lower()}")' for kind, words in _PLURAL.items()},
    "strategy": "a strategy label (column strategy)",
    "connection": "a connection label (column connection)",
    "smp_id": "orders with a self-match prevention id (column smp_id)",
    "parent": "child orders (column parent_id)",
    "list": "lists of orders (column batch)",
    "trader": "accounts with a trader",
    "desk": "accounts with a desk",
    "firm": "accounts with a firm",
    "named order": "orders with an id (column order_id)",
    "position": "positions (fills or opening positions)",
    "last trade": 'last trades (rows kind="price" with a price)',
    "bid": 'bids (rows kind="price" with a bid)',
    "ask": 'asks (rows kind="price" with an ask)',
    "reduce-only": "orders flagged reduce-only (column reduce_only)",
    "stop-loss": 'closed trades by stop-loss (exit="stop_loss")',
}
CLOSED_TRADES = Need(("TRADE",), "add them: one row for each closed position, with pnl")
