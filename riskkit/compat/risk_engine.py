"""A small live interface: orders and trades as objects, two rules from a dict, actions back.

`RiskEngine` is a `Session` for a few limits on orders and trades. Contracts and accounts are registered at their
first event, a trade has the account and contract of its order, and no clock is read: `tick()` without a time uses that
of the last event. Rules, journal and digest are those of a session; `riskkit.compat.rules` describes the two rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from riskkit._files import words_of
from riskkit._fork import new_lock
from riskkit.compat.rules import SIDES, BaseRule, Direction, Order, RuleContext, Trade, chosen
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.kernels.records import Records
from riskkit.replay.live.journaled_session import JournaledSession
from riskkit.replay.live.live_session import LiveSession
from riskkit.replay.live.session import Session
from riskkit.replay.live.session_status import SessionStatus
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.decisions import Decision, DecisionKind
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.catalogue.window import SLIDING, used
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import MISSING
from riskkit.replay.schema.universe import Instrument, Universe

BID, ASK = Direction.BID, Direction.ASK
COMMANDS = {DecisionKind.PAUSE: "PAUSE", DecisionKind.HALT: "PAUSE", DecisionKind.RESUME: "RESUME"}


class RiskEngine:
    """Rules over live orders and trades.

    Parameters
    ----------
    rules : iterable of BaseRule or Rule
        In their declared order; those of `build_config`, custom ones, or any of riskkit's.
    contract_to_product : mapping, optional
        The product of each contract (default: the contract itself).
    tick, lot : str, Decimal, int or float
        Steps of price and volume of every contract.
    order_ids, unknown_orders : str
        As in `EventLog.from_frame`; a trade or a cancel of an unknown order says its account, contract and direction.
    ts_policy : {"clamp", "raise", "reject"}
        Treatment of an event earlier than the previous event; by default it gets the previous time.
    compiled : bool, "auto" or "generic"
        "auto" takes the compiled loop of these rules if it is kept from before, else that of the whole catalogue, which
        starts at once and takes twice as long an event. True compiles the loop of these rules first, which takes seconds;
        False runs them as plain Python.

    Examples
    --------
    >>> from riskkit.compat.rules import Direction, build_config
    >>> cfg = build_config({"contract_to_product": {"T2303": "T10Y"}, "rules": [
    ...     {"type": "OrderRateLimitRule", "threshold": 1, "window_ns": 1_000_000_000},
    ...     {"type": "AccountVolumeLimitRule", "daily_cap": 10, "dimensions": ["account", "product"]}]})
    >>> engine = RiskEngine(rules=cfg.rules, contract_to_product=cfg.contract_to_product, compiled=False)
    >>> first = Order(1, "ACC", "T2303", Direction.BID, 100.0, 12, 0)
    >>> engine.process_order(first)
    []
    >>> for action in engine.process_order(Order(2, "ACC", "T2303", Direction.BID, 100.0, 1, 10)):
    ...     print(action.action, action.rule, action.observed, action.limit, action.headroom)
    PAUSE OrderRateLimitRule 2 1 -1
    REJECT OrderRateLimitRule 2 1 -1
    >>> for action in engine.tick(1_000_000_000):
    ...     print(action.action, action.rule, action.key)
    RESUME OrderRateLimitRule ACC
    >>> print(engine.process_trade(Trade(1, 1, 100.0, 12, 1_000_000_001))[0])
    PAUSE ACC/T10Y: ACC/T10Y is paused by AccountVolumeLimitRule (at most 10 traded until the day is reset), until a
    person resets it: observed 12, limit 10.
    >>> [str(action.action) for action in engine.reset_daily()]
    ['RESUME']
    """

    def __init__(
        self,
        rules: Iterable[Any],
        contract_to_product: Mapping[str, str] | None = None,
        *,
        tick: Any = "0.0001",
        lot: Any = 1,
        order_ids: str = "unique",
        unknown_orders: str = "refuse",
        ts_policy: str = "clamp",
        compiled: Tier = "auto",
    ) -> None:
        custom, listed, rates = chosen(rules)
        products, contracts, like = _declared(contract_to_product, tick, lot)
        session = Session.create(
            listed,
            contracts,
            auto_register=like,
            order_ids=order_ids,
            unknown_orders=unknown_orders,
            ts_policy=ts_policy,
            compiled=compiled,
        )
        self._start(session, custom, rates, products)

    @classmethod
    def open(
        cls,
        folder: str | Path,
        rules: Iterable[Any],
        contract_to_product: Mapping[str, str] | None = None,
        *,
        tick: Any = "0.0001",
        lot: Any = 1,
        **options: Any,
    ) -> RiskEngine:
        """Open an engine whose journal is in a folder, or begin one there: nothing that was answered is lost.

        Parameters
        ----------
        folder : str or Path
            The folder, created if missing. One engine holds it, until `close`.
        rules, contract_to_product, tick, lot
            As for the class; those of the journal, if there is one. The memory of custom rules written in Python is not kept.
        **options
            The others of the class, and ``durability``, ``horizon``, ``segment_events``, ``snapshot_every`` as for
            `Session.open`.

        Raises
        ------
        InputError
            If another engine holds the folder, a file is altered or cannot be written, or the rules are others.

        Examples
        --------
        >>> import tempfile
        >>> from riskkit.compat.rules import Direction, OrderRateLimitRule
        >>> first, second = (Order(oid, "A", "T2303", Direction.BID, 100.5, 1, oid) for oid in (1, 2))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with RiskEngine.open(folder, [OrderRateLimitRule(1)], compiled=False) as engine:
        ...         _ = engine.process_order(first)
        ...     with RiskEngine.open(folder, [OrderRateLimitRule(1)], compiled=False) as engine:
        ...         [str(action.action) for action in engine.process_order(second)]
        ['PAUSE', 'REJECT']
        """
        custom, listed, rates = chosen(rules)
        products, contracts, like = _declared(contract_to_product, tick, lot)
        options = {"ts_policy": "clamp", **options}
        engine, session = cls.__new__(cls), Session.open(folder, listed, contracts, auto_register=like, **options)
        engine._start(session, custom, rates, products)
        engine._recall()
        engine._note()
        return engine

    def close(self) -> None:
        """Write a snapshot and give the folder free, if there is one; once more changes nothing."""
        if isinstance(self.session, JournaledSession):
            self.session.close()

    def __enter__(self) -> RiskEngine:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _start(self, session: LiveSession, custom: list[BaseRule], rates: list[str], products: dict[str, str]) -> None:
        self.session: LiveSession = session
        self.contract_to_product = products
        self._custom = custom
        self._rates = rates
        self._paused: dict[tuple[str, str], None] = {}  # rate rules and their paused accounts, in order
        self._places = {rule.id: k for k, rule in enumerate(session.rules)}
        self._hooks = {hook: [rule for rule in custom if _has(rule, hook)] for hook in ("on_order", "on_trade")}
        self._lock = new_lock()

    # ------------------------------------------------------------------ events

    def process_order(self, order: Order) -> list[Decision]:
        """Process an order and return the actions (empty if it passed)."""
        self._lock.acquire()  # faster than a with statement
        try:
            direction = order.direction
            actions = self.session.process_order(
                order.timestamp,
                order.account_id,
                order.contract_id,
                "B" if direction is BID else "S" if direction is ASK else _side(direction),
                order.volume,
                order.price,
                order.oid,
            )
            if actions or self._paused:
                actions = self._rate_actions(actions, order)
            return actions + self._call("on_order", order) if self._hooks["on_order"] else actions
        finally:
            self._lock.release()

    def probe(self, order: Order) -> list[Decision]:
        """What riskkit's rules would say of an order now; nothing changes, and rules written in Python are not asked."""
        with self._lock:
            return self.session.probe(**_fields(order))

    def process_trade(self, trade: Trade) -> list[Decision]:
        """Process a trade; its account, contract and direction are those of its order, unless it says them."""
        self._lock.acquire()
        try:
            direction = trade.direction
            found = self.session.process_trade(
                trade.timestamp,
                trade.oid,
                trade.volume,
                trade.price,
                trade.tid,
                trade.account_id,
                trade.contract_id,
                None if direction is None else _side(direction),
            )
            return found + self._call("on_trade", trade) if self._hooks["on_trade"] else found
        finally:
            self._lock.release()

    def process_cancel(
        self, oid: Any, timestamp: int, account_id: str | None = None, contract_id: str | None = None
    ) -> list[Decision]:
        """Process a cancel of an order."""
        return self.session.process_cancel(ts=timestamp, order_id=oid, account=account_id, instrument=contract_id)

    def process_price(self, contract_id: str, price: Any, timestamp: int) -> list[Decision]:
        """Process a last price of a contract."""
        return self.session.process_price(ts=timestamp, instrument=contract_id, price=price)

    def process_fx(self, pair: str, rate: Any, timestamp: int) -> list[Decision]:
        """Process an exchange rate: units of the second currency of a pair for one of the first."""
        return self.session.process_fx(ts=timestamp, pair=pair, price=rate)

    def tick(self, now_ns: Any = None) -> list[Decision]:
        """Advance the time (default: that of the last event); pauses end once their window has cleared."""
        with self._lock:
            if now_ns is None and self.session.latest == MISSING:
                return []
            found = self.session.tick(now_ns) if now_ns is not None else []
            now = self.session.latest
            for name, account in list(self._paused):
                if self._in_window(name, account, now) <= self.session.rules[name].parameters.limit:
                    found.append(self._resumed(name, account, now, -1))
            for rule in self._custom:
                found += self._apply(rule.on_tick(now))
            return found

    def reset_daily(self, now_ns: Any = None) -> list[Decision]:
        """Start a new day: volumes are zero and all pauses end, except those of order rates, whose windows continue."""
        with self._lock:
            found = self.session.reset_daily(now_ns)
            return found + self.session.command("RESET")[1:]

    def reset_breaker(self, account: Any = None, now_ns: Any = None) -> list[Decision]:
        """End every pause of an account, or of all, except those of order rates."""
        return self.session.reset_breaker(account, now_ns)

    def pause(self, account: Any = None, now_ns: Any = None) -> list[Decision]:
        """Pause an account, or all."""
        return self.session.pause(account, now_ns)

    def resume(self, account: Any = None, now_ns: Any = None) -> list[Decision]:
        """End pauses of an account, or of all."""
        return self.session.resume(account, now_ns)

    # ------------------------------------------------------------------ order rates

    def _rate_actions(self, actions: list[Decision], order: Order) -> list[Decision]:
        """Add PAUSE and RESUME when a rate starts and stops refusing an account's orders."""
        refused = {action.rule: action for action in actions if action.action is DecisionKind.REJECT}
        found: list[Decision] = []
        account = str(order.account_id).strip()
        for name in self._rates:
            rule, key = self.session.rules[name], (name, account)
            paused = key in self._paused
            if (paused and name in refused) or not (
                paused or actions
            ):  # a pause goes on; a passed order is within the limit
                continue
            counted = self._in_window(name, account, self.session.latest)
            beyond = name in refused or counted > rule.parameters.limit
            if beyond and not paused:
                self._paused[key] = None
                self._note()
                values = (counted, rule.parameters.limit, rule.parameters.limit - counted)
                why = f"{account} is paused by {name} ({rule.kind.sentence(rule.parameters)}) until the window clears: "
                why += f"observed {values[0]:,}, limit {values[1]:,}."
                ts, seq = self.session.latest, len(self.session) - 1
                labels = account, str(order.contract_id).strip()
                found.append(Decision(DecisionKind.PAUSE, name, account, why, *values, ts, None, seq, *labels))
            elif paused and not beyond:
                found.append(self._resumed(name, account, self.session.latest, len(self.session) - 1))
        return found + actions

    def _resumed(self, name: str, account: str, ts: int, seq: int) -> Decision:
        del self._paused[name, account]
        self._note()
        why = f"the pause of {account} by {name} is over: its window has cleared."
        return Decision(DecisionKind.RESUME, name, account, why, None, None, None, ts, None, seq, account, "")

    def _in_window(self, name: str, account: str, now: int) -> int:
        """Number of an account's orders in a rate's window at a time."""
        formatter, state = self.session.formatter, self.session.engine.tables
        k = self._places[name]
        record = Records(state.rules[k], 1)[self.session.engine.labels.account_codes[account]]
        params = formatter.params[k]
        capacity = params.limit + 2 if params.bucket_ns == 0 else -(-params.window_ns // params.bucket_ns)
        return int(used(record, state.memory, SLIDING, params.window_ns, params.bucket_ns, capacity, now))

    def paused(self, account: str) -> bool:
        """True if an account is paused: by an order rate, by a rule with scope account, or by a command."""
        with self._lock:
            by_rate = any(name == account for _, name in self._paused)
            return by_rate or self.status().state_of(account) in ("PAUSED", "HALTED")

    # ------------------------------------------------------------------ custom rules

    def _call(self, hook: str, event: Order | Trade) -> list[Decision]:
        found: list[Decision] = []
        for rule in self._hooks[hook]:
            context = RuleContext(self.contract_to_product, self.status)
            try:
                found += self._apply(getattr(rule, hook)(event, context))
            except Exception as error:
                found += self._apply([self._failed(type(rule).__name__, event, error)])
        return found

    def _failed(self, rule: str, event: Order | Trade, error: Exception) -> Decision:
        """The action of a custom rule that failed: its order is refused; after a trade it cannot count, its account pauses."""
        engine, number = self.session.engine, len(self.session) - 1
        row = engine.row(number)
        labels = [
            engine.labels.accounts[row["account"]].id,
            engine.labels.instruments[row["instrument"]].id,
        ]
        refused = isinstance(event, Order)
        why = f"{'the order is refused' if refused else f'{labels[0]} is paused'} by {rule}: it failed, {words_of(error)}."
        kind = DecisionKind.REJECT if refused else DecisionKind.PAUSE
        return Decision(kind, rule, labels[0], why, None, None, None, row["ts"], None, number, *labels)

    def _apply(self, actions: Iterable[Decision] | None) -> list[Decision]:
        """Journal the actions of a custom rule as commands."""
        found = list(actions or ())
        for action in found:
            if action.action in COMMANDS and action.account:
                self.session.command(COMMANDS[action.action], action.account)
        return found

    # ------------------------------------------------------------------ access and snapshots

    def status(self) -> SessionStatus:
        """Positions, states and utilization as of the last event."""
        return self.session.status()

    def log(self) -> EventLog:
        """The journal; its replay has this engine's digest."""
        return self.session.log()

    def result(self) -> ReplayResult:
        """All decisions so far, as the result of a replay."""
        return self.session.result()

    @property
    def rules(self) -> RuleSet:
        """The riskkit rules of the engine."""
        return self.session.rules

    @property
    def universe(self) -> Universe:
        """The accounts and contracts so far."""
        return self.session.universe

    @property
    def digest(self) -> str:
        """Digest of the result, equal to that of a replay of `log`."""
        return self.session.digest

    def snapshot(self) -> bytes:
        """The complete engine as bytes, without the memory of custom rules written in Python."""
        with self._lock:
            return self.session.snapshot(self._notes())

    def _notes(self) -> dict[str, Any]:
        """What a snapshot or a folder has beside the session."""
        return {"paused": [list(key) for key in self._paused], "products": self.contract_to_product}

    def _note(self) -> None:
        """Keep the pauses of order rates in the folder."""
        if isinstance(self.session, JournaledSession):
            self.session.commit({**self.session.notes, **self._notes()})

    def _recall(self) -> None:
        """Go on with what `_notes` kept."""
        notes = self.session.notes
        self.contract_to_product = {**notes.get("products", {}), **self.contract_to_product}
        self._paused = {(name, account): None for name, account in notes.get("paused", [])}

    @classmethod
    def restore(cls, snapshot: bytes, rules: Iterable[Any], *, compiled: Tier = "auto") -> RiskEngine:
        """Continue from a snapshot, with the same rules.

        Raises
        ------
        InputError
            If the bytes are incomplete or altered, or of other rules.
        """
        custom, listed, rates = chosen(rules)
        engine, session = cls.__new__(cls), Session.restore(snapshot, listed, compiled=compiled)
        engine._start(session, custom, rates, {})
        engine._recall()
        return engine


def _declared(products: Mapping[str, str] | None, tick: Any, lot: Any) -> tuple[dict[str, str], list[Instrument], Any]:
    """The product of each contract, the contracts, and what a contract that appears is like."""
    known = dict(products or {})
    contracts = [Instrument(contract, tick=tick, lot=lot, product=product) for contract, product in known.items()]
    return known, contracts, Instrument("any contract", tick=tick, lot=lot)


def _fields(order: Order) -> dict[str, Any]:
    """An order as the fields of a session."""
    return {
        "ts": order.timestamp,
        "account": order.account_id,
        "instrument": order.contract_id,
        "side": _side(order.direction),
        "qty": order.volume,
        "price": order.price,
        "order_id": order.oid,
    }


def _side(direction: Any) -> Any:
    """The side of a direction; an enum hashes its name in Python, so its members are told by identity first."""
    return "B" if direction is BID else "S" if direction is ASK else SIDES.get(direction, direction)


def _has(rule: BaseRule, hook: str) -> bool:
    return getattr(type(rule), hook) is not getattr(BaseRule, hook)
