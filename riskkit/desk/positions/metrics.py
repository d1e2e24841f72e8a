"""Metrics of the users of a `PositionTracker`, and the users beyond limits of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit.desk.core.records import fraction, non_negative
from riskkit.desk.positions.books import Books
from riskkit.desk.positions.results import MissingPriceError, UserMetrics
from riskkit.performance import max_drawdown, sharpe_ratio, win_rate
from riskkit.var import historical

CHECKS = {"total_exposure": non_negative, "concentration": fraction, "var": non_negative, "max_drawdown": fraction}


def user_metrics(books: Books, user: str, periods_per_year: float) -> UserMetrics:
    """Exposure, risk and performance of a user, by riskkit's own models."""
    account, by_token = books.account(user), dict[str, int]()
    gross = net = 0
    for key, _, value in books.valued(user):
        by_token[key[2]] = by_token.get(key[2], 0) + abs(value)
        gross, net = gross + abs(value), net + value
    returns, money = list(account.returns), books.quantum.number
    return UserMetrics(
        user=user,
        total_exposure=money(gross),
        concentration=max(by_token.values(), default=0) / gross if gross else None,
        var=_defined(lambda: float(np.asarray(historical(returns, 0.95).var)) * money(gross)),
        max_drawdown=_defined(lambda: max_drawdown(returns, input="summed_returns")),
        sharpe=_defined(lambda: sharpe_ratio(returns, periods_per_year)),
        win_rate=_defined(lambda: win_rate([float(profit) for profit in account.closed])),
        average_trade_size=money(account.traded) / account.trades if account.trades else None,
        n_trades=account.trades,
        realized=money(account.realized),
        unrealized=money(net - account.cost),
        fees=money(account.fees),
        n_periods=len(returns),
    )


def high_risk(tracker: Any, measures: Mapping[str, float | None]) -> Any:
    """DataFrame of the users beyond at least one limit: their measures and the names of the limits."""
    import pandas as pd

    limits = {name: CHECKS[name](limit, name) for name, limit in measures.items() if limit is not None}
    if not limits:
        raise InputError("high_risk_users needs at least one limit, such as max_exposure=100_000")
    rows = {}
    for user in tracker.users():
        try:
            metrics = tracker.metrics(user)
        except MissingPriceError as error:
            rows[user] = {"reasons": str(error)}
            continue
        beyond = [name for name, limit in limits.items() if (getattr(metrics, name) or 0.0) > limit]
        if beyond:
            rows[user] = {name: getattr(metrics, name) for name in measures} | {"reasons": ", ".join(beyond)}
    return pd.DataFrame.from_dict(rows, orient="index", columns=[*measures, "reasons"]).rename_axis("user")


def _defined(measure: Callable[[], float]) -> float | None:
    """The measure, or None if there are too few values or no variation."""
    try:
        return measure()
    except InputError:
        return None
