"""Settings of a sweep: a grid, a list, or points drawn from parameter ranges."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from riskkit._check import InputError, one_of, shown
from riskkit.replay.log.currencies import refuse_currencies
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.judged import refuse_unjudged
from riskkit.replay.rules.retuned import Setting, split_name, with_setting
from riskkit.replay.rules.ruleset import RuleSet

if TYPE_CHECKING:
    import pandas as pd

MAX_POINTS = 1_000_000


@dataclass(frozen=True)
class Sampler:
    """Low-discrepancy points over parameter ranges, for sweeps with too many dimensions for a grid.

    Parameters
    ----------
    ranges : mapping of "rule_id.parameter" to (low, high)
        Both ends included. If both are integers, the values are integers.
    size : int
        Number of points; points equal after rounding count once.
    seed : int
        Seed of the scrambling.
    method : {"sobol", "halton", "latin_hypercube"}
        Sequence of `scipy.stats.qmc`.
    decimals : int
        Decimals of values that are not integers.

    References
    ----------
    Owen (1998), "Scrambling Sobol' and Niederreiter-Xing points", Journal of Complexity 14(4).

    Examples
    --------
    >>> [setting["rate.limit"] for setting in Sampler({"rate.limit": (1, 8)}, size=4, seed=1)]
    [3, 8, 5, 2]
    """

    ranges: Mapping[str, tuple[Any, Any]]
    size: int
    seed: int = 0
    method: Literal["sobol", "halton", "latin_hypercube"] = "sobol"
    decimals: int = 6

    def __post_init__(self) -> None:
        """Check the ranges and the size."""
        one_of(self.method, ("sobol", "halton", "latin_hypercube"), "method")
        if not self.ranges:
            raise InputError("ranges is empty; name at least one parameter, as {'rate.limit': (10, 100)}")
        if isinstance(self.size, bool) or not isinstance(self.size, int) or not 1 <= self.size <= MAX_POINTS:
            raise InputError(f"size={self.size!r} is not a number of points from 1 to {MAX_POINTS:,}")
        for name, ends in self.ranges.items():
            if len(ends) != 2 or not ends[0] < ends[1]:
                raise InputError(f"ranges[{name!r}]={ends!r} is not a (low, high) with low below high")

    def __iter__(self) -> Iterator[Setting]:
        """Yield each distinct setting once, in the order of the sequence."""
        from scipy.stats import qmc

        seed, dimensions = self.seed, len(self.ranges)
        if self.method == "sobol":
            points = qmc.Sobol(dimensions, rng=seed).random_base2((self.size - 1).bit_length())[: self.size]
        else:
            engine = qmc.Halton if self.method == "halton" else qmc.LatinHypercube
            points = engine(dimensions, rng=seed).random(self.size)
        drawn = [
            tuple(self._value(u, *ends) for u, ends in zip(point, self.ranges.values(), strict=True))
            for point in points.tolist()
        ]
        return (dict(zip(self.ranges, values, strict=True)) for values in dict.fromkeys(drawn))

    def _value(self, u: float, low: Any, high: Any) -> int | float:
        if isinstance(low, int) and isinstance(high, int):
            return min(low + int(u * (high - low + 1)), high)
        return round(float(low) + u * (float(high) - float(low)), self.decimals)


Grid = Mapping[str, Iterable[Any]] | Sequence[Setting] | Sampler


def checked_settings(rules: RuleSet, grid: Grid, log: EventLog) -> list[Setting]:
    """Settings of a grid, checked before any replay starts: the rules have the parameters, the log can judge the rules."""
    settings = settings_of(grid)
    for setting in settings:
        with_setting(rules, setting)
    refuse_currencies(log, "a sweep, whose metrics are of all accounts,")
    refuse_unjudged(rules, log, {split_name(rules, name)[0].id: None for setting in settings for name in setting})
    return settings


def settings_of(grid: Grid) -> list[Setting]:
    """Expand a grid, a list or a sampler into settings that name the same parameters.

    Examples
    --------
    >>> settings_of({"rate.limit": [1, 2], "size.limit": [10]})
    [{'rate.limit': 1, 'size.limit': 10}, {'rate.limit': 2, 'size.limit': 10}]
    """
    if isinstance(grid, Mapping):
        axes = {name: _axis(name, values) for name, values in grid.items()}
        settings = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    else:
        settings = [dict(setting) for setting in grid]
    if not settings or not settings[0]:
        raise InputError("grid is empty; name the parameters to vary, as {'rate.limit': [10, 20, 50]}")
    names, known = settings[0].keys(), set()
    for i, setting in enumerate(settings):
        if setting.keys() != names:
            raise InputError(
                f"setting {i} names {', '.join(setting) or 'nothing'}, setting 0 names {', '.join(names)}; "
                "all settings must name the same parameters"
            )
        key = tuple(map(repr, setting.values()))
        if key in known:
            raise InputError(f"setting {setting!r} is listed twice")
        known.add(key)
    return settings


def _axis(name: str, values: Any) -> list[Any]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InputError(f"grid[{name!r}]={shown(values)} is not a list of values")
    axis = [value.item() if hasattr(value, "item") else value for value in values]  # numpy scalars to Python numbers
    if not axis:
        raise InputError(f"grid[{name!r}] is empty")
    return axis


def index_of(settings: Sequence[Setting], names: list[str]) -> pd.Index:
    """Index of a frame with one row per setting: a MultiIndex if several parameters vary.

    Examples
    --------
    >>> index_of([{"rate.limit": 1}, {"rate.limit": 2}], ["rate.limit"]).tolist()
    [1, 2]
    """
    import pandas as pd

    values = [[setting[name] for setting in settings] for name in names]
    return pd.Index(values[0], name=names[0]) if len(names) == 1 else pd.MultiIndex.from_arrays(values, names=names)
