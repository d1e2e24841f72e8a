"""Definitions of a sample quantile, by the names numpy gives them, as a place among the sorted observations.

A definition answers where the p-quantile of n observations lies: between ``sorted[rank]`` and ``sorted[rank + 1]``,
`weight` of the way. Ranks are exact (`riskkit.var.tail`), so that 7 % of 100 observations is the seventh.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from riskkit._check import one_of
from riskkit.var.tail import tail_mass, tail_size

__all__ = ["DEFINITIONS", "Place", "place_of"]


class Place(NamedTuple):
    """A quantile is ``sorted[rank] + weight * (sorted[rank + 1] - sorted[rank])``, worst observation first."""

    rank: int
    weight: float


def place_of(definition: str, n_obs: int, confidence: float) -> Place:
    """Where the (1 - confidence)-quantile of `n_obs` returns lies under a definition.

    ``"inverted_cdf"`` is the ceil(n p)-th worst return: the one VaR that goes with the tail-mass ES. The nine of
    Hyndman and Fan, and "lower", "higher", "midpoint", "nearest", are numpy's; ``"floor_index"`` is sorted[int(n p)].

    Raises
    ------
    InputError
        An unknown definition.

    References
    ----------
    Hyndman and Fan (1996), Sample quantiles in statistical packages, American Statistician 50, 361-365.

    Examples
    --------
    >>> place_of("inverted_cdf", 100, 0.95), place_of("linear", 100, 0.95)
    (Place(rank=4, weight=0.0), Place(rank=4, weight=0.95))
    """
    one_of(definition, tuple(DEFINITIONS), "quantile")
    index = DEFINITIONS[definition](n_obs, tail_mass(confidence), tail_size(n_obs, confidence))
    index = min(max(index, 0.0), n_obs - 1.0)
    return Place(int(index), index - int(index))


# n observations, p of mass, size = n p exactly -> place as a real number, 0 for the worst


def _inverted_cdf(n: int, p: float, size: float) -> float:
    return math.ceil(size) - 1.0


def _averaged_inverted_cdf(n: int, p: float, size: float) -> float:
    return size - 0.5 if size.is_integer() else float(math.floor(size))


def _closest_observation(n: int, p: float, size: float) -> float:
    below = math.floor(size - 1.5)
    return below if size - 1.5 == below and below % 2 == 1 else below + 1.0


def _whole(rounded: Callable[[float], float]) -> Callable[[int, float, float], float]:
    """A definition that rounds (n - 1) p, computed so that whole numbers are whole."""
    return lambda n, p, size: float(rounded(tail_size(n - 1, 1.0 - p))) if n > 1 else 0.0


DEFINITIONS: dict[str, Callable[[int, float, float], float]] = {
    "inverted_cdf": _inverted_cdf,
    "averaged_inverted_cdf": _averaged_inverted_cdf,
    "closest_observation": _closest_observation,
    "interpolated_inverted_cdf": lambda n, p, size: size - 1.0,
    "hazen": lambda n, p, size: size - 0.5,
    "weibull": lambda n, p, size: size + p - 1.0,
    "linear": lambda n, p, size: (n - 1) * p,
    "median_unbiased": lambda n, p, size: size + (1.0 + p) / 3.0 - 1.0,
    "normal_unbiased": lambda n, p, size: size + 0.375 + p / 4.0 - 1.0,
    "lower": _whole(math.floor),
    "higher": _whole(math.ceil),
    "midpoint": _whole(lambda index: 0.5 * (math.floor(index) + math.ceil(index))),
    "nearest": _whole(round),
    "floor_index": lambda n, p, size: float(math.floor(size)),
}
