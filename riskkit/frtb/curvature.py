"""Curvature risk: what a shock does beyond the delta, up and down."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, one_of, positive
from riskkit._docs import with_described_fields
from riskkit.frtb.docs import documented
from riskkit.frtb.sensitivities import SCENARIOS, correlation_matrix, correlations_of


@with_described_fields
class CurvatureBucket(NamedTuple):
    """Curvature charge of a bucket under one correlation scenario.

    Attributes
    ----------
    charge : float
        The larger of the two charges, money.
    charge_up, charge_down : float
        Charge of the upward and of the downward shock, money.
    side : {"up", "down"}
        The shock of the charge.
    net : float
        Sum of the curvature risks of that shock, money.

    Examples
    --------
    >>> from riskkit.frtb import curvature_bucket
    >>> curvature_bucket([120.0, -15.0], [-40.0, 60.0], 0.15).side
    'up'
    """

    charge: float
    charge_up: float
    charge_down: float
    side: str
    net: float


@documented
def curvature_risk(value: Callable[[float], float], spot: float, delta: float, shock: float) -> tuple[float, float]:
    """Curvature risk of a position in one factor, upward and downward: -(V(shocked) - V(spot) ∓ shock × spot × delta).

    Parameters
    ----------
    value : callable
        Value of the position at a level of the factor, money.
    spot : float
        Level of the factor today.
    delta : float
        Change of the value per unit of the factor.
    shock : float
        Relative move, the risk weight of the delta of the factor. For a parallel shift of a curve give `value` at a level of
        1 plus the shift, `spot` 1 and the sum of the deltas of its tenors.

    Returns
    -------
    tuple[float, float]
        Loss beyond the delta of the upward and of the downward shock, money; negative for a long option.

    References
    ----------
    Basel Framework, MAR21.5(2).

    Examples
    --------
    >>> curvature_risk(lambda spot: 0.5 * spot**2, 10.0, 10.0, 0.2)
    (-2.0, -2.0)
    """
    level, move = positive(spot, "spot"), positive(shock, "shock") * positive(spot, "spot")
    linear, today = move * finite_number(delta, "delta"), finite_number(value(level), "value(spot)")
    up, down = (finite_number(value(level + sign * move), "value(shocked spot)") for sign in (1.0, -1.0))
    return today - up + linear, today - down - linear


@documented
def curvature_bucket(up: Any, down: Any, delta_correlations: Any, scenario: str = "medium") -> CurvatureBucket:
    """Curvature charge of a bucket, the larger of the charges of the two shocks.

    Parameters
    ----------
    up, down : (n_factors,)
        Curvature risks of the upward and of the downward shock (`curvature_risk`), money.
    delta_correlations : number or (n_factors, n_factors)
        Correlations of the deltas; those of curvature are their squares, to which the scenario is applied.
    scenario : {"low", "medium", "high"}
        Correlation scenario.

    Returns
    -------
    CurvatureBucket
        The charge and its side; on a tie the side of the larger sum.

    References
    ----------
    Basel Framework, MAR21.5(3) and 21.100.

    Examples
    --------
    >>> round(curvature_bucket([120.0, -15.0, 30.0], [-40.0, 60.0, 10.0], 0.15).charge, 3)
    123.938
    """
    one_of(scenario, SCENARIOS, "scenario")
    upward, downward = finite_array(up, "up", ndim=1), finite_array(down, "down", ndim=1)
    if upward.shape != downward.shape:
        raise InputError(f"up has {len(upward)} factors and down {len(downward)}; give both for each factor")
    matrix = correlations_of(correlation_matrix(delta_correlations, len(upward), "delta_correlations") ** 2, scenario)
    charges = [_charge(each, matrix) for each in (upward, downward)]
    sums = [float(each.sum()) for each in (upward, downward)]
    side = 0 if (charges[0], sums[0]) >= (charges[1], sums[1]) else 1
    return CurvatureBucket(charges[side], charges[0], charges[1], ("up", "down")[side], sums[side])


def _charge(risks: np.ndarray, correlations: np.ndarray) -> float:
    """sqrt(max(0, Σ max(CVR, 0)² + Σ ρ CVR CVR' ψ)), ψ = 0 for a pair of two gains."""
    both_gain = (risks < 0.0)[:, None] & (risks < 0.0)
    shared = np.where(both_gain, 0.0, correlations)
    np.fill_diagonal(shared, 0.0)
    return math.sqrt(max(0.0, float((np.maximum(risks, 0.0) ** 2).sum() + risks @ shared @ risks)))
