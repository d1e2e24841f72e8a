"""Acerbi and Szekely's tests of ES: Z1, Z2 and the minimally biased (ridge) backtest.

ES is backtested together with VaR: `var` selects the days, `es` is the expected mean of their losses.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import one_of, probability, whole_number
from riskkit._docs import shared_parameters
from riskkit._show import percent
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import ReturnsLike
from riskkit.var_backtest.core.distributions import normal_tail
from riskkit.var_backtest.core.docs import PARAMETERS
from riskkit.var_backtest.core.hits import Sample, es_sample
from riskkit.var_backtest.core.outcome import TestResult, undefined
from riskkit.var_backtest.core.simulated_hits import monte_carlo_p_value
from riskkit.var_backtest.core.tail_simulation import tail_draws

Statistic = Literal["z1", "z2", "minimally_biased"]
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)
documented = shared_parameters(
    PARAMETERS
    | {
        "n_draws": "int, optional\n    Number of simulated samples; by default 20,000, fewer for very long samples.",
        "statistic": '{"z1", "z2", "minimally_biased"}\n    Test statistic.',
    }
)


@documented
def acerbi_szekely_z1(
    returns: ReturnsLike,
    var: Any,
    es: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    null: str = "normal",
    n_draws: int | None = None,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """Acerbi and Szekely's first test of ES: the size of losses beyond VaR, given that they occur.

    Returns
    -------
    Outcome
        statistic Z1 = 1 - mean over hits of loss/ES: 0 on average for a correct model, negative if ES is too small.
        Simulated p-value in the lower tail under `null`; `details` contains that for Student t with 3 degrees of
        freedom. Undefined without a hit.

    References
    ----------
    .. [1] Acerbi and Szekely (2014), Backtesting Expected Shortfall, test 1.

    Examples
    --------
    >>> outcome = acerbi_szekely_z1([0.01, -0.03, 0.0, -0.05], 0.02, 0.025, 0.75)
    >>> round(outcome.statistic, 6)
    -0.6
    """
    checked, p = es_sample(returns, var, es), tail_probability(confidence)
    null_text = "losses beyond VaR are on average as large as ES"
    hits = checked.hits
    if not hits.any():
        return undefined("Acerbi-Szekely Z1", null_text, "no hit, so no loss beyond VaR to compare with ES")
    statistic = float(1.0 - np.mean(_loss_over_es(checked)[hits]))
    finding = f"losses beyond VaR were {1.0 - statistic:.3g} times ES on average"
    return _simulated("Acerbi-Szekely Z1", null_text, finding, statistic, "z1", hits.size, p, null, n_draws, rng)


@documented
def acerbi_szekely_z2(
    returns: ReturnsLike,
    var: Any,
    es: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    null: str = "normal",
    n_draws: int | None = None,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """Acerbi and Szekely's second test of ES: number and size of losses beyond VaR together.

    Returns
    -------
    Outcome
        statistic Z2 = 1 - (sum over hits of loss/ES)/(n p): 0 on average for a correct model, negative if ES is too
        small, 1 without a hit. Simulated p-value in the lower tail under `null`.

    References
    ----------
    .. [1] Acerbi and Szekely (2014), Backtesting Expected Shortfall, test 2.

    Examples
    --------
    >>> outcome = acerbi_szekely_z2([0.01, -0.03, 0.0, -0.05], 0.02, 0.025, 0.75)
    >>> round(outcome.statistic, 6)
    -2.2
    """
    checked, p = es_sample(returns, var, es), tail_probability(confidence)
    hits = checked.hits
    relative = float(_loss_over_es(checked)[hits].sum() / (hits.size * p))
    return _simulated(
        "Acerbi-Szekely Z2",
        "number and size of losses beyond VaR are as forecast",
        f"losses beyond VaR add up to {relative:.3g} times their expectation",
        1.0 - relative,
        "z2",
        hits.size,
        p,
        null,
        n_draws,
        rng,
    )


@documented
def acerbi_szekely_ridge(
    returns: ReturnsLike,
    var: Any,
    es: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    relative: bool = True,
    null: str = "normal",
    n_draws: int | None = None,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """Acerbi and Szekely's minimally biased test of ES, in which a wrong VaR has little effect, towards rejection.

    Parameters
    ----------
    relative : bool
        True: divide each day by its ES (free of scale, simulated p-value). False: a statistic in units of the returns
        with a normal p-value.

    Returns
    -------
    Outcome
        statistic = mean of (ES - VaR - (loss - VaR)+/p), over ES if relative: 0 on average for a correct model,
        negative if ES is too small.

    References
    ----------
    .. [1] Acerbi and Szekely (2019), The Minimally Biased Backtest for ES, Risk.

    Examples
    --------
    >>> outcome = acerbi_szekely_ridge([0.01, -0.03, 0.0, -0.05], 0.02, 0.025, 0.75)
    >>> round(outcome.statistic, 6)
    -1.4
    """
    checked, p = es_sample(returns, var, es), tail_probability(confidence)
    name, null_text = "Minimally biased ES", "ES is the mean of losses beyond VaR"
    gap = checked.es - checked.var - np.maximum(-checked.returns - checked.var, 0.0) / p
    if relative:
        statistic = float(np.mean(gap / checked.es))
        finding = f"ES is {percent(round(abs(statistic), 4))} too {'small' if statistic < 0 else 'large'}"
        n_obs = gap.size
        return _simulated(name, null_text, finding, statistic, "minimally_biased", n_obs, p, null, n_draws, rng)
    statistic, spread = float(gap.mean()), float(gap.std(ddof=1)) if gap.size > 1 else 0.0
    finding = f"ES is {abs(statistic):.4g} too {'small' if statistic < 0 else 'large'}"
    if spread == 0.0:
        return undefined(name, null_text, "all days are equal, so there is no standard error", statistic)
    z = statistic / (spread / math.sqrt(gap.size))
    return TestResult(
        name, null_text, finding, statistic, "standard normal, lower tail", normal_tail(-z), details={"z": z}
    )


@documented
def acerbi_szekely_critical(
    n_obs: int,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    significance: float = 0.05,
    statistic: Statistic = "z2",
    null: str = "normal",
    n_draws: int | None = None,
    rng: np.random.Generator | None = None,
) -> float:
    """Critical value of a test of ES, simulated under a stated null distribution.

    Returns
    -------
    float
        Lower `significance` quantile of the statistic of a correct model; the test rejects below it.

    References
    ----------
    .. [1] Acerbi and Szekely (2014), Backtesting Expected Shortfall, section on test 2.

    Examples
    --------
    >>> round(acerbi_szekely_critical(250, 0.975), 1)
    -0.7
    """
    n_obs, p = whole_number(n_obs, "n_obs"), tail_probability(confidence)
    level = probability(significance, "significance")
    draws = tail_draws(n_obs, p, null, n_draws, rng)
    values = getattr(draws, one_of(statistic, STATISTICS, "statistic"))
    return float(np.quantile(values, level))


@documented
def acerbi_szekely_p_value(
    observed: float,
    n_obs: int,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    statistic: Statistic = "z2",
    null: str = "normal",
    n_draws: int | None = None,
    rng: np.random.Generator | None = None,
) -> float:
    """P-value of a test of ES, simulated under a stated null distribution.

    Parameters
    ----------
    observed : float
        Observed statistic.

    Returns
    -------
    float
        (1 + draws at most `observed`)/(1 + draws).

    References
    ----------
    .. [1] Acerbi and Szekely (2014), Backtesting Expected Shortfall, section on test 2.

    Examples
    --------
    >>> round(acerbi_szekely_p_value(-0.7, 250, 0.975), 2)
    0.05
    """
    draws = tail_draws(whole_number(n_obs, "n_obs"), tail_probability(confidence), null, n_draws, rng)
    values = getattr(draws, one_of(statistic, STATISTICS, "statistic"))
    return monte_carlo_p_value(observed, values, lower=True)


def _simulated(
    test: str,
    null_text: str,
    finding: str,
    statistic: float,
    kind: str,
    n_obs: int,
    p: float,
    null: str,
    n_draws: int | None,
    rng: np.random.Generator | None,
) -> TestResult:
    draws = getattr(tail_draws(n_obs, p, null, n_draws, rng), kind)
    heavy = getattr(tail_draws(n_obs, p, "t3", n_draws, rng), kind)
    p_value = monte_carlo_p_value(statistic, draws, lower=True)
    details = {"p_value_t3": monte_carlo_p_value(statistic, heavy, lower=True)}
    samples = f"{draws.size:,} simulated samples"
    return TestResult(test, null_text, finding, statistic, f"{null} null", p_value, p_value, samples, details=details)


def _loss_over_es(checked: Sample) -> np.ndarray:
    return np.asarray(-checked.returns / checked.es)
