"""Probability that an account breaches a limit within the next hour or day, learned from its own flow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from riskkit import plot
from riskkit._check import InputError, optional, probability, whole_number
from riskkit._docs import with_described_fields
from riskkit._show import Row
from riskkit.learn.boosting import Settings
from riskkit.learn.judged import LEARNED, Judged, Trial, importance_of, objection_to
from riskkit.replay.schema.durations import duration, duration_text
from riskkit.report.page import figure, table
from riskkit.var.learned import purged_walk_forward
from riskkit.var_backtest.core.simulated_hits import generator

NAMES = ("last", "highest", "mean", "highest of 8 times that", "change", "messages", "breached", "hour")
"""Used/limit within a time as long as that asked for (the fourth: 8 times as long), and the hour of the day, UTC."""
LONG = 8
MOST_USED = 10.0
"""Share of a limit beyond which more says nothing more."""
CALIBRATION = 0.25
"""Share of each training that the probabilities are calibrated by, its latest."""
BINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)


class Flow(NamedTuple):
    """Features at times of a grid, in order of time."""

    ts: np.ndarray
    key: np.ndarray
    features: np.ndarray
    breached: np.ndarray
    """Within the span after each time, 0 or 1; NaN where the record ends before."""


@with_described_fields
@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class BreachForecast(Judged):
    """Learned probabilities of a breach, each by a model of earlier flow, and their judgement.

    Attributes
    ----------
    forecasts : DataFrame
        Indexed by ``ts`` and ``key``: `learned`, the simple forecasts, and `breached`, what came (0 or 1).
    within : str
        Time within which a breach counts.
    following : (n_keys,) Series
        Probability for each key that was active at the end of the record; see `next_probability`.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from riskkit.learn import breach_probability
    >>> times = pd.date_range("2024-01-01", periods=2000, freq="10min", tz="UTC")
    >>> used = pd.Series(np.random.default_rng(1).uniform(0.0, 1.05, 2000), times)
    >>> breach_probability(used, "1h", every="1h", n_trees=5).accepted
    False
    """

    forecasts: Any
    within: str
    following: Any

    def next_probability(self, *, refused_too: bool = False) -> Any:
        """Probability that each active key breaches within the time after the record, a fraction; refused if no better.

        Parameters
        ----------
        refused_too : bool
            True gives those of a refused model too.

        Returns
        -------
        (n_keys,) Series
            By key.
        """
        self._refuse_use(refused_too)
        return self.following.copy()

    def reliability(self) -> Any:
        """Observed share of breaches by forecast probability.

        Returns
        -------
        DataFrame
            Indexed by bin of the probability: `forecasts`, `mean forecast`, `observed`, and the 95 % Wilson interval of what
            independent outcomes would have (`low`, `high`); windows that overlap make it too narrow.
        """
        import pandas as pd
        from scipy.stats import binomtest

        frame = self.forecasts
        labels = [f"{low:.0%} to {high:.0%}" for low, high in zip(BINS, BINS[1:], strict=False)]
        bins = pd.cut(frame[LEARNED], BINS, labels=labels, include_lowest=True)
        found = frame.groupby(bins, observed=True).agg(
            n=("breached", "size"), p=(LEARNED, "mean"), k=("breached", "sum")
        )
        ends = [
            binomtest(int(k), int(n)).proportion_ci(method="wilson")
            for n, k in zip(found["n"], found["k"], strict=True)
        ]
        return (
            pd.DataFrame(
                {
                    "forecasts": found["n"],
                    "mean forecast": found["p"],
                    "observed": found["k"] / found["n"],
                    "low": [end.low for end in ends],
                    "high": [end.high for end in ends],
                }
            )
            .rename_axis("probability")
            .rename(index=str)
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw observed shares over forecast probabilities, with intervals and the line of agreement."""
        frame = self.reliability()
        ax = plot.axes(ax)
        ax.plot([0.0, 1.0], [0.0, 1.0], color=plot.PALE, lw=1)
        observed = frame["observed"]
        errors = np.maximum([observed - frame["low"], frame["high"] - observed], 0.0)
        ax.errorbar(frame["mean forecast"], observed, yerr=errors, fmt="o", color=plot.STRONG)
        for axis, text in ((ax.xaxis, "forecast probability"), (ax.yaxis, "observed share")):
            plot.percentages(axis)
            axis.set_label_text(text)
        plot.dress(ax, "Breaches that came, by forecast probability")
        return ax

    _forecast_is = "probability of a breach"
    _caveats = (
        "The flow is that of the record: who is told a probability may trade otherwise.",
        "Times overlap by up to the time ahead, so that the number of forecasts is more than that of independent outcomes.",
        "Limits, accounts and instruments other than those of the record are in no training.",
    )

    def _title(self) -> str:
        return f"Learned probability of a breach within {self.within}"

    def _rows(self) -> Iterable[Row]:
        yield from super()._rows()
        yield "breaches", f"{self.forecasts['breached'].mean():.1%}", f"of {len(self.forecasts):,} forecasts"

    def _card_sections(self) -> Iterable[tuple[str, str]]:
        frame = self.reliability()
        rows = [[label, *row] for label, row in zip(frame.index, frame.itertuples(index=False), strict=True)]
        picture = figure(self.plot, "Breaches that came, by forecast probability")
        yield "Reliability", table(["probability", *frame.columns], rows) + picture


