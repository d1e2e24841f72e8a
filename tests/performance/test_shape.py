"""Tail ratio and stability: by regression and quantiles, and what is undefined."""

import numpy as np
import pytest
from scipy.stats import linregress

from riskkit._check import InputError
from riskkit.performance import stability, tail_ratio

RETURNS = 0.01 * np.random.default_rng(1).standard_normal((200, 2)) + 0.001


def test_by_other_functions():
    wealth = np.cumsum(np.log1p(RETURNS[:, 0]))
    assert stability(RETURNS)[0] == pytest.approx(linregress(np.arange(200.0), wealth).rvalue ** 2)
    assert stability(np.full(50, 0.01)) == pytest.approx(1.0)
    ordered = np.sort(RETURNS[:, 1])
    assert tail_ratio(RETURNS, 0.5)[1] == pytest.approx(abs(np.quantile(ordered, 0.75) / np.quantile(ordered, 0.25)))
    assert tail_ratio([0.0] * 99 + [0.01], 0.99) == np.inf
    assert tail_ratio(-RETURNS)[0] == pytest.approx(1.0 / tail_ratio(RETURNS)[0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tail_ratio([0.0, 0.0]), "quantiles of zero"),
        (lambda: stability([0.0, 0.0, 0.0]), "is zero everywhere"),
        (lambda: stability([0.1, -1.0, 0.1]), "a total loss"),
        (lambda: stability([0.1, -1.5, 0.1]), "cannot lose more than -1"),
        (lambda: tail_ratio([0.1], 90), "coverage=90 is not between 0 and 1"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()
