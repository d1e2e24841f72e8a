"""Backtest of one VaR (and ES) forecast by all applicable tests, with one verdict.

The verdict rests on finite-sample p-values, exact or simulated. Tests with only an asymptotic p-value (such as the
bootstrap of two or three excesses) are reported but not counted: at 250 days they reject too many correct models.

A test of number and timing together also rejects for the number alone, so it says nothing about independence, and the
verdict names it only where neither question has been answered by a test of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, probability, with_labels
from riskkit._docs import counted
from riskkit._excel import PERCENT, PROBABILITY, Exported, Sheet
from riskkit._show import Row, amounts, as_html, brief, percent
from riskkit._tail import tail_probability
from riskkit._types import ReturnsLike
from riskkit.plot import losses_over_time
from riskkit.var.rolling import RollingRisk
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.hits import Sample, can_divide, sample
from riskkit.var_backtest.core.multiplicity import adjust_p_values
from riskkit.var_backtest.core.outcome import TestResult, undefined
from riskkit.var_backtest.core.scores import fz0_loss, quantile_loss
from riskkit.var_backtest.core.simulated_hits import default_n_draws
from riskkit.var_backtest.coverage.hit_rate import binomial_tail, binomial_z, kupiec_pof, kupiec_tuff, score_test
from riskkit.var_backtest.coverage.traffic_light import TrafficLight, traffic_light, traffic_light_bounds
from riskkit.var_backtest.independence.christoffersen import christoffersen_conditional, christoffersen_independence
from riskkit.var_backtest.independence.duration import christoffersen_pelletier, haas_tbf, haas_tbfi
from riskkit.var_backtest.independence.dynamic_quantile import dynamic_quantile
from riskkit.var_backtest.sequential import EProcess, es_e_process, var_e_process
from riskkit.var_backtest.shortfall.acerbi_szekely import acerbi_szekely_ridge, acerbi_szekely_z1, acerbi_szekely_z2
from riskkit.var_backtest.shortfall.du_escanciano import du_escanciano_conditional, du_escanciano_unconditional
from riskkit.var_backtest.shortfall.mcneil_frey import mcneil_frey_bootstrap, mcneil_frey_z
from riskkit.var_backtest.shortfall.nolde_ziegel import (
    nolde_ziegel_general,
    nolde_ziegel_one_sided,
    nolde_ziegel_simple,
)
from riskkit.var_backtest.suite.power import PowerCurve, backtest_power, detectable_hit_rate

QUESTIONS = {
    "coverage": "correct number of hits?",
    "independence": "independent hits?",
    "joint": "number and timing of hits as expected?",
    "shortfall": "losses beyond VaR as large as ES?",
}
FAILURES = {
    "coverage": "the number of hits is wrong",
    "independence": "hits can be predicted from the past",
    "joint": "the number and the timing of the hits together are not those of a correct forecast",
    "shortfall": "losses beyond VaR differ from ES",
}


@dataclass(frozen=True, repr=False)
class BacktestResult(Exported):
    """Outcomes of all tests of a VaR (and ES) forecast.

    Attributes
    ----------
    sample : Sample
        Checked returns, VaR and ES, and the labels of the days.
    confidence : float
        Confidence of VaR and ES as a fraction: 0.99 for 99 %.
    significance : float
        Size of the tests as a fraction: 0.05 for 5 %.
    outcomes : tuple of (str, Outcome)
        Question (a key of `QUESTIONS`) and outcome of each test.
    traffic_light : TrafficLight
        Basel zone and multipliers.
    sequential : tuple of EProcess
        E-process of VaR, and of ES if it is given.
    left_out : int
        Number of days of a `RollingRisk` without a finite forecast.

    Examples
    --------
    >>> backtest_var([0.01, -0.03, 0.0, -0.01, 0.02], 0.02, confidence=0.9).n_hits
    1
    """

    sample: Sample
    confidence: float
    significance: float
    outcomes: tuple[tuple[str, TestResult], ...]
    traffic_light: TrafficLight
    sequential: tuple[EProcess, ...]
    left_out: int = 0

    @functools.cached_property
    def power(self) -> PowerCurve:
        """Power of the tests for this sample length; computed at first use."""
        return backtest_power(self.sample.returns.size, self.confidence, significance=self.significance)

    def __getitem__(self, test: str) -> TestResult:
        """Return the outcome of the test of that name."""
        for _, outcome in self.outcomes:
            if outcome.test == test:
                return outcome
        names = ", ".join(repr(outcome.test) for _, outcome in self.outcomes)
        raise KeyError(f"{test!r} is not one of {names}")

    @property
    def hits(self) -> Any:
        """Days with a loss beyond VaR: boolean array, or Series with the labels of the input."""
        return with_labels(self.sample.hits, self.sample.index, name="hit")

    @property
    def n_hits(self) -> int:
        """Number of hits."""
        return int(self.sample.hits.sum())

    @property
    def scores(self) -> dict[str, float]:
        """Mean quantile loss of VaR, and mean FZ0 loss of VaR and ES if ES is above zero."""
        returns, var, es, _ = self.sample
        found = {"quantile_loss": float(quantile_loss(returns, var, self.confidence).mean())}
        if es is not None and can_divide(es, returns, var):
            found["fz0_loss"] = float(fz0_loss(returns, var, es, self.confidence).mean())
        return found

    @property
    def verdict(self) -> str:
        """Failures after Holm's correction for the number of tests, in one sentence."""
        failed = self._failures(after_holm=True)
        if failed:
            return f"FAILS: {'; '.join(failed)}"
        doubtful = self._failures()
        if doubtful:
            return f"Doubtful, as single tests reject but none after Holm's correction: {'; '.join(doubtful)}"
        return f"No test rejects the forecast{f', but {self._too_few}' if self._too_few else ''}"

    @property
    def _too_few(self) -> str:
        """Why a number of hits that no test rejects is not shown to be right; empty if it is.

        With less than one expected hit, or with none, a VaR that is never hit passes like a correct one.
        """
        days, expected = self.sample.returns.size, self.sample.returns.size * tail_probability(self.confidence)
        if self.n_hits and expected >= 1.0:
            return ""
        seen, in_days = counted(self.n_hits, "hit"), counted(days, "day")
        return f"{seen} in {in_days} ({expected:,.3g} expected) cannot show that VaR is not too high"

    @property
    def cautions(self) -> tuple[str, ...]:
        """Signs of a forecast that was not meant so (another sign, unit or argument), in sentences."""
        returns, var, found = self.sample.returns, self.sample.var, []
        if (var > np.abs(returns).max()).all():
            found.append(f"VaR (at least {brief(var.min())}) is above every return in size; check its unit")
        if negative := int((var < 0.0).sum()):
            found.append(
                f"VaR is negative on {negative:,} of {returns.size:,} days; VaR is a loss above zero, and the order is returns, var"
            )
        if 2 * self.n_hits > returns.size and self.confidence > 0.5:
            found.append(f"{self.n_hits:,} of {returns.size:,} days are hits; check the signs of returns and VaR")
        if self.left_out:
            found.append(f"{self.left_out:,} days without a finite forecast are left out")
        return tuple(found)

    @property
    def grade(self) -> str:
        """The verdict in a word: "bad" for a failure after Holm's correction, "doubtful" for one before it or too few hits, or "good"."""
        if self._failures(after_holm=True):
            return "bad"
        return "doubtful" if self._failures() or self._too_few else "good"

    def _failures(self, *, after_holm: bool = False) -> list[str]:
        """What is wrong, each from evidence of its own."""
        failed = [question for question in FAILURES if self._rejecting(question, after_holm=after_holm)]
        if "coverage" in failed or "independence" in failed:
            failed = [question for question in failed if question != "joint"]
        return [FAILURES[question] for question in failed]

    def _rejecting(self, question: str, *, after_holm: bool = False) -> list[str]:
        """Names of the deciding tests of a question that reject."""
        adjusted = self._holm()
        return [
            outcome.test
            for (asked, outcome), p_value in zip(self.outcomes, adjusted, strict=True)
            if asked == question and _decides(outcome)
            if (p_value <= self.significance if after_holm else outcome.reject)
        ]

    def _holm(self) -> np.ndarray:
        """Holm's p-values of the deciding tests; NaN for the others."""
        exact = [outcome.exact_p_value for _, outcome in self.outcomes]
        return np.asarray(adjust_p_values([np.nan if p_value is None else p_value for p_value in exact]))

    def to_frame(self) -> Any:
        """Return one row per test.

        Columns: question, statistic, distribution, p_value, exact_p_value, exact_method, holm_p_value (of the exact
        ones), reject (before Holm), power, against (the alternative), verdict.
        """
        import pandas as pd

        rows = []
        for (question, outcome), holm in zip(self.outcomes, self._holm(), strict=True):
            power, against = self.power.of(outcome.test) or (None, "")
            rows.append((outcome.test, QUESTIONS[question], outcome.statistic, outcome.distribution, outcome.p_value,
                         outcome.exact_p_value, outcome.exact_method, holm, outcome.reject, power, against,
                         outcome.verdict))  # fmt: skip
        light = self.traffic_light
        power, against = self.power.of("Basel yellow or red") or (None, "")
        rows.append(("Basel traffic light", QUESTIONS["coverage"], float(light.n_hits), "binomial, upper tail",
                     light.type1, light.type1, "binomial", np.nan, light.zone == "red", power, against,
                     light.verdict))  # fmt: skip
        for process, question in zip(self.sequential, ("coverage", "shortfall"), strict=False):
            largest = float(np.exp(min(max(process.log_e.max(), 0.0), 700.0)))
            rows.append((process.name, QUESTIONS[question], largest, "Ville, valid on every day", process.p_value,
                         None, "", np.nan, process.reject, None, "", process.verdict))  # fmt: skip
        columns = ["test", "question", "statistic", "distribution", "p_value", "exact_p_value", "exact_method",
                   "holm_p_value", "reject", "power", "against", "verdict"]  # fmt: skip
        frame = pd.DataFrame(rows, columns=columns).set_index("test")
        numeric = ["statistic", "p_value", "exact_p_value", "holm_p_value", "power"]
        return frame.astype(dict.fromkeys(numeric, float))

    def _sheets(self) -> list[Sheet]:
        probabilities = dict.fromkeys(("p_value", "exact_p_value", "holm_p_value"), PROBABILITY)
        return [Sheet("tests", self.to_frame(), {"statistic": PROBABILITY, **probabilities, "power": PERCENT})]

    def plot(self, ax: Any = None, *, unit: str | None = None) -> Any:
        """Draw returns, VaR (and ES) below them, and the hits.

        `unit` is "%" for returns or the currency of P&L; without it small numbers are returns.
        """
        returns, var, es, index = self.sample
        level, expected = percent(self.confidence), returns.size * tail_probability(self.confidence)
        return losses_over_time(
            np.arange(returns.size) if index is None else index,
            returns,
            {f"VaR {level}": var} | ({} if es is None else {f"ES {level}": es}),
            title=self.verdict,
            note=f", {expected:,.3g} expected",
            unit=unit,
            ax=ax,
        )

    def _title(self) -> str:
        return f"Backtest of {percent(self.confidence)} {'VaR' if self.sample.es is None else 'VaR and ES'}"

    def _rows(self) -> Iterable[Row]:
        n_obs = self.sample.returns.size
        yield "verdict", "", self.verdict
        for caution in self.cautions:
            yield "caution", "", caution
        yield "days", n_obs, ""
        yield "hits", self.n_hits, f"{n_obs * tail_probability(self.confidence):,.6g} expected"
        light = self.traffic_light
        if traffic_light_bounds(n_obs, self.confidence).yellow == 0:  # in so few days even no hit is yellow
            yield "Basel zone", "cannot say", f"{counted(n_obs, 'day')}; even no hit would be yellow"
        else:
            yield "Basel zone", light.zone, f"multiplier {light.basel_multiplier:g}"
        for question, text in QUESTIONS.items():
            asked = [outcome for key, outcome in self.outcomes if key == question]
            if asked:
                yield text, *self._answer(question, asked)
        rate = detectable_hit_rate(n_obs, self.confidence, significance=self.significance)
        yield "detectable hit rate", amounts([rate], fractions=True)[0], "binomial tail test, in 80% of samples"
        for process in self.sequential:
            yield process.name, "ALARM" if process.reject else "quiet", process.verdict.removeprefix("ALARM ")
        for name, score in self.scores.items():
            yield name.replace("_", " ").replace("fz0", "FZ0"), score, "mean, smaller is better"

    def _repr_html_(self) -> str:
        return as_html(self._title(), self._rows(), {"verdict": self.grade})

    def _answer(self, question: str, asked: list[TestResult]) -> tuple[str, str]:
        n_tests = sum(_decides(outcome) for outcome in asked)
        if n_tests == 0:
            return "cannot say", asked[0].note or "no test has a finite-sample p-value"
        rejecting, surely = self._rejecting(question), self._rejecting(question, after_holm=True)
        if not rejecting and question in ("coverage", "joint") and self._too_few:
            return "cannot say", self._too_few
        if not rejecting:
            return "yes", f"none of {n_tests} tests rejects at {percent(self.significance)}"
        named = surely or rejecting
        names = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
        counts = f"{len(rejecting)} of {n_tests} tests reject, {len(surely)} after Holm"
        return "NO" if surely else "doubtful", f"{counts}: {names}"


