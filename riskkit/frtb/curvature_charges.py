"""Curvature charges of the risk classes: within buckets and across them, with the squares of the deltas' correlations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, shown
from riskkit._plain import mapping_of
from riskkit.frtb import tables
from riskkit.frtb.curvature import CurvatureBucket, curvature_bucket
from riskkit.frtb.docs import documented_charge
from riskkit.frtb.risk_classes import COMMODITY, EQUITY, FactorClass, credit_class, product_of_labels
from riskkit.frtb.sensitivities import SCENARIOS, SensitivitiesCharge, correlation_matrix, correlations_of

UpDown = tuple[float, float]


@documented_charge
def aggregate_curvature(risks: Mapping[Any, Any], within: Any, between: Any) -> SensitivitiesCharge:
    """Curvature charge of a risk class from the curvature risks of its buckets, under three correlation scenarios.

    Parameters
    ----------
    risks : mapping of bucket to (n_factors, 2)
        Curvature risk of the upward and of the downward shock of each factor (`curvature_risk`), money.
    within : number, or one per bucket
        Correlation of two deltas within a bucket: a number or a matrix; None for a bucket that adds up losses ("other sector").
    between : number or (n_buckets, n_buckets)
        Correlation of the deltas of two buckets.

    References
    ----------
    Basel Framework, MAR21.5(3) and (4), 21.56, 21.79, 21.100 and 21.101.

    Examples
    --------
    >>> charge = aggregate_curvature({"a": [[120.0, -40.0], [-15.0, 60.0]], "b": [[-30.0, 20.0]]}, 0.15, 0.5)
    >>> {scenario: round(amount, 2) for scenario, amount in charge.charges.items()}
    {'low': 124.61, 'medium': 125.57, 'high': 126.54}
    """
    risks = mapping_of(risks, "risks")
    if not isinstance(risks, Mapping) or not risks:
        raise InputError("risks has no bucket; give a mapping with at least one")
    pairs = {name: _up_and_down(each, f"bucket {shown(name)}") for name, each in risks.items()}
    rho = list(within) if isinstance(within, (list, tuple)) else [within] * len(pairs)
    if len(rho) != len(pairs):
        raise InputError(f"within has {len(rho)} entries for {len(pairs)} buckets; give one for each")
    gamma = correlation_matrix(between, len(pairs), "between") ** 2
    buckets, sums, charges = {}, {}, {}
    for scenario in SCENARIOS:
        found = [_of_bucket(up, down, part, scenario) for (up, down), part in zip(pairs.values(), rho, strict=True)]
        kb, net = np.array([each.charge for each in found]), np.array([each.net for each in found])
        shared = np.where((net < 0.0)[:, None] & (net < 0.0), 0.0, correlations_of(gamma, scenario))
        np.fill_diagonal(shared, 0.0)
        buckets[scenario], sums[scenario] = kb, net
        charges[scenario] = math.sqrt(max(0.0, float(kb @ kb + net @ shared @ net)))
    never = dict.fromkeys(SCENARIOS, False)
    return SensitivitiesCharge(max(charges.values()), charges, buckets, sums, tuple(pairs), never)


@documented_charge
def girr_curvature(risks: Mapping[str, UpDown]) -> SensitivitiesCharge:
    """Curvature charge of interest rates: all curves of a currency are shifted at once.

    Parameters
    ----------
    risks : mapping of currency to (up, down)
        Curvature risks of a parallel shift by the highest weight, 1.7 % (over sqrt(2) where the delta's is), money.

    References
    ----------
    Basel Framework, MAR21.8(5), 21.99 and 21.101.

    Examples
    --------
    >>> round(girr_curvature({"EUR": (300.0, -100.0), "USD": (200.0, 250.0)}).charges["medium"], 2)
    435.89
    """
    return aggregate_curvature(_single(risks), 1.0, tables.GIRR_BETWEEN)


@documented_charge
def fx_curvature(risks: Mapping[str, UpDown]) -> SensitivitiesCharge:
    """Curvature charge of exchange rates.

    Parameters
    ----------
    risks : mapping of currency to (up, down)
        Curvature risks of a relative move by 15 % (over sqrt(2) where the delta's is), money; divided by 1.5 where neither
        currency of an option is the reporting one.

    References
    ----------
    Basel Framework, MAR21.14(3), 21.98 and 21.101.

    Examples
    --------
    >>> round(fx_curvature({"EUR": (30.0, 10.0), "JPY": (-5.0, 20.0)}).charges["medium"], 2)
    41.62
    """
    return aggregate_curvature(_single(risks), 1.0, tables.FX_BETWEEN)


@documented_charge
def credit_curvature(
    risks: Mapping[int, Mapping[str, UpDown]], *, instruments: str = "no securitisation"
) -> SensitivitiesCharge:
    """Curvature charge of credit spreads: the bond and the CDS curve of a name are one.

    Parameters
    ----------
    risks : mapping of bucket to mapping of name to (up, down)
        Curvature risks of a parallel shift of all tenors by the bucket's weight, money.
    instruments : {"no securitisation", "securitisation", "correlation trading"}
        Buckets 1 to 18, 1 to 25 and 1 to 16.

    References
    ----------
    Basel Framework, MAR21.9(3), 21.56, 21.99, 21.100(1) and 21.101.

    Examples
    --------
    >>> round(credit_curvature({4: {"X": (50.0, 10.0), "Y": (20.0, -5.0)}, 16: {"Z": (4.0, 9.0)}}).charges["medium"], 2)
    56.8
    """
    return _of_names(risks, credit_class(instruments))


@documented_charge
def equity_curvature(risks: Mapping[int, Mapping[str, UpDown]]) -> SensitivitiesCharge:
    """Curvature charge of equity spot prices; repo rates have none.

    Parameters
    ----------
    risks : mapping of bucket (1 to 13) to mapping of name to (up, down)
        Curvature risks of a relative move by the bucket's weight, money.

    References
    ----------
    Basel Framework, MAR21.12(3), 21.79, 21.98, 21.100 and 21.101.

    Examples
    --------
    >>> round(equity_curvature({1: {"X": (120.0, -40.0), "Y": (-15.0, 60.0), "Z": (30.0, 10.0)}}).charges["medium"], 3)
    123.938
    """
    return _of_names(risks, EQUITY)


@documented_charge
def commodity_curvature(risks: Mapping[int, Mapping[str, UpDown]]) -> SensitivitiesCharge:
    """Curvature charge of commodities: all tenors of a commodity are one curve.

    Parameters
    ----------
    risks : mapping of bucket (1 to 11) to mapping of name to (up, down)
        Curvature risks of a parallel shift by the bucket's weight, money.

    References
    ----------
    Basel Framework, MAR21.13(3), 21.99, 21.100 and 21.101.

    Examples
    --------
    >>> round(commodity_curvature({2: {"Brent": (80.0, 20.0), "WTI": (-30.0, 40.0)}}).charges["medium"], 2)
    58.69
    """
    return _of_names(risks, COMMODITY)


def _of_names(risks: Any, chosen: FactorClass) -> SensitivitiesCharge:
    given = {
        tables.known_bucket(bucket, chosen.weights, chosen.what): mapping_of(each, f"bucket {bucket}")
        for bucket, each in dict(mapping_of(risks, "risks")).items()
    }
    for bucket, names in given.items():
        if not isinstance(names, Mapping) or not names:
            raise InputError(f"bucket {bucket} has no risk; leave it out, or give {{name: (up, down)}}")
    within = [
        None
        if bucket == chosen.other
        else product_of_labels([(name,) for name in names], [chosen.name.get(bucket, 0.0)])
        for bucket, names in given.items()
    ]
    pairs = {bucket: list(names.values()) for bucket, names in given.items()}
    return chosen.total(aggregate_curvature(pairs, within, chosen.of_buckets(pairs)))


def _single(risks: Mapping[str, UpDown]) -> dict[str, list[UpDown]]:
    return {name: [pair] for name, pair in dict(mapping_of(risks, "risks")).items()}


def _up_and_down(pairs: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    array = finite_array(pairs, name)
    if array.ndim != 2 or array.shape[1] != 2:
        raise InputError(f"{name} has shape {array.shape}; give the upward and the downward risk of each factor")
    return array[:, 0], array[:, 1]


def _of_bucket(up: np.ndarray, down: np.ndarray, within: Any, scenario: str) -> CurvatureBucket:
    """The bucket's charge; without a correlation the losses add up, and gains count for nothing."""
    if within is not None:
        return curvature_bucket(up, down, within, scenario)
    losses = [float(np.maximum(each, 0.0).sum()) for each in (up, down)]
    side = 0 if losses[0] > losses[1] else 1
    return CurvatureBucket(losses[side], losses[0], losses[1], ("up", "down")[side], float((up, down)[side].sum()))
