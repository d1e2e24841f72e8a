"""Options, bonds and perpetual futures: differences, parity, trees, substitution, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from riskkit import instruments
from riskkit._check import InputError
from riskkit.instruments import american_option, bachelier, black76, bond, european_option, key_rates, option_ladder

TERMS = {"rate": 0.03, "dividend_yield": 0.01}


@given(st.floats(50.0, 200.0), st.floats(0.05, 3.0), st.floats(0.05, 0.9), st.sampled_from(["call", "put"]))
def test_sensitivities_are_differences_of_the_price(spot, years, volatility, side):
    def price(s=spot, t=years, v=volatility, r=0.03):
        return european_option(s, 100.0, t, v, rate=r, dividend_yield=0.01, option=side).price

    found = european_option(spot, 100.0, years, volatility, **TERMS, option=side)
    h = 1e-4
    assert found.delta == pytest.approx((price(s=spot + h) - price(s=spot - h)) / (2 * h), abs=1e-6)
    assert found.vega == pytest.approx((price(v=volatility + h) - price(v=volatility - h)) / (2 * h), abs=1e-4)
    assert found.theta == pytest.approx(-(price(t=years + h) - price(t=years - h)) / (2 * h), abs=1e-3)
    assert found.rho == pytest.approx((price(r=0.03 + h) - price(r=0.03 - h)) / (2 * h), abs=1e-4)
    near, far = (european_option(spot + e, 100.0, years, volatility, **TERMS, option=side) for e in (h, -h))
    assert found.gamma == pytest.approx((near.delta - far.delta) / (2 * h), abs=1e-6)
    wilder, calmer = (european_option(spot, 100.0, years, volatility + e, **TERMS, option=side) for e in (h, -h))
    assert found.vanna == pytest.approx((wilder.delta - calmer.delta) / (2 * h), abs=1e-4)
    assert found.volga == pytest.approx((wilder.vega - calmer.vega) / (2 * h), abs=1e-2)


def test_the_price_is_a_discounted_mean_and_scales_with_money():
    spot, strike, years, volatility = 100.0, 110.0, 0.7, 0.4

    def payoff(z):
        end = spot * math.exp((0.02 - 0.08) * years + volatility * math.sqrt(years) * z)
        return max(strike - end, 0.0) * math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)

    mean = math.exp(-0.03 * years) * quad(payoff, -12.0, 12.0, points=[0.5, 1.0], limit=200)[0]
    found = european_option(spot, strike, years, volatility, **TERMS, option="put")
    assert found.price == pytest.approx(mean, rel=1e-6)
    larger = european_option(1e6 * spot, 1e6 * strike, years, volatility, **TERMS, option="put")
    assert larger.price == pytest.approx(1e6 * found.price) and larger.delta == pytest.approx(found.delta)


def test_parity_arrays_and_forwards():
    spots = np.array([80.0, 100.0, 125.0])
    call, put = (european_option(spots, 100.0, 0.5, 0.25, **TERMS, option=side).price for side in ("call", "put"))
    assert call - put == pytest.approx(spots * math.exp(-0.005) - 100.0 * math.exp(-0.015))
    forward = 100.0 * math.exp(0.02 * 0.5)
    assert black76(forward, 100.0, 0.5, 0.25, rate=0.03) == pytest.approx(call[1])
    gain = quad(lambda z: max(3.0 * z - 1.0, 0.0) * math.exp(-0.5 * z * z), -12.0, 12.0, points=[1.0 / 3.0])[0]
    wanted = math.exp(-0.03) * gain / math.sqrt(2.0 * math.pi)
    assert bachelier(100.0, 101.0, 1.0, 3.0, rate=0.03) == pytest.approx(wanted)
    high, low = (bachelier(-0.01, -0.02, 1.0, 0.01, option=side) for side in ("call", "put"))
    assert high - low == pytest.approx(0.01)


def test_an_american_option_is_worth_its_exercise_and_no_less_than_a_european_one():
    for side in ("call", "put"):
        european = european_option(100.0, 95.0, 0.8, 0.3, rate=0.06, option=side).price
        found = american_option(100.0, 95.0, 0.8, 0.3, rate=0.06, option=side, steps=301)
        assert found >= european - 1e-4
        if side == "call":  # without dividends it is never exercised early
            assert found == pytest.approx(european, rel=1e-4)
    assert american_option(60.0, 100.0, 1.0, 0.1, rate=0.1) == pytest.approx(40.0)


def test_a_ladder_is_exact_at_its_centre_and_near_it():
    found = option_ladder(100.0, 105.0, 0.25, 0.25, rate=0.02, quantity=-10.0, spot_shifts=[-0.01, 0.0, 0.01])
    assert found.revalued.loc[0.0, 0.0] == found.expanded.loc[0.0, 0.0] == 0.0
    assert np.abs(found.error[0.0]).max() < 0.01 * np.abs(found.revalued[0.0]).max()
    assert "by sensitivities" in repr(found) and found.plot().get_xlabel() == "relative change of the spot price"


@pytest.mark.parametrize("continuous", [False, True])
def test_bond_sensitivities_are_differences(continuous):
    def price(rate):
        return bond(1000.0, 0.04, 7.0, rate, frequency=2, continuous=continuous).price

    found, h = bond(1000.0, 0.04, 7.0, 0.05, continuous=continuous), 1e-4
    assert found.modified == pytest.approx(-(price(0.05 + h) - price(0.05 - h)) / (2 * h) / found.price)
    assert found.convexity == pytest.approx(
        (price(0.05 + h) + price(0.05 - h) - 2 * found.price) / h**2 / found.price, rel=1e-4
    )
    assert found.second_order(0.001) == pytest.approx(price(0.051) - found.price, rel=1e-4)
    assert bond(100.0, 0.05, 4.0, 0.05).price == pytest.approx(100.0)


def test_key_rates_are_differences_and_sum_to_the_duration():
    flows = {float(year): 4.0 for year in range(1, 12)} | {0.5: 2.0, 12.0: 104.0}
    curve = key_rates(flows, {10.0: 0.04, 1.0: 0.03, 5.0: 0.036})
    assert curve.tenors.tolist() == [1.0, 5.0, 10.0] and curve.times[-1] == 12.0
    for j in range(3):
        change = 1e-5 * np.eye(3)[j]
        assert -curve.pnl(change) / 1e-5 / curve.price == pytest.approx(curve.durations[j], rel=1e-3)
    parallel = sum(t * a * math.exp(-t * np.interp(t, curve.tenors, curve.rates)) for t, a in flows.items())
    assert curve.effective_duration == pytest.approx(parallel / curve.price)
    assert curve.pnl(np.zeros((2, 3))).tolist() == pytest.approx([0.0, 0.0], abs=1e-9)
    assert curve.amounts.sum() == pytest.approx(sum(flows.values()))


@given(st.floats(1.5, 50.0), st.floats(0.0, 0.9), st.booleans(), st.sampled_from([1e-6, 1.0, 1e5]))
def test_at_the_liquidation_price_the_margin_is_the_maintenance_margin(leverage, share, short, entry):
    rate, sign = share / leverage, -1.0 if short else 1.0
    price = instruments.liquidation_price(entry, leverage, rate, short=short)
    assert entry / leverage + sign * (price - entry) == pytest.approx(rate * price, abs=1e-12 * entry)
    price = instruments.inverse_liquidation_price(entry, leverage, rate, short=short)
    assert 1.0 / (entry * leverage) + sign * (1.0 / entry - 1.0 / price) == pytest.approx(
        rate / price, abs=1e-12 / entry
    )


BRACKETS = [(50.0, 0.01), (250.0, 0.05), (1_000.0, 0.1)]


@given(
    st.floats(-40.0, 40.0).filter(lambda q: abs(q) > 0.01),
    st.floats(0.0, 200.0),
    st.floats(0.0, 30.0),
    st.floats(-30.0, 30.0),
)
def test_at_the_liquidation_price_of_brackets_the_equity_is_the_maintenance_margin(quantity, wallet, other, profit):
    price = instruments.bracket_liquidation_price(wallet, quantity, 10.0, BRACKETS, maintenance=other, profit=profit)
    notional, cum, lower, before = abs(quantity) * price, 0.0, 0.0, 0.0
    for upper, rate in BRACKETS:  # the amount of each bracket makes the margin continuous at its lower bound
        cum += lower * (rate - before)
        if notional <= upper or upper == BRACKETS[-1][0]:
            break
        lower, before = upper, rate
    equity = wallet + profit + quantity * (price - 10.0)
    if price > 0.0:
        assert equity == pytest.approx(notional * rate - cum + other, abs=1e-6)
    else:  # nothing is left at any price, or all of a short's price, or the margin lasts to zero
        assert (equity - other >= -1e-6) if quantity > 0.0 else (equity - other <= 1e-6)


def test_positions_that_are_never_closed_and_funding():
    assert instruments.bracket_liquidation_price(100.0, 1.0, 100.0, BRACKETS) == 0.0
    assert instruments.liquidation_price(100.0, 1.0, 0.0) == 0.0
    assert instruments.inverse_liquidation_price(100.0, 1.0, 0.0, short=True) == math.inf
    assert instruments.funding_rate(0.0003) == pytest.approx(0.0001)
    paid = instruments.funding_payments(-3.0, [10.0, 20.0], [0.01, -0.02])
    assert paid.payments.tolist() == pytest.approx([-0.3, 1.2]) and paid.total == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: european_option(-1.0, 100.0, 1.0, 0.2), "spot=-1 is not above zero"),
        (lambda: european_option(1.0, 100.0, 0.0, 0.2), "years=0 is not above zero"),
        (lambda: european_option([1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 0.2), "shapes that do not fit"),
        (lambda: european_option(1.0, 1.0, 1.0, 0.2, option="both"), "option='both' is not one of"),
        (lambda: black76(-1.0, 1.0, 1.0, 0.2), "forward=-1 is not above zero"),
        (lambda: option_ladder(1.0, 1.0, 1.0, 0.2, spot_shifts=[-1.0]), "spot_shifts holds -1"),
        (lambda: option_ladder(1.0, 1.0, 1.0, 0.2, volatility_shifts=[-0.2]), "volatility_shifts holds -0.2"),
        (lambda: bond(100.0, 0.05, 2.3, 0.05), "years=2.3 is not a whole number of 2 coupon periods"),
        (lambda: bond(100.0, 0.05, 2.0, -2.0), "yield_=-2 is not above -2"),
        (lambda: key_rates({}, {1.0: 0.03}), "cash_flows is empty"),
        (lambda: key_rates({0.0: 1.0}, {1.0: 0.03}), "a time is above zero"),
        (lambda: key_rates({1.0: 1.0, 2.0: -1.0}, {1.0: 0.0}), "a value of zero"),
        (lambda: key_rates({1.0: 1.0}, {1.0: 0.03}).pnl([0.1, 0.1]), "for 1 key tenors"),
        (lambda: instruments.liquidation_price(100.0, 10.0, 0.1), "is to be above maintenance"),
        (lambda: instruments.funding_payments(1.0, [1.0], [0.1, 0.1]), "mark has 1 intervals and rate 2"),
        (lambda: instruments.funding_payments(1.0, [0.0], [0.1]), "mark holds 0"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()