def breach_probability(
    used: Any,
    within: Any = "1h",
    *,
    every: Any = "10min",
    start: float = 0.5,
    folds: int = 4,
    embargo: int = 0,
    n_trees: int = 60,
    tree_depth: int = 2,
    learning_rate: float = 0.1,
    significance: float = 0.05,
    rng: np.random.Generator | None = None,
) -> BreachForecast:
    """Learn the probability that a limit is breached within a time to come, and compare it with simple forecasts.

    Needs scikit-learn (``pip install 'riskkit[learn]'``).

    Parameters
    ----------
    used : Series or DataFrame
        Used/limit over time, above 1 a breach: the `path` of a rule of `riskkit.sweeps.utilization`, or a Series by time.
        Keys (accounts) share one model, and each has its own flow as features.
    within : duration
        Time within which a breach counts: "1h", "1d".
    every : duration
        Times of forecasts are its multiples, of keys with a message within the last such time.
    start : float
        Share of the times in the first training, a fraction.
    folds : int
        Number of trainings, each on all earlier times; the times after the start are forecast in as many parts.
    embargo : int
        Number of times of the grid left out between training and forecasts, beside those whose outcome reaches into the forecasts.
    n_trees, tree_depth, learning_rate : int, int, float
        Number and depth of the trees, and the share of each that is added.
    significance : float
        Size of the test against the best simple forecast, a fraction.
    rng : numpy.random.Generator, optional
        Breaks ties of splits and shuffles features; by default one with a fixed seed.

    Returns
    -------
    BreachForecast
        Calibrated probabilities, those of simple forecasts (the base rate, the rate of those who breached or did not, a
        logistic regression on the last share used), Brier scores, the reliability table, and the next probabilities, which
        are refused unless the mean Brier score is significantly lower than that of every simple forecast.

    Raises
    ------
    InputError
        Times out of order, a share below zero, too few times, or trainings with no breach or nothing else.
    ImportError
        scikit-learn is not installed.

    References
    ----------
    Friedman (2001), Greedy function approximation: a gradient boosting machine, Annals of Statistics 29, 1189-1232. Platt
    (1999), Probabilistic outputs for support vector machines. Brier (1950), Verification of forecasts expressed in terms of
    probability, Monthly Weather Review 78, 1-3. López de Prado (2018), Advances in Financial Machine Learning, chapter 7.

    Examples
    --------
    >>> import pandas as pd
    >>> times = pd.date_range("2024-01-01", periods=2000, freq="10min", tz="UTC")
    >>> used = pd.Series(np.random.default_rng(1).uniform(0.0, 1.05, 2000), times)
    >>> found = breach_probability(used, "1h", every="1h", n_trees=5)
    >>> list(found.scores), len(found.reliability()) > 0
    (['learned', 'base rate', 'breached before', 'last share'], True)
    """
    import pandas as pd

    optional("sklearn", "learn")
    span, step = duration(within, "within", zero=False), duration(every, "every", zero=False)
    share, n_folds = probability(start, "start"), whole_number(folds, "folds")
    size = Settings.checked(n_trees, tree_depth, learning_rate)
    level = probability(significance, "significance")
    seed = int(generator(rng).integers(2**31))
    flow = flow_of(*_read(used), span, step)
    known = np.flatnonzero(~np.isnan(flow.breached))
    times, place = np.unique(flow.ts[known], return_inverse=True)
    train = int(share * len(times))
    reach = -(-span // step) - 1
    gap = reach + whole_number(embargo, "embargo", at_least=0)
    judged = (len(times) - train - gap) // n_folds
    if train < 8 or judged < 1:
        raise InputError(
            f"used has too few times of which the outcome is known, {len(times)}; give a longer record or a shorter every"
        )
    splits = purged_walk_forward(len(times), train, judged, purge=gap, expanding=True)[:n_folds]
    fits, trials, parts = [], [], []
    for past, after in splits:
        rows = [known[np.isin(place, part)] for part in (past, after)]
        forecasts = _fit(flow, rows[0], reach, size, seed)
        fits.append(forecasts)
        trials.append(Trial(forecasts[LEARNED], flow.features[rows[1]], flow.breached[rows[1]]))
        parts.append(
            pd.DataFrame(
                {name: forecast(flow.features[rows[1]]) for name, forecast in forecasts.items()},
                pd.MultiIndex.from_arrays(
                    [pd.to_datetime(flow.ts[rows[1]], utc=True), flow.key[rows[1]]], names=["ts", "key"]
                ),
            ).assign(breached=flow.breached[rows[1]])
        )
    frame = pd.concat(parts)
    latest = _fit(flow, known, reach, size, seed)[LEARNED]
    now = np.flatnonzero(flow.ts == flow.ts[-1])
    scores = frame.drop(columns="breached").sub(frame["breached"], axis=0).pow(2).groupby(level="ts").mean()
    return BreachForecast(
        scores=scores,
        significance=level,
        objection=objection_to(scores, level, horizon=reach + 1),
        importance=importance_of(trials, NAMES, lambda came, found: float(np.mean((found - came) ** 2)), seed),
        trials=(*trials, Trial(latest, flow.features[known], flow.breached[known])),
        names=NAMES,
        facts={
            "forecast": f"probability of a breach within {duration_text(span)}",
            "learned by": f"{size.trees} trees of depth {size.depth}, rate {size.rate:g}, calibrated by Platt's method",
            "record": f"{len(np.unique(flow.key))} keys, {len(known):,} times of keys, every {duration_text(step)}",
            "trainings": f"{len(splits)} on all earlier times, {gap} times left out after each, {judged} forecast",
            "features": ", ".join(NAMES),
            "seed of ties": seed,
        },
        forecasts=frame,
        within=duration_text(span),
        following=pd.Series(latest(flow.features[now]), pd.Index(flow.key[now], name="key"), name="probability"),
    )


def _read(used: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times in nanoseconds, keys and shares, from a path or a Series."""
    import pandas as pd

    if isinstance(used, pd.Series):
        used = pd.DataFrame({"ts": used.index, "key": "", "share": used.to_numpy()})
    if not isinstance(used, pd.DataFrame) or not {"ts", "key", "share"} <= set(used.columns):
        raise InputError("used has no columns ts, key and share; give the path of a utilization, or a Series by time")
    if not isinstance(used["ts"].dtype, pd.DatetimeTZDtype) and used["ts"].dtype.kind != "M":
        raise InputError("used has no times; give a Series indexed by timestamps")
    ts = pd.to_datetime(used["ts"], utc=True).dt.as_unit("ns").astype("int64").to_numpy()
    shares = used["share"].to_numpy(float)
    if len(ts) == 0 or (np.diff(ts) < 0).any() or not (shares >= 0.0).all():
        raise InputError("used is empty, or its times do not rise, or a share is below zero or not a number")
    return ts, used["key"].astype(str).to_numpy(), np.minimum(shares, MOST_USED)


def flow_of(ts: np.ndarray, keys: np.ndarray, shares: np.ndarray, span: int, step: int) -> Flow:
    """Features of each key at multiples of `step` nanoseconds, from its messages up to each, and what came after."""
    end, parts = int(ts[-1]), []
    grid = np.arange(-(-int(ts[0]) // step), end // step + 1) * step
    for key in np.unique(keys):
        mine, used = ts[keys == key], shares[keys == key]
        upto = np.searchsorted(mine, grid, "right")
        since = np.searchsorted(mine, grid - span, "right")
        at = np.flatnonzero(upto > since)
        now, upto, since = grid[at], upto[at], since[at]
        long = np.searchsorted(mine, now - LONG * span, "right")
        after = np.searchsorted(mine, now + span, "right")
        over = np.concatenate([[0], np.cumsum(used > 1.0)])
        total = np.concatenate([[0.0], np.cumsum(used)])
        last = used[upto - 1]
        columns = [
            last,
            _highest(used, since, upto),
            (total[upto] - total[since]) / (upto - since),
            _highest(used, long, upto),
            last - np.where(since > 0, used[np.maximum(since - 1, 0)], 0.0),
            upto - since,
            over[upto] > over[since],
            now // 3_600_000_000_000 % 24,
        ]
        came = np.where(now + span <= end, over[after] > over[upto], np.nan)
        parts.append((now, np.full(len(now), key), np.column_stack(columns).astype(float), came))
    found = Flow(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    if not len(found.ts):
        raise InputError("used has no message before a multiple of every; give a shorter every")
    order = np.argsort(found.ts, kind="stable")
    return Flow(*(column[order] for column in found))


def _highest(used: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Largest of each slice; none is empty."""
    ends = np.column_stack([start, stop]).ravel()
    return np.asarray(np.maximum.reduceat(np.append(used, 0.0), ends)[::2])


def _fit(flow: Flow, rows: np.ndarray, reach: int, size: Settings, seed: int) -> dict[str, Callable[[Any], np.ndarray]]:
    """The learned forecast and the simple ones, by name, of rows in order of time."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    x, came = flow.features[rows], flow.breached[rows]
    times, place = np.unique(flow.ts[rows], return_inverse=True)
    border = int((1.0 - CALIBRATION) * len(times))
    fitted, calibrated = np.flatnonzero(place < border - reach), np.flatnonzero(place >= border)
    for part in (fitted, calibrated):
        if len(np.unique(came[part])) < 2:
            kind = "breach" if not came[part].any() else "time without a breach"
            raise InputError(
                f"used has no {kind} ahead of the {len(part):,} times of a training or its calibration; give a longer record, "
                "another limit or another time"
            )
    trees = GradientBoostingClassifier(
        n_estimators=size.trees, max_depth=size.depth, learning_rate=size.rate, min_samples_leaf=20, random_state=seed
    )
    learned = CalibratedClassifierCV(trees, method="sigmoid", cv=[(fitted, calibrated)]).fit(x, came)
    on_last = LogisticRegression().fit(x[:, :1], came)
    before = NAMES.index("breached")
    rates = [came[x[:, before] == flag].mean() if (x[:, before] == flag).any() else came.mean() for flag in (0.0, 1.0)]
    return {
        LEARNED: lambda table: learned.predict_proba(table)[:, 1],
        "base rate": lambda table: np.full(len(table), came.mean()),
        "breached before": lambda table: np.where(table[:, before] == 1.0, rates[1], rates[0]),
        "last share": lambda table: on_last.predict_proba(table[:, :1])[:, 1],
    }
