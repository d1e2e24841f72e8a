"""The method's capital is the largest of three sums, over everything that is charged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusing import refusal

from riskkit import frtb

CHARGE = st.fixed_dictionaries({name: st.floats(0.0, 1e9) for name in ("low", "medium", "high")})


@given(parts=st.lists(CHARGE, min_size=1, max_size=6))
def test_the_largest_of_the_sums_is_at_most_the_sum_of_the_largest(parts):
    found = frtb.sensitivities_capital(parts)
    sums = {name: sum(part[name] for part in parts) for name in ("low", "medium", "high")}
    assert found.charges == pytest.approx(sums) and found.capital == found.charges[found.scenario]
    assert found.capital == max(found.charges.values())
    assert found.capital <= sum(max(part.values()) for part in parts) * (1.0 + 1e-12)


def test_charges_of_all_classes_stand_beside_plain_numbers():
    rates = frtb.girr_delta({"USD": {1: 1e6, 10: -8e5}})
    oil = frtb.commodity_delta({2: [("WTI", 1, "here", 1e6), ("Brent", 1, "there", -1e6)]})
    curvature = {"low": 5.0, "medium": 5.0, "high": 5.0}
    found = frtb.sensitivities_capital([rates, oil, curvature])
    for name, total in found.charges.items():
        assert total == pytest.approx(rates.charges[name] + oil.charges[name] + 5.0)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([], "charges is empty; give the charge of at least one risk class"),
        ([5.0], "charges holds 5.0; give a SensitivitiesCharge, or money by low, medium, high"),
        ([{"low": 1.0, "high": 2.0}], "give a SensitivitiesCharge, or money by low, medium, high"),
        ([{"low": 1.0, "medium": -2.0, "high": 2.0}], "charge of the medium scenario=-2"),
        ([{"low": 1.0, "medium": float("nan"), "high": 2.0}], "charge of the medium scenario"),
    ],
)
def test_what_is_no_charge_is_refused(given, why):
    assert why in refusal(frtb.sensitivities_capital, given)
