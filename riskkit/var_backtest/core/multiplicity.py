"""Adjusted p-values for many tests at once: family-wise error rate and false discovery rate."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import InputError, one_of
from riskkit.var_backtest.core.docs import documented

Method = Literal["holm", "benjamini-hochberg", "benjamini-yekutieli", "bonferroni", "none"]
METHODS: tuple[Method, ...] = get_args(Method)


@documented
def adjust_p_values(p_values: Any, method: Method = "holm") -> Any:
    """Adjust p-values for the number of tests.

    Parameters
    ----------
    p_values : array, Series or DataFrame of any shape
        NaN (an undefined test) stays NaN and is not counted.
    method : {"holm", "benjamini-hochberg", "benjamini-yekutieli", "bonferroni", "none"}
        Holm and Bonferroni control the family-wise error rate under any dependence. Benjamini-Hochberg controls the
        false discovery rate for independent or positively dependent tests, Benjamini-Yekutieli under any dependence.

    Returns
    -------
    same type and shape
        Adjusted p-values, at most 1; reject those that are at most the significance.

    References
    ----------
    .. [1] Holm (1979), A Simple Sequentially Rejective Multiple Test Procedure.
    .. [2] Benjamini and Hochberg (1995), Controlling the False Discovery Rate.
    .. [3] Benjamini and Yekutieli (2001), The Control of the False Discovery Rate in Multiple Testing under Dependency.

    Examples
    --------
    >>> adjust_p_values([0.01, 0.04, 0.03, 0.005]).round(6).tolist()
    [0.03, 0.06, 0.06, 0.02]
    >>> adjust_p_values([0.01, 0.04, 0.03, 0.005], "benjamini-hochberg").round(6).tolist()
    [0.02, 0.04, 0.04, 0.02]
    """
    one_of(method, METHODS, "method")
    try:
        given = np.asarray(p_values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"p_values holds something that is not a number ({error})") from None
    known = ~np.isnan(given)
    p = given[known]
    if ((p < 0.0) | (p > 1.0)).any():
        raise InputError(f"p_values holds {p[(p < 0.0) | (p > 1.0)][0]:g}; probabilities are between 0 and 1")
    adjusted = np.full(given.shape, np.nan)
    adjusted[known] = _adjust(p, method)
    if hasattr(p_values, "to_numpy"):
        made = p_values.astype(float).copy()
        made[:] = adjusted
        return made
    return adjusted


def _adjust(p: np.ndarray, method: str) -> np.ndarray:
    size = p.size
    if method == "none" or size == 0:
        return p
    if method == "bonferroni":
        return np.asarray(np.minimum(p * size, 1.0))
    order = np.argsort(p, kind="stable")
    rank = np.arange(1, size + 1)
    if method == "holm":
        ladder = np.maximum.accumulate(p[order] * (size - rank + 1))
    else:
        harmonic = np.sum(1.0 / rank) if method == "benjamini-yekutieli" else 1.0
        ladder = np.minimum.accumulate((p[order] * size * harmonic / rank)[::-1])[::-1]
    adjusted = np.empty(size)
    adjusted[order] = np.minimum(ladder, 1.0)
    return adjusted
