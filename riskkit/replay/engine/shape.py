"""Facts that determine the text of a replay loop: rules, mode and columns of the log, but no parameters."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from riskkit.replay.kernels.conversion import EXPOSURE, MONEY
from riskkit.replay.schema.columns import FACTS, MESSAGES, REQUIRED, EventKind
from riskkit.replay.schema.scopes import SCOPES
from riskkit.replay.schema.universe import GROUPS

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
    "amend",
    "on_pause_end",
    "holds_back",
    "leave",
)  # functions of a rule's type that the loop calls
VARIABLES = (
    "state",
    "states",
    "n_keys",
    "terms",
    "params",
    "versions",
    "duplicates",
    "best",
    "met",
    "reducing",
)  # of each rule in the loop


def read_bits(reads: Collection[str]) -> int:
    """What a rule that reads these quantities adds of the books, as `riskkit.replay.kernels.conversion.holds` takes it."""
    money = MONEY if not {"equity", "profit"}.isdisjoint(reads) else 0
    return money | (EXPOSURE if "exposure" in reads else 0)


class GroupShape(NamedTuple):
    """Facts of the group books of one scope (`riskkit.replay.kernels.groups`)."""

    scope: str
    has_cash: bool
    converts: bool = False  # it has a book in each currency
    separate: bool = False  # it adds the exposures of its accounts, and does not net them

    def variable(self, name: str) -> str | None:
        """The table of a group in the loop; None if `name` is a fact."""
        return self.table(name) if name in ("accounts", "positions", "cash") else None

    def table(self, name: str) -> str:
        """Name of a table of records."""
        return f"group_{name}_{self.scope}{'_by_currency' * self.converts}{'_separate' * self.separate}"

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of its tables of records."""
        names = ("accounts", "positions", "cash") if self.has_cash else ("accounts", "positions")
        return tuple(map(self.table, names))

    @property
    def by_pair(self) -> bool:
        """True if its positions are those of the accounts, one by one."""
        return self.separate or "account" in SCOPES[self.scope].parts

    @property
    def by_holder(self) -> bool:
        """True if its positions are numbered by holder and instrument."""
        return SCOPES[self.scope].group in ("holders", "own")

    @property
    def own(self) -> bool:
        """True if its profit is that of its own fills."""
        return SCOPES[self.scope].group == "own"

    @property
    def sums(self) -> bool:
        """True if its equity is the sum over member accounts."""
        return SCOPES[self.scope].group == "holders" and not self.converts


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
    volume: bool  # it counts the lots and money of the working orders in its record
    opening: bool  # it counts the flat positions that working orders would open in its record
    whole: bool  # it judges a list of orders at its last one
    group: GroupShape | None  # its book is that of a group
    reads: tuple[str, ...]
    checks_on: tuple[int, ...]
    updates_on: tuple[int, ...]
    alerts_on: tuple[int, ...]  # kinds that cannot be refused and at which a breach of an alerting rule is written
    hooks: tuple[tuple[str, tuple[str, ...]], ...]
    converts: bool = False  # its limit is in one currency, and what it compares in any
    recovers: bool = False  # its update ends its pause
    queues: bool = False  # what it would refuse waits
    overridden: bool = False  # keys have limits of their own: its parameters are a table, and a record names its row
    credit: bool = False  # it counts credit, also while it is not in force
    tagged: bool = False  # it concerns orders with `RowFlag.MMP` alone

    def variable(self, name: str) -> str | None:
        """The expression of a variable or hook of the rule in the loop; None if `name` is a fact."""
        match name:
            case "key":
                return KEYS[self.scope]
            case "order_key":
                return ORDER_KEYS[self.scope]
            case "member_key" | "position_key":
                return getattr(SCOPES[self.scope], name)
            case "array":
                return f"all_states_{self.name}"
            case "match_mode":
                return f"params_{self.name}.mode"
            case "lifetime":  # the same for all keys
                return f"at(versions_{self.name}, 0).ttl_ns" if self.overridden else f"params_{self.name}.ttl_ns"
            case "params" if self.overridden:
                return f"at(versions_{self.name}, state_{self.name}.version)"
            case "table" if self.overridden:
                return f"params_{self.name}"
        if self.group and name.startswith("group_"):
            return self.group.variable(name.removeprefix("group_"))
        return f"{name}_{self.name}" if name in VARIABLES or name in HOOKS else None

    def has(self, hook: str) -> bool:
        """True if its type has a hook."""
        return hook in dict(self.hooks)

    def arguments(self, hook: str) -> tuple[str, ...]:
        """Argument names of a hook; empty if the type does not have it."""
        return dict(self.hooks).get(hook, ())

    @property
    def group_number(self) -> int:
        """Place of its scope among those of groups of accounts, from 1, as in a command; -1 of another scope."""
        return GROUPS.index(self.scope) + 1 if self.scope in GROUPS else -1

    @property
    def nets(self) -> bool:
        """True if an order that reduces the group's position, not the account's, is exempt."""
        return self.group is not None and self.exempt_reducing and not {"exposure", "share"}.isdisjoint(self.reads)

    @property
    def gathers(self) -> bool:
        """True if it adds the books of its key in several currencies."""
        return self.group is not None and self.group.converts

    @property
    def read_bits(self) -> int:
        """What it adds of the books: money, exposure, or both (`riskkit.replay.kernels.conversion.holds`)."""
        return read_bits(self.reads)

    @property
    def has_peers(self) -> bool:
        """True if its key has working orders of several accounts."""
        return SCOPES[self.scope].joins_accounts

    @property
    def bit(self) -> int:
        """Its bit in the masks of a decision."""
        return 1 << self.number

    def can_object(self, kind: int) -> bool:
        """True if the rule can object to this kind of event."""
        judged = kind in self.checks_on and self.has("check")
        return judged if kind == EventKind.CREDIT else kind in MESSAGES and (self.can_pause or judged)

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
        if kind in (EventKind.PRICE, EventKind.CLOSE, EventKind.SPLIT) and not scope.of_market:
            return False
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
    exposures: bool  # exposures with working orders are kept
    references: bool  # prices have a time
    groups: tuple[Any, ...]  # of GroupShape
    answers: bool  # the venue rejects orders, cancels or modifies
    amends: bool  # fills are busted or corrected
    flattens: bool  # the log has fills of flattenings
    columns: tuple[str, ...]
    commands: bool = False  # a command cancels orders, or is for a group of accounts
    dividends: bool = False  # instruments pay dividends
    snapshots: bool = False  # the venue says what an account holds and what works
    fundings: bool = False  # positions pay or receive a part of their value
    adjusts: bool = False  # lots come or go without a fill
    settles: bool = False  # instruments expire, or positions are rolled to another one
    splits: bool = False  # instruments are split
    multipliers: bool = False  # instruments get another multiplier
    externals: bool = False  # others have sent orders
    unconfirmed: bool = False  # cancels wait for the venue
    phases: bool = False  # instruments change the phase of trading
    credits: bool = False  # credit is reserved
    closes: bool = False  # orders are for what is held
    lifetimes: bool = False  # a rule looks at how long orders worked
    turnover: bool = False  # a rule looks at what all accounts trade in an instrument
    netted: bool = False  # the total is sampled alone, by the net positions of all accounts

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables of records."""
        own = (*TABLES, "cash_balances") if self.cash else TABLES
        own = (*own, "fills") if self.amends else own
        own = (*own, "rates", "conversions", "converted_books") if self.converting else own
        own = (*own, "totals") if self.samples else own
        return (*own, *(name for group in self.groups for name in group.tables))

    @property
    def words(self) -> tuple[str, ...]:
        """Names of the arrays of numbers (``clocks`` and ``rows`` of records); floats only for a covariance."""
        own = (*WORDS[:-2], "reals", *WORDS[-2:]) if self.gauging else WORDS
        own = (*own, "paths") if self.samples else own
        return (*own, "nets") if self.netted else own

    @property
    def nodes_per_event(self) -> int:
        """Maximum number of queue entries that one event adds, over all rules."""
        return sum(rule.nodes_per_event for rule in self.rules)

    @property
    def gauging(self) -> Rules:
        """Rules with a covariance."""
        return [rule for rule in self.rules if rule.covariance]

    @property
    def whole(self) -> bool:
        """True if a rule judges a list of orders at its last one."""
        return any(rule.whole for rule in self.rules)

    @property
    def converting(self) -> Rules:
        """Rules that convert money to the currency of their limit."""
        return [rule for rule in self.rules if rule.converts]

    @property
    def currency_groups(self) -> list[Any]:
        """Groups with a book in each currency."""
        return [group for group in self.groups if group.converts]

    @property
    def rated(self) -> Rules:
        """Rules on the profit of a group that moves with an exchange rate."""
        return [rule for rule in self.rules if rule.gathers and EventKind.MARK in rule.updates_on]

    @property
    def pausing(self) -> Rules:
        """Rules that can pause their key."""
        return [rule for rule in self.rules if rule.can_pause]

    @property
    def measuring(self) -> Rules:
        """Rules that count the lots and money of the working orders in their records."""
        return [rule for rule in self.rules if rule.volume]

    @property
    def opening(self) -> Rules:
        """Rules that count the flat positions that working orders would open in their records."""
        return [rule for rule in self.rules if rule.opening]

    @property
    def lots(self) -> bool:
        """True if the lots of each working order are followed."""
        return bool(self.groups or self.measuring)

    @property
    def cash_groups(self) -> list[Any]:
        """Groups with a balance in each currency."""
        return [group for group in self.groups if group.has_cash]

    @property
    def sums(self) -> list[Any]:
        """Groups with the sums over their member accounts."""
        return [group for group in self.groups if group.sums] if self.marks else []

    def told_of(self, group: GroupShape) -> Rules:
        """Rules on the profit of a group."""
        return [rule for rule in self.rules if rule.group == group and EventKind.MARK in rule.updates_on]

    @property
    def groups_told(self) -> list[Any]:
        """Groups whose profit is limited."""
        return [group for group in self.groups if self.told_of(group)]

    @property
    def sums_told(self) -> list[Any]:
        """Groups of `groups_told` with the sums over their member accounts."""
        return [group for group in self.groups_told if group.sums]

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

    @property
    def matching(self) -> Rules:
        """Rules that prevent matches of orders with working ones, each by its mode."""
        return [rule for rule in self.rules if "met" in rule.arguments("check")]

    @property
    def crediting(self) -> Rules:
        """Rules on credit."""
        return [rule for rule in self.rules if rule.credit]

    @property
    def takes_away(self) -> bool:
        """True if a command, a rule, an expiry or a split takes working orders away by name."""
        return self.commands or self.settles or self.splits or (self.enforce and bool(self.matching))

    @property
    def keeps_orders(self) -> bool:
        """True if the loop iterates over working orders: their records stay until they end."""
        return (
            self.chains
            or self.cancels
            or self.commands
            or self.stops
            or self.dividends
            or self.snapshots
            or self.settles
            or self.splits
            or self.multipliers
            or self.credits
        )

    @property
    def keeps_rows(self) -> bool:
        """True if an order's record has the row of its event."""
        return self.takes_away or self.dividends or self.snapshots

    @property
    def stops(self) -> bool:
        """True if orders wait for a trade at their stop."""
        return "stop" in self.columns

    @property
    def apart(self) -> bool:
        """True if a rule tells working orders apart by their self-match prevention id, or by `RowFlag.MMP`."""
        return any(rule.tagged or rule.scope == "smp_id" for rule in self.rules)

    @property
    def numbers_orders(self) -> bool:
        """True if a rule looks at the working orders, or at what a cancel takes of them."""
        return self.lifetimes or any("orders" in rule.arguments("update") for rule in self.rules)

    @property
    def holders_told(self) -> Rules:
        """Rules by account and instrument that look at trades, which have no account."""
        return [
            rule for rule in self.rules if rule.scope == "account_instrument" and EventKind.PRICE in rule.updates_on
        ]

    @property
    def queueing(self) -> Rules:
        """Rules that let messages wait."""
        return [rule for rule in self.rules if rule.queues]

    @property
    def amending(self) -> Rules:
        """Rules whose records change with a fill that is busted or corrected."""
        return [rule for rule in self.rules if rule.has("amend")]

    @property
    def adjusting(self) -> Rules:
        """Rules whose records hold positions, which a snapshot, an adjustment or an expiry may change without a fill."""
        return [rule for rule in self.amending if rule.covariance or rule.opening]

    def objecting(self, kind: int) -> Rules:
        """Rules that can object to a kind of message."""
        return [rule for rule in self.rules if rule.can_object(kind)]

    def listening(self, kind: int) -> Rules:
        """Rules whose records are looked up at a kind of event; those on a group's profit are told by the group."""
        told = [rule for rule in self.rules if kind != EventKind.MARK or rule.group is None]
        return [rule for rule in told if rule.can_object(kind) or kind in rule.updates_on]

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


def table_places(shape: Shape) -> list[int]:
    """Places of the tables of records among the `arguments` after the first two."""
    tables = {f"all_{name}" for name in shape.tables} | {rule.variable("array") for rule in shape.rules}
    return [place for place, name in enumerate(arguments(shape)[2:]) if name in tables]
