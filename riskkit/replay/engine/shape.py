"""Facts that determine the text of a replay loop: rules, mode and columns of the log, but no parameters."""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.schema.columns import FACTS, MESSAGES, REQUIRED, EventKind
from riskkit.replay.schema.scopes import SCOPES

__all__ = ["HOOKS", "KEYS", "MESSAGES", "ORDER_KEYS", "OPEN_SCOPES", "RuleShape", "Shape", "arguments", "columns"]

# expressions of the key of a rule's record, by scope: of an event, and of a named order that ends
KEYS = {scope.name: scope.event_key for scope in SCOPES.values()}
ORDER_KEYS = {scope.name: scope.order_key for scope in SCOPES.values()}
OPEN_SCOPES = tuple(scope.name for scope in SCOPES.values() if scope.is_open)

TABLES = ("positions", "accounts", "instruments", "orders")  # the index -1 is the empty record
WORDS = ("clocks", "bounds", "sample_at", "sampled", "memory", "counts", "rows")
HOOKS = (
    "check",
    "update",
    "on_new_day",
    "reset",
    "evict",
    "apply_pending",
)  # functions of a rule's type that the loop calls
VARIABLES = ("state", "states", "n_keys", "terms", "params", "duplicates")  # of each rule in the loop


class RuleShape(NamedTuple):
    """Facts of a rule that determine the text: location of its record, actions, arguments of its hooks.

    ``name`` is its type and index among the rules, so rule sets that differ only in ids share a loop.
    """

    number: int
    name: str
    scope: str
    can_pause: bool
    halts: bool
    checked_by_pause: bool
    breach_trips: bool
    exempt_reducing: bool
    working: bool
    covariance: bool
    nodes_per_event: int
    caps: bool  # its verdict has the index of the breached limit
    checks_on: tuple[int, ...]
    updates_on: tuple[int, ...]
    alerts_on: tuple[int, ...]  # kinds that cannot be refused and at which a breach of an alerting rule is written
    hooks: tuple[tuple[str, tuple[str, ...]], ...]

    def variable(self, name: str) -> str | None:
        """The expression of a variable or hook of the rule in the loop; None if `name` is a fact."""
        texts = {"key": KEYS[self.scope], "order_key": ORDER_KEYS[self.scope], "array": f"all_states_{self.name}"}
        return texts.get(name) or (f"{name}_{self.name}" if name in VARIABLES or name in HOOKS else None)

    def has(self, hook: str) -> bool:
        """True if its type has a hook."""
        return hook in dict(self.hooks)

    def arguments(self, hook: str) -> tuple[str, ...]:
        """Argument names of a hook; empty if the type does not have it."""
        return dict(self.hooks).get(hook, ())

    @property
    def cancels(self) -> str:
        """Working orders that a trip cancels; see `riskkit.replay.schema.scopes.Scope`."""
        return SCOPES[self.scope].cancels

    @property
    def bit(self) -> int:
        """Its bit in the masks of a decision."""
        return 1 << self.number

    def can_object(self, kind: int) -> bool:
        """True if the rule can object to this kind of event."""
        return kind in MESSAGES and (self.can_pause or (kind in self.checks_on and self.has("check")))

    def checked(self, kind: int) -> bool:
        """True if its check is called; a latching rule that can pause only tests its pause."""
        return kind in self.checks_on and self.has("check") and not (self.checked_by_pause and self.can_pause)

    def calls_update(self, kind: int) -> bool:
        """True if its update hook is called at this kind of event."""
        return kind in self.updates_on and self.has("update")

    def alerts(self, kind: int) -> bool:
        """True if a breach by this kind of event, which cannot be refused, is an alert."""
        return kind in self.alerts_on

    def trips_by_breach(self, kind: int) -> bool:
        """True if a breach found by its check pauses it."""
        return self.can_pause and self.can_object(kind) and self.breach_trips and not self.checked_by_pause

    def can_trip(self, kind: int) -> bool:
        """True if this kind of event can pause it."""
        return self.can_pause and (self.calls_update(kind) or self.trips_by_breach(kind))

    def always_keyed(self, kind: int) -> bool:
        """True if every event of this kind has a key of its scope."""
        scope = SCOPES[self.scope]
        return not scope.is_open and not (scope.has_instrument and "instrument" not in FACTS[EventKind(kind)].needs)

    def used_by(self, kind: int) -> bool:
        """True if this kind of event makes its account the owner of the key."""
        return kind in SCOPES[self.scope].used_by


