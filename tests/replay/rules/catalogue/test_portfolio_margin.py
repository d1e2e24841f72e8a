"""Portfolio margin: its points, the tail of its scenarios, and data that it leaves as they were."""

from __future__ import annotations

import numpy as np
import pytest
from rows import load

from riskkit import Account, Instrument, Rule, RuleSet, replay_log
from riskkit.rules import InitialMargin, MaintenanceMargin


def state_after(parameters, qty, orders=1, held=None):
    rows = [{"kind": "price", "instrument": "A", "price": 100, "ts": 0}]
    one = {"kind": "order", "account": "X", "instrument": "A", "side": "B", "qty": qty, "price": 100}
    rows += [{**one, "ts": ts} for ts in range(1, orders + 1)]
    accounts = [Account("X", {"USD": -(10**7)}, held or {})]
    log = load(*rows, instruments=[Instrument("A"), Instrument("B")], accounts=accounts, unit="ns")
    return replay_log(log, RuleSet([Rule("m", parameters)]), compiled=False)


def required(parameters, qty, held=None):
    return state_after(parameters, qty, held=held).to_frame()["observed"].tolist()


@pytest.mark.parametrize(("pair", "found"), [(["-0.08", "0.06"], 80), (["-0.05", "0.1"], 50), ([0, "0.1"], 0)])
def test_a_long_loses_what_its_price_falls_by_at_most(pair, found):
    assert required(InitialMargin("portfolio", ranges={"*": pair}), 10) == [found]


@pytest.mark.parametrize(
    ("method", "confidence", "found"),
    [
        ("var", "0.99", 90),
        ("var", "0.8", 70),
        ("var", "0.81", 80),
        ("es", "0.8", 80),
        ("es", "0.99", 90),
    ],
)
def test_the_tail_is_of_whole_scenarios(method, confidence, found):
    """Losses of 90, 80, ... 0 of one A."""
    rule = InitialMargin("portfolio", method=method, confidence=confidence, arrays={"A": [-10 * k for k in range(10)]})
    assert required(rule, 1) == [found]


def test_a_portfolio_that_gains_in_its_tail_requires_nothing():
    assert required(InitialMargin("portfolio", method="es", arrays={"A": [5, 6, 7]}), 1) == [0]


def test_a_mean_that_is_no_whole_cent_is_rounded_against_the_trader():
    rule = InitialMargin("portfolio", method="es", confidence="0.51", arrays={"A": [-1, 0, 0, 5, 5]})
    assert required(rule, 1) == [0.34]


def test_a_check_leaves_the_data_as_they_were():
    rule = InitialMargin("portfolio", method="es", confidence="0.6", arrays={"A": [-3, 2, -1], "B": [1, 1, 5]})
    first, second = (state_after(rule, 3, orders, {"B": 2}).state.memory for orders in (1, 2))
    np.testing.assert_array_equal(first, second)


def test_the_words_name_the_measure_and_its_charges():
    house = MaintenanceMargin(
        "portfolio", method="es", factor=3, rate="0.1", arrays={"A": [-1]}, adv={"A": 5}, half_spread={"A": 1}
    )
    assert (
        "3 times the expected shortfall of the scenarios, with a charge for concentration, with a charge for liquidity"
        in Rule("m", house).limit_text()
    )
    assert "at ten prices of each underlying" in Rule("m", InitialMargin("portfolio")).limit_text()
