"""The one writer of a service: events in, answers out, and what was committed to whoever follows.

All calls belong to one thread. A server calls from its loop, a consumer of a stream from its own thread; neither needs a
lock, and none of the followers can make the writer wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError
from riskkit.replay.ingest.fields import called
from riskkit.replay.kernels.runtime import ROW
from riskkit.replay.live.batch import Batch
from riskkit.replay.live.journaled_session import JournaledSession
from riskkit.replay.live.live_session import LiveSession
from riskkit.replay.live.session_status import SessionStatus
from riskkit.replay.results.decisions import Decision, DecisionKind
from riskkit.service.followers import Follower, Published

EVENTS = (
    "order", "order_list", "modify", "cancel", "trade", "price", "close", "dividend", "fx", "cash", "equity", "closed_trade",
    "ack", "error", "reject", "expire", "cancel_reject", "modify_reject", "bust", "correct", "execution", "snapshot",
    "funding", "expiry", "roll", "adjust", "transfer", "split", "multiplier", "phase", "credit",
)  # fmt: skip
COMMANDS = ("set_limits", "halt", "restart", "reset_breaker", "reset_daily", "pause", "resume", "tick", "promote")
FRESH_NS = 50_000_000
REJECT = DecisionKind.REJECT


class Answer(NamedTuple):
    """What became of one event.

    Parameters
    ----------
    seq : int
        Its number in the journal.
    passed : bool
        True if no rule refuses it.
    actions : list of Decision
        As of the session's call.
    """

    seq: int
    passed: bool
    actions: list[Decision]


class EngineService:
    """A session with followers.

    Parameters
    ----------
    session : Session
        In memory, or of a folder; nobody else may call it.

    Attributes
    ----------
    notes : dict
        Those of the last commit, also after a recovery.

    Examples
    --------
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
    >>> engine = EngineService(rk.Session.create(rules, [rk.Instrument("ES")], ["A"], compiled=False))
    >>> follower = engine.follow("example")
    >>> order = {"account": "A", "instrument": "ES", "side": "B", "qty": 9, "price": 100, "ts": 0}
    >>> engine.decide("order", order).passed
    False
    >>> engine.commit({"offset": 1})
    >>> [(item.first, item.stop, str(item.actions[0].action), item.notes) for item in follower.take(0)]
    [(0, 1, 'REJECT', {'offset': 1})]
    """

    def __init__(self, session: LiveSession) -> None:
        self.session = session
        self.notes: dict[str, Any] = dict(session.notes)
        self.followers: list[Follower] = []
        self._calls: dict[str, Callable[..., list[Decision]]] = {
            name: getattr(session, f"process_{name}") for name in EVENTS
        }
        self._calls["fill"] = self._calls["trade"]
        self._actions: list[Decision] = []
        self._committed = len(session)
        self._shown: tuple[int, SessionStatus] | None = None

    # ------------------------------------------------------------------ events

    def decide(self, kind: str, fields: Mapping[str, Any]) -> Answer:
        """Decide one event, of the fields of the session's call for its kind, ``ts`` among them.

        Raises
        ------
        InputError
            If a field does not fit, or there is no such kind; nothing is taken.
        """
        call = self._calls.get(kind)
        if call is None:
            raise InputError(f"kind={kind!r} is not a kind of event; it is one of {', '.join(sorted(self._calls))}")
        actions = called(call, kind, fields)
        seq = len(self.session) - 1
        if not actions:
            return Answer(seq, True, actions)
        self._actions += actions
        return Answer(seq, all(action.action is not REJECT for action in actions), actions)

    def decide_many(self, events: Any) -> Batch:
        """Decide many events, as `Session.process`."""
        found = LiveSession.process(self.session, events)  # that of a folder commits
        self._actions += found.actions
        return found

    def command(self, name: str, /, *args: Any, **fields: Any) -> Any:
        """Call one of the session's commands: set_limits, halt, restart, reset_breaker, reset_daily, pause, resume, tick, promote."""
        if name not in COMMANDS:
            raise InputError(f"command {name!r} is not known; it is one of {', '.join(COMMANDS)}")
        found = getattr(self.session, name)(*args, **fields)
        self._actions += [one for one in found or () if isinstance(one, Decision)]
        return found

    # ------------------------------------------------------------------ commits

    def commit(self, notes: Mapping[str, Any] | None = None) -> None:
        """Make everything so far durable, with notes, and then publish it to the followers."""
        self.begin_commit(notes)()

    def begin_commit(self, notes: Mapping[str, Any] | None = None) -> Callable[[], None]:
        """Close the present batch: the function that waits until it is on disk, then publishes it.

        The function may be called in another thread while this one decides the next batch; batches are flushed one after
        the other.
        """
        if notes is not None:
            self.notes = dict(notes)
        item = self._published()
        session, wait = self.session, None
        if isinstance(session, JournaledSession):
            wait = session.begin_commit(notes)
            if session.is_full:
                session.roll()

        def finish() -> None:
            if wait is not None:
                wait()
            if item is not None:
                for follower in self.followers:
                    follower.put(item)

        return finish

    def _published(self) -> Published | None:
        """What the followers get of the events since the last commit."""
        first, stop = self._committed, len(self.session)
        actions, self._actions, self._committed = self._actions, [], stop
        if not self.followers or (first == stop and not actions):
            return None
        engine, events, rows = self.session.engine, dict[str, Any](), np.zeros(0, ROW)
        if stop > first and any(follower.wants_events for follower in self.followers):
            events, rows = engine.journal.since(engine.journal.place(first)), engine.since(first)
        return Published(first, stop, events, rows, actions, self.notes)

    def follow(self, name: str, size: int = 4096) -> Follower:
        """A follower of all commits from now on, with room for `size` of them."""
        return self.add_follower(Follower(name, size))

    def add_follower(self, follower: Follower) -> Follower:
        """Have a follower of another class follow all commits from now on."""
        self.followers = [*(one for one in self.followers if not one.is_closed), follower]
        return follower

    # ------------------------------------------------------------------ readers

    def status(self) -> SessionStatus:
        """The session as of one event, at most 50 ms ago."""
        now = time.monotonic_ns()
        if self._shown is None or (self._shown[1].size != len(self.session) and now - self._shown[0] > FRESH_NS):
            self._shown = now, self.session.status()
        return self._shown[1]

    def close(self) -> None:
        """Commit, end the followers, and close the session's folder."""
        self.commit()
        for follower in self.followers:
            follower.close()
        if isinstance(self.session, JournaledSession):
            self.session.close()
