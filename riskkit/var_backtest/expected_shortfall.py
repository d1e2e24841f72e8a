"""Were losses beyond VaR as large as ES said? Acerbi-Szekely Z1 and Z2, and the minimally biased test.

ES is backtested with VaR: `var` says which days count, `es` how large their losses should be on average.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._check import confidence_level, one_of, whole_number
from riskkit._show import percent
from riskkit._tail import tail_mass
from riskkit.var_backtest.distributions import normal_tail
from riskkit.var_backtest.hits import Sample, es_sample
from riskkit.var_backtest.outcome import Outcome, undefined
from riskkit.var_backtest.simulated_hits import monte_carlo_p_value
from riskkit.var_backtest.tail_simulation import tail_draws

__all__ = [
    "acerbi_szekely_critical",
    "acerbi_szekely_p_value",
    "acerbi_szekely_z1",
    "acerbi_szekely_z2",
    "minimally_biased",
]

STATISTICS = ("z1", "z2", "minimally_biased")


def acerbi_szekely_z1(
    returns: Any,
    var: Any,
    es: Any,
    confidence: float = 0.975,
    *,
    null: str = "normal",
    n_draws: int | None = None,
    rng: np.random.Generator | None = None,
) -> Outcome:
    """Acerbi and Szekely's first test: the size of losses beyond VaR, given that they occur.

    Parameters
    ----------
    returns : (n_obs,) array or Series
        Realised returns, gains positive.
    var, es : (n_obs,) array or Series, or a number
        Forecasts for the same days, positive losses.
    confidence : float
        0.975 means 97.5 % VaR and ES.
    null : str
        Distribution of the losses of a true model, for the simulated p-value: "normal", or "t3" (Student t with 3
        degrees of freedom) and so on.
    n_draws : int, optional
        Number of simulated samples; by default 20,000, fewer for very long samples.
    rng : numpy.random.Generator, optional
        Source of the draws; by default one with the fixed seed `DEFAULT_SEED`, whose draws are kept.

    Returns
    -------
    Outcome
        statistic Z1 = 1 - mean over hits of loss/ES: 0 for a true model, negative when ES is too small. p-value: lower
        tail under `null`, by simulation; `details` has it for Student t with 3 degrees of freedom as well.
        Undefined without a hit.

    Raises
    ------
    InputError
        Lengths differ, something is not finite, or an ES is not above zero.

    References
    ----------
    .. [1] Acerbi and Szekely (2014), Backtesting Expected Shortfall, test 1.

    Examples
    --------
    >>> outcome = acerbi_szekely_z1([0.01, -0.03, 0.0, -0.05], 0.02, 0.025, 0.75)
    >>> round(outcome.statistic, 6)
    -0.6
    """
    checked, p = es_sample(returns, var, es), tail_mass(confidence)
    null_text = "losses beyond VaR are on average as large as ES says"
    hits = checked.hits
    if not hits.any():
        return undefined("Acerbi-Szekely Z1", null_text, "no hit, so no loss beyond VaR to compare with ES")
    statistic = float(1.0 - np.mean(_loss_over_es(checked)[hits]))
    finding = f"losses beyond VaR were {1.0 - statistic:.3g} times ES on average"
    return _simulated("Acerbi-Szekely Z1", null_text, finding, statistic, "z1", hits.size, p, null, n_draws, rng)


def acerbi_szekely_z2(
    returns: Any,
    var: Any,
    es: Any,
    confidence: float = 0.975,
    *,
    null: str = "normal",
    n_draws: int | None = None,
    rng: np.random.Generator | None = None,
) -> Outcome:
    """Acerbi and Szekely's second test: number and size of losses beyond VaR together.

    Parameters
    ----------
    returns : (n_obs,) array or Series
        Realised returns, gains positive.
    var, es : (n_obs,) array or Series, or a number
        Forecasts for the same days, positive losses.
    confidence : float
        0.975 means 97.5 % VaR and ES.
    null : str
        Distribution of the losses of a true model, for the simulated p-value: "normal", or "t3" (Student t with 3
        degrees of freedom) and so on.
    n_draws : int, optional
        Number of simulated samples; by default 20,000, fewer for very long samples.
    rng : numpy.random.Generator, optional
        Source of the draws; by default one with the fixed seed `DEFAULT_SEED`, whose draws are kept.

    Returns
    -------
    Outcome
        statistic Z2 = 1 - sum over hits of loss/ES, divided by n p: 0 for a true model, negative when ES is too small,
        1 without a hit. p-value: lower tail under `null`, by simulation.

    Raises
    ------
    InputError
        Lengths differ, something is not finite, or an ES is not above zero.

    References
    ----------
    .. [1] Acerbi and Szekely (2014), Backtesting Expected Shortfall, test 2.

    Examples
    --------
    >>> outcome = acerbi_szekely_z2([0.01, -0.03, 0.0, -0.05], 0.02, 0.025, 0.75)
    >>> round(outcome.statistic, 6)
    -2.2
    """
    checked, p = es_sample(returns, var, es), tail_mass(confidence)
    hits = checked.hits
    relative = float(_loss_over_es(checked)[hits].sum() / (hits.size * p))
    return _simulated(
        "Acerbi-Szekely Z2",
        "losses beyond VaR are as many and as large as ES says",
        f"losses beyond VaR add up to {relative:.3g} times what ES says",
        1.0 - relative,
        "z2",
        hits.size,
        p,
        null,
        n_draws,
        rng,
    )


def minimally_biased(
    returns: Any,
    var: Any,
    es: Any,
    confidence: float = 0.975,
    *,
    relative: bool = True,
    null: str = "normal",
    n_draws: int | None = None,
    rng: np.random.Generator | None = None,
) -> Outcome:
    """Acerbi and Szekely's minimally biased test: a wrong VaR hardly disturbs it, and only towards rejection.

    Parameters
    ----------
    returns : (n_obs,) array or Series
        Realised returns, gains positive.
    var, es : (n_obs,) array or Series, or a number
        Forecasts for the same days, positive losses.
    confidence : float
        0.975 means 97.5 % VaR and ES.
    null : str
        Distribution of the losses of a true model, for the simulated p-value: "normal", or "t3" (Student t with 3
        degrees of freedom) and so on.
    n_draws : int, optional
        Number of simulated samples; by default 20,000, fewer for very long samples.
    rng : numpy.random.Generator, optional
        Source of the draws; by default one with the fixed seed `DEFAULT_SEED`, whose draws are kept.
    relative : bool
        Divide each day by its ES (free of scale, simulated p-value); else the statistic is in units of the returns
        and has a normal p-value.

    Returns
    -------
    Outcome
        statistic = mean of (ES - VaR - (loss - VaR)+/p), over ES if relative: 0 for a true model, negative when ES is
        too small.

    Raises
    ------
    InputError
        Lengths differ, something is not finite, or an ES is not above zero.

    References
    ----------
    .. [1] Acerbi and Szekely (2019), The Minimally Biased Backtest for ES, Risk.

    Examples
    --------
    >>> outcome = minimally_biased([0.01, -0.03, 0.0, -0.05], 0.02, 0.025, 0.75)
    >>> round(outcome.statistic, 6)
    -1.4
    """
    checked, p = es_sample(returns, var, es), tail_mass(confidence)
    assert checked.es is not None
    name, null_text = "Minimally biased ES", "ES is as large as the losses beyond VaR make it"
    gap = checked.es - checked.var - np.maximum(-checked.returns - checked.var, 0.0) / p
    if relative:
        statistic = float(np.mean(gap / checked.es))
        finding = f"ES is {percent(round(abs(statistic), 4))} too {'small' if statistic < 0 else 'large'}"
        n_obs = gap.size
        return _simulated(name, null_text, finding, statistic, "minimally_biased", n_obs, p, null, n_draws, rng)
    statistic, spread = float(gap.mean()), float(gap.std(ddof=1)) if gap.size > 1 else 0.0
    finding = f"ES is {abs(statistic):.4g} too {'small' if statistic < 0 else 'large'}"
    if spread == 0.0:
        return undefined(name, null_text, "the days do not differ, so there is no standard error", statistic)
    z = statistic / (spread / math.sqrt(gap.size))
    return Outcome(
        name, null_text, finding, statistic, "standard normal, lower tail", normal_tail(-z), details={"z": z}
    )


def acerbi_szekely_critical(
    n_obs: int,
    confidence: float = 0.975,
    *,
    significance: float = 0.05,
    statistic: str = "z2",
    null: str = "normal",
    n_draws: int | None = None,
    rng: np.random.Generator | None = None,
) -> float:
    """Critical value below which a test of ES rejects, simulated under a stated null and kept.

    Parameters
    ----------
    n_obs : int
        Number of days.
    confidence : float
        0.975 means 97.5 % VaR and ES.
    significance : float
        Share of true models that fall below.
    statistic : {"z1", "z2", "minimally_biased"}
        Which statistic.
    null, n_draws, rng
        As in `acerbi_szekely_z1`.

    Returns
    -------
    float
        The lower `significance` quantile.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Acerbi and Szekely (2014), Backtesting Expected Shortfall, section on test 2.

    Examples
    --------
    >>> round(acerbi_szekely_critical(250, 0.975), 1)
    -0.7
    """
    n_obs, p = whole_number(n_obs, "n_obs"), tail_mass(confidence)
    level = confidence_level(significance, "significance")
    draws = tail_draws(n_obs, p, null, n_draws, rng)
    values = getattr(draws, one_of(statistic, STATISTICS, "statistic"))
    return float(np.quantile(values, level))


def acerbi_szekely_p_value(
    value: float,
    n_obs: int,
    confidence: float = 0.975,
    *,
    statistic: str = "z2",
    null: str = "normal",
    n_draws: int | None = None,
    rng: np.random.Generator | None = None,
) -> float:
    """Share of true models whose statistic is at most `value`, simulated under a stated null.

    Parameters
    ----------
    value : float
        The observed statistic.
    n_obs, confidence, statistic, null, n_draws, rng
        As in `acerbi_szekely_critical`.

    Returns
    -------
    float
        (1 + draws at most `value`)/(1 + draws).

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Acerbi and Szekely (2014), Backtesting Expected Shortfall, section on test 2.

    Examples
    --------
    >>> round(acerbi_szekely_p_value(-0.7, 250, 0.975), 2)
    0.05
    """
    draws = tail_draws(whole_number(n_obs, "n_obs"), tail_mass(confidence), null, n_draws, rng)
    values = getattr(draws, one_of(statistic, STATISTICS, "statistic"))
    return monte_carlo_p_value(value, values, lower=True)


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
) -> Outcome:
    draws = getattr(tail_draws(n_obs, p, null, n_draws, rng), kind)
    heavy = getattr(tail_draws(n_obs, p, "t3", n_draws, rng), kind)
    p_value = monte_carlo_p_value(statistic, draws, lower=True)
    return Outcome(
        test,
        null_text,
        finding,
        statistic,
        f"{null} null",
        p_value,
        p_value,
        f"{draws.size:,} simulated samples",
        details={"p_value_t3": monte_carlo_p_value(statistic, heavy, lower=True)},
    )


def _loss_over_es(checked: Sample) -> np.ndarray:
    assert checked.es is not None
    return -checked.returns / checked.es
