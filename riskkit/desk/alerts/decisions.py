"""Decisions become alerts: the actions of a session, with severity, user, numbers and an id that says the same twice."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit.desk.alerts.alert import Alert
from riskkit.desk.alerts.digest_chain import DigestChain, alert_id
from riskkit.replay.action import Action, ActionEvent, Teller
from riskkit.replay.book import ACCOUNT
from riskkit.replay.columns import Decision
from riskkit.replay.explain import names_in
from riskkit.replay.live import LiveEngine
from riskkit.replay.rule import Rule

__all__ = ["AlertMaker", "engine_of"]

REFUSED = (Decision.OBJECT, Decision.NO_PRICE, Decision.HELD)


def engine_of(session: Any) -> LiveEngine:
    """The engine below a `LiveSession` or `RiskEngine`, or a `LiveEngine` itself.

    Raises
    ------
    InputError
        What is none of them.
    """
    session = getattr(session, "session", session)
    engine = getattr(session, "engine", session)
    if not isinstance(engine, LiveEngine):
        raise InputError(f"session came as {type(session).__name__}; give a LiveSession, RiskEngine or LiveEngine")
    return engine


class AlertMaker:
    """Makes the alerts of one session; it reads the session and changes nothing in it.

    Parameters
    ----------
    engine : LiveEngine
        With the rules that hold for all of it.
    """

    def __init__(self, engine: LiveEngine) -> None:
        self.chain = DigestChain(engine)
        self.rules = {rule.id: rule for rule in engine.rules}
        self._places = {name: place for place, name in enumerate(self.rules)}
        self._teller = Teller(engine.rules, engine.universe)
        self._valued = engine.marked

    def alerts(self, engine: LiveEngine, decided: Any, trade_ids: Mapping[int, str]) -> list[Alert]:
        """One alert for each rule that objected, paused or halted, in their order.

        What a person did and the end of a pause are none. Of a refused order every rule that objects is told, not
        only the named cause: neither a mild rule nor a person's pause hides a severe one.
        """
        if self._teller.universe is not engine.universe:
            self._teller = Teller(engine.rules, engine.universe)
        actions: Iterable[ActionEvent] = decided
        if isinstance(decided, np.ndarray):
            events = {int(seq): engine.row(int(seq)) for seq in np.unique(decided["seq"])}
            actions = self._teller.actions(decided, events, engine.state)
        made: list[Alert] = []
        for action in actions:
            told = [action] if action.rule and action.action is not Action.RESUME else []
            if action.action is Action.REJECT and action.seq >= 0:
                told += self._others(engine, action)
            if not told:
                continue
            seq = action.seq if action.seq >= 0 else engine.size - 1  # of a rule of one's own
            chain, trade_id = self.chain.at(engine, seq), trade_ids.get(seq)
            made += [self._alert(engine, one, seq, chain, trade_id) for one in told]
        return made

    def _alert(self, engine: LiveEngine, action: ActionEvent, seq: int, chain: bytes, trade_id: str | None) -> Alert:
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
        )

    def _others(self, engine: LiveEngine, action: ActionEvent) -> list[ActionEvent]:
        """The other rules that objected to a refused message, each as an action of its own."""
        names = [name for name in names_in(engine.rules, mask_at(engine, action.seq)) if name != action.rule]
        event, sentences = engine.row(action.seq) if names else {}, self._teller.sentences
        found = []
        for name in names:
            rule = self.rules[name]
            reason = f"{name} objects ({sentences[self._places[name]]}) to what {action.rule or 'a person'} refuses."
            key, told = self._teller.key_of_event(rule, event), Action.ALERT
            if rule.action != "ALERT":
                told = Action.REJECT
            whose = action.ts, None, action.seq, action.account, action.instrument
            found.append(ActionEvent(told, name, key, reason, None, None, None, *whose))
        return found


def mask_at(engine: LiveEngine, seq: int) -> int:
    """The rules that objected to a refused message, as bits."""
    blocks = engine.blocks  # rows are in the order of the events; as a rule it is the last block
    if not blocks or not len(blocks[-1]) or blocks[-1]["seq"][0] > seq:
        place = bisect_left(blocks, seq, key=lambda block: int(block["seq"][-1]) if len(block) else -1)
        blocks = blocks[place : place + 1]
    for block in blocks[-1:]:
        column = block["seq"]
        for row in block[column.searchsorted(seq) : column.searchsorted(seq, "right")]:
            if row["code"] in REFUSED:
                return int(row["mask"])
    return 0


def user_of(action: ActionEvent, rule: Rule | None, engine: LiveEngine) -> str:
    """Whose alert it is: the account of the rule's key, which need not be that of the event; else the event's."""
    if rule is not None and rule.scope.startswith("account"):
        known, parts = engine.universe.account_codes, action.key.split("/")
        for count in range(len(parts), 0, -1):  # "A/X" is of A, unless an account is called so
            if (name := "/".join(parts[:count])) in known:
                return name
    return action.account or action.key or "everything"


def metrics_of(engine: LiveEngine, action: ActionEvent, user: str, valued: bool) -> dict[str, float]:
    """What the rule saw and held it against, and the account's books, in money, as Python numbers.

    Where no rule looks at marks (`valued` is False) the books are not kept at marks, and what rests on them is left
    out.
    """
    seen = {"observed": action.observed, "limit": action.limit, "headroom": action.headroom}
    found = {name: value for name, value in seen.items() if value is not None}
    code = engine.universe.account_codes.get(user)
    if code is None:
        return found
    account = dict(zip(ACCOUNT, engine.state.accounts[code + 1].item(), strict=True))
    quanta = {"cash": account["cash"], "realised": account["realised"]}
    if valued:
        quanta["equity"] = account["given"] if account["has_given"] else account["cash"] + account["value"]
        quanta["gross_exposure"], quanta["net_exposure"] = account["gross"], account["value"]
        quanta["unrealised"] = account["value"] - account["cost"]
        quanta["max_drawdown"] = account["drawdown"]
    money = float(engine.universe.quantum)
    return found | {name: count * money for name, count in quanta.items()}
