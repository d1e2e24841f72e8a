"""What decides the text of a replay loop: the chosen rules, the mode, and what the log holds. No parameter does."""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.columns import MESSAGES, REQUIRED, Kind
from riskkit.replay.scopes import SCOPES

__all__ = ["KEYS", "NAMED_KEYS", "OPEN_SCOPES", "RuleShape", "Shape", "arguments", "columns"]

# how the key of a rule's record is found, by scope: of an event, and of a named order wherever it ceases to work
KEYS = {scope.name: scope.event_key for scope in SCOPES.values()}
NAMED_KEYS = {scope.name: scope.order_key for scope in SCOPES.values()}
OPEN_SCOPES = tuple(scope.name for scope in SCOPES.values() if scope.is_open)

TABLES = ("positions", "accounts", "instruments", "orders")  # the index -1 is the record of nothing
WORDS = ("clocks", "bounds", "sample_at", "sampled", "memory", "counts", "rows")


class RuleShape(NamedTuple):
    """What of a rule decides the text: where its record is, what it may do, which arguments its functions ask for."""

    scope: str
    holds: bool
    halts: bool
    latches: bool
    trips: bool
    reduces: bool
    working: bool
    covariance: bool
    cells: int
    judges: tuple[int, ...]
    watches: tuple[int, ...]
    check: tuple[str, ...]
    record: tuple[str, ...]
    turn: tuple[str, ...] | None
    reset: tuple[str, ...] | None
    advance: tuple[str, ...] | None
    assume: tuple[str, ...] | None
    caps: bool = False  # its verdict says which of several limits spoke

    @property
    def key(self) -> str:
        """The key of its record, as an expression of the event and its book."""
        return KEYS[self.scope]

    def listens(self, kind: int) -> bool:
        """Whether the rule must be looked up at this kind of event."""
        return self.judged(kind) or kind in self.watches

    def judged(self, kind: int) -> bool:
        """Whether the rule can object to this kind of event."""
        return kind in MESSAGES and (self.holds or (kind in self.judges and bool(self.check)))

    def checked(self, kind: int) -> bool:
        """Whether its check is asked: a latching rule that holds answers by its pause alone."""
        return kind in self.judges and bool(self.check) and not (self.latches and self.holds)


class Shape(NamedTuple):
    """What decides the text of the loop."""

    rules: tuple[RuleShape, ...]
    enforce: bool
    marks: bool
    orders: bool
    controls: bool
    samples: bool
    cancels: bool
    modifies: bool
    others: bool
    chains: bool  # working orders are chained by position
    cash: bool  # working buys hold cash
    twins: bool  # identical orders are found
    parents: bool  # children are counted for their parent
    tags: bool  # an order remembers through what it came
    columns: tuple[str, ...]

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables of records."""
        return (*TABLES, "purses") if self.cash else TABLES

    @property
    def words(self) -> tuple[str, ...]:
        """Names of the arrays of numbers; floats are there where a rule keeps a covariance."""
        return WORDS if not self.gauging else (*WORDS[:-2], "reals", *WORDS[-2:])

    @property
    def gauging(self) -> list[int]:
        """The rules that keep a covariance."""
        return [k for k, rule in enumerate(self.rules) if rule.covariance]

    @property
    def cells(self) -> int:
        """Entries that one event may add to the queues of all rules."""
        return sum(rule.cells for rule in self.rules)

    @property
    def counting(self) -> list[int]:
        """The rules in whose records the working orders are counted."""
        return [k for k, rule in enumerate(self.rules) if rule.working]

    def asked(self, kind: Kind) -> list[int]:
        """The rules that can object to a kind of message."""
        return [k for k, rule in enumerate(self.rules) if rule.judged(kind)]

    def listening(self, kind: Kind) -> list[int]:
        """The rules that must be looked up at a kind of event."""
        return [k for k, rule in enumerate(self.rules) if rule.listens(kind)]

    def watched(self, kind: Kind) -> bool:
        """Whether a rule's record is told of a kind of event."""
        return any(kind in rule.watches for rule in self.rules)


def columns(shape: Shape) -> list[str]:
    """Names of the columns that the loop reads."""
    derived = ["slots"] * shape.orders + ["twin"] * shape.twins
    return [*REQUIRED, *shape.columns, *derived]


def arguments(shape: Shape) -> list[str]:
    """Names of the arguments of ``run``, in order."""
    names = ["start", "stop", *(f"all_{name}" for name in columns(shape))]
    names += [f"all_{name}" for name in (*shape.tables, *shape.words)]
    for k in range(len(shape.rules)):
        names += [f"t{k}", f"p{k}", f"all_s{k}"]
    return names
