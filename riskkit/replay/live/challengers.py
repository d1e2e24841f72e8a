"""Challengers of a session: other rule sets that are judged on the same events, and decide nothing.

A challenger is an engine of its own that follows the journal of the session: it takes the new events when it is read, and
before the session forgets them, by the loop of a replay. So it judges as `replay_log` of the session's log does, in the
session's mode, and an order costs nothing more when it comes.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError, instance, shown
from riskkit._show import Row, Shown
from riskkit.replay.live.compaction import Parts
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.engine_snapshot import arrays_of, header_of
from riskkit.replay.live.retake import retake_all
from riskkit.replay.results.decisions import REFUSED, Decision
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import Cause

if TYPE_CHECKING:
    import pandas as pd

STORED = "challengers"  # of a snapshot
MOST = 100_000  # differences that are kept, the last ones
PASSED = -9  # instead of the cause of a refusal
DIFFERENCE = np.dtype(
    [("seq", "i8"), ("ts", "i8"), ("account", "i4"), ("instrument", "i4"), ("session", "i2"), ("challenger", "i2")]
)
NOTHING: Mapping[str, RuleSet] = MappingProxyType({})
COUNTS = ("refused_by_both", "refused_by_session", "refused_by_challenger")


class Challenger(Shown):
    """A rule set in the shadow of a session, as of the session's last event; `Session.challengers` has them by name.

    Attributes
    ----------
    name : str
        Its name.
    rules : RuleSet
        Its rules.
    """

    def __init__(self, name: str, rules: RuleSet, live: Callable[[], Engine], lock: threading.RLock) -> None:
        self.name, self.rules = name, rules
        self._live, self._lock = live, lock
        self._engine: Engine | None = None
        self._begin_tally()
        self._of(live())

    def _begin_tally(self) -> None:
        self._counts = dict.fromkeys(COUNTS, 0)
        self._differences = np.zeros(0, DIFFERENCE)
        self._stopped = ""

    # ------------------------------------------------------------------ read

    @property
    def count(self) -> int:
        """Number of messages that one of session and challenger refused and the other did not."""
        counts = self.counts()
        return counts["refused_by_session"] + counts["refused_by_challenger"]

    def counts(self) -> dict[str, int]:
        """Number of messages refused by both, by the session alone, and by the challenger alone."""
        with self._lock:
            self.follow()
            return dict(self._counts)

    def differences(self) -> pd.DataFrame:
        """The messages that one of both refused, the last 100,000: event, time, labels, and the rule that refused it.

        A message that passed has no rule; one that a command refused has the rule "command".
        """
        import pandas as pd

        with self._lock:
            self.follow()
            live, found = self._live(), self._differences
            universe = live.universe
        frame = pd.DataFrame({"seq": found["seq"], "ts": pd.to_datetime(found["ts"], utc=True)})
        for name, labels in (("account", universe.accounts), ("instrument", universe.instruments)):
            frame[name] = [labels[code].id for code in found[name].tolist()]
        for name, rules in (("session", live.rules), ("challenger", self.rules)):
            words = {PASSED: None, int(Cause.COMMAND): "command"} | {k: rule.id for k, rule in enumerate(rules)}
            frame[name] = pd.array([words[cause] for cause in found[name].tolist()], "string")
        return frame

    @property
    def digest(self) -> str:
        """Digest of the replay of the session's log under these rules."""
        with self._lock:
            engine = self.follow()
            if engine is None:
                raise InputError(f"challenger {self.name!r} has stopped: {self._stopped}")
            return engine.digest

    @property
    def stopped(self) -> str:
        """Why it judges no further events; empty if it does."""
        with self._lock:
            self.follow()
            return self._stopped

    def _title(self) -> str:
        return f"Challenger {self.name}"

    def _rows(self) -> list[Row]:
        rows: list[Row] = [(name.replace("_", " "), count, "") for name, count in self.counts().items()]
        return rows + ([("stopped", self._stopped, "")] if self._stopped else [])

    # ------------------------------------------------------------------ follow

    def follow(self) -> Engine | None:
        """Judge the events since the last time; return the engine, None if it cannot go on.

        What it cannot judge stops the challenger, and never the session.
        """
        live = self._live()
        try:
            engine = self._of(live)
            if engine.size < live.size:
                self._judge(engine, live)
        except InputError as problem:
            self._engine, self._stopped = None, self._stopped or str(problem)
        return self._engine

    def _of(self, live: Engine) -> Engine:
        """The engine in the universe of the session, a new one if it cannot grow to that."""
        if self._stopped:
            raise InputError(self._stopped)
        if self._engine is None or self._engine.labels is not live.labels or not self._engine.follows():
            self._begin_tally()
            self._engine = Engine(
                self.rules, live.labels, live.mode, **live.options, compiled=live.compiled, events=live.events
            )
        return self._engine

    def _judge(self, engine: Engine, live: Engine) -> None:
        """Take the next events and compare what was decided on them."""
        first = engine.size
        columns, ours = live.from_event(first)
        retake_all(engine, columns)
        self._compare(columns, first, _refused(ours), _refused(engine.since(first)))

    def _compare(self, columns: Mapping[str, np.ndarray], first: int, ours: Any, theirs: Any) -> None:
        both = np.union1d(ours[0], theirs[0])
        found = np.zeros(len(both), DIFFERENCE)
        found["seq"] = both
        for name, (seqs, causes) in (("session", ours), ("challenger", theirs)):
            found[name] = PASSED
            found[name][np.searchsorted(both, seqs)] = causes
        for name in ("ts", "account", "instrument"):
            found[name] = columns[name][both - first]
        alone = {name: found[other] == PASSED for name, other in (("session", "challenger"), ("challenger", "session"))}
        for name, where in alone.items():
            self._counts[f"refused_by_{name}"] += int(where.sum())
        differs = alone["session"] | alone["challenger"]
        self._counts["refused_by_both"] += len(found) - int(differs.sum())
        self._differences = np.concatenate([self._differences, found[differs]])[-MOST:]

    # ------------------------------------------------------------------ kept

    def forget(self, ids_ns: int) -> None:
        """Forget what the session forgets; see `Engine.compact`."""
        engine = self.follow()
        if engine is not None:
            engine.compact(ids_ns)

    def parts(self) -> Parts | None:
        """What a snapshot has of it; None if it has stopped."""
        engine = self.follow()
        if engine is None:
            return None
        header, arrays = engine.parts()
        known = {"name": self.name, "rules": self.rules.hash.hex(), "counts": self._counts}
        return Parts(header | known, {**arrays, "differences": self._differences})

    def resume(self, parts: Parts) -> None:
        """Go on from the `parts` of a challenger of the same rules."""
        engine = self._of(self._live())
        engine.resume(parts)
        self._counts, self._differences = dict(parts.header["counts"]), parts.arrays["differences"]


