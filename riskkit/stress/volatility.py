"""Scenarios scaled to another volatility."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import (
    InputError,
    as_pandas,
    constant,
    finite_array,
    labels_of,
    positive,
    returns_array,
    with_labels,
)
from riskkit._types import ReturnsLike
from riskkit.covariance import sample_volatility
from riskkit.stress.docs import documented


@documented
def scale_scenarios(
    returns: ReturnsLike,
    *,
    volatility_multiplier: Any = None,
    target_volatility: Any = None,
    current_volatility: Any = None,
) -> Any:
    """Scenarios scaled to another volatility.

    Parameters
    ----------
    returns : (n_obs, n_assets) or (n_obs,)
        Returns per period, or scenarios.
    volatility_multiplier : float or (n_assets,), optional
        Factor on every return: 2 doubles the volatility.
    target_volatility : float or (n_assets,), optional
        Volatility per period after scaling, as an alternative to `volatility_multiplier`; for a constant series only
        0, which leaves it as it is.
    current_volatility : float or (n_assets,), optional
        Volatility per period before scaling; by default the sample standard deviation.

    Returns
    -------
    as `returns`
        Scaled returns or scenarios.

    References
    ----------
    Hull and White (1998), Incorporating Volatility Updating into the Historical Simulation Method for Value-at-Risk,
    Journal of Risk 1(1), 5-19 (here with a constant past volatility).

    Examples
    --------
    >>> scale_scenarios([0.01, -0.02], volatility_multiplier=2.0).tolist()
    [0.02, -0.04]
    >>> scale_scenarios([0.01, -0.01], target_volatility=0.02, current_volatility=0.01).tolist()
    [0.02, -0.02]
    """
    array = returns_array(returns)
    if (volatility_multiplier is None) == (target_volatility is None):
        raise InputError("give one of volatility_multiplier (2.0 doubles) and target_volatility (per period)")
    if volatility_multiplier is not None:
        factor = _volatilities(volatility_multiplier, returns, "volatility_multiplier")
    else:
        present = (
            sample_volatility(array)
            if current_volatility is None
            else _volatilities(current_volatility, returns, "current_volatility")
        )
        target = _volatilities(target_volatility, returns, "target_volatility")
        flat = np.asarray(present) <= 0.0
        if current_volatility is None:
            flat = flat | constant(array)
        _check_flat(flat, np.broadcast_to(target, np.shape(flat)), labels_of(returns, 1))
        factor = np.where(flat, 1.0, target / np.where(flat, 1.0, present))
    return with_labels(array * factor, labels_of(returns, 0), labels_of(returns, 1), getattr(returns, "name", None))


def _check_flat(flat: np.ndarray, target: np.ndarray, labels: Any) -> None:
    """Refuse a target above zero for a series that has no volatility."""
    refused = np.flatnonzero(flat & (target > 0.0))
    if len(refused):
        name = (
            "returns" if not np.ndim(flat) else f"series {refused[0]}" if labels is None else repr(labels[refused[0]])
        )
        raise InputError(
            f"target_volatility is {target.ravel()[refused[0]]:g} for {name}, which has no volatility to scale; "
            "give one target per series, and 0 for a constant one, which is left as it is"
        )


def _volatilities(value: Any, returns: Any, name: str) -> Any:
    """Check a number of at least zero, or one per series by name."""
    if np.ndim(value) == 0:
        return positive(value, name, zero=True)
    columns, labels = labels_of(returns, 1), labels_of(value, 0)
    if columns is not None and labels is not None:
        missing = [label for label in columns if label not in labels]
        if missing:
            raise InputError(f"{name} is missing {missing[0]!r}")
        value = as_pandas(value)[columns]
    array = finite_array(value, name, ndim=1)
    if (array < 0.0).any() or array.shape != finite_array(returns, "returns").shape[1:]:
        raise InputError(
            f"{name} has shape {array.shape} and minimum {array.min():g}; give one value of at least zero per series"
        )
    return array
