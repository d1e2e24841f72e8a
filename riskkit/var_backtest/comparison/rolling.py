"""Ranking of riskkit's VaR models by rolling out-of-sample forecasts over a panel of prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np

from riskkit._bar import with_bar
from riskkit._check import InputError, OnRefusal, one_of, whole_number
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import ReturnsLike
from riskkit.returns import simple_returns
from riskkit.var import DEFAULT_MODELS, rolling_var
from riskkit.var.methods import method_named
from riskkit.var_backtest.comparison.ranking import ForecastComparison, compare_forecasts
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.multiplicity import Method
from riskkit.var_backtest.suite.panel import as_frame


@documented
def compare_models(
    prices: Any = None,
    models: Any = None,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    returns: ReturnsLike | None = None,
    window: int = 500,
    method: Method = "holm",
    significance: float = 0.05,
    set_confidence: float = 0.9,
    progress: bool | None = None,
    on_refusal: OnRefusal = "nan",
    rng: np.random.Generator | None = None,
) -> ForecastComparison:
    """Score and rank VaR models by rolling out-of-sample forecasts for every asset and day.

    Parameters
    ----------
    prices : (n_obs, n_assets) array or DataFrame
        Prices above zero, oldest first; each asset is a separate portfolio.
    models : sequence of names, or mapping, optional
        Methods of `riskkit.rolling_var` ("historical", "filtered_historical", "normal", ...), or a mapping of label to
        a method, to a dict of a `method` and its options (with an optional `window`), or to a function of the returns
        frame that returns VaR, or (VaR, ES), of the same shape, NaN before the first forecast. By default
        `riskkit.var.DEFAULT_MODELS`.
    returns : (n_obs, n_assets) array or DataFrame
        Returns or P&L instead of prices.
    window : int
        Estimation window in days of models without an individual one; the forecast of day t excludes day t.
    significance : float
        Size of the coverage tests of every model on every asset as a fraction (see `backtest_panel`).
    set_confidence : float
        Probability as a fraction that the model confidence set contains the best model.
    progress : bool, optional
        Show a progress bar with an estimate of the time left (needs tqdm): True always, False never, None after a second
        on a terminal and in a notebook.

    on_refusal : {"nan", "raise"}
        A model that cannot estimate a window of an asset (a constant one has no skewness) is left out, with the reason
        in `refusals`; or is refused with all others. A table without any model left is refused.

    Returns
    -------
    Comparison
        All models are scored on the days on which the model with the longest window has a forecast.

    References
    ----------
    .. [1] Kuester, Mittnik and Paolella (2006), Value-at-Risk Prediction: A Comparison of Alternative Strategies.
    .. [2] Nolde and Ziegel (2017), Elicitability and Backtesting: Perspectives for Banking Regulation.

    Examples
    --------
    >>> volatility = np.where(np.arange(400) < 200, 0.01, 0.03)[:, None]
    >>> steps = volatility * np.random.default_rng(1).standard_normal((400, 2))
    >>> models = {"short": {"method": "normal", "window": 60}, "long": "normal"}
    >>> compare_models(np.exp(np.cumsum(steps, axis=0)), models, 0.95, window=150).best
    'short'
    """
    if (prices is None) == (returns is None):
        raise InputError("give either prices or returns")
    table = as_frame(returns if prices is None else simple_returns(prices))
    chosen = _chosen(DEFAULT_MODELS if models is None else models, whole_number(window, "window"))
    steps = [(name, asset) for name in chosen for asset in range(table.shape[1])]
    parts: dict[str, list[Any]] = {name: [] for name in chosen}
    refusals: dict[str, str] = {}
    for name, asset in with_bar(steps, "rolling forecasts", unit="series", wanted=progress):
        model = chosen[name]
        if callable(model):
            if asset == 0:
                parts[name].append(model(table))
            continue
        if name not in refusals:
            try:
                parts[name].append(_roll(model, table, asset, confidence))
            except InputError as refusal:
                refusals[name] = f"on {table.columns[asset]}: {refusal}"
    if refusals and (len(refusals) == len(chosen) or one_of(on_refusal, get_args(OnRefusal), "on_refusal") == "raise"):
        name, why = next(iter(refusals.items()))
        raise InputError(f"model {name!r} {why}")
    forecasts = {
        name: parts[name][0] if callable(model) else tuple(_joined(parts[name], table, part) for part in (0, 1))
        for name, model in chosen.items()
        if name not in refusals
    }
    compared = compare_forecasts(
        table,
        forecasts,
        confidence,
        method=method,
        significance=significance,
        set_confidence=set_confidence,
        rng=rng,
    )
    return replace(compared, refusals=refusals)


OF_ROLLING = ("method", "window", "on_refusal")
"""Options of `rolling_var` that are not those of its method."""
Model = dict[str, Any] | Callable[[Any], Any]


def _chosen(models: Any, window: int) -> dict[str, Model]:
    """Return each model by label: its arguments of `rolling_var`, or a function."""
    if isinstance(models, str):
        models = [models]
    named = models if isinstance(models, Mapping) else {str(name): name for name in _sequence(models)}
    found: dict[str, Model] = {}
    for label, model in named.items():
        if callable(model):
            found[str(label)] = model
            continue
        options = {"method": model} if isinstance(model, str) else model
        if not isinstance(options, Mapping) or "method" not in options:
            raise InputError(
                f"models[{label!r}] is not a method, a dict with a 'method' and its options, or a function"
            )
        try:
            method_named(options["method"], {name: options[name] for name in options if name not in OF_ROLLING})
        except InputError as refusal:
            raise InputError(f"model {str(label)!r}: {refusal}") from None
        found[str(label)] = {"window": window, **options}
    if not found:
        raise InputError("models is empty; give at least one, such as ['historical', 'normal']")
    return found


def _sequence(models: Any) -> Sequence[Any]:
    if not isinstance(models, Sequence) or not all(isinstance(name, str) for name in models):
        raise InputError("models is not a sequence of methods; to give options or functions use {label: model}")
    return models


def _roll(options: dict[str, Any], table: Any, asset: int, confidence: float) -> tuple[Any, Any]:
    rolled = rolling_var(table.iloc[:, asset], confidence=confidence, **{"on_refusal": "raise", **options})
    return rolled.var, rolled.es


def _joined(parts: list[tuple[Any, Any]], table: Any, part: int) -> Any:
    """Return one table of all assets, NaN before the first forecast."""
    import pandas as pd

    columns = [np.asarray(both[part], dtype=float) for both in parts]
    values = np.full(table.shape, np.nan)
    for asset, column in enumerate(columns):
        values[-column.size :, asset] = column
    return pd.DataFrame(values, index=table.index, columns=table.columns)
