"""VaR and ES of the next period by gradient boosting, beside historical simulation, EWMA, GARCH and filtered simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import numpy as np

from riskkit import plot
from riskkit._check import InputError, as_pandas, labels_of, one_of, optional, probability, single_series, whole_number
from riskkit._docs import with_described_fields
from riskkit._show import Row, percent, short_label
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import ReturnsLike
from riskkit.learn.boosting import Loss, Predict, Settings, fit_tail
from riskkit.learn.features import features_of, tail_features
from riskkit.learn.judged import LEARNED, Judged, Trial, importance_of, objection_to
from riskkit.report.page import figure, table
from riskkit.var import RiskEstimate, rolling_var
from riskkit.var.learned import ConformalQuantile, conformal_quantile, purged_walk_forward
from riskkit.var_backtest import BacktestResult, ForecastComparison, backtest_var, compare_forecasts
from riskkit.var_backtest.core.scores import fz0
from riskkit.var_backtest.core.simulated_hits import generator

SIMPLE: dict[str, dict[str, Any]] = {
    "historical": {"method": "historical"},
    "EWMA": {"method": "normal", "volatility": "ewma", "mean": "zero"},
    "filtered simulation": {"method": "filtered_historical"},
    "GARCH": {"method": "filtered_historical", "volatility": "garch"},
}
"""Simple models by name: arguments of `rolling_var`."""


@with_described_fields
@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class LearnedRisk(Judged):
    """Learned VaR and ES, each forecast made by a model of earlier returns, and their judgement.

    Attributes
    ----------
    returns : (n_days,) Series
        Realised returns of the days that were forecast.
    var, es : (n_days,) Series
        Forecasts as positive losses, in the unit of the returns.
    confidence : float
        0.99 for 99 %.
    comparison : ForecastComparison
        With the simple models, by the FZ0 loss, on the same days.
    backtest : BacktestResult
        Of the learned forecasts alone.
    following : tuple of float
        VaR and ES of the period after the last; see `next_risk`.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.learn import learned_risk
    >>> returns, simple = 0.01 * np.random.default_rng(1).standard_normal(900), {"historical": {"method": "historical"}}
    >>> found = learned_risk(returns, 0.95, train=500, test=300, n_trees=5, simple=simple)
    >>> found.accepted, len(found.var)
    (False, 300)
    """

    returns: Any
    var: Any
    es: Any
    confidence: float
    comparison: ForecastComparison
    backtest: BacktestResult
    following: tuple[float, float]

    def next_risk(self, *, refused_too: bool = False) -> RiskEstimate:
        """VaR and ES of the period after the last; refused if the model does not beat the simple ones.

        Parameters
        ----------
        refused_too : bool
            True gives the estimate of a refused model too.

        Returns
        -------
        RiskEstimate
            In the unit of the returns.
        """
        self._refuse_use(refused_too)
        return RiskEstimate("learned", self.confidence, *self.following, n_obs=len(self.returns))

    def conformal(self) -> ConformalQuantile:
        """Factor on the next VaR with which it holds at the confidence, from all forecasts so far.

        Returns
        -------
        ConformalQuantile
            `bound` is the factor; `coverage_quantile` says how far the coverage may be off. Losses over VaR have to be
            exchangeable: no period may be of another kind than those before.
        """
        return conformal_quantile(-np.asarray(self.returns) / np.asarray(self.var), self.confidence)

    def conformal_var(self) -> Any:
        """Forecasts times the conformal factor of the forecasts before each.

        Returns
        -------
        (n_days,) Series
            NaN on the first days, whose number is too small for the confidence.
        """
        ratios = -np.asarray(self.returns) / np.asarray(self.var)
        factors = np.full(len(ratios), np.nan)
        for day in range(1, len(ratios)):
            bound = conformal_quantile(ratios[:day], self.confidence).bound
            factors[day] = bound if np.isfinite(bound) else np.nan
        return self.var * factors

    def plot(self, ax: Any = None) -> Any:
        """Draw the returns, minus learned VaR and ES below them, and the hits."""
        lines = {"VaR": self.var, "ES": self.es}
        return plot.losses_over_time(self.returns.index, self.returns, lines, title=self._title(), ax=ax)

    _forecast_is = "VaR over recent volatility"
    _caveats = (
        "What was learned holds as long as returns behave as in the training; a new kind of crisis is in no training.",
        "The settings were not chosen on these days; to try many and keep the best needs days that none of them saw.",
        "Conformal limits hold on average over periods that are alike, not on each day.",
    )

    def _title(self) -> str:
        return f"Learned VaR and ES, {percent(self.confidence)}"

    def _rows(self) -> Iterable[Row]:
        yield from super()._rows()
        yield "hits", self.backtest.n_hits, f"{len(self.returns) * (1.0 - self.confidence):.6g} expected"

    def _card_sections(self) -> Iterable[tuple[str, str]]:
        frame = self.comparison.to_frame()
        columns = ["score", "quantile_loss", "dm_p_value", "mcs_p_value", "hits", "expected"]
        rows = [[name, *(row[column] for column in columns)] for name, row in frame.iterrows()]
        yield "Ranking", table(["model", *columns], rows)
        factor = self.conformal()
        low, high = (factor.coverage_quantile(p) for p in (0.05, 0.95))
        rows = [
            ["verdict of the backtest", self.backtest.verdict],
            ["hits", f"{self.backtest.n_hits}, {len(self.returns) * (1.0 - self.confidence):.4g} expected"],
            ["conformal factor on the next VaR", factor.bound],
            ["its coverage, 5 % to 95 %", f"{low:.2%} to {high:.2%}"],
        ]
        yield "Coverage", table(["", ""], rows, texts=[1]) + figure(self.plot, "Returns, VaR and ES, and the hits")


def learned_risk(
    returns: ReturnsLike,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    loss: Loss = "fz0",
    features: Callable[[Any], Any] | None = None,
    implied_volatility: Any = None,
    train: int = 1_000,
    test: int = 250,
    embargo: int = 5,
    expanding: bool = True,
    window: int = 500,
    simple: Mapping[str, Mapping[str, Any]] | None = None,
    n_trees: int = 40,
    tree_depth: int = 2,
    learning_rate: float = 0.05,
    significance: float = 0.05,
    rng: np.random.Generator | None = None,
) -> LearnedRisk:
    """Learn VaR and ES of the next period by gradient boosting, and compare them with simple models on days none has seen.

    Needs scikit-learn, and arch for GARCH (``pip install 'riskkit[learn]'``).

    Parameters
    ----------
    returns : (n_obs,)
        Returns per period or P&L, oldest first.
    confidence : float
        0.99 for 99 %, of VaR and ES.
    loss : {"fz0", "pinball"}
        What is minimised: the joint loss of VaR and ES, or the quantile loss of VaR, with ES in one proportion to it.
    features : function, optional
        Of the returns as a Series; gives a DataFrame with the same labels, whose rows hold what was known at the end of each
        period, NaN at the start. It is called on shorter series too, and refused if rows change. By default `tail_features`.
    implied_volatility : (n_obs,), optional
        For `tail_features`.
    train, test : int
        Number of rows of the first training, and number of rows that are forecast after each training.
    embargo : int
        Number of rows left out between training and forecasts.
    expanding : bool
        Whether later trainings have all earlier rows, or the last `train` of them.
    window : int
        Periods from which the simple models forecast, at most `train`.
    simple : mapping, optional
        Simple models by name: options of `riskkit.rolling_var`. By default historical simulation, EWMA, and simulation filtered
        by EWMA and by GARCH.
    n_trees, tree_depth, learning_rate : int, int, float
        Number and depth of the trees, and the share of each that is added.
    significance : float
        Size of the test against the best simple model, and of the coverage tests, a fraction.
    rng : numpy.random.Generator, optional
        Breaks ties of splits and shuffles features; by default one with a fixed seed.

    Returns
    -------
    LearnedRisk
        Forecasts, comparison, backtest, explanation, and the forecast of the next period, which is refused unless the mean FZ0
        loss is significantly lower than that of every simple model and no coverage test rejects the VaR.

    Raises
    ------
    InputError
        NaN, infinity, features that look ahead, or too few returns.
    ImportError
        scikit-learn or arch is not installed.

    References
    ----------
    Friedman (2001), Greedy function approximation: a gradient boosting machine, Annals of Statistics 29, 1189-1232. Patton,
    Ziegel and Chen (2019), Dynamic semiparametric models for expected shortfall, J. Econometrics 211, 388-413, eq. 6. López de
    Prado (2018), Advances in Financial Machine Learning, chapter 7. Diebold and Mariano (1995), Comparing predictive accuracy.

    Examples
    --------
    >>> returns = 0.01 * np.random.default_rng(1).standard_normal(900)
    >>> simple = {"historical": {"method": "historical"}}
    >>> learned_risk(returns, 0.95, train=500, test=300, n_trees=5, simple=simple).verdict.partition(", mean")[0]
    'refused: it is no better than a simple model'
    """
    import pandas as pd

    optional("sklearn", "learn")
    models = SIMPLE if simple is None else simple
    if not models or LEARNED in models:
        raise InputError(f"simple names {list(models)}; give at least one model, none of them {LEARNED!r}")
    array = single_series(returns, "returns", ordered=True)
    p = tail_probability(confidence)
    one_of(loss, get_args(Loss), "loss")
    size = Settings.checked(n_trees, tree_depth, learning_rate)
    level = probability(significance, "significance")
    first, judged, gap = (
        whole_number(train, "train"),
        whole_number(test, "test"),
        whole_number(embargo, "embargo", at_least=0),
    )
    if whole_number(window, "window") > first:
        raise InputError(f"window={window} is more than train={train}; simple models would begin later")
    seed = int(generator(rng).integers(2**31))
    series = pd.Series(array, index=labels_of(as_pandas(returns), 0))
    known = tail_features(series, implied_volatility) if features is None else features_of(features, series)
    names, known = tuple(map(str, known.columns)), known.to_numpy(float)
    volatility = tail_features(series, lags=[1])["volatility"].to_numpy()
    start = _warm_up(known)
    # row i is known after return start + i, and forecasts the return after it; the tests end with the last return
    start += (len(array) - 1 - start - first - gap) % judged if len(array) - 1 - start >= first + gap + judged else 0
    x, unit, target = known[start:], volatility[start:], array[start + 1 :]
    if unit.min() <= 0.0:
        raise InputError(
            "returns begins with zeros, so that there is no volatility to measure losses by; leave them out"
        )
    losses = -target / unit[:-1]
    rows = purged_walk_forward(len(target), first, judged, purge=gap, expanding=expanding)
    last = np.arange(0 if expanding else len(target) - first, len(target))
    fits = [fit_tail(x[past], losses[past], p, loss, size, seed) for past, _ in [*rows, (last, last)]]
    trials = [
        Trial(partial(_side_by_side, fit), x[of], losses[of])
        for fit, of in zip(fits, [*(after for _, after in rows), last], strict=True)
    ]
    days = np.concatenate([after for _, after in rows])
    answers = np.concatenate([trial.predict(trial.features) for trial in trials[:-1]]) * unit[days, None]
    realized = series.iloc[start + 1 :].iloc[days]
    var, es = (pd.Series(answers[:, k], realized.index) for k in (0, 1))
    comparison = _compared(series, realized, var, es, confidence, window, models, level, rng)
    backtest = backtest_var(realized, var, es, confidence)
    return LearnedRisk(
        scores=comparison.scores[[LEARNED, *models]],
        significance=level,
        objection=_objection(comparison, level),
        importance=importance_of(
            trials[:-1], names, lambda z, found: float(fz0(-z, found[:, 0], found[:, 1], p).mean()), seed
        ),
        trials=tuple(trials),
        names=names,
        facts={
            "forecast": f"VaR and ES of the next period at {percent(confidence)}",
            "learned by": f"{size.trees} trees of depth {size.depth}, rate {size.rate:g}, loss {loss}",
            "returns": f"{len(array):,}, {short_label(series.index[0])} to {short_label(series.index[-1])}",
            "trainings": f"{len(rows)} of at least {first:,} rows, {gap} rows left out after each, {judged} forecast",
            "features": ", ".join(names),
            "seed of ties": seed,
        },
        returns=realized,
        var=var,
        es=es,
        confidence=float(confidence),
        comparison=comparison,
        backtest=backtest,
        following=tuple((trials[-1].predict(x[-1:])[0] * unit[-1]).tolist()),
    )


def _side_by_side(fit: Predict, rows: np.ndarray) -> np.ndarray:
    """VaR and ES as two columns."""
    return np.column_stack(fit(rows))


def _warm_up(known: np.ndarray) -> int:
    """Row from which all features are known."""
    missing = ~np.isfinite(known).all(axis=1)
    start = int(np.argmin(missing))
    if missing[start:].any():
        raise InputError(
            f"features is not finite in row {start + int(np.argmax(missing[start:]))}, after its first complete row"
        )
    return start


def _compared(
    series: Any,
    realized: Any,
    var: Any,
    es: Any,
    confidence: float,
    window: int,
    models: Mapping[str, Mapping[str, Any]],
    significance: float,
    rng: Any,
) -> ForecastComparison:
    """The learned forecasts beside the simple ones on the days that were forecast."""
    import pandas as pd

    forecasts: dict[str, Any] = {LEARNED: (var, es)}
    for name, options in models.items():
        rolled = rolling_var(series.to_numpy(), window, confidence, on_refusal="raise", **options)
        forecasts[name] = tuple(pd.Series(part[-len(realized) :], realized.index) for part in (rolled.var, rolled.es))
    return compare_forecasts(realized, forecasts, confidence, significance=significance, rng=rng)


def _objection(comparison: ForecastComparison, significance: float) -> str:
    if comparison.ranking.loc[LEARNED, "assets_rejected"]:
        hits, expected = comparison.ranking.loc[LEARNED, ["hits", "expected"]]
        return f"a coverage test rejects its VaR, with {hits:.0f} hits where {expected:.4g} are expected"
    return objection_to(comparison.scores, significance)