def _refused(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the refused messages, and the rules that refused them."""
    rows = rows[np.isin(rows["code"], list(REFUSED))]
    seqs, first = np.unique(rows["seq"], return_index=True)
    return seqs, rows["cause"][first]


class Challenged(ABC):
    """A session that has challengers."""

    _live: Engine
    _lock: threading.RLock
    _challengers: dict[str, Challenger]

    @abstractmethod
    def set_rules(self, rules: RuleSet, *, who: str, why: str, approved_by: str = "", ts: Any = None) -> list[Decision]:
        """Put another rule set in force."""

    @property
    def challengers(self) -> Mapping[str, Challenger]:
        """The challengers by name."""
        return MappingProxyType(self._challengers)

    def challenge(self, name: str, rules: RuleSet) -> Challenger:
        """Judge another rule set on all events of this session, past and to come, without any effect on its decisions.

        Parameters
        ----------
        name : str
            Its name; a challenger of that name gives way.
        rules : RuleSet
            Its rules.

        Raises
        ------
        InputError
            If the name is empty, or the rules do not fit the accounts and instruments.

        Examples
        --------
        >>> import riskkit as rk
        >>> five, three = (rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=limit))]) for limit in (5, 3))
        >>> session = rk.Session.create(five, [rk.Instrument("X")], ["A"], compiled=False, shadow={"tighter": three})
        >>> for ts, qty in enumerate((2, 4, 6)):
        ...     _ = session.process_order(ts=ts, account="A", instrument="X", side="B", qty=qty, price=100)
        >>> session.challengers["tighter"].counts()
        {'refused_by_both': 1, 'refused_by_session': 0, 'refused_by_challenger': 1}
        >>> session.challengers["tighter"].differences()[["seq", "session", "challenger"]].values.tolist()
        [[1, <NA>, 'size']]
        >>> _ = session.promote("tighter", who="Ann", why="a trial of one day")
        >>> session.rules == three, dict(session.challengers)
        (True, {})
        """
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"name={shown(name)} is no name of a challenger; say it in words")
        instance(rules, RuleSet, "rules")
        with self._lock:
            challenger = Challenger(name, rules, lambda: self._live, self._lock)
            self._challengers[name] = challenger
            return challenger

    def _challenge_all(self, shadow: Any, snapshot: bytes = b"") -> None:
        """Begin challengers, or go on with those of a snapshot that have the same name and rules."""
        if not isinstance(shadow, Mapping):
            raise InputError(f"shadow={shown(shadow)} is not a mapping as {{'tighter': rules}}")
        stored = header_of(snapshot).get(STORED, []) if shadow and snapshot else []
        known = {entry["name"]: (k, entry) for k, entry in enumerate(stored)}
        for name, rules in shadow.items():
            challenger = self.challenge(name, rules)
            k, entry = known.get(name, (0, {}))
            if entry.get("rules") == rules.hash.hex():
                own = f"{STORED}{k}_"
                arrays = {name.removeprefix(own): array for name, array in arrays_of(snapshot, own).items()}
                challenger.resume(Parts(entry, arrays))

    def _challenger_parts(self) -> Parts:
        """What a snapshot has of all challengers."""
        found = [parts for one in self._challengers.values() if (parts := one.parts()) is not None]
        arrays = {f"{STORED}{k}_{name}": array for k, one in enumerate(found) for name, array in one.arrays.items()}
        return Parts({STORED: [one.header for one in found]}, arrays)

    def promote(self, name: str, *, who: str, why: str, approved_by: str = "", ts: Any = None) -> list[Decision]:
        """Put the rules of a challenger in force by `set_rules`; it is no challenger any more.

        A rule that the session has keeps what it remembers of the session's decisions, which is what has happened; one that
        the challenger alone has begins anew with the present book. So the journal says all that a replay needs.

        Parameters
        ----------
        name : str
            The challenger.
        who, why, approved_by, ts
            As for `set_limits`.

        Raises
        ------
        InputError
            If there is no such challenger, or as `set_rules`; nothing changes.
        """
        if not isinstance(name, str) or name not in self._challengers:
            names = ", ".join(map(repr, self._challengers)) or "none"
            raise InputError(f"name={shown(name)} is no challenger of this session; it has {names}")
        decided = self.set_rules(self._challengers[name].rules, who=who, why=why, approved_by=approved_by, ts=ts)
        with self._lock:
            self._challengers.pop(name, None)
        return decided
