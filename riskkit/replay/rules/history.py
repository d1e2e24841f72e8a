"""Rules as in force at each event: the first rule set, and each change with its author and its reason.

Every rule that was ever in force has one number: those of the first set in their order, then each new one as it comes. So a
rule that is added while others are in force is judged after them, wherever a later set declares it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskkit._check import InputError, instance, shown
from riskkit._docs import with_described_fields
from riskkit.replay.rules.retuned import differences, refuse_other_kind
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.digest import hash_plain

if TYPE_CHECKING:
    import pandas as pd


@with_described_fields
class RuleChange(NamedTuple):
    """A change of the rules.

    Parameters
    ----------
    ts : int
        Its time, nanoseconds since the epoch.
    rules : RuleSet
        The rules in force from then on.
    who, why : str
        Its author and the reason.
    approved_by : str
        A second person, if one was required.
    seq : int, optional
        The first event judged by them; by default the first one at `ts` or later.

    Examples
    --------
    >>> print(RuleChange(10, RuleSet([]), "Ann", "end of the trial"))
    RuleChange(ts=10, rules=RuleSet(), who='Ann', why='end of the trial', approved_by='', seq=None)
    """

    ts: int
    rules: RuleSet
    who: str
    why: str
    approved_by: str = ""
    seq: int | None = None


class Stretch(NamedTuple):
    """Events from a change to the next: the first, every rule by its number, the numbers of those in force, and the time.

    A rule that is not in force has the version in which it last was, or in which it first will be.
    """

    start: int
    rules: RuleSet
    on: frozenset[int]
    ts: int = 0

    def same_text(self, other: Stretch) -> bool:
        """True if the loops of both differ in their arguments alone."""
        pairs = zip(self.rules, other.rules, strict=False)
        facts = ("kind", "action", "scope", "currency", "netting")
        return self.on == other.on and all(
            one is two
            or all(getattr(one, name) == getattr(two, name) for name in facts)
            and bool(one.overrides) == bool(two.overrides)
            for one, two in pairs
        )


class RuleHistory:
    """A rule set and its changes, for `replay_log`: each event is judged by the rules in force at it.

    What a rule remembers is kept where its limits, its action or the end of its pauses change; a pause ends where the new
    action makes none. A rule that is added, or whose other parameters change (a window, what it counts), begins anew, with the
    book as it is.

    Parameters
    ----------
    first : RuleSet
        The rules in force before the first change.
    changes : iterable of RuleChange
        In the order of time.

    Attributes
    ----------
    stretches : tuple of Stretch
        The stretches of events, of which every change begins one; see `placed`.
    numbers : dict
        Number of each rule that was ever in force, by id.

    Raises
    ------
    InputError
        If changes are not in the order of time, one has no author or reason, or a rule has another type, scope or currency
        than before.

    Examples
    --------
    >>> from riskkit.rules import MaxOrderQty
    >>> five, three = (RuleSet([Rule("size", MaxOrderQty(limit=limit))]) for limit in (5, 3))
    >>> history = RuleHistory(five, [RuleChange(10, three, "Ann", "quiet market")])
    >>> history.now == three
    True
    >>> history.to_frame()[["rule", "parameter", "before", "after"]].values.tolist()
    [['size', 'limit', 5, 3]]
    """

    def __init__(self, first: RuleSet, changes: Iterable[RuleChange] = ()) -> None:
        self.first = instance(first, RuleSet, "first")
        self.changes: tuple[RuleChange, ...] = ()
        self.numbers = {rule.id: k for k, rule in enumerate(first)}
        self.stretches: tuple[Stretch, ...] = (Stretch(0, first, frozenset(range(len(first)))),)
        for change in changes:
            self._add(change)

    def then(self, change: RuleChange) -> RuleHistory:
        """The history with one change more."""
        other = copy(self)
        other._add(change)
        return other

    def _add(self, change: RuleChange) -> None:
        number, before = len(self.changes) + 1, self.changes[-1] if self.changes else None
        instance(change.rules, RuleSet, f"change {number}: rules")
        for name in ("who", "why"):
            person(getattr(change, name), f"change {number}: {name}")
        if before is not None and (change.ts, change.seq or 0) < (before.ts, before.seq or 0):
            raise InputError(f"change {number} is earlier than the one before it; give them in the order of time")
        known = self.every
        version = {rule.id: rule for rule in known} | {rule.id: rule for rule in change.rules}
        for rule in known:
            refuse_other_kind(rule, version[rule.id])
        every, added = RuleSet(version.values()), list(version.values())[len(known) :]
        if added:
            self.numbers = {name: k for k, name in enumerate(version)}
            self.stretches = tuple(old._replace(rules=RuleSet([*old.rules, *added])) for old in self.stretches)
        on = frozenset(self.numbers[rule.id] for rule in change.rules)
        self.changes = (*self.changes, change)
        self.stretches = (*self.stretches, Stretch(change.seq or 0, every, on, change.ts))

    def versions(self) -> Iterator[Rule]:
        """Every rule of every set, in time."""
        return (rule for rules in (self.first, *(change.rules for change in self.changes)) for rule in rules)

    @property
    def now(self) -> RuleSet:
        """The rules after the last change."""
        return self.changes[-1].rules if self.changes else self.first

    @property
    def every(self) -> RuleSet:
        """Every rule that was ever in force by its number, in its last version."""
        return self.stretches[-1].rules

    def at(self, seq: int) -> Stretch:
        """The stretch of an event."""
        return next(stretch for stretch in reversed(self.stretches) if stretch.start <= seq or not stretch.start)

    def placed(self, columns: Mapping[str, np.ndarray]) -> RuleHistory:
        """The same history with the number of the first event of each change; a list of orders is not split.

        Raises
        ------
        InputError
            If a change is at an event that the log does not have.
        """
        reached = np.maximum.accumulate(columns["ts"])
        batch = columns.get("batch")
        changes = []
        for number, change in enumerate(self.changes, 1):
            row = int(np.searchsorted(reached, change.ts)) if change.seq is None else change.seq
            if not 0 <= row <= len(reached):
                raise InputError(f"change {number} is at event {row}; the log has {len(reached):,} events")
            while batch is not None and 0 < row < len(batch) and batch[row] >= 0 and batch[row] == batch[row - 1]:
                row -= 1
            changes.append(change._replace(seq=row))
        return RuleHistory(self.first, changes)

    @property
    def hash(self) -> bytes:
        """Hash of the rules and of their changes; without a change that of the rules."""
        if not self.changes:
            return self.first.hash
        changes = [[c.seq, c.rules.canonical(), c.who, c.why, c.approved_by] for c in self.changes]
        return hash_plain([self.first.canonical(), changes])

    # ------------------------------------------------------------------ shown and stored

    def to_frame(self) -> pd.DataFrame:
        """One row per changed parameter, added or removed rule: before, after, author, reason."""
        import pandas as pd

        found = []
        versions = [self.first, *(change.rules for change in self.changes)]
        for before, change in zip(versions, self.changes, strict=False):
            common = {"ts": pd.Timestamp(change.ts, tz="UTC"), "seq": change.seq}
            signed = {"who": change.who, "why": change.why, "approved_by": change.approved_by}
            found += [{**common, **what, **signed} for what in differences(before, change.rules)]
        names = ["ts", "seq", "rule", "parameter", "before", "after", "who", "why", "approved_by"]
        return pd.DataFrame(found, columns=names)

    def to_dict(self) -> dict[str, Any]:
        """The history as plain data; `from_dict` reads it back."""
        changes = [{**change._asdict(), "rules": change.rules.to_dict()["rules"]} for change in self.changes]
        return {**self.first.to_dict(), "changes": changes}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RuleHistory:
        """Read what `to_dict` returned; user-defined rules must have been defined before."""
        if not isinstance(data, Mapping) or not isinstance(data.get("changes"), list) or "rules" not in data:
            raise InputError(f"a history is a table of 'rules' and 'changes', a list; got {shown(data)}")
        return cls.of(RuleSet.from_dict({"rules": data["rules"]}), data["changes"])

    @classmethod
    def of(cls, first: RuleSet, changes: Iterable[Mapping[str, Any]], known: RuleSet | None = None) -> RuleHistory:
        """A history from its first rules and its changes as plain data; types are those of `first`, `known` or the catalogue."""
        return cls(first, [change_of(change, first, known or first) for change in changes])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RuleHistory) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        return f"RuleHistory({self.first!r}, {len(self.changes)} changes)"


def change_of(data: Mapping[str, Any], *known: RuleSet) -> RuleChange:
    """A change from plain data; types of rules are those of the `known` sets or the catalogue."""
    if not isinstance(data, Mapping) or "rules" not in data:
        raise InputError(f"a change of rules is a table with its 'rules'; got {shown(data)}")
    kinds = {rule.type: rule.kind for rules in known for rule in rules}
    return RuleChange(**{**data, "rules": RuleSet.from_dict({"rules": data["rules"]}, kinds)})


def as_history(rules: RuleSet | RuleHistory) -> RuleHistory:
    """A rule set as a history without a change."""
    return rules if isinstance(rules, RuleHistory) else RuleHistory(rules)


def person(value: Any, name: str) -> str:
    """A name or a reason that a person gives; an empty one is refused."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name}={shown(value)} is empty; say it in words")
    return value
