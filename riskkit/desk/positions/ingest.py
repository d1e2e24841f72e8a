"""A batch of trades into a `PositionTracker`, with statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from riskkit._check import InputError, one_of
from riskkit.desk.fields import nanoseconds
from riskkit.desk.positions.records import DuplicateTradeError, IngestStatistics

__all__ = ["ingest"]

KEPT = 100
"""How many problems are written out; all are counted."""


class Tracker(Protocol):
    """What a batch goes into."""

    def update(self, *args: Any, **kwargs: Any) -> float:
        """Book a trade."""

    def swap(self, *args: Any, **kwargs: Any) -> float:
        """Book a swap."""


def ingest(tracker: Any, events: Any, on_error: str) -> IngestStatistics:
    """Book every event in its order, and count what became of it."""
    one_of(on_error, ("count", "raise"), "on_error")
    markets: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    users: set[str] = set()
    stamps: list[int] = []
    problems: list[tuple[int, str]] = []
    rows, before = 0, tracker.traded()
    for rows, event in enumerate(_events(events), 1):  # noqa: B007
        try:
            _book(tracker, event)
        except InputError as error:
            if on_error == "raise":
                raise InputError(f"row {rows - 1}: {error}") from error
            reasons[_name(error)] += 1
            if len(problems) < KEPT:
                problems.append((rows - 1, str(error)))
            continue
        markets[event["market"]] += 1
        users.add(event["user"])
        stamp = nanoseconds(event["timestamp"])
        stamps = [stamp, stamp] if not stamps else [min(stamps[0], stamp), max(stamps[1], stamp)]
    refused = sum(reasons.values())
    return IngestStatistics(
        rows=rows,
        accepted=rows - refused,
        refused=refused,
        duplicates=reasons[DuplicateTradeError.__name__],
        users=len(users),
        markets=dict(markets),
        reasons=dict(reasons),
        traded=tracker.traded() - before,
        first=stamps[0] if stamps else None,
        last=stamps[1] if stamps else None,
        problems=tuple(problems),
    )


def _events(events: Any) -> Iterator[Mapping[str, Any]]:
    """Mappings as they are; rows of a DataFrame without their missing cells."""
    if hasattr(events, "columns"):
        import pandas as pd

        names = list(events.columns)
        present = pd.notna(events).to_numpy()
        columns = [_without_gap_floats(events[name]) for name in names]
        for cells, there in zip(zip(*columns, strict=True), present, strict=True):
            yield {name: cell for name, cell, known in zip(names, cells, there, strict=True) if known}
    elif isinstance(events, Iterable) and not isinstance(events, (str, bytes, Mapping)):
        yield from events
    else:
        raise InputError(f"events came as {type(events).__name__}; give a DataFrame or a list of mappings")


def _without_gap_floats(column: Any) -> Any:
    """Integers that a gap in their column made floats, where none lost a digit by it; other columns as they are."""
    if column.dtype.kind != "f" or not column.isna().any():
        return column
    known = column.dropna()
    if not ((known % 1 == 0) & (known.abs() < 2**53)).all():
        return column
    return [None if cell != cell else int(cell) for cell in column]


def _book(tracker: Tracker, event: Any) -> None:
    if not isinstance(event, Mapping):
        raise InputError(f"{event!r} is no mapping of fields")
    fields = dict(event)
    kind = one_of(fields.pop("kind", "update"), ("update", "swap"), "kind")
    try:
        getattr(tracker, kind)(**fields)
    except TypeError as error:  # a field that is missing or not known
        raise InputError(f"{kind}: {str(error).partition(') ')[2] or error}") from None


def _name(error: InputError) -> str:
    return type(error).__name__