@documented
def backtest_var(
    returns: ReturnsLike | RollingRisk,
    var: Any = None,
    es: Any = None,
    confidence: float | None = None,
    *,
    sd: Any = None,
    pit: Any = None,
    significance: float = 0.05,
    null: str = "normal",
    rng: np.random.Generator | None = None,
) -> BacktestResult:
    """Backtest a VaR (and ES) forecast by all applicable tests.

    Parameters
    ----------
    returns : (n_obs,) array or Series, or RollingRisk
        Realized returns, gains positive, oldest first; or the result of `rolling_var` for one series, which holds
        returns, var, es and confidence.
    var : (n_obs,) array or Series, or a number
        VaR forecasts for the same days, as positive losses.
    es : (n_obs,) array or Series, or a number, optional
        Expected shortfall forecasts for the same days, as positive losses; without them only VaR is tested.
    confidence : float
        Confidence of VaR and ES as a fraction: 0.99 for 99 %. It is a fact of the forecast and has no default.
    pit : (n_obs,) array or Series, optional
        Forecast distribution function at the realized return, for the tests of Du and Escanciano.

    Returns
    -------
    Backtest
        Prints a verdict in words; `to_frame()` has one row per test, `plot()` draws the hits, `power` is the power of
        the tests. A test that is undefined for the sample (no hits, too few days, ES not above zero) is listed with
        the reason and does not reject.

    References
    ----------
    .. [1] Christoffersen (2012), Elements of Financial Risk Management, 2nd ed., chapter 13.
    .. [2] Basel Committee (2019), Minimum capital requirements for market risk, MAR32 and MAR99.

    Examples
    --------
    >>> returns = [-0.03 if day in (50, 51, 52, 120, 121, 200) else 0.001 for day in range(250)]
    >>> result = backtest_var(returns, 0.02, confidence=0.99)
    >>> result.n_hits, result.traffic_light.zone
    (6, 'yellow')
    >>> result["Christoffersen conditional coverage"].reject
    True
    """
    realised, var, es, confidence, left_out = _forecast(returns, var, es, confidence)
    checked = sample(realised, var, es)
    significance = probability(significance, "significance")
    tail_probability(confidence)
    for given, name in ((sd, "sd"), (pit, "pit")):
        if given is not None and np.ndim(given) and finite_array(given, name).shape != checked.returns.shape:
            raise InputError(f"{name} has another length than returns; they need one value per day")
    hits = checked.hits
    process = var_e_process(hits, confidence, significance=significance)
    processes = [replace(process, index=checked.index)]
    outcomes = _var_outcomes(checked, confidence, rng)
    if checked.es is not None:
        outcomes += [("shortfall", outcome) for outcome in _es_outcomes(checked, confidence, sd, null, rng)]
        if (checked.es >= checked.var).all():
            process = es_e_process(checked.returns, checked.var, checked.es, confidence, significance=significance)
            processes.append(replace(process, index=checked.index))
    if pit is not None:
        n_draws = default_n_draws(hits.size)
        outcomes.append(("shortfall", du_escanciano_unconditional(pit, confidence, n_draws=n_draws, rng=rng)))
        outcomes.append(("independence", du_escanciano_conditional(pit, confidence, n_draws=n_draws, rng=rng)))
    return BacktestResult(
        sample=checked,
        confidence=float(confidence),
        significance=significance,
        outcomes=tuple((question, replace(outcome, significance=significance)) for question, outcome in outcomes),
        traffic_light=traffic_light(int(hits.sum()), hits.size, confidence),
        sequential=tuple(processes),
        left_out=left_out,
    )


