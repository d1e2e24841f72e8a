"""Why a portfolio beat its benchmark: allocation, selection and interaction by segment."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, labels_of


def brinson_fachler(weights: Any, segment_returns: Any, benchmark_weights: Any, benchmark_returns: Any) -> Any:
    """Active return of a period by segment: allocation, selection and interaction.

    Parameters
    ----------
    weights : (n_segments,)
        Shares of the portfolio at the start of the period, with a sum of 1.
    segment_returns : (n_segments,)
        Returns of its segments over the period.
    benchmark_weights : (n_segments,)
        Shares of the benchmark, with a sum of 1.
    benchmark_returns : (n_segments,)
        Returns of its segments.

    Returns
    -------
    DataFrame
        By segment: `allocation`, more weight where the benchmark did better than as a whole; `selection`, better returns at the
        weight of the benchmark; `interaction`, both; `total`. The sum of the totals is the active return.

    Raises
    ------
    InputError
        NaN, infinity, other numbers or names of segments, or weights without a sum of 1.

    References
    ----------
    Brinson and Fachler (1985), Measuring non-US equity portfolio performance, J. Portfolio Management 11(3), 73-76.

    Examples
    --------
    >>> brinson_fachler([0.6, 0.4], [0.05, 0.01], [0.5, 0.5], [0.04, 0.02]).round(4)
       allocation  selection  interaction  total
    0       0.001      0.005        0.001  0.007
    1       0.001     -0.005        0.001 -0.003
    """
    import pandas as pd

    named = {
        "weights": weights,
        "segment_returns": segment_returns,
        "benchmark_weights": benchmark_weights,
        "benchmark_returns": benchmark_returns,
    }
    labels = labels_of(weights, 0)
    arrays = {}
    for name, value in named.items():
        other = labels_of(value, 0)
        if labels is not None and other is not None and not other.equals(labels):
            raise InputError(
                f"{name} has the segments {list(other)[:5]} and weights {list(labels)[:5]}; give the same in order"
            )
        arrays[name] = finite_array(value, name, ndim=1)
        if len(arrays[name]) != len(arrays["weights"]):
            raise InputError(
                f"{name} has {len(arrays[name])} segments and weights {len(arrays['weights'])}; give the same"
            )
    held, got, theirs, market = arrays.values()
    for name in ("weights", "benchmark_weights"):
        if abs(arrays[name].sum() - 1.0) > 1e-6:
            raise InputError(f"{name} has a sum of {arrays[name].sum():g}; shares have a sum of 1, cash among them")
    table = pd.DataFrame(
        {
            "allocation": (held - theirs) * (market - theirs @ market),
            "selection": theirs * (got - market),
            "interaction": (held - theirs) * (got - market),
        },
        index=labels if labels is not None else np.arange(len(held)),
    )
    return table.assign(total=table.sum(axis=1))
