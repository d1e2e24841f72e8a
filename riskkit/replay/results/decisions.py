"""Decisions of a live session: actions with reason, observed value, limit and headroom.

Integer decision rows of the loop are converted to frozen objects in natural units, each when one of its fields is read:
until then a `Decision` holds integers, so a refused order costs what a passed one does. An event without an objection or
a trip gives no action.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np

from riskkit._jit import plain
from riskkit.replay.engine.converted import converted_now
from riskkit.replay.engine.groups import group_of
from riskkit.replay.engine.state import State
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import RecordObjects
from riskkit.replay.kernels.runtime import OFFSETS, ROW
from riskkit.replay.results.explain import DECISION_WORDS, names_in, unjudged
from riskkit.replay.results.late import Late, set_late
from riskkit.replay.results.present import NOTHING, Reading, present, time_text, verdict_of
from riskkit.replay.rules.money import gathers
from riskkit.replay.rules.rule import HOLDING, Rule, parameter_names
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.rules.verdict import CapVerdict
from riskkit.replay.schema.calendar import day_starts
from riskkit.replay.schema.columns import (
    MESSAGES,
    MISSING,
    OF_LOTS,
    Cause,
    DecisionCode,
    EventKind,
    EventRow,
    TradingCommand,
)
from riskkit.replay.schema.constants import NEVER
from riskkit.replay.schema.scopes import EVERYTHING, event_label, key_label
from riskkit.replay.schema.universe import GROUPS, Universe, decimal_text

__all__ = ["DecisionKind", "Decision", "DecisionFormatter", "time_text"]

REFUSED = frozenset(map(int, (DecisionCode.OBJECT, DecisionCode.NO_PRICE, DecisionCode.HELD)))
BY_COMMAND = int(Cause.COMMAND)
CAUSE_AT = OFFSETS["cause"]
BY_HAND = ""
MESSAGE_WORDS = {int(EventKind.MODIFY): "modify", int(EventKind.CREDIT): "reservation"}


class DecisionKind(IntEnum):
    """Action on an event, mildest first; RESUME ends a REDUCE_ONLY, PAUSE or HALT.

    PAUSE and RESUME have aliases, as some engines distinguish orders from trading; `rule` is more specific.

    Examples
    --------
    >>> DecisionKind.PAUSE > DecisionKind.REJECT
    True
    >>> print(DecisionKind.PAUSE_ORDER)
    PAUSE
    """

    RESUME = 0
    ALERT = 1
    QUEUE = 2
    REJECT = 3
    REDUCE_ONLY = 4
    PAUSE = 5
    HALT = 6
    PAUSE_ORDER = 5
    PAUSE_TRADING = 5
    RESUME_ORDER = 0
    RESUME_TRADING = 0

    def __str__(self) -> str:
        return self.name


REJECT = DecisionKind.REJECT  # an attribute of an enum is found slowly
_new = object.__new__
COMMANDS = {
    TradingCommand.ACTIVE: (DecisionKind.RESUME, "trades again"),
    TradingCommand.REDUCING: (DecisionKind.REDUCE_ONLY, "may only reduce"),
    TradingCommand.HALTED: (DecisionKind.HALT, "is halted"),
    TradingCommand.PAUSE: (DecisionKind.PAUSE, "is paused"),
    TradingCommand.RESUME: (DecisionKind.RESUME, "is resumed"),
    TradingCommand.RESET: (DecisionKind.RESUME, "is reset"),
    TradingCommand.LIMITS: (DecisionKind.ALERT, "has other limits"),
    TradingCommand.STOP: (DecisionKind.HALT, "is stopped"),
    TradingCommand.RESTART: (DecisionKind.RESUME, "is restarted"),
    TradingCommand.KILL: (DecisionKind.HALT, "is halted, its working orders cancelled,"),
}


@dataclass(frozen=True, slots=True)
class Decision(Late):
    """One action of one rule on one key.

    Parameters
    ----------
    action : Action
        The action to take.
    rule : str
        Id of the rule; empty for a command, or if the event itself is at fault.
    key : str
        Key of the record: an account, "account/instrument", "account/product", ... by the rule's scope.
    reason : str
        The reason as a sentence.
    observed, limit : int or float, optional
        Observed value and limit, in quantity, money or counts as in the rule.
    headroom : int or float, optional
        Distance to the limit; negative if it is exceeded.
    ts : int
        Time of the event, nanoseconds since the epoch.
    until : int, optional
        Time at which a pause ends by itself, or a message that waits (QUEUE) goes.
    seq : int
        The event's number in the journal.
    account, instrument : str
        Of the event; empty if it has none.
    unit : str
        Of observed, limit and headroom: a currency, "quantity", "price", "count", "fraction", "time" (nanoseconds).

    Examples
    --------
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
    >>> session = rk.Session.create(rules, [rk.Instrument("ES")], ["A"], compiled=False)
    >>> actions = session.process_order(account="A", instrument="ES", side="B", qty=7, price=100, ts=0)
    >>> print(actions[0])
    REJECT A: the order is refused by size (one order of at most 5 in quantity): observed 7, limit 5.
    >>> actions[0].observed, actions[0].limit, actions[0].headroom
    (7, 5, -2)
    """

    action: DecisionKind
    rule: str
    key: str
    reason: str
    observed: float | None
    limit: float | None
    headroom: float | None
    ts: int
    until: int | None
    seq: int
    account: str
    instrument: str
    unit: str = field(default_factory=str)  # a default of the class would hide that it is not made yet

    @classmethod
    def later(cls, action: DecisionKind, rule: str, make: Callable[..., Decision], *args: Any) -> Decision:
        """A decision whose other fields are those of ``make(*args)``, called when one of them is read."""
        found = _new(cls)
        set_late(found, (action, rule, make, *args))
        return found

    def __str__(self) -> str:
        return f"{self.action.name} {self.key}: {self.reason}" if self.key else f"{self.action.name}: {self.reason}"


class DecisionFormatter:
    """Converts the decision rows of a session to actions.

    Parameters
    ----------
    rules : RuleSet
        The rules of the session.
    universe : Universe
        Labels and units.
    params : list, optional
        The parameters of the rules as integers, where they are known.
    """

    def __init__(self, rules: RuleSet, universe: Universe, params: list[Any] | None = None) -> None:
        self.rules = rules
        self.universe = universe
        self.params = [rule.to_integers(universe) for rule in rules] if params is None else params
        self._ids = [rule.id for rule in rules]
        self._by_cause = [*self._ids, *[BY_HAND] * (256 - len(rules))]  # by the low byte of a cause: none is above 127

    @cached_property
    def sentences(self) -> list[str]:
        """The limit of each rule in words."""
        return [rule.limit_text() for rule in self.rules]

    def actions(self, rows: np.ndarray, events: Mapping[int, Mapping[str, int]], state: State) -> list[Decision]:
        """The actions of rows, in order; `events` has the journal's entry of each row's ``seq``.

        Both are kept until an action is read. What an action needs of the state is read at once, except what never
        changes: the account and the instrument of a position.
        """
        return [action for _, action in self.numbered(rows, events, state)]

    def numbered(
        self, rows: np.ndarray, events: Mapping[int, Mapping[str, int]], state: State, past: bool = False
    ) -> Iterator[tuple[int, Decision]]:
        """The actions of rows, each with the number of its event; of a `past` event the state has gone on since."""
        values = rows.tolist()
        for index, (seq, _, _, _, _, key, cause, code, _, _) in enumerate(values):
            row, event = rows[index], events[seq]
            if code in REFUSED:
                rule = BY_HAND if cause == BY_COMMAND else self._ids[cause]
                yield seq, Decision.later(DecisionKind.REJECT, rule, self._refusal, row, event)
            elif code == DecisionCode.ALERTED:
                for alert in self._alerts(row, event, self._tripped(rows[index + 1 :], seq)):
                    yield seq, alert
            elif code == DecisionCode.TRIP:
                before = rows[index - 1] if index and values[index - 1][0] == seq else None
                yield seq, self._trip(row, before, event, state, past)
            elif code == DecisionCode.QUEUED:
                yield seq, Decision.later(DecisionKind.QUEUE, self._ids[cause], self._queued, row, event)
            elif code == DecisionCode.RELEASE:
                yield seq, self.release(cause, key, event, seq, state, "by a command")
            else:
                yield seq, self._note(row, DecisionCode(code), event, state)

    def refusal(self, row: bytes, words: bytes, read: Callable[[bytes], Mapping[str, int]]) -> Decision:
        """The action of one row of `REFUSED`, as bytes; ``read(words)`` is its event."""
        found = _new(Decision)  # as `Decision.later`, without its call
        set_late(found, (REJECT, self._by_cause[row[CAUSE_AT]], _refusal, self, row, words, read))
        return found

    # ------------------------------------------------------------------ rows

    def _refusal(self, row: Any, event: Any, read: Callable[..., Mapping[str, int]] | None = None) -> Decision:
        event = event if read is None else read(event)
        row = np.frombuffer(row, ROW)[0]
        code, cause, until = DecisionCode(int(row["code"])), int(row["cause"]), int(row["until"])
        message = MESSAGE_WORDS.get(event["kind"], "order")
        if cause == Cause.COMMAND:
            key = self._account(event)
            why = f"the {message} is refused: {key} is {'stopped' if row['limit'] else 'paused'} by a command"
            return self._made(DecisionKind.REJECT, BY_HAND, key, why, NOTHING, event, row)
        rule, key = self.rules[cause], self.key_of_event(self.rules[cause], event)
        reading = NOTHING
        if code == DecisionCode.HELD:
            why = f"the {message} is refused: {key} is {rule.pause_word} by {rule.id}, {_until(until)}"
        elif code == DecisionCode.NO_PRICE:
            reading = present(rule, verdict_of(row), self.universe, event)
            details = f"({reading})" if str(reading) else ""
            text = " ".join(filter(None, [unjudged(rule, int(row["limit"]), self.universe), details]))
            why = f"the {message} is refused by {rule.id} ({self.sentences[cause]}): {text}"
        else:
            reading = present(rule, verdict_of(row), self.universe, event)
            why = f"the {message} is refused by {rule.id} ({self.sentences[cause]}){_after_colon(reading)}"
        others = [name for name in names_in(self.rules, int(row["mask"])) if name != rule.id]
        why += f"; {', '.join(others)} object{'s' if len(others) == 1 else ''} too" if others else ""
        return self._made(DecisionKind.REJECT, rule.id, key, why, reading, event, row, until)

    def _alerts(self, row: np.void, event: Mapping[str, int], tripped: set[int]) -> list[Decision]:
        """One alert for each rule that objects but neither stops the message nor trips."""
        objecting = [k for k in range(len(self.rules)) if (int(row["mask"]) >> k) & 1]
        return [
            Decision.later(DecisionKind.ALERT, self.rules[k].id, self._alert, row, k, k == objecting[0], event)
            for k in objecting
            if k not in tripped
        ]

    def _alert(self, row: np.void, k: int, first: bool, event: Mapping[str, int]) -> Decision:
        """The alert of rule k; the row has the observed value of the first that objects."""
        rule, key = self.rules[k], self.key_of_event(self.rules[k], event)
        reading = present(rule, verdict_of(row), self.universe, event) if first else NOTHING
        why = f"{rule.id} warns ({self.sentences[k]}){_after_colon(reading)}"
        return self._made(DecisionKind.ALERT, rule.id, key, why, reading, event, row)

    def _queued(self, row: np.void, event: Mapping[str, int]) -> Decision:
        """An accepted message that waits its turn."""
        cause, until = int(row["cause"]), int(row["until"])
        rule = self.rules[cause]
        message = "modify" if event["kind"] == EventKind.MODIFY else "order"
        why = f"the {message} waits its turn by {rule.id} ({self.sentences[cause]}) and goes at {time_text(until)}"
        return self._made(DecisionKind.QUEUE, rule.id, self.key_of_event(rule, event), why, NOTHING, event, row, until)

    def _tripped(self, rows: np.ndarray, seq: int) -> set[int]:
        return {int(row["cause"]) for row in rows if row["seq"] == seq and row["code"] == DecisionCode.TRIP}

    def _trip(self, row: np.void, alert: Any, event: Mapping[str, int], state: State, past: bool) -> Decision:
        cause = int(row["cause"])
        rule = self.rules[cause]
        judged = alert is not None and alert["code"] in (DecisionCode.ALERTED, DecisionCode.OBJECT)
        mask = int(alert["mask"]) if judged else 0
        named = int(alert["cause"]) if mask else Cause.NO_RULE
        seen, reading = alert, NOTHING
        if not mask or (named != cause and (named != Cause.NO_RULE or mask != 1 << cause)):
            seen = None
            reading = NOTHING if past else self.probe(cause, int(row["key"]), state, event)
        action = DecisionKind[rule.action] if rule.action in HOLDING else DecisionKind.PAUSE
        return Decision.later(action, rule.id, self._tripping, action, row, seen, reading, event, state.positions)

    def _tripping(
        self,
        action: DecisionKind,
        row: np.void,
        alert: Any,
        reading: Reading,
        event: Mapping[str, int],
        positions: np.ndarray,
    ) -> Decision:
        cause, until = int(row["cause"]), int(row["until"])
        rule, label = self.rules[cause], self.key_of(self.rules[cause], int(row["key"]), positions)
        if alert is not None:
            reading = present(rule, verdict_of(alert), self.universe, event)
        verb = {
            DecisionKind.REDUCE_ONLY: "may only reduce",
            DecisionKind.PAUSE: "is paused",
            DecisionKind.HALT: "is halted",
        }[action]
        why = f"{label} {verb} by {rule.id} ({self.sentences[cause]}), {_until(until)}"
        why += _after_colon(reading)
        return self._made(action, rule.id, label, why, reading, event, row, until)

    def release(self, cause: int, key: int, event: Mapping[str, int], seq: int, state: State, how: str) -> Decision:
        """The end of a pause: by a command, with the day, or by its time."""
        args = cause, key, event, seq, state.positions, how
        return Decision.later(DecisionKind.RESUME, self.rules[cause].id, self._released, *args)

    def _released(
        self, cause: int, key: int, event: Mapping[str, int], seq: int, positions: np.ndarray, how: str
    ) -> Decision:
        rule, label = self.rules[cause], self.key_of(self.rules[cause], key, positions)
        why = f"the pause of {label} by {rule.id} is ended {how}"
        return self._made(DecisionKind.RESUME, rule.id, label, why, NOTHING, event, {"seq": seq})

    def _lots(self, row: np.void, code: DecisionCode, event: Mapping[str, int], state: State) -> Decision:
        """A position or an order of which the venue says something else, or a position that was settled."""
        held = state.positions[int(row["key"]) + 1]
        traded = self.universe.instruments[int(held["instrument"])]
        sizes = (int(row[name]) for name in ("limit", "until"))
        theirs, ours = ("nothing" if n in (0, MISSING) else decimal_text(n * traded.qty_step) for n in sizes)
        if code == DecisionCode.SETTLED:
            why = f"{theirs} is held in {traded.id} now, {ours} before"
        elif code == DecisionCode.POSITION_BREAK:
            why = f"{theirs} is held in {traded.id} by the venue, {ours} as we believed"
        else:
            why = f"{theirs} of the order of event {int(row['observed'])} works at the venue, {ours} as we believed"
        whose = {**event, "account": int(held["account"])}
        return self._made(DecisionKind.ALERT, BY_HAND, self._account(whose), why, NOTHING, whose, row)

    def _note(self, row: np.void, code: DecisionCode, event: Mapping[str, int], state: State) -> Decision:
        """An action without a rule: a late event, a duplicate, an event dropped with its refused order, a cancelled order."""
        if code in OF_LOTS:
            return self._lots(row, code, event, state)
        if code in (DecisionCode.CANCELLED, DecisionCode.DECREMENTED):
            whose, done = self.universe.accounts[int(row["key"])].id, "cancelled"
            if code == DecisionCode.DECREMENTED:
                traded = self.universe.instruments[event["instrument"]]
                done = f"reduced by {decimal_text(int(row['limit']) * traded.qty_step)}"
            rule = self.rules[int(row["cause"])].id if row["cause"] >= 0 else BY_HAND
            why = f"the order of event {int(row['observed'])} is {done}"
            return self._made(DecisionKind.ALERT, rule, whose, why, NOTHING, {**event, "account": int(row["key"])}, row)
        stopped = event["kind"] in MESSAGES and code in (
            DecisionCode.VANISH,
            DecisionCode.ORPHAN,
            DecisionCode.ERROR_TS,
        )
        stopped = stopped or code == DecisionCode.ERROR_STATE
        action = DecisionKind.REJECT if stopped else DecisionKind.ALERT
        kind = EventKind(event["kind"]).name.lower()
        return self._made(action, BY_HAND, self._account(event), f"{kind}: {DECISION_WORDS[code]}", NOTHING, event, row)

    def _made(
        self,
        action: DecisionKind,
        rule: str,
        key: str,
        reason: str,
        reading: Reading,
        event: Mapping[str, int],
        row: Any,
        until: int = 0,
    ) -> Decision:
        ends = None if until in (0, NEVER) else until
        return Decision(
            action,
            rule,
            key,
            f"{reason}.",
            *reading[:3],
            ts=event["ts"],
            until=ends,
            seq=int(row["seq"]),
            account=self._account(event),
            instrument=self._instrument(event),
            unit=reading.unit,
        )

    def said(self, event: Mapping[str, int], seq: int) -> Decision:
        """A command as an action on the account, or on everything."""
        action, done = COMMANDS[TradingCommand(event["side"])]
        key = addressee(event, self.universe)
        return self._made(action, BY_HAND, key, f"{key} {done} by a command", NOTHING, event, {"seq": seq})

    # ------------------------------------------------------------------ labels

    def _account(self, event: Mapping[str, int]) -> str:
        return self.universe.accounts[event["account"]].id if event["account"] >= 0 else ""

    def _instrument(self, event: Mapping[str, int]) -> str:
        return self.universe.instruments[event["instrument"]].id if event["instrument"] >= 0 else ""

    def key_of_event(self, rule: Rule, event: Mapping[str, int]) -> str:
        """Label of a message's key in the scope of a rule."""
        return event_label(rule.scope, self.universe, event)

    def key_of(self, rule: Rule, key: int, positions: np.ndarray) -> str:
        """Label of a key by its code, with the table of positions."""
        pairs = positions[1:]
        return key_label(rule.scope, key, self.universe, pairs["account"], pairs["instrument"])

    # ------------------------------------------------------------------ values

    def params_of(self, k: int, record: Any) -> Any:
        """The parameters of rule k, as integers, that hold for the key of a record."""
        number = record.version
        return self.rules[k].versions[number].to_integers(self.universe) if number else self.params[k]

    def probe(
        self, k: int, key: int, state: State, event: Mapping[str, int], books: Sequence[RecordObjects] | None = None
    ) -> Reading:
        """Present observed value of rule k on a key: its check of an empty order.

        Who asks for many keys of one state gives its `books`, made once.
        """
        rule, record = self.rules[k], RecordObjects(state.rules[k])[key]
        if rule.kind.check is None:
            return NOTHING
        accounts, positions, instruments, orders, cash_balances = books or books_of(state)
        account = record.owner if record.owner >= 0 else event["account"]
        pair = key if rule.scope == "account_instrument" else event["pair"]
        book = Book(
            positions[pair], accounts[account], instruments[event["instrument"]], orders[-1], 0, 0, cash_balances[-1]
        )
        book = book._replace(parent=orders[-1])
        weight = 1 if rule.kind.counts_itself else 0
        fields = int(EventKind.ORDER), account, event["instrument"], pair, 1, 0, MISSING, -1
        order = EventRow(0, event["ts"], *fields, weight=weight)
        params = self.params_of(k, record)
        values = {"state": record, "params": params, "book": book, "event": order, "memory": state.memory}
        values |= {"reducing": 0, "duplicates": 0, "orders": orders, "positions": positions, "reals": state.reals}
        values |= {"held": positions, "instruments": instruments, "later": 0}
        if rule.kind.used is not None:
            found = plain(rule.kind.used)(record, params)
            reached = next((cap for cap in found if cap.code == DecisionCode.OBJECT), found[-1])
            return present(rule, reached, self.universe, event)
        check = rule.kind.converted if rule.currency else rule.kind.check
        if rule.currency:
            values["rate"], total = converted_now(rule, key, state, self.universe, event["instrument"], event["ts"])
            if gathers(rule):
                values["book"] = book._replace(account=total, position=positions[-1])
                values["held"] = RecordObjects(state.groups[group_of(rule).table("positions")])
            if values["rate"].missing < 0:
                return NOTHING
        asked = parameter_names(check)
        if "day" in asked:
            values["day"] = int(day_starts(*rule.zone(), event["ts"], event["ts"])[0])
        answer = plain(check)(*(values[name] for name in asked))
        verdict = CapVerdict(*map(int, answer), *(0, 0)[len(answer) - 3 :])
        return present(rule, verdict._replace(observed=verdict.observed - weight), self.universe, event)


_refusal = DecisionFormatter._refusal


def books_of(state: State) -> Sequence[RecordObjects]:
    """The records of accounts, positions, instruments, orders and cash balances, to be read."""
    return [
        RecordObjects(array)
        for array in (state.accounts, state.positions, state.instruments, state.orders, state.cash_balances)
    ]


def addressee(event: Mapping[str, int], universe: Universe) -> str:
    """Who a command is for: an account, a trader, a desk, a firm, or everything."""
    if event["qty"]:
        return str(getattr(universe, f"{GROUPS[event['qty'] - 1]}s")[event["price"]])
    return universe.accounts[event["account"]].id if event["account"] >= 0 else EVERYTHING


def _after_colon(reading: Reading) -> str:
    return f": {reading}" if str(reading) else ""


def _until(until: int) -> str:
    if until == 0:  # half-open
        return "until its probes are answered"
    return "until a person resets it" if until == NEVER else f"until {time_text(until)}"
