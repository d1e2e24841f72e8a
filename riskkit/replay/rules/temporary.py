"""Limits of one key that hold for a while, each with a named approver: changes of a rule set, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from riskkit._check import InputError
from riskkit._docs import with_described_fields
from riskkit.replay.rules.history import RuleChange, RuleHistory, person
from riskkit.replay.rules.retuned import with_setting
from riskkit.replay.rules.ruleset import RuleSet


@with_described_fields
class TemporaryLimit(NamedTuple):
    """Other limits of one key of a rule from a time until before another.

    Parameters
    ----------
    rule, key : str
        Its id, and a key as in the ``overrides`` of `Rule`.
    limits : mapping
        Limits by parameter, higher or lower.
    start, until : int
        Nanoseconds since the epoch; at `until` the old limits hold again, and nothing is unwound.
    who, why, approved_by : str
        Who asked, the reason, and who approved (RTS 7, Art. 20(2)(d): on a temporary basis in exceptional circumstances).
    seq : int, optional
        The first event judged by them; by default the first one at `start` or later.

    Examples
    --------
    >>> TemporaryLimit("pos", "A", {"limit": 150}, 10, 20, "Ann", "a large client order", "head of risk").until
    20
    """

    rule: str
    key: str
    limits: Mapping[str, Any]
    start: int
    until: int
    who: str
    why: str
    approved_by: str
    seq: int | None = None


def with_temporary_limits(rules: RuleSet, temporary: Iterable[TemporaryLimit]) -> RuleHistory:
    """A rule set with limits that hold for a while; of two for the same rule and key the later one replaces the other.

    Raises
    ------
    InputError
        If one has no approver, ends before it begins, or does not fit its rule.

    Examples
    --------
    >>> from riskkit import Rule
    >>> from riskkit.rules import PositionLimit
    >>> rules = RuleSet([Rule("pos", PositionLimit(limit=100))])
    >>> raised = TemporaryLimit("pos", "A", {"limit": 150}, 10, 20, "Ann", "a large client order", "head of risk")
    >>> with_temporary_limits(rules, [raised]).to_frame()[["parameter", "before", "after"]].values.tolist()
    [['limit of A', 100, 150], ['limit of A', 150, 100]]
    """
    known = sorted(temporary, key=lambda one: one.start)
    for one in known:
        what = f"temporary limit of {one.key!r} of rule {one.rule!r}"
        person(one.approved_by, f"{what}: approved_by")
        if one.until <= one.start:
            raise InputError(f"{what}: until={one.until} is not after start={one.start}")
    begins = [(one.start, one.seq, one, "") for one in known]
    ends = [(one.until, None, one, "the end of: ") for one in known]
    changes = []
    for ts, seq, one, word in sorted([*begins, *ends], key=lambda edge: edge[0]):
        changes.append(RuleChange(ts, _in_force(rules, known, ts), one.who, f"{word}{one.why}", one.approved_by, seq))
    return RuleHistory(rules, changes)


def _in_force(rules: RuleSet, known: list[TemporaryLimit], ts: int) -> RuleSet:
    """The rules at a time."""
    last = {(one.rule, one.key): one for one in known if one.start <= ts}
    own: dict[str, dict[str, Any]] = {}
    for one in last.values():
        if ts < one.until:
            own.setdefault(one.rule, {})[one.key] = dict(one.limits)
    setting = {}
    declared: dict[str, Any] = {rule.id: getattr(rule, "full", rule) for rule in rules.declared}
    for id, limits in own.items():
        if id not in declared:
            raise InputError(f"temporary limit of rule {id!r}, which is none of {', '.join(declared)}")
        before = {label: dict(given) for label, given in declared[id].overrides}
        setting[f"{id}.overrides"] = before | {key: before.get(key, {}) | new for key, new in limits.items()}
    return with_setting(rules, setting)