def _forecast(returns: Any, var: Any, es: Any, confidence: Any) -> tuple[Any, Any, Any, float, int]:
    """Returns, VaR, ES and confidence of either form of the arguments, and the days of it without a forecast."""
    if isinstance(var, RollingRisk):
        raise InputError(
            "var is the result of rolling_var, which holds the returns and the confidence too; give it alone"
        )
    if not isinstance(returns, RollingRisk):
        if var is None:
            raise InputError("var is missing; give the VaR forecasts of the same days, or the result of rolling_var")
        if confidence is None:
            raise InputError("confidence is missing; give that of the VaR forecasts, such as confidence=0.99")
        if np.ndim(var) == 2 and np.shape(var)[1] > 1:
            raise InputError(
                f"var has {np.shape(var)[1]} columns, and a backtest is of one forecast; var_backtest.backtest_panel(returns, "
                "{(model, confidence): var}) is of several"
            )
        return returns, var, es, confidence, 0
    rolling = returns
    if var is not None or es is not None or confidence not in (None, rolling.confidence):
        raise InputError("the result of rolling_var holds var, es and confidence; leave them out")
    if isinstance(rolling.confidence, tuple) or np.size(rolling.var) != len(rolling.var):
        raise InputError("the result of rolling_var has several series or confidences; roll one of them for a backtest")
    known = np.isfinite(np.asarray(rolling.var).reshape(-1)) & np.isfinite(np.asarray(rolling.es).reshape(-1))
    kept = (values[known] for values in (rolling.returns, rolling.var, rolling.es))
    return *kept, rolling.confidence, int((~known).sum())


