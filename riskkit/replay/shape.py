"""What decides the text of a replay loop: the chosen rules, the mode, and what the log holds. No parameter does."""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.columns import REQUIRED, Kind

__all__ = ["KEYS", "NAMED_KEYS", "OPEN_SCOPES", "RuleShape", "Shape", "arguments", "columns"]

# how the key of a rule's record is found, by scope: of an event, and of a named order wherever it ceases to work
KEYS = {
    "account": "event.account",
    "instrument": "event.instrument",
    "product": "book.instrument.product",
    "account_instrument": "event.pair",
    "account_product": "book.position.product",
    "strategy": "event.strategy",
    "session": "event.connection",
    "desk": "book.account.desk",
    "firm": "book.account.firm",
    "global": "0",
}
NAMED_KEYS = {
    "account": "named.account",
    "instrument": "position.instrument",
    "product": "traded.product",
    "account_instrument": "named.pair",
    "account_product": "position.product",
    "strategy": "named.strategy",
    "session": "named.connection",
    "desk": "owner.desk",
    "firm": "owner.firm",
    "global": "0",
}
OPEN_SCOPES = ("strategy", "session")  # an event may be without one; a key belongs to the account that last used it

USES = {"strategy": (Kind.ORDER, Kind.MODIFY, Kind.EXECUTION), "session": (Kind.ORDER, Kind.MODIFY)}
INSTRUMENT_SCOPES = ("instrument", "product", "account_instrument", "account_product")
WITHOUT_INSTRUMENT = (Kind.ERROR, Kind.ACK, Kind.EXECUTION, Kind.MARK)  # or not always with one
ORDER_KEYS = {
    "account": "order.account",
    "instrument": "position.instrument",
    "product": "instrument.product",
    "account_instrument": "order.pair",
    "account_product": "position.product",
    "strategy": "order.strategy",
    "session": "order.connection",
    "desk": "account.desk",
    "firm": "account.firm",
    "global": "0",
}
HOOKS = ("check", "record", "turn", "reset", "advance", "assume")
VARIABLES = ("state", "states", "n_keys", "terms", "params", "duplicates")  # of each rule

TABLES = ("positions", "accounts", "instruments", "orders")  # the index -1 is the record of nothing
WORDS = ("clocks", "bounds", "sample_at", "sampled", "memory", "counts", "rows")
MESSAGES = (Kind.ORDER, Kind.MODIFY)


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
    number: int = 0
    name: str = ""

    @property
    def key(self) -> str:
        """The key of its record, as an expression of the event and its book."""
        return KEYS[self.scope]

    def variable(self, name: str) -> str | None:
        """The expression of one of the rule's variables or functions in the loop, None where `name` is a fact."""
        if name in ("key", "order_key"):
            return (KEYS if name == "key" else ORDER_KEYS)[self.scope]
        if name == "array":
            return f"all_states_{self.name}"
        return f"{name}_{self.name}" if name in VARIABLES or name in HOOKS else None

    def has(self, hook: str) -> bool:
        """Whether its type has the hook."""
        return bool(getattr(self, hook))

    def arguments(self, hook: str) -> tuple[str, ...]:
        """Names of the arguments that the hook takes, empty where the type does not have it."""
        return getattr(self, hook) or ()

    def used_by(self, kind: int) -> bool:
        """Whether a key of its scope belongs to the account of this kind of event from then on."""
        return kind in USES.get(self.scope, ())

    def always_keyed(self, kind: int) -> bool:
        """Whether every event of this kind has a key of its scope."""
        return self.scope not in OPEN_SCOPES and not (self.scope in INSTRUMENT_SCOPES and kind in WITHOUT_INSTRUMENT)

    def told(self, kind: int) -> bool:
        """Whether its record hook is called at this kind of event."""
        return kind in self.watches and self.has("record")

    def trips_by_breach(self, kind: int) -> bool:
        """Whether a breach that its check finds pauses it."""
        return self.holds and self.judged(kind) and self.trips and not self.latches

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

    def listened(self, kind: Kind) -> bool:
        """Whether a rule must be looked up at a kind of event."""
        return any(rule.listens(kind) for rule in self.rules)

    def asks_reducing(self, kind: Kind) -> bool:
        """Whether it matters if a message of this kind only reduces a position."""
        return self.controls or any(
            rule.judged(kind)
            and (rule.reduces or (rule.holds and not rule.halts) or "reducing" in rule.arguments("check"))
            for rule in self.rules
        )


def columns(shape: Shape) -> list[str]:
    """Names of the columns that the loop reads."""
    derived = ["slots"] * shape.orders + ["twin"] * shape.twins
    return [*REQUIRED, *shape.columns, *derived]


def arguments(shape: Shape) -> list[str]:
    """Names of the arguments of ``run``, in order."""
    names = ["start", "stop", *(f"all_{name}" for name in columns(shape))]
    names += [f"all_{name}" for name in (*shape.tables, *shape.words)]
    for rule in shape.rules:
        names += [f"terms_{rule.name}", f"params_{rule.name}", f"all_states_{rule.name}"]
    return names