Rules = list[Any]  # of RuleShape; in the loop each also has its variables and hooks


class Shape(NamedTuple):
    """Facts that determine the text of the loop."""

    rules: tuple[Any, ...]  # of RuleShape
    enforce: bool
    marks: bool
    orders: bool
    controls: bool
    samples: bool
    cancels: bool
    modifies: bool
    others: bool
    chains: bool  # working orders are chained by position
    cash: bool  # working buys reserve cash
    duplicates: bool  # identical orders are found
    parents: bool  # children are counted for their parent
    tags: bool  # orders store strategy and connection
    columns: tuple[str, ...]

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables of records."""
        return (*TABLES, "cash_balances") if self.cash else TABLES

    @property
    def words(self) -> tuple[str, ...]:
        """Names of the arrays of numbers (``clocks`` and ``rows`` of records); floats only for a covariance."""
        return WORDS if not self.gauging else (*WORDS[:-2], "reals", *WORDS[-2:])

    @property
    def nodes_per_event(self) -> int:
        """Maximum number of queue entries that one event adds, over all rules."""
        return sum(rule.nodes_per_event for rule in self.rules)

    @property
    def gauging(self) -> Rules:
        """Rules with a covariance."""
        return [rule for rule in self.rules if rule.covariance]

    @property
    def counting(self) -> Rules:
        """Rules that count the working orders in their records."""
        return [rule for rule in self.rules if rule.working]

    @property
    def assuming(self) -> Rules:
        """Rules that count an order of a list as working while the later ones are checked."""
        return [rule for rule in self.listening(EventKind.ORDER) if rule.working or rule.has("apply_pending")]

    @property
    def turning(self) -> Rules:
        """Rules whose records change at the start of a trading day."""
        return [rule for rule in self.rules if rule.can_pause or rule.has("on_new_day")]

    @property
    def resettable(self) -> Rules:
        """Rules whose records change at a RESET command."""
        return [rule for rule in self.rules if rule.can_pause or rule.has("reset")]

    def objecting(self, kind: int) -> Rules:
        """Rules that can object to a kind of message."""
        return [rule for rule in self.rules if rule.can_object(kind)]

    def listening(self, kind: int) -> Rules:
        """Rules whose records are looked up at a kind of event."""
        return [rule for rule in self.rules if rule.can_object(kind) or kind in rule.updates_on]

    def watched(self, kind: int) -> bool:
        """True if a kind of event may change a rule's record."""
        return any(kind in rule.updates_on for rule in self.rules)

    def inherits(self, kind: int) -> bool:
        """True if an event of this kind also has the flags of its order."""
        return kind == EventKind.MODIFY and "flags" in self.columns

    def asks_reducing(self, kind: int) -> bool:
        """True if the loop must know whether a message of this kind only reduces a position."""
        return self.controls or any(
            rule.exempt_reducing or (rule.can_pause and not rule.halts) or "reducing" in rule.arguments("check")
            for rule in self.objecting(kind)
        )


def columns(shape: Shape) -> list[str]:
    """Names of the columns that the loop reads."""
    return [*REQUIRED, *shape.columns, *["slots"] * shape.orders, *["prev_duplicate"] * shape.duplicates]


def arguments(shape: Shape) -> list[str]:
    """Names of the arguments of ``run``, in order."""
    names = ["start", "stop", *(f"all_{name}" for name in (*columns(shape), *shape.tables, *shape.words))]
    for rule in shape.rules:
        names += [f"terms_{rule.name}", f"params_{rule.name}", f"all_states_{rule.name}"]
    return names
