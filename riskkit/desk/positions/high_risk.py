"""Who is beyond a limit: the users of a `PositionTracker` by what they are exposed to and how they have done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskkit._check import InputError, positive
from riskkit.desk.positions.records import MissingPriceError

__all__ = ["high_risk"]


def high_risk(tracker: Any, given: Mapping[str, float | None]) -> Any:
    """Users beyond at least one limit, each with its measures and the names of the limits, as a frame."""
    import pandas as pd

    limits = {name: positive(limit, name, zero=True) for name, limit in given.items() if limit is not None}
    if not limits:
        raise InputError("high_risk_users needs at least one limit, such as max_exposure=100_000")
    rows = {}
    for user in tracker.users():
        try:
            found = tracker.metrics(user)
        except MissingPriceError as error:
            rows[user] = {"reasons": str(error)}
            continue
        beyond = [name for name, limit in limits.items() if (getattr(found, name) or 0.0) > limit]
        if beyond:
            rows[user] = {name: getattr(found, name) for name in given} | {"reasons": ", ".join(beyond)}
    return pd.DataFrame.from_dict(rows, orient="index", columns=[*given, "reasons"]).rename_axis("user")
