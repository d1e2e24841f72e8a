"""Orders, trades and rules of `RiskEngine`, custom rules, and `build_config`.

- ``OrderRateLimitRule`` counts every order of an account in a sliding window. The order that exceeds the threshold is
  refused and pauses the account; orders during the pause are refused and counted. The pause ends at the next order for
  which the window has room, or at a tick at which the window has no more than the threshold.
- ``AccountVolumeLimitRule`` adds up traded volume by account, contract or product. The trade that exceeds the cap is
  booked and pauses the key until `RiskEngine.reset_daily`; orders that only reduce a position pass in the meantime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from riskkit._check import InputError, one_of
from riskkit.replay.kernels.records import Record
from riskkit.replay.live.session_status import SessionStatus
from riskkit.replay.results.decisions import Decision, DecisionKind
from riskkit.replay.rules.catalogue import OrderRate
from riskkit.replay.rules.parameters import Limit, Quantity
from riskkit.replay.rules.rule import Rule, RuleType
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.scopes import SCOPES


class Direction(StrEnum):
    """Side of an order: a bid buys, an ask sells.

    Examples
    --------
    >>> Direction.BUY
    <Direction.BID: 'BID'>
    >>> str(Direction("ASK"))
    'ASK'
    """

    BID = "BID"
    ASK = "ASK"
    BUY = "BID"
    SELL = "ASK"


SIDES = {Direction.BID: "B", Direction.ASK: "S"}


@dataclass(frozen=True)
class Order:
    """An order: id, account, contract, side, price, volume and time (nanoseconds since the epoch).

    Attributes
    ----------
    oid
        Id of the order.
    account_id
        Account that sends it.
    contract_id
        Contract that it is for.
    direction
        BID buys, ASK sells.
    price
        Limit price, in money of one unit.
    volume
        Quantity, above zero.
    timestamp
        Nanoseconds since the epoch.

    Examples
    --------
    >>> Order(1, "A", "T2303", Direction.BID, price=100.5, volume=2, timestamp=0).contract_id
    'T2303'
    """

    oid: Any
    account_id: str
    contract_id: str
    direction: Direction
    price: Any
    volume: Any
    timestamp: int


@dataclass(frozen=True)
class Trade:
    """A trade: id, order, price, volume and time (nanoseconds since the epoch).

    Account, contract and direction are those of the order, if they are not given.

    Attributes
    ----------
    tid
        Id of the trade.
    oid
        Id of its order.
    price
        Money of one unit.
    volume
        Quantity, above zero.
    timestamp
        Nanoseconds since the epoch.
    account_id
        Account; by default that of the order.
    contract_id
        Contract; by default that of the order.
    direction
        Of the order, by default.

    Examples
    --------
    >>> Trade(tid=1, oid=1, price=100.5, volume=2, timestamp=5).volume
    2
    """

    tid: Any
    oid: Any
    price: Any
    volume: Any
    timestamp: int
    account_id: str | None = None
    contract_id: str | None = None
    direction: Direction | None = None


Action = DecisionKind  # name used by the replaced engine


# ---------------------------------------------------------------------- rules


class RuleContext:
    """Context of a custom rule: the products of contracts, and the session as of the event.

    ``status`` is a copy of the session, made when a rule reads it, which is to be while it is called.

    Examples
    --------
    >>> class Largest(BaseRule):
    ...     def on_order(self, order, context):
    ...         if context.contract_to_product[order.contract_id] == "T10Y" and order.volume > 5:
    ...             yield self.act(Action.ALERT, order.account_id, "a large order", order.timestamp)
    >>> from riskkit.compat import RiskEngine
    >>> engine = RiskEngine(rules=[Largest()], contract_to_product={"T2303": "T10Y"}, compiled=False)
    >>> [str(action) for action in engine.process_order(Order(1, "A", "T2303", Direction.BID, 100.5, 9, 0))]
    ['ALERT A: a large order']
    """

    def __init__(self, contract_to_product: Mapping[str, str], status: Callable[[], SessionStatus]) -> None:
        self.contract_to_product = contract_to_product
        self._status = status

    @cached_property
    def status(self) -> SessionStatus:
        """Positions, states and utilization."""
        return self._status()


class BaseRule:
    """Base class of the rules of `RiskEngine`.

    Either `rules` returns riskkit rules (compiled, in the digest), as for the two rules of this module; or `on_order`,
    `on_trade`, `on_tick` return actions, created by `act`. A PAUSE, HALT or RESUME of an account is journaled as a
    command, so that a replay of the journal includes it; other actions are passed on. The memory of a custom rule is not
    part of a snapshot.

    Examples
    --------
    >>> class Night(BaseRule):
    ...     def on_order(self, order, context):
    ...         if order.timestamp % 86_400_000_000_000 < 6 * 3_600_000_000_000:
    ...             yield self.act(Action.PAUSE, order.account_id, "no trading at night", order.timestamp)
    >>> from riskkit.compat import RiskEngine
    >>> engine = RiskEngine(rules=[Night()], contract_to_product={"T2303": "T10Y"}, compiled=False)
    >>> [str(action) for action in engine.process_order(Order(1, "A", "T2303", Direction.BID, 100.5, 9, 0))]
    ['PAUSE A: no trading at night']
    """

    def rules(self, name: str) -> Sequence[Rule]:
        """The riskkit rules of this rule; `name` is a free id."""
        return ()

    def on_order(self, order: Order, context: RuleContext) -> Iterable[Decision] | None:
        """Called after every order, refused or not."""
        return None

    def on_trade(self, trade: Trade, context: RuleContext) -> Iterable[Decision] | None:
        """Called after every trade."""
        return None

    def on_tick(self, now_ns: int) -> Iterable[Decision] | None:
        """Called at every tick."""
        return None

    def act(
        self,
        action: DecisionKind,
        account_id: str,
        reason: str,
        timestamp_ns: int,
        observed: Any = None,
        limit: Any = None,
    ) -> Decision:
        """Create an action of this rule on an account."""
        left = None if observed is None or limit is None else limit - observed
        name = type(self).__name__
        return Decision(action, name, account_id, reason, observed, limit, left, timestamp_ns, None, -1, account_id, "")


class OrderRateLimitRule(BaseRule):
    """At most `threshold` orders of an account in any `window_ns`; see the module docstring.

    ``bucket_ns`` above zero counts in buckets of that length, in constant memory: an order expires up to one
    bucket early. 0 is exact.

    Examples
    --------
    >>> print(OrderRateLimitRule(threshold=2, window_ns=1_000_000_000).rules("rate")[0].limit_text())
    at most 2 orders in any 1 s, rejected ones count too
    """

    def __init__(self, threshold: int = 50, window_ns: int = 1_000_000_000, bucket_ns: int = 0) -> None:
        self.parameters = OrderRate(
            limit=threshold, window_ns=window_ns, bucket_ns=bucket_ns, count="attempted", kinds=("order",)
        )
        self.rules("check")

    def rules(self, name: str) -> Sequence[Rule]:
        """The order rate limit of this rule, refused orders included."""
        return [Rule(name, self.parameters)]


class AccountVolumeLimitRule(BaseRule):
    """At most `daily_cap` of traded volume until `RiskEngine.reset_daily`, for each combination of dimensions.

    ``dimensions``: of "account", "contract" and "product": ("account", "product") is a cap for each account in each
    product.

    Examples
    --------
    >>> print(AccountVolumeLimitRule(1_000, ["account", "product"]).rules("volume")[0])
    volume: at most 1,000 traded until the day is reset, for each account and product. After a breach, the
    account in the product is paused until a person resets it: only cancels and orders that reduce a position
    are accepted (severity WARN).
    """

    def __init__(self, daily_cap: Any = 1000, dimensions: Sequence[str] = ("account",)) -> None:
        if isinstance(dimensions, str):
            raise InputError(f"dimensions={dimensions!r} is a string; give a list such as ['account', 'product']")
        parts = frozenset(one_of(name, ("account", "contract", "product"), "dimensions") for name in dimensions)
        if not parts:
            raise InputError("dimensions is empty; name at least one of 'account', 'contract' and 'product'")
        parts = parts - {"product"} if "contract" in parts else parts  # a contract has one product
        wanted = {part.replace("contract", "instrument") for part in parts}
        self.scope = next(scope.name for scope in SCOPES.values() if set(scope.parts) == wanted)
        self.parameters = DailyVolume(daily_cap)
        self.rules("check")

    def rules(self, name: str) -> Sequence[Rule]:
        """The volume cap of this rule."""
        return [Rule(name, self.parameters, scope=self.scope, kind=DAILY_VOLUME)]


class DailyVolume(NamedTuple):
    """At most `limit` of traded quantity until a RESET command."""

    limit: Limit[Quantity]


def check(state: Record, params: Any) -> Verdict:
    """Compare the traded quantity with the cap."""
    return Verdict(OBJECT if state.quantity > params.limit else PASS, state.quantity, params.limit)


def update(state: Record, params: Any, book: Any, event: Any) -> int:
    """Add a fill; trip if it exceeds the cap."""
    state.quantity += event.qty * book.instrument.qty_unit
    return 1 if state.quantity > params.limit else 0


def reset(state: Record) -> None:
    """Restart at zero."""
    state.quantity = 0


DAILY_VOLUME = RuleType(
    name="daily_volume",
    parameters=DailyVolume,
    state=("quantity",),
    check=check,
    update=update,
    reset=reset,
    checks_on=frozenset({EventKind.ORDER, EventKind.MODIFY}),
    updates_on=frozenset({EventKind.FILL}),
    scopes=("account", "account_instrument", "account_product", "instrument", "product"),
    action="PAUSE",
    checked_by_pause=True,
    observes="limit",
    standing=True,
    sentence=lambda params: f"at most {params.limit} traded until the day is reset",
)

TYPES: dict[str, Any] = {
    "OrderRateLimitRule": OrderRateLimitRule,
    "AccountVolumeLimitRule": AccountVolumeLimitRule,
}


class RiskConfig(NamedTuple):
    """Result of `build_config`: rules, and the product of each contract."""

    rules: list[Any]
    contract_to_product: dict[str, str]


def build_config(config: Mapping[str, Any]) -> RiskConfig:
    """Read rules and products from a dict.

    Parameters
    ----------
    config : mapping
        ``contract_to_product``: the product of each contract; ``rules``: a list of ``{"type": "OrderRateLimitRule",
        "threshold", "window_ns", "bucket_ns"}``, ``{"type": "AccountVolumeLimitRule", "daily_cap", "dimensions"}``, or
        any other rule as for `RuleSet.from_dict`.

    Returns
    -------
    RiskConfig
        For `RiskEngine`.

    Raises
    ------
    InputError
        If a key or type is unknown or a number does not fit.

    Examples
    --------
    >>> entry = {"type": "OrderRateLimitRule", "threshold": 5}
    >>> build_config({"rules": [entry], "contract_to_product": {"T2303": "T10Y"}}).contract_to_product
    {'T2303': 'T10Y'}
    """
    if not isinstance(config, Mapping) or not set(config) <= {"rules", "contract_to_product"}:
        given = f"the keys {sorted(map(str, config))}" if isinstance(config, Mapping) else f"a {type(config).__name__}"
        raise InputError(f"config has the keys 'contract_to_product' and 'rules'; got {given}")
    rules: list[Any] = []
    for entry in config.get("rules", []):
        kind = entry.get("type") if isinstance(entry, Mapping) else None
        if kind not in TYPES:
            rules += list(RuleSet.from_dict({"rules": [entry]}))
            continue
        fields = {name: value for name, value in entry.items() if name != "type"}
        try:
            rules.append(TYPES[kind](**fields))
        except TypeError as error:
            raise InputError(f"rule type {kind!r}: {error}") from None
    return RiskConfig(rules, {str(c): str(p) for c, p in config.get("contract_to_product", {}).items()})


def chosen(rules: Iterable[Any]) -> tuple[list[BaseRule], RuleSet, list[str]]:
    """Custom rules, the riskkit rules of all, and the ids of the order rates."""
    custom: list[BaseRule] = []
    found: list[Rule] = []
    rates: list[str] = []
    for rule in rules:
        if isinstance(rule, Rule):
            found.append(rule)
            continue
        if not isinstance(rule, BaseRule):
            raise InputError(f"{rule!r} is not a rule; give objects of BaseRule or Rule, as build_config(...).rules")
        custom.append(rule)
        name, ids = type(rule).__name__, {known.id for known in found}
        number = 2
        while name in ids:
            name, number = f"{type(rule).__name__}-{number}", number + 1
        added = list(rule.rules(name))
        found += added
        rates += [entry.id for entry in added] if isinstance(rule, OrderRateLimitRule) else []
    return custom, RuleSet(found), rates