def _decides(outcome: TestResult) -> bool:
    """True if the outcome has a finite-sample p-value."""
    return outcome.exact_p_value is not None


def _var_outcomes(checked: Sample, confidence: float, rng: Any) -> list[tuple[str, TestResult]]:
    """Question and outcome of each test of the hits."""
    hits, n_obs, n_hits = checked.hits, checked.returns.size, int(checked.hits.sum())
    first = int(np.argmax(hits)) + 1 if n_hits else None
    drawn: dict[str, Any] = {"n_draws": default_n_draws(n_obs), "rng": rng}
    coverage = [
        binomial_z(n_hits, n_obs, confidence),
        binomial_tail(n_hits, n_obs, confidence),
        score_test(n_hits, n_obs, confidence),
        kupiec_pof(n_hits, n_obs, confidence),
        kupiec_tuff(first, confidence, n_obs=n_obs),
    ]
    independence = _independence(hits, drawn)
    joint = [
        christoffersen_conditional(hits, confidence),
        haas_tbfi(hits, confidence, **drawn),
        haas_tbf(hits, confidence, **drawn),
        dynamic_quantile(checked.returns, checked.var, confidence, **drawn),
    ]
    asked = {"coverage": coverage, "independence": independence, "joint": joint}
    return [(question, outcome) for question, outcomes in asked.items() for outcome in outcomes]


