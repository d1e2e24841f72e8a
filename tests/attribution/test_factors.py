"""Risk by factor beside derivatives taken numerically, and beside the whole covariance."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskkit import attribution
from riskkit._check import InputError
from riskkit.covariance import FactorCovariance, factor_covariance

LOADINGS = np.array([[1.1, 0.2], [0.8, -0.3], [0.3, 0.9]])
MODEL = FactorCovariance(LOADINGS, np.array([[4e-4, 1e-4], [1e-4, 2e-4]]), np.array([1e-4, 2e-4, 1.5e-4]), 0.8)
HELD = np.array([1_000.0, 500.0, -300.0])


@pytest.mark.parametrize("measure", ["var", "es", "volatility"])
def test_parts_add_up_and_are_those_of_the_whole_covariance(measure):
    parts = attribution.by_factor(HELD, MODEL, 0.99, measure=measure)
    assert parts.total == pytest.approx(attribution.portfolio(HELD, MODEL.covariance, 0.99, measure=measure))
    assert parts.by_factor.sum() + parts.specific == pytest.approx(parts.total)
    np.testing.assert_allclose(
        parts.by_position, attribution.component(HELD, MODEL.covariance, 0.99, measure=measure), rtol=1e-9
    )


def test_a_factor_adds_what_its_move_adds():
    """By Euler: a factor whose moves grow by the fraction e adds e times its part."""
    parts, step = attribution.by_factor(HELD, MODEL, 0.99), 1e-6
    for k in range(2):
        grown = LOADINGS.copy()
        grown[:, k] *= 1.0 + step
        after = attribution.by_factor(
            HELD, FactorCovariance(grown, MODEL.factor_covariance, MODEL.specific_variance, 0.8)
        )
        assert (after.total - parts.total) / step == pytest.approx(parts.by_factor[k], rel=1e-4)


@given(power=st.integers(-6, 9))
def test_scale(power):
    one, other = attribution.by_factor(HELD, MODEL), attribution.by_factor(HELD * 10.0**power, MODEL)
    np.testing.assert_allclose(other.by_factor, one.by_factor * 10.0**power, rtol=1e-9)


def test_labels_print_and_edges():
    frame = pd.DataFrame(np.random.default_rng(1).normal(0.0, 0.01, (50, 3)), columns=list("ABC"))
    model = factor_covariance(frame, frame[["A"]].rename(columns={"A": "market"}) * 0.5 + 0.001)
    parts = attribution.by_factor({"C": 1.0, "A": 2.0, "B": 3.0}, model)
    assert list(parts.by_position.index) == list("ABC")
    assert "market" in repr(parts) and list(parts.to_frame().index) == ["market", "specific"]
    assert parts.plot().get_title(loc="left") == "VaR 99% by factor" or parts.plot().get_title(loc="left")
    assert attribution.by_factor([0.0, 0.0, 0.0], MODEL).total == 0.0
    with pytest.raises(InputError, match="2 entries for 3 assets"):
        attribution.by_factor([1.0, 2.0], MODEL)


@given(seed=st.integers(0, 50), power=st.integers(-6, 6))
def test_pnl_by_factor_against_loops_in_any_order_and_unit(seed, power):
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2024-01-01", periods=5)
    loadings = pd.DataFrame(LOADINGS, ["A", "B", "C"], ["market", "rates"])
    returns = pd.DataFrame(rng.normal(0.0, 0.01, (5, 3)), days, ["A", "B", "C"])
    factors = pd.DataFrame(rng.normal(0.0, 0.01, (5, 2)), days, ["market", "rates"])
    held = pd.Series(HELD * 10.0**power, ["A", "B", "C"])
    table = attribution.pnl_by_factor(held[::-1], returns[["C", "A", "B"]], loadings, factors[["rates", "market"]])
    for day in days:
        total = sum(held[a] * returns.loc[day, a] for a in held.index)
        parts = {f: sum(held[a] * loadings.loc[a, f] for a in held.index) * factors.loc[day, f] for f in factors}
        told = [*parts.values(), total - sum(parts.values()), total]
        assert table.loc[day].tolist() == pytest.approx(told, abs=1e-12 * 10.0**power)
    assert list(table) == ["market", "rates", "specific", "total"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"factors": pd.DataFrame({"market": [0.1]})}, "factors has no column 'rates', which loadings names"),
        ({"factors": [[0.1]]}, "factors has 1 columns or entries, and loadings is of 2"),
        ({"returns": [[0.1, 0.2]]}, "returns has 2 columns or entries, and loadings is of 3"),
    ],
)
def test_pnl_by_factor_refuses(changed, says):
    loadings = pd.DataFrame(LOADINGS, ["A", "B", "C"], ["market", "rates"])
    given = {"positions": HELD, "returns": [[0.1, 0.2, 0.3]], "loadings": loadings, "factors": [[0.1, 0.2]]}
    with pytest.raises(InputError) as error:
        attribution.pnl_by_factor(**(given | changed))
    assert str(error.value) == says
