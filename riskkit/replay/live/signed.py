"""What a named person does to a running session: other limits, other rules, the kill switch; each an event of the journal."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from riskkit._check import InputError, instance
from riskkit.replay.ingest.event import DEFAULTS
from riskkit.replay.live.limits_in_force import with_history
from riskkit.replay.results.decisions import Decision
from riskkit.replay.rules.history import RuleChange, RuleHistory, person
from riskkit.replay.rules.retuned import with_setting
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import EventKind, TradingCommand

if TYPE_CHECKING:
    from riskkit.replay.live.engine import Engine


class Signed:
    """The commands of a session that need a name and a reason."""

    _live: Engine
    _lock: threading.RLock
    four_eyes: bool = False

    def _now(self, ts: Any) -> int:
        raise NotImplementedError

    def _signed(self, live: Engine, rows: list[dict[str, int]]) -> list[Decision]:
        raise NotImplementedError

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
                raise InputError(f"limits={limits!r} is not a mapping as {{'size.limit': 500}}")
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

    @property
    def history(self) -> RuleHistory:
        """The rules and all their changes; a replay of `log` under them has the digest of the session."""
        return self._live.history

    def _check_signature(self, who: str, why: str, approved_by: str) -> None:
        person(who, "who")
        person(why, "why")
        if self.four_eyes and (not approved_by or approved_by == who):
            raise InputError(f"approved_by={approved_by!r} is not a second person; this session asks for two")


def _command(ts: int, command: TradingCommand, account: int = -1) -> dict[str, int]:
    return {**DEFAULTS, "ts": ts, "kind": int(EventKind.CONTROL), "account": account, "side": int(command)}
