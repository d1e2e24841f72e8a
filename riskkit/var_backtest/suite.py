"""One call, every test that applies, one verdict.

What decides are finite-sample p-values, exact or simulated. A test that has only an asymptotic one (the bootstrap of
two or three excesses, say) is shown but decides nothing: at 250 days such tests reject many a true model.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from riskkit._check import InputError, confidence_level, finite_array, with_labels
from riskkit._show import Row, Shown, percent
from riskkit._tail import tail_mass
from riskkit.plot import STRONG, WARM
from riskkit.var_backtest.calibration import nolde_ziegel_general, nolde_ziegel_one_sided, nolde_ziegel_simple
from riskkit.var_backtest.coverage import (
    binomial_tail_test,
    binomial_z_test,
    kupiec_pof,
    kupiec_tuff,
    proportion_test,
)
from riskkit.var_backtest.cumulative_violations import du_escanciano_conditional, du_escanciano_unconditional
from riskkit.var_backtest.duration import christoffersen_pelletier, haas_tbf, haas_tbfi
from riskkit.var_backtest.dynamic_quantile import dynamic_quantile
from riskkit.var_backtest.expected_shortfall import acerbi_szekely_z1, acerbi_szekely_z2, minimally_biased
from riskkit.var_backtest.hits import Sample, can_divide, sample
from riskkit.var_backtest.independence import christoffersen_cc, christoffersen_independence
from riskkit.var_backtest.mcneil_frey import mcneil_frey_bootstrap, mcneil_frey_z
from riskkit.var_backtest.multiplicity import adjust_p_values
from riskkit.var_backtest.outcome import Outcome, undefined
from riskkit.var_backtest.power import Power, backtest_power, detectable_hit_rate
from riskkit.var_backtest.scores import fz0_loss, quantile_loss
from riskkit.var_backtest.sequential import EProcess, es_e_process, var_e_process
from riskkit.var_backtest.traffic_light import TrafficLight, traffic_light

__all__ = ["Backtest", "backtest"]

QUESTIONS = {
    "coverage": "as many hits as promised?",
    "independence": "hits come at random?",
    "shortfall": "losses beyond VaR as ES says?",
}
FAILURES = {
    "coverage": "the number of hits is wrong",
    "independence": "hits can be predicted from the past",
    "shortfall": "losses beyond VaR are not what ES says",
}
DAYS_TO_DRAW = 10_000_000


@dataclass(frozen=True, repr=False)
class Backtest(Shown):
    """Everything that a sample says about a VaR (and ES) forecast.

    Attributes
    ----------
    sample : Sample
        Checked returns, VaR and ES, and the labels of the days.
    confidence : float
        0.99 means 99 % VaR.
    significance : float
        Level of the verdicts: 0.05 for 5 %.
    outcomes : tuple of (str, Outcome)
        Question and outcome of each test; the questions are those of `QUESTIONS`.
    traffic_light : TrafficLight
        Basel zone and multipliers.
    sequential : tuple of EProcess
        E-processes of VaR and, if there is ES, of ES.

    Examples
    --------
    >>> backtest([0.01, -0.03, 0.0, -0.01, 0.02], 0.02, confidence=0.9).n_hits
    1
    """

    sample: Sample
    confidence: float
    significance: float
    outcomes: tuple[tuple[str, Outcome], ...]
    traffic_light: TrafficLight
    sequential: tuple[EProcess, ...]

    @functools.cached_property
    def power(self) -> Power:
        """What this sample could have detected; computed when first asked for."""
        return backtest_power(self.sample.returns.size, self.confidence, significance=self.significance)

    def __getitem__(self, test: str) -> Outcome:
        """Return the outcome of the test of that name."""
        for _, outcome in self.outcomes:
            if outcome.test == test:
                return outcome
        names = ", ".join(repr(outcome.test) for _, outcome in self.outcomes)
        raise KeyError(f"{test!r} is not one of {names}")

    @property
    def hits(self) -> Any:
        """Days with a loss beyond VaR: boolean array, or Series with the labels that came in."""
        return with_labels(self.sample.hits, self.sample.index, name="hit")

    @property
    def n_hits(self) -> int:
        """Number of hits."""
        return int(self.sample.hits.sum())

    @property
    def scores(self) -> dict[str, float]:
        """Mean quantile loss of VaR, and mean FZ0 loss of VaR and ES where ES is above zero."""
        returns, var, es, _ = self.sample
        found = {"quantile_loss": float(quantile_loss(returns, var, self.confidence).mean())}
        if es is not None and can_divide(es, returns, var):
            found["fz0_loss"] = float(fz0_loss(returns, var, es, self.confidence).mean())
        return found

    @property
    def verdict(self) -> str:
        """One sentence: what the forecast failed, after Holm's correction for the number of tests."""
        failed = [text for question, text in FAILURES.items() if self._rejecting(question, after_holm=True)]
        if failed:
            return f"FAILS: {'; '.join(failed)}"
        doubtful = [text for question, text in FAILURES.items() if self._rejecting(question)]
        if doubtful:
            return f"Doubtful, as single tests reject but none after Holm's correction: {'; '.join(doubtful)}"
        return "Nothing speaks against the forecast"

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
        return adjust_p_values([np.nan if p_value is None else p_value for p_value in exact])

    def to_frame(self) -> Any:
        """Return one row a test, the verdict in words last.

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

    def plot(self, ax: Any = None) -> Any:
        """Draw returns, the VaR (and ES) below them, and the hits."""
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(10, 4))[1] if ax is None else ax
        returns, var, es, index = self.sample
        days = np.arange(returns.size) if index is None else index
        hits = self.sample.hits
        ax.vlines(days, 0.0, returns, color="0.75", lw=0.6)
        ax.plot(days, -var, color=STRONG, lw=1.2, label=f"VaR {percent(self.confidence)}")
        if es is not None:
            ax.plot(days, -es, color=STRONG, lw=1.0, ls="--", label=f"ES {percent(self.confidence)}")
        label = f"{self.n_hits:,} hits, {returns.size * tail_mass(self.confidence):,.3g} expected"
        ax.plot(np.asarray(days)[hits], returns[hits], "o", color=WARM, ms=4, label=label)
        ax.set_ylabel("return")
        ax.set_title(self.verdict, loc="left", fontsize="medium")
        ax.legend(loc="upper right", ncols=3, frameon=False)
        return ax

    def _title(self) -> str:
        return f"Backtest of {percent(self.confidence)} {'VaR' if self.sample.es is None else 'VaR and ES'}"

    def _rows(self) -> Iterable[Row]:
        n_obs = self.sample.returns.size
        yield "days", n_obs, ""
        yield "hits", self.n_hits, f"{n_obs * tail_mass(self.confidence):,.6g} expected"
        yield "Basel zone", self.traffic_light.zone, f"multiplier {self.traffic_light.multiplier:g}"
        for question, text in QUESTIONS.items():
            asked = [outcome for key, outcome in self.outcomes if key == question]
            if asked:
                yield text, *self._answer(question, sum(_decides(outcome) for outcome in asked))
        rate = detectable_hit_rate(n_obs, self.confidence, nominal=self.significance)
        yield "smallest hit rate it can find", 100.0 * rate, "% (binomial tail test, in 80% of samples)"
        for process in self.sequential:
            yield process.name, "ALARM" if process.reject else "quiet", process.verdict
        for name, score in self.scores.items():
            yield name.replace("_", " "), score, "mean, smaller is better"
        yield "verdict", "", self.verdict

    def _answer(self, question: str, n_tests: int) -> tuple[str, str]:
        if n_tests == 0:
            return "-", "the sample cannot say"
        rejecting, surely = self._rejecting(question), self._rejecting(question, after_holm=True)
        if not rejecting:
            return "yes", f"none of {n_tests} tests rejects at {percent(self.significance)}"
        named = surely or rejecting
        names = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
        counts = f"{len(rejecting)} of {n_tests} tests reject, {len(surely)} after Holm"
        return "NO" if surely else "doubtful", f"{counts}: {names}"


def backtest(
    returns: Any,
    var: Any,
    es: Any = None,
    *,
    confidence: float = 0.99,
    sd: Any = None,
    pit: Any = None,
    significance: float = 0.05,
    null: str = "normal",
    rng: np.random.Generator | None = None,
) -> Backtest:
    """Run every test that applies to a VaR (and ES) forecast.

    Parameters
    ----------
    returns : (n_obs,) array or Series
        Realised returns (or P&L), gains positive, in order of time.
    var : (n_obs,) array or Series, or a number
        VaR forecasts for the same days, as positive losses. A hit is a day with return < -VaR.
    es : (n_obs,) array or Series, or a number, optional
        Expected shortfall forecasts, as positive losses. Without it only VaR is tested.
    confidence : float
        0.99 means 99 % VaR and ES.
    sd : (n_obs,) array or Series, or a number, optional
        Forecast standard deviation, for the tests that can use it.
    pit : (n_obs,) array or Series, optional
        Forecast cdf at the realised return, for the tests of Du and Escanciano.
    significance : float
        Level at which tests reject.
    null : str
        Null distribution of the simulated ES tests: "normal", or "t3", "t5", ...
    rng : numpy.random.Generator, optional
        Source of all draws; by default each test uses one with the fixed seed `DEFAULT_SEED`.

    Returns
    -------
    Backtest
        Prints the verdict in words; `to_frame()` has one row a test, `plot()` draws the hits, `power` says what the
        sample could have detected. A test that the sample cannot answer (no hits, too few days, ES not above zero) is
        in the frame, says why, and does not reject.

    Raises
    ------
    InputError
        Lengths or labels differ, something is not finite or empty, or an option does not fit.

    References
    ----------
    .. [1] Christoffersen (2012), Elements of Financial Risk Management, 2nd ed., chapter 13.
    .. [2] Basel Committee (2019), Minimum capital requirements for market risk, MAR32 and MAR99.

    Examples
    --------
    >>> returns = [-0.03 if day in (50, 51, 52, 120, 121, 200) else 0.001 for day in range(250)]
    >>> result = backtest(returns, 0.02, confidence=0.99)
    >>> result.n_hits, result.traffic_light.zone
    (6, 'yellow')
    >>> result["Christoffersen conditional coverage"].reject
    True
    """
    checked = sample(returns, var, es)
    significance = confidence_level(significance, "significance")
    tail_mass(confidence)
    for given, name in ((sd, "sd"), (pit, "pit")):
        if given is not None and np.ndim(given) and finite_array(given, name).shape != checked.returns.shape:
            raise InputError(f"{name} has another length than returns; they need one day each")
    hits = checked.hits
    process = var_e_process(hits, confidence, significance=significance)
    processes = [replace(process, index=checked.index)]
    tests = _var_tests(checked, confidence, rng)
    if checked.es is not None:
        tests += _es_tests(checked, confidence, sd, null, rng)
        if (checked.es >= checked.var).all():
            process = es_e_process(checked.returns, checked.var, checked.es, confidence, significance=significance)
            processes.append(replace(process, index=checked.index))
    if pit is not None:
        n_draws = _n_draws(checked.returns.size)
        tests.append(("shortfall", lambda: du_escanciano_unconditional(pit, confidence, n_draws=n_draws, rng=rng)))
        tests.append(("independence", lambda: du_escanciano_conditional(pit, confidence, n_draws=n_draws, rng=rng)))
    outcomes = [(question, replace(test(), significance=significance)) for question, test in tests]
    return Backtest(
        sample=checked,
        confidence=float(confidence),
        significance=significance,
        outcomes=tuple(outcomes),
        traffic_light=traffic_light(int(hits.sum()), hits.size, confidence),
        sequential=tuple(processes),
    )


Question = tuple[str, Callable[[], Outcome]]


def _decides(outcome: Outcome) -> bool:
    """Whether the outcome has a finite-sample p-value."""
    return outcome.exact_p_value is not None


def _var_tests(checked: Sample, confidence: float, rng: Any) -> list[Question]:
    """Tests of the hits; the longer the sample, the fewer simulated ones behind a p-value."""
    hits, n_obs, n_hits = checked.hits, checked.returns.size, int(checked.hits.sum())
    first = int(np.argmax(hits)) + 1 if n_hits else None
    n_draws = _n_draws(n_obs)
    return [
        ("coverage", lambda: binomial_z_test(n_hits, n_obs, confidence)),
        ("coverage", lambda: binomial_tail_test(n_hits, n_obs, confidence)),
        ("coverage", lambda: proportion_test(n_hits, n_obs, confidence)),
        ("coverage", lambda: kupiec_pof(n_hits, n_obs, confidence)),
        ("coverage", lambda: kupiec_tuff(first, confidence, n_obs=n_obs)),
        ("independence", lambda: christoffersen_independence(hits, confidence)),
        ("independence", lambda: christoffersen_cc(hits, confidence)),
        ("independence", lambda: haas_tbfi(hits, confidence, n_draws=n_draws, rng=rng)),
        ("independence", lambda: haas_tbf(hits, confidence, n_draws=n_draws, rng=rng)),
        ("independence", lambda: christoffersen_pelletier(hits, confidence, n_draws=n_draws, rng=rng)),
        (
            "independence",
            lambda: dynamic_quantile(checked.returns, checked.var, confidence, n_draws=n_draws, rng=rng),
        ),
    ]


def _n_draws(n_obs: int) -> int:
    return int(np.clip(DAYS_TO_DRAW / n_obs, 99, 999))


def _negligible(sd: np.ndarray, checked: Sample) -> bool:
    """Whether a standard deviation is above zero (others are refused), but too small to divide by."""
    return bool((sd > 0.0).all()) and not can_divide(sd, *checked[:3])


def _es_tests(checked: Sample, confidence: float, sd: Any, null: str, rng: Any) -> list[Question]:
    forecasts = (checked.returns, checked.var, checked.es)
    n_bootstrap = int(np.clip(20_000_000 / max(int(checked.hits.sum()), 1), 1_000, 20_000))
    drawn = {"null": null, "n_draws": _n_draws(checked.returns.size), "rng": rng}
    negligible = sd is not None and _negligible(finite_array(sd, "sd"), checked)

    def no_sd(name: str) -> Outcome:
        why = "sd is negligible beside returns, VaR or ES on some day, and losses are divided by it"
        return undefined(name, "sd is large enough", why)

    tests: list[Question] = [
        ("shortfall", lambda: mcneil_frey_z(*forecasts, confidence, **drawn)),
        (
            "shortfall",
            lambda: (
                no_sd("McNeil-Frey bootstrap")
                if negligible
                else mcneil_frey_bootstrap(*forecasts, sd=sd, n_bootstrap=n_bootstrap, rng=rng)
            ),
        ),
        ("shortfall", lambda: nolde_ziegel_simple(*forecasts, confidence, **drawn)),
        ("shortfall", lambda: nolde_ziegel_one_sided(*forecasts, confidence, **drawn)),
    ]
    if sd is not None:
        tests.append(
            (
                "shortfall",
                lambda: (
                    no_sd("Nolde-Ziegel general")
                    if negligible
                    else nolde_ziegel_general(*forecasts, sd, confidence, **drawn)
                ),
            )
        )
    ratios: tuple[tuple[str, Callable[..., Outcome]], ...] = (
        ("Acerbi-Szekely Z1", acerbi_szekely_z1),
        ("Acerbi-Szekely Z2", acerbi_szekely_z2),
        ("Minimally biased ES", minimally_biased),
    )
    assert checked.es is not None
    positive = can_divide(checked.es, checked.returns, checked.var)
    for name, test in ratios:
        if positive:
            tests.append(("shortfall", functools.partial(test, *forecasts, confidence, null=null, rng=rng)))
        else:
            why = "ES is not above zero (or negligible) on some day, and losses are compared with it"
            tests.append(("shortfall", functools.partial(undefined, name, "ES is large enough", why)))
    return tests