def _independence(hits: np.ndarray, drawn: dict[str, Any]) -> list[TestResult]:
    """Tests of independence at the observed hit rate: a wrong number of hits is another question."""
    n_obs, n_hits = hits.size, int(hits.sum())
    if 2 <= n_hits <= n_obs - 2:
        observed = 1.0 - n_hits / n_obs
        return [christoffersen_independence(hits, observed), christoffersen_pelletier(hits, observed, **drawn)]
    few = f"{counted(n_hits, 'hit')} in {counted(n_obs, 'day')}; independence shows from two days of each kind on"
    tests = (christoffersen_independence(hits), christoffersen_pelletier(hits, n_draws=0))
    return [undefined(outcome.test, outcome.null, few) for outcome in tests]


def _es_outcomes(checked: Sample, confidence: float, sd: Any, null: str, rng: Any) -> list[TestResult]:
    """Outcome of each test of ES."""
    forecasts = (checked.returns, checked.var, checked.es)
    n_bootstrap = int(np.clip(20_000_000 / max(int(checked.hits.sum()), 1), 1_000, 20_000))
    drawn: dict[str, Any] = {"null": null, "n_draws": default_n_draws(checked.returns.size), "rng": rng}
    negligible = sd is not None and _negligible(finite_array(sd, "sd"), checked)
    no_sd = (
        "sd is large enough",
        "sd is negligible beside returns, VaR or ES on some day, and losses are divided by it",
    )
    outcomes = [
        mcneil_frey_z(*forecasts, confidence, **drawn),
        undefined("McNeil-Frey bootstrap", *no_sd)
        if negligible
        else mcneil_frey_bootstrap(*forecasts, sd=sd, n_bootstrap=n_bootstrap, rng=rng),
        nolde_ziegel_simple(*forecasts, confidence, **drawn),
        nolde_ziegel_one_sided(*forecasts, confidence, **drawn),
    ]
    if negligible:
        outcomes.append(undefined("Nolde-Ziegel general", *no_sd))
    elif sd is not None:
        outcomes.append(nolde_ziegel_general(*forecasts, confidence, sd=sd, **drawn))
    if can_divide(checked.es, checked.returns, checked.var):
        ratios = (acerbi_szekely_z1, acerbi_szekely_z2, acerbi_szekely_ridge)
        return outcomes + [test(*forecasts, confidence, null=null, rng=rng) for test in ratios]
    no_es = ("ES is large enough", "ES is not above zero (or negligible) on some day, and losses are compared with it")
    names = ("Acerbi-Szekely Z1", "Acerbi-Szekely Z2", "Minimally biased ES")
    return outcomes + [undefined(name, *no_es) for name in names]


def _negligible(sd: np.ndarray, checked: Sample) -> bool:
    """True if a standard deviation is above zero (others are refused) but too small to divide by."""
    return bool((sd > 0.0).all()) and not can_divide(sd, *checked[:3])
