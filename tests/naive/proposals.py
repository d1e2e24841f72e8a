"""Slow plain twins of proposed limits: orders read one by one from a table, and a return level from the likelihood itself."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from naive.var import gpd_mle
from scipy import optimize, stats

DAY = 86_400_000_000_000


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least this share of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(round(share * len(ordered), 9)) - 1, 0)]


def by_episode(pairs: Iterable[tuple[int, float]], length: int) -> list[float]:
    """Largest value of each span of time that has one."""
    found: dict[int, float] = defaultdict(lambda: -math.inf)
    for ts, value in pairs:
        found[ts // length] = max(found[ts // length], value)
    return list(found.values())


def up_to_digits(value: float, digits: int) -> float:
    """The next number with so many significant digits."""
    step = 10.0 ** (math.floor(math.log10(value)) + 1 - digits)
    return math.ceil(round(value / step, 9)) * step


def return_level(largest: Sequence[float], n: float, coverage: float) -> tuple[float, float, float]:
    """Coles (2001), eq. 4.12, and the levels at which twice the drop of the profile is the squared normal quantile."""
    ordered = sorted(largest, reverse=True)
    threshold = ordered[max(20, int(0.1 * len(ordered)))]
    excesses = np.array([value - threshold for value in ordered if value > threshold])
    often = n * len(excesses) / len(ordered)
    shape, scale = gpd_mle(excesses)
    best = stats.genpareto.logpdf(excesses, shape, scale=scale).sum()

    def profile(beyond: float) -> float:
        def minus(shape: float) -> float:
            scale = beyond * shape / (often**shape - 1) if shape else beyond / math.log(often)
            return -stats.genpareto.logpdf(excesses, shape, scale=scale).sum()

        grid = [shape / 20 + 1e-9 for shape in range(-19, 41)]
        start = min(grid, key=minus)
        return -minus(optimize.minimize_scalar(minus, bounds=(start - 0.05, start + 0.05)).x)

    level = scale * (often**shape - 1) / shape
    cut = (1 - coverage) / 2
    drops = [best - 0.5 * stats.norm.ppf(1 - share) ** 2 for share in (cut, cut / 2)]
    low = optimize.brentq(lambda x: profile(x) - drops[0], level / 50, level, xtol=1e-4 * level)
    high = optimize.brentq(lambda x: profile(x) - drops[1], level, level * 50, xtol=1e-4 * level)
    return threshold + level, threshold + low, threshold + high
