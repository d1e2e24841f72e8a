"""Input checks and parameter descriptions of the liquidity models: one number, or one per position by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, as_pandas, finite_array, labels_of, with_labels
from riskkit._docs import shared_parameters

documented = shared_parameters(
    {
        "positions": "float or (n_assets,)\n    Positions in the unit of `adv` (shares or money), negative if short.",
        "adv": "float or (n_assets,)\n    Average market volume per period (usually a day), in shares or money, above "
        "zero.",
        "participation": "float or (n_assets,)\n    Own share of the market volume as a fraction, above 0 and at most 1.",
        "confidence": "float\n    Confidence as a fraction: 0.95 for 95 %.",
        "z": "float, optional\n    Standard normal quantile to use instead of that of `confidence`, such as the rounded "
        "1.65.",
        "spread_sd": "float or (n_assets,)\n    Standard deviation of the relative spread, a fraction; 0 for a constant "
        "spread.",
        "spread_multiplier": "float\n    Number of standard deviations to the worst spread; Bangia et al. find 2 to 4.5.",
        "quantity": "float\n    Shares to sell; negative to buy back.",
        "days": "float\n    Time until the end of the liquidation in days, above zero.",
        "n_trades": "int\n    Number of equal trading intervals.",
        "market": "LinearImpact\n    Volatility and impact per share and day.",
    }
)


def labels_among(*values: Any) -> Any:
    """Labels of the first labelled vector, or None."""
    return next((names for value in values if (names := labels_of(value, 0)) is not None), None)


def matched(value: Any, names: Any, name: str) -> np.ndarray:
    """Check a number, or one per position in the order of `names` if both are labelled."""
    value = as_pandas(value)
    labels = labels_of(value, 0)
    if labels is not None and names is not None and not labels.equals(names):
        missing = [label for label in names if label not in labels]
        if missing or not labels.is_unique:
            raise InputError(f"{name} is missing {missing[0]!r}" if missing else f"{name} names a position twice")
        value = value[names]
    array = finite_array(value, name)
    if array.ndim > 1:
        raise InputError(f"{name} has shape {array.shape}; give a number, or one per position")
    return array


def at_least_zero(value: Any, names: Any, name: str, *, above: bool = False) -> np.ndarray:
    """Check as `matched` that no value is below zero (or at zero with ``above=True``)."""
    array = matched(value, names, name)
    if (array <= 0.0).any() if above else (array < 0.0).any():
        raise InputError(f"{name} holds {array.min():g}; it must be {'above' if above else 'at least'} zero")
    return array


def labelled(array: Any, names: Any) -> Any:
    """Return a float for one number, else the vector with its names."""
    return float(array) if np.ndim(array) == 0 else with_labels(np.asarray(array), names)
