"""`ingest`: books a batch of trades in a `PositionTracker` and returns statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from riskkit._check import InputError, one_of, shown
from riskkit.desk.core.records import nanoseconds
from riskkit.desk.positions.results import DuplicateTradeError, IngestStatistics

MAX_PROBLEMS = 100
"""Problems that are listed; all are counted."""


def ingest(tracker: Any, events: Any, on_error: str) -> IngestStatistics:
    """Book every event in order, and count accepted and rejected ones."""
    one_of(on_error, ("count", "raise"), "on_error")
    markets: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    users: set[str] = set()
    first: int | None = None
    last: int | None = None
    problems: list[tuple[int, str]] = []
    rows = traded = 0
    for rows, event in enumerate(_events(events), 1):  # noqa: B007
        try:
            traded += _booked(tracker, event)
        except InputError as error:
            if on_error == "raise":
                raise InputError(f"row {rows - 1}: {error}") from error
            errors[type(error).__name__] += 1
            if len(problems) < MAX_PROBLEMS:
                problems.append((rows - 1, str(error)))
            continue
        markets[event["market"]] += 1
        users.add(event["user"])
        now = nanoseconds(event["timestamp"])
        first, last = now if first is None else min(first, now), now if last is None else max(last, now)
    rejected = sum(errors.values())
    return IngestStatistics(
        rows=rows,
        accepted=rows - rejected,
        rejected=rejected,
        duplicates=errors[DuplicateTradeError.__name__],
        users=len(users),
        markets=dict(markets),
        errors=dict(errors),
        traded=tracker._books.quantum.number(traded),
        first=first,
        last=last,
        problems=tuple(problems),
    )


def _events(events: Any) -> Iterator[Mapping[str, Any]]:
    """Mappings unchanged; rows of a DataFrame without their missing cells."""
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
    """Restore integers that a missing cell made floats, if none lost a digit; other columns unchanged."""
    if column.dtype.kind != "f" or not column.isna().any():
        return column
    known = column.dropna()
    if not ((known % 1 == 0) & (known.abs() < 2**53)).all():
        return column
    return [None if cell != cell else int(cell) for cell in column]


def _booked(tracker: Any, event: Any) -> int:
    """Book a row; return its turnover in quanta of money."""
    with tracker._lock:
        before = _turnover(tracker, event)
        _book(tracker, event)
        return _turnover(tracker, event) - before


def _turnover(tracker: Any, event: Any) -> int:
    user = event.get("user") if isinstance(event, Mapping) else None
    account = tracker._books.users.get(user) if isinstance(user, str) else None
    return 0 if account is None else int(account.traded)


def _book(tracker: Any, event: Any) -> None:
    if not isinstance(event, Mapping):
        raise InputError(f"{shown(event)} is not a mapping of fields")
    fields = dict(event)
    kind = one_of(fields.pop("kind", "update"), ("update", "swap"), "kind")
    try:
        getattr(tracker, kind)(**fields)
    except TypeError as error:  # a missing or unknown field
        raise InputError(f"{kind}: {str(error).partition(') ')[2] or error}") from None
