"""Which VaR can I trust: rolling out-of-sample forecasts of riskkit's models over a panel of prices, ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from riskkit._check import InputError, whole_number
from riskkit.returns import simple_returns
from riskkit.var import DEFAULT_MODELS, rolling_var
from riskkit.var_backtest.comparison import Comparison, compare_forecasts
from riskkit.var_backtest.panel import as_frame

__all__ = ["compare"]


def compare(
    models: Any = None,
    prices: Any = None,
    *,
    returns: Any = None,
    confidence: float = 0.99,
    window: int = 500,
    method: str = "holm",
    significance: float = 0.05,
    set_confidence: float = 0.9,
    progress: bool | None = None,
    rng: np.random.Generator | None = None,
) -> Comparison:
    """Forecast every day of a price panel out of sample with every model, then score and rank the models.

    Parameters
    ----------
    models : sequence of names, or mapping, optional
        Methods of `riskkit.rolling_var` ("historical", "filtered_historical", "normal", ...), or a mapping of label to
        a method, to a dict of a `method` and its options (and its own `window`), or to a function of the returns frame
        that answers VaR, or (VaR, ES), of the same shape, NaN where it has none yet. By default `riskkit.var.DEFAULT_MODELS`.
    prices : (n_obs, n_assets) array or DataFrame
        Prices above zero, oldest first; each asset is a portfolio of its own.
    returns : (n_obs, n_assets) array or DataFrame
        Returns or P&L instead of prices.
    confidence : float
        0.99 means 99 % VaR and ES.
    window : int
        Days that a forecast rests on, for models without one of their own. A forecast for day t never sees day t.
    method, significance, set_confidence, rng
        As in `compare_forecasts`.
    progress : bool, optional
        Show a progress bar if tqdm is installed: True always, False never, None on a terminal.

    Returns
    -------
    Comparison
        All models are scored on the same days: those on which the one with the longest window has a forecast.

    Raises
    ------
    InputError
        Neither or both of prices and returns, an unknown model, a window too long, or an asset on which a model has no
        answer, which is named.

    References
    ----------
    .. [1] Kuester, Mittnik and Paolella (2006), Value-at-Risk Prediction: A Comparison of Alternative Strategies.
    .. [2] Nolde and Ziegel (2017), Elicitability and Backtesting: Perspectives for Banking Regulation.

    Examples
    --------
    >>> volatility = np.where(np.arange(400) < 200, 0.01, 0.03)[:, None]
    >>> steps = volatility * np.random.default_rng(1).standard_normal((400, 2))
    >>> models = {"short": {"method": "normal", "window": 60}, "long": "normal"}
    >>> compare(models, np.exp(np.cumsum(steps, axis=0)), confidence=0.95, window=150).best
    'short'
    """
    if (prices is None) == (returns is None):
        raise InputError("give either prices or returns")
    table = as_frame(returns if prices is None else simple_returns(prices))
    chosen = _chosen(DEFAULT_MODELS if models is None else models, whole_number(window, "window"))
    steps = [(name, asset) for name in chosen for asset in range(table.shape[1])]
    parts: dict[str, list[Any]] = {name: [] for name in chosen}
    for name, asset in _with_bar(steps, progress):
        model = chosen[name]
        if callable(model):
            if asset == 0:
                parts[name].append(model(table))
            continue
        parts[name].append(_roll(name, model, table, asset, confidence))
    forecasts = {
        name: parts[name][0] if callable(model) else tuple(_joined(parts[name], table, part) for part in (0, 1))
        for name, model in chosen.items()
    }
    return compare_forecasts(
        table,
        forecasts,
        confidence=confidence,
        method=method,
        significance=significance,
        set_confidence=set_confidence,
        rng=rng,
    )


Model = dict[str, Any] | Callable[[Any], Any]


def _chosen(models: Any, window: int) -> dict[str, Model]:
    """Return a label for each model, and either its arguments of `rolling_var` or the function that it is."""
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
        found[str(label)] = {"window": window, **options}
    if not found:
        raise InputError("models is empty; give at least one, such as ['historical', 'normal']")
    return found


def _sequence(models: Any) -> Sequence[Any]:
    if not isinstance(models, Sequence) or not all(isinstance(name, str) for name in models):
        raise InputError("models is not a sequence of methods; to give options or functions use {label: model}")
    return models


def _roll(name: str, options: dict[str, Any], table: Any, asset: int, confidence: float) -> tuple[Any, Any]:
    series = table.iloc[:, asset]
    try:
        rolled = rolling_var(series.to_numpy(), confidence=confidence, **options)
    except InputError as error:
        raise InputError(f"model {name!r} on {table.columns[asset]}: {error}") from None
    return rolled.var, rolled.es


def _joined(parts: list[tuple[Any, Any]], table: Any, part: int) -> Any:
    """Return one table of all assets, NaN on the days before the first forecast."""
    import pandas as pd

    columns = [np.asarray(both[part], dtype=float) for both in parts]
    values = np.full(table.shape, np.nan)
    for asset, column in enumerate(columns):
        values[-column.size :, asset] = column
    return pd.DataFrame(values, index=table.index, columns=table.columns)


def _with_bar(steps: list[tuple[str, int]], progress: bool | None) -> Iterable[tuple[str, int]]:
    """Return the steps behind a progress bar, if one is wanted and tqdm is installed."""
    if progress is False:
        return steps
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return steps
    return tqdm(steps, desc="rolling forecasts", unit="series", disable=None if progress is None else False)
