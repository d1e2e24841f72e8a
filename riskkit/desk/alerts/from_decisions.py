"""Alerts of a session's decisions: `AlertMaker` makes them, `SessionProxy` raises them at every call of the session.

An alert's id is a hash of the journal up to its event. The replay's digest identifies a whole run; `DigestChain` hashes
the same content (semantics, rules, mode, integer events) event by event, so that sessions with equal journals have equal
alert ids, compiled or not, and after a snapshot too.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit._fork import new_lock
from riskkit.desk.alerts.alert import Alert
from riskkit.replay.ingest.rows import DTYPES, LATER
from riskkit.replay.kernels.book import ACCOUNT
from riskkit.replay.live.engine import Engine
from riskkit.replay.results.decisions import Decision, DecisionFormatter, DecisionKind
from riskkit.replay.results.explain import names_in
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.columns import OPTIONAL, DecisionCode, EventKind
from riskkit.replay.schema.digest import SEMANTICS

REFUSED = (DecisionCode.OBJECT, DecisionCode.NO_PRICE, DecisionCode.HELD)
DECIDING = ("tick", "reset_daily", "reset_breaker", "pause", "resume", "command")
WITHOUT_ID = (int(EventKind.EXPIRE), int(EventKind.CONTROL))
NAMES = tuple(name for name in DTYPES if name not in ("pair", *LATER))  # the pair follows from account and instrument
BACKLOG = 8
"""Largest number of events that a proxy leaves unhashed."""
COPIED = 40
"""Events of the whole journal that are copied in the time of reading one event by itself."""


def engine_of(session: Any) -> Engine:
    """The engine of a `Session` or `RiskEngine`, or a `Engine` itself.

    Raises
    ------
    InputError
        An object of another type.
    """
    session = getattr(session, "session", session)
    engine = getattr(session, "engine", session)
    if not isinstance(engine, Engine):
        raise InputError(f"session came as {type(session).__name__}; give a Session, RiskEngine or Engine")
    return engine


class AlertMaker:
    """Makes the alerts of one session, and only reads the session.

    Parameters
    ----------
    engine : Engine
        Engine with the rules of the session.
    """

    def __init__(self, engine: Engine) -> None:
        self.chain = DigestChain(engine)
        self.rules = {rule.id: rule for rule in engine.rules}
        self._index = {name: index for index, name in enumerate(self.rules)}
        self._formatter = DecisionFormatter(engine.rules, engine.labels)
        self._valued = engine.marked

    def alerts(self, engine: Engine, decided: Any, trade_ids: Mapping[int, str]) -> list[Alert]:
        """One alert for each rule that objected, paused or halted, in their order.

        Manual actions and ends of pauses raise none. A rejected order raises an alert of every rule that objected, not
        only of the named cause, so that neither a mild rule nor a manual pause hides a severe one.
        """
        if self._formatter.universe is not engine.labels:
            self._formatter = DecisionFormatter(engine.rules, engine.labels)
        actions: Iterable[Decision] = decided
        if isinstance(decided, np.ndarray):
            events = {int(seq): engine.row(int(seq)) for seq in np.unique(decided["seq"])}
            actions = self._formatter.actions(decided, events, engine.state)
        made: list[Alert] = []
        for action in actions:
            found = [action] if action.rule and action.action is not DecisionKind.RESUME else []
            if action.action is DecisionKind.REJECT and action.seq >= 0:
                found += self._others(engine, action)
            if not found:
                continue
            seq = action.seq if action.seq >= 0 else engine.size - 1  # of a custom rule
            chain, trade_id = self.chain.at(engine, seq), trade_ids.get(seq)
            made += [self._alert(engine, part, seq, chain, trade_id) for part in found]
        return made

    def _alert(self, engine: Engine, action: Decision, seq: int, chain: bytes, trade_id: str | None) -> Alert:
        rule = self.rules.get(action.rule)
        user = user_of(action, rule, engine)
        return Alert._trusted(
            alert_id=alert_id(chain, seq, action.rule, action.key, action.action.name),
            user=user,
            rule=action.rule,
            severity="WARN" if rule is None else rule.severity,
            message=action.reason,
            timestamp=action.ts,
            trade_id=trade_id,
            metrics=metrics_of(engine, action, user, self._valued),
            action=action.action.name,
            seq=seq,
            key=action.key or None,
        )

    def _others(self, engine: Engine, action: Decision) -> list[Decision]:
        """The other rules that objected to a rejected message, as one action each."""
        names = [name for name in names_in(engine.rules, mask_at(engine, action.seq)) if name != action.rule]
        event, sentences = engine.row(action.seq) if names else {}, self._formatter.sentences
        found = []
        for name in names:
            rule = self.rules[name]
            reason = (
                f"{name} objects ({sentences[self._index[name]]}) to what {action.rule or 'manual control'} rejects."
            )
            key = self._formatter.key_of_event(rule, event)
            kind = DecisionKind.ALERT if rule.action == "ALERT" else DecisionKind.REJECT
            context = action.ts, None, action.seq, action.account, action.instrument
            found.append(Decision(kind, name, key, reason, None, None, None, *context))
        return found


def mask_at(engine: Engine, seq: int) -> int:
    """The rules that objected to a rejected message, as bits."""
    blocks = engine.blocks  # rows are in order of events; usually it is the last block
    if not blocks or not len(blocks[-1]) or blocks[-1]["seq"][0] > seq:
        index = bisect_left(blocks, seq, key=lambda block: int(block["seq"][-1]) if len(block) else -1)
        blocks = blocks[index : index + 1]
    for block in blocks[-1:]:
        column = block["seq"]
        for row in block[column.searchsorted(seq) : column.searchsorted(seq, "right")]:
            if row["code"] in REFUSED:
                return int(row["mask"])
    return 0


def user_of(action: Decision, rule: Rule | None, engine: Engine) -> str:
    """The account of the rule's key, which may differ from that of the event; else the event's account."""
    if rule is not None and rule.scope.startswith("account"):
        known, parts = engine.labels.account_codes, action.key.split("/")
        for count in range(len(parts), 0, -1):  # "A/X" belongs to A, unless an account has this name
            if (name := "/".join(parts[:count])) in known:
                return name
    return action.account or action.key or "everything"


def metrics_of(engine: Engine, action: Decision, user: str, valued: bool) -> dict[str, float]:
    """Observed value, limit and headroom of the rule, and the account's balances in money, as Python numbers.

    If no rule depends on marks (`valued` is False), balances are not valued at marks, and those that are get omitted.
    """
    seen = {"observed": action.observed, "limit": action.limit, "headroom": action.headroom}
    found = {name: value for name, value in seen.items() if value is not None}
    code = engine.labels.account_codes.get(user)
    if code is None:
        return found
    account = dict(zip(ACCOUNT, engine.state.accounts[code + 1].item(), strict=True))
    quanta = {"cash": account["cash"], "realized": account["realised"]}
    if valued:
        quanta["equity"] = (
            account["external_equity"] if account["has_external_equity"] else account["cash"] + account["value"]
        )
        quanta["gross_exposure"], quanta["net_exposure"] = account["gross"], account["value"]
        quanta["unrealized"] = account["value"] - account["cost"]
        quanta["max_drawdown_money"] = account["drawdown"]
    money = float(engine.labels.quantum)
    return found | {name: count * money for name, count in quanta.items()}


class SessionProxy:
    """Proxy of a `Session` or `RiskEngine` that raises alerts; every attribute is that of the session.

    Deciding methods (``process_...``, ``tick``, ``pause``, ...) call the session, raise alerts of its decisions, and
    return them unchanged. Calls of several threads are serialized, so that alerts are in the order of the journal.

    Parameters
    ----------
    session : Session or RiskEngine
    take : function of session, actions and {event number: trade id}
        Must not raise.
    """

    def __init__(self, session: Any, take: Callable[[Any, Any, dict[int, str]], Any]) -> None:
        self._session = session
        self._take = take
        self._lock = new_lock()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._session, name)
        if not (name.startswith("process_") or name in DECIDING):
            return found

        def decide(*arguments: Any, **fields: Any) -> Any:
            with self._lock:
                first = engine_of(self._session).size
                actions = found(*arguments, **fields)
                ids = trade_ids(self._session, first, ids_in(arguments, fields)) if actions else {}
                self._take(self._session, actions, ids)
                return actions

        decide.__name__, decide.__doc__ = name, found.__doc__
        self.__dict__[name] = decide
        return decide

    def __len__(self) -> int:
        return len(self._session)


def ids_in(arguments: tuple[Any, ...], fields: dict[str, Any]) -> list[Any]:
    """The id of the trade, else of the order, of each message of one call."""
    if "orders" in fields:
        return [order.get("order_id") for order in fields["orders"]]
    if arguments:  # an order or a trade of the short form
        return [getattr(arguments[0], "tid", getattr(arguments[0], "oid", None))]
    trade = fields.get("trade_id")
    return [fields.get("order_id") if trade is None else trade]


def trade_ids(session: Any, first: int, ids: list[Any]) -> dict[int, str]:
    """{event number: id} of the events of the journal from number `first` on."""
    engine = engine_of(session)
    messages = [seq for seq in range(first, engine.size) if engine.row(seq)["kind"] not in WITHOUT_ID]
    return {seq: str(id) for seq, id in zip(messages, ids, strict=False) if id is not None}


class DigestChain:
    """Running hash of the journal of one session.

    Parameters
    ----------
    engine : Engine
        The hash begins with its rules and mode.
    """

    def __init__(self, engine: Engine) -> None:
        terms = json.dumps([SEMANTICS, engine.mode, engine.options], sort_keys=True)
        self._start = hashlib.sha256(engine.rules.hash + terms.encode())
        self._hash = self._start.copy()
        self.events = 0

    def at(self, engine: Engine, seq: int) -> bytes:
        """Hash of the events up to number `seq`, included."""
        if seq + 1 < self.events:  # late decisions: hash from the start, and keep the running hash
            earlier = self._start.copy()
            earlier.update(_rows(engine, 0, seq + 1))
            return earlier.digest()
        self._follow(engine, seq + 1)
        return self._hash.digest()

    def catch_up(self, engine: Engine) -> None:
        """Hash the events so far if there are several, so that no alert has to hash many."""
        if engine.size - self.events >= BACKLOG:
            self._follow(engine, engine.size)

    def _follow(self, engine: Engine, stop: int) -> None:
        self._hash.update(_rows(engine, self.events, stop))
        self.events = stop


def alert_id(chain: bytes, seq: int, rule: str, key: str, action: str) -> str:
    """16 hexadecimal digits of a rule's action on a key at an event.

    Examples
    --------
    >>> alert_id(b"", 3, "MaxExposure", "A", "REJECT")
    'adb4d1b441dfa27c'
    """
    text = json.dumps([seq, rule, key, action], ensure_ascii=True)
    return hashlib.sha256(chain + text.encode()).hexdigest()[:16]


def _rows(engine: Engine, start: int, stop: int) -> bytes:
    """Events [start, stop) of the journal as bytes of their integers."""
    if COPIED * (stop - start) <= stop:
        events = (engine.row(seq) for seq in range(start, stop))
        return b"".join(np.array([event[name] for name in NAMES], "<i8").tobytes() + _later(event) for event in events)
    columns: Any = engine.log().columns
    table = np.empty((stop - start, len(NAMES)), "<i8")
    for index, name in enumerate(NAMES):
        table[:, index] = columns[name][start:stop] if name in columns else OPTIONAL[name][1]
    later = [name for name in LATER if name in columns and (columns[name][start:stop] != OPTIONAL[name][1]).any()]
    if not later:
        return table.tobytes()
    return b"".join(
        row.tobytes() + _later({name: int(columns[name][seq]) for name in later})
        for seq, row in enumerate(table, start)
    )


def _later(event: Mapping[str, int]) -> bytes:
    """What an event has in columns that came later: ids of alerts on events without them stay."""
    given = [name for name in LATER if event.get(name, OPTIONAL[name][1]) != OPTIONAL[name][1]]
    return b"".join(name.encode() + np.array(event[name], "<i8").tobytes() for name in given)
