"""What a named person does to a running session: other limits, other rules, the kill switch; each an event of the journal."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from riskkit._check import InputError, instance, shown
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.rows import DEFAULTS
from riskkit.replay.live.kill_switch import WorkingOrder, accounts_of, working_orders
from riskkit.replay.live.limits_in_force import with_history
from riskkit.replay.results.decisions import Decision
from riskkit.replay.rules.history import RuleChange, RuleHistory, person
from riskkit.replay.rules.retuned import with_setting
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import EventKind, TradingCommand

if TYPE_CHECKING:
    from riskkit.replay.live.engine import Engine

SIGNED = {"LIMITS": "set_limits or set_rules", "STOP": "halt", "RESTART": "restart"}


class Signed(ABC):
    """The commands of a session that need a name and a reason."""

    _live: Engine
    _lock: threading.RLock
    _entries: Entries
    four_eyes: bool = False
    acts: list[dict[str, Any]]  # of the kill switch: event, time, command, whose, who and why

    @abstractmethod
    def _now(self, ts: Any) -> int:
        """The time of a signed command, by which all that is due has happened."""

    @abstractmethod
    def _signed(self, live: Engine, rows: list[dict[str, int]]) -> list[Decision]:
        """Take commands under an engine that may be another one, of the same journal."""

    # ------------------------------------------------------------------ rules

    def set_limits(
        self, limits: Mapping[str, Any], *, who: str, why: str, approved_by: str = "", ts: Any = None
    ) -> list[Decision]:
        """Change limits while the session runs; it is an event of the journal, and part of the digest.

        Parameters
        ----------
        limits : mapping
            As ``{"size.limit": 500}``; of a tiered rule the full limit.
        who, why : str
            The person, and the reason.
        approved_by : str
            A second person; needed in a session with ``four_eyes=True``.
        ts : int or Timestamp, optional
            Time; by default that of the last event.

        Returns
        -------
        list of Decision
            RESUME of pauses that end with a rule that begins anew.

        Raises
        ------
        InputError
            If a name or a value does not fit, or a person is missing; nothing changes.

        Examples
        --------
        >>> import riskkit as rk
        >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
        >>> session = rk.Session.create(rules, [rk.Instrument("X")], ["A"], compiled=False)
        >>> _ = session.set_limits({"size.limit": 3}, who="Ann", why="quiet market", ts=0)
        >>> order = {"account": "A", "instrument": "X", "side": "B", "qty": 4, "price": 100}
        >>> session.process_order(ts=1, **order)[0].limit
        3
        """
        with self._lock:
            if not isinstance(limits, Mapping) or not limits:
                raise InputError(f"limits={shown(limits)} is not a mapping as {{'size.limit': 500}}")
            rules = with_setting(self._live.history.now, limits)
            return self.set_rules(rules, who=who, why=why, approved_by=approved_by, ts=ts)

    def set_rules(self, rules: RuleSet, *, who: str, why: str, approved_by: str = "", ts: Any = None) -> list[Decision]:
        """Put another rule set in force while the session runs.

        A rule of the same id keeps what it remembers if its limits, its action or its hold alone change; a rule that is new,
        or counts otherwise, begins anew with the present book, and is judged after those that were there before it.

        Parameters
        ----------
        rules : RuleSet
            All rules from now on.
        who, why, approved_by, ts
            As for `set_limits`.

        Raises
        ------
        InputError
            If a rule has another type, scope or currency than before, a new one needs books of events that are not in memory,
            or a person is missing; nothing changes.
        """
        instance(rules, RuleSet, "rules")
        self._check_signature(who, why, approved_by)
        with self._lock:
            now = self._now(ts)
            live = self._live
            change = RuleChange(now, rules, who, why, approved_by, live.size)
            other = with_history(live, live.history.then(change))
            return self._signed(other, [_command(now, TradingCommand.LIMITS)])[1:]

    # ------------------------------------------------------------------ kill switch

    def halt(
        self,
        account: str | None = None,
        *,
        desk: str | None = None,
        who: str,
        why: str,
        cancel: bool = True,
        ts: Any = None,
    ) -> list[WorkingOrder]:
        """Stop an account, a desk, or everything: nothing but cancels passes, until a named person calls `restart`.

        Parameters
        ----------
        account, desk : str, optional
            Who is stopped; by default everybody.
        who, why : str
            The person, and the reason.
        cancel : bool
            True: return the orders that work, which are to be cancelled at the venue.
        ts : int or Timestamp, optional
            Time; by default that of the last event.

        Raises
        ------
        InputError
            If an account or a desk is not known, or a name is missing; nothing changes.

        Examples
        --------
        >>> import riskkit as rk
        >>> session = rk.Session.create(rk.RuleSet([]), [rk.Instrument("X")], ["A"], compiled=False)
        >>> order = {"account": "A", "instrument": "X", "side": "B", "qty": 4, "price": 100}
        >>> _ = session.process_order(ts=0, order_id="a1", **order)
        >>> [order.order_id for order in session.halt(who="Ann", why="wrong prices")]
        ['a1']
        >>> print(session.process_order(ts=1, **order)[0])
        REJECT A: the order is refused: A is stopped by a command.
        """
        with self._lock:
            accounts = self._switch(TradingCommand.STOP, account, desk, who, why, ts)
            orders = self._entries.orders.labels() if cancel else ()
            return working_orders(self._live, orders, accounts)

    def restart(
        self, account: str | None = None, *, desk: str | None = None, who: str, why: str, ts: Any = None
    ) -> None:
        """Let an account, a desk, or everything trade again after `halt`."""
        with self._lock:
            self._switch(TradingCommand.RESTART, account, desk, who, why, ts)

    def _switch(
        self, command: TradingCommand, account: str | None, desk: str | None, who: str, why: str, ts: Any
    ) -> list[int]:
        person(who, "who")
        person(why, "why")
        accounts = accounts_of(self._live.labels, account, desk)
        now = self._now(ts)
        act = {"seq": self._live.size, "ts": now, "command": command.name, "of": account or desk or "everything"}
        self._signed(self._live, [_command(now, command, code) for code in accounts])
        self.acts.append({**act, "who": who, "why": why})
        return accounts

    @property
    def history(self) -> RuleHistory:
        """The rules and all their changes; a replay of `log` under them has the digest of the session."""
        return self._live.history

    def _check_signature(self, who: str, why: str, approved_by: str) -> None:
        person(who, "who")
        person(why, "why")
        if self.four_eyes and (not approved_by or approved_by == who):
            raise InputError(f"approved_by={shown(approved_by)} is not a second person; this session asks for two")


def _command(ts: int, command: TradingCommand, account: int = -1) -> dict[str, int]:
    return {**DEFAULTS, "ts": ts, "kind": int(EventKind.CONTROL), "account": account, "side": int(command)}
