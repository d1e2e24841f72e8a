"""What both learned models share: the comparison with simple ones, the refusal, the explanation and the model card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from riskkit import plot
from riskkit._check import InputError, one_of
from riskkit._show import Row, Shown, number
from riskkit.report.page import figure, listing, page, table, verdict, write
from riskkit.var_backtest import diebold_mariano

LEARNED = "learned"
REPEATS = 5
"""Shuffles of a feature for its importance."""


class Trial(NamedTuple):
    """A fitted model, and the rows it was judged by."""

    predict: Callable[[np.ndarray], np.ndarray]
    features: np.ndarray
    outcomes: np.ndarray


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class Judged(Shown):
    """A learned model and its judgement.

    Attributes
    ----------
    scores : (n_rows, n_models) DataFrame
        Loss of each forecast that was made before its outcome, smaller is better; the first column is "learned".
    significance : float
        Size of the test that it beats the best simple model, a fraction.
    objection : str
        Why it is refused; empty if it beats the simple models.
    importance : DataFrame
        By feature: by how much the mean loss grows when the feature is shuffled among the rows that the model was not
        fitted to, `mean` and `sd` over shuffles.
    trials : tuple of Trial
        The model of each training, and the rows after it; the last is fitted to the latest rows and judged by none.
    names : tuple of str
        Features.
    facts : dict
        What the model card says of data and training.
    """

    scores: Any
    significance: float
    objection: str
    importance: Any
    trials: tuple[Trial, ...]
    names: tuple[str, ...]
    facts: dict[str, Any]

    @property
    def accepted(self) -> bool:
        """Whether the learned model beats every simple one."""
        return not self.objection

    @property
    def verdict(self) -> str:
        """The judgement as a sentence."""
        return (
            f"refused: {self.objection}" if self.objection else f"accepted: {_gap(self.scores, self.significance)[1]}"
        )

    def dependence(self, feature: str) -> Any:
        """Mean forecast when one feature is set to each of a grid of its values and the others stay as they are.

        Parameters
        ----------
        feature : str
            One of `names`.

        Returns
        -------
        Series
            Of the model fitted last, indexed by the value of the feature; of VaR over the recent volatility, or of the
            probability.
        """
        import pandas as pd
        from sklearn.inspection import partial_dependence

        column = self.names.index(one_of(feature, self.names, "feature"))
        latest = self.trials[-1]
        found = partial_dependence(
            _as_regressor(lambda rows: latest.predict(rows).reshape(len(rows), -1)[:, 0]),
            latest.features,
            [column],
            kind="average",
            grid_resolution=30,
        )
        grid = found["grid_values"][0] if "grid_values" in found else found["values"][0]
        return pd.Series(found["average"][0], pd.Index(grid, name=feature), name="mean forecast")

    def plot_importance(self, ax: Any = None) -> Any:
        """Draw by how much the loss grows without each feature."""
        frame = self.importance
        title = f"{frame.index[0]} matters most"
        return plot.bars(
            {"": frame["mean"]},
            list(frame.index),
            label="loss added by shuffling",
            title=title,
            errors=frame["sd"],
            ax=ax,
        )

    def plot_dependence(self, feature: str, ax: Any = None) -> Any:
        """Draw the mean forecast over a feature."""
        line = self.dependence(feature)
        ax = plot.axes(ax)
        ax.plot(line.index, line.to_numpy(), color=plot.STRONG)
        ax.set_xlabel(plot.literal(feature))
        ax.set_ylabel(plot.literal(self._forecast_is))
        plot.dress(ax, f"Mean forecast by {feature}, all else as it was")
        return ax

    def card(self) -> Any:
        """The model card as a frame of section, item and text."""
        import pandas as pd

        rows = [
            ("verdict", "use", self.verdict),
            *(("model and data", key, number(v)) for key, v in self.facts.items()),
        ]
        rows += [("mean loss", name, number(float(value))) for name, value in self.scores.mean().items()]
        rows += [("importance", name, number(float(value))) for name, value in self.importance["mean"].items()]
        rows += [("limits", str(k + 1), text) for k, text in enumerate(self._caveats)]
        return pd.DataFrame(rows, columns=["section", "item", "text"])

    def write_card(self, path: str | Path) -> Path:
        """Write the model card as one self-contained HTML file.

        Parameters
        ----------
        path : str or Path
            File to write; parent folders are created.

        Returns
        -------
        Path
            The file. Equal models give equal bytes.
        """
        first = str(self.importance.index[0])
        scores = self.scores.mean()
        pictures = [
            figure(self.plot_importance, "Loss added by shuffling a feature", height=1.3 + 0.36 * len(self.names)),
            figure(lambda ax: self.plot_dependence(first, ax), f"Mean forecast by {first}"),
        ]
        sections = [
            ("Verdict", verdict(self.verdict, "good" if self.accepted else "bad")),
            ("Model and data", table(["", ""], list(self.facts.items()), texts=[1])),
            ("Against simple models", table(["model", "mean loss"], list(scores.items()))),
            *self._card_sections(),
            ("What it looks at", "\n".join(pictures)),
            ("What this does not say", listing(self._caveats)),
        ]
        lead = f"{len(self.scores):,} forecasts, each made by a model that was fitted to earlier rows only."
        return write(path, page(f"Model card: {self._title()}", lead, sections))

    def _refuse_use(self, refused_too: bool) -> None:
        """Refuse a forecast for use, unless the model was accepted or the caller wants it all the same."""
        if self.objection and not refused_too:
            raise InputError(f"the learned model is refused: {self.objection}; refused_too=True gives it all the same")

    _forecast_is = "forecast"
    _caveats: Sequence[str] = ()

    def _card_sections(self) -> Iterable[tuple[str, str]]:
        return ()

    def _rows(self) -> Iterable[Row]:
        yield "verdict", self.verdict, ""
        for name, value in self.scores.mean().sort_values().items():
            yield str(name), float(value), "mean loss"
        yield "matters most", str(self.importance.index[0]), ""


def objection_to(scores: Any, significance: float, *, horizon: int = 1) -> str:
    """Why a learned model does not beat the simple ones; empty if its mean loss is lowest, and significantly so."""
    p_value, sentence = _gap(scores, significance, horizon)
    return "" if p_value <= significance else sentence


def _gap(scores: Any, significance: float, horizon: int = 1) -> tuple[float, str]:
    """P-value that the learned model is no better than the best simple one (1 if its loss is not lower), and a sentence."""
    means = scores.mean()
    best = means.drop(LEARNED).idxmin()
    found = diebold_mariano(scores[LEARNED].to_numpy(), scores[best].to_numpy(), horizon=horizon).p_value
    lower = bool(means[LEARNED] < means[best])
    p_value = 1.0 if found is None or not lower else float(found)
    shown = "undefined" if found is None else f"{found:.2g}"
    which = f"mean loss {means[LEARNED]:.4g} beside {means[best]:.4g} of {best} (Diebold-Mariano p = {shown})"
    if p_value <= significance:
        return p_value, f"it beats all simple models, {which}"
    return p_value, f"it {'is not significantly better' if lower else 'is no better'} than a simple model, {which}"


def importance_of(
    trials: Sequence[Trial], names: Sequence[str], loss: Callable[[np.ndarray, np.ndarray], float], seed: int
) -> Any:
    """Permutation importance of each feature over all trials, the largest first; `loss` is of outcomes and forecasts."""
    import pandas as pd
    from sklearn.inspection import permutation_importance

    drops = [
        permutation_importance(
            _as_regressor(trial.predict),
            trial.features,
            trial.outcomes,
            scoring=lambda model, rows, outcomes: -loss(outcomes, model.predict(rows)),
            n_repeats=REPEATS,
            random_state=seed,
        ).importances
        for trial in trials
    ]
    mean = np.mean(drops, axis=0)  # over trials, by feature and shuffle
    frame = pd.DataFrame({"mean": mean.mean(axis=1), "sd": mean.std(axis=1)}, index=pd.Index(names, name="feature"))
    return frame.sort_values("mean", ascending=False, kind="stable")


def _as_regressor(predict: Callable[[np.ndarray], np.ndarray]) -> Any:
    """A fitted estimator of scikit-learn around a function."""
    from sklearn.base import BaseEstimator, RegressorMixin

    class Given(RegressorMixin, BaseEstimator):  # type: ignore[misc]
        def fit(self, rows: Any, outcomes: Any = None) -> Any:
            return self

        def predict(self, rows: Any) -> np.ndarray:
            return predict(np.asarray(rows))

        def __sklearn_is_fitted__(self) -> bool:
            return True

    return Given()
