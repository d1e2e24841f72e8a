"""Settings: what is varied in a sweep, as a grid, as a list, or as points drawn from a range."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskkit._check import InputError, one_of
from riskkit.replay.rule import Rule
from riskkit.replay.ruleset import RuleSet

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Sampler", "Setting", "index_of", "settings_of", "with_setting"]

Setting = dict[str, Any]  # {"rule_id.parameter": value}
OUTSIDE = ("action", "severity", "scope", "hold")  # fields of a rule beside its parameters
MOST = 1_000_000


@dataclass(frozen=True)
class Sampler:
    """Points spread evenly over ranges of parameters, for a sweep of more dimensions than a grid can hold.

    Parameters
    ----------
    ranges : mapping of "rule_id.parameter" to (low, high)
        Both ends belong to it. Where both are whole numbers the values are whole too.
    size : int
        Points to draw; those that are equal after rounding are one setting.
    seed : int
        Of the scrambling; equal seeds give equal points.
    method : {"sobol", "halton", "latin_hypercube"}
        The sequence of `scipy.stats.qmc`.
    decimals : int
        To which values that are not whole are rounded.

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
    method: str = "sobol"
    decimals: int = 6

    def __post_init__(self) -> None:
        """Refuse what draws nothing."""
        one_of(self.method, ("sobol", "halton", "latin_hypercube"), "method")
        if not self.ranges:
            raise InputError("ranges is empty; name at least one, as {'rate.limit': (10, 100)}")
        if isinstance(self.size, bool) or not isinstance(self.size, int) or not 1 <= self.size <= MOST:
            raise InputError(f"size={self.size!r} is not a number of points from 1 to {MOST:,}")
        for name, ends in self.ranges.items():
            if len(ends) != 2 or not ends[0] < ends[1]:
                raise InputError(f"ranges[{name!r}]={ends!r} is not a (low, high) with low below high")

    def __iter__(self) -> Any:
        """Draw the settings, each once, in the order of the sequence."""
        from scipy.stats import qmc

        seed, dimensions = self.seed, len(self.ranges)
        if self.method == "sobol":
            points = qmc.Sobol(dimensions, rng=seed).random_base2((self.size - 1).bit_length())[: self.size]
        else:
            engine = qmc.Halton if self.method == "halton" else qmc.LatinHypercube
            points = engine(dimensions, rng=seed).random(self.size)
        found = [
            tuple(self._value(u, *ends) for u, ends in zip(point, self.ranges.values(), strict=True))
            for point in points.tolist()
        ]
        return (dict(zip(self.ranges, values, strict=True)) for values in dict.fromkeys(found))

    def _value(self, u: float, low: Any, high: Any) -> Any:
        if isinstance(low, int) and isinstance(high, int):
            return min(low + int(u * (high - low + 1)), high)
        return round(float(low) + u * (float(high) - float(low)), self.decimals)


def settings_of(grid: Mapping[str, Iterable[Any]] | Sequence[Setting] | Sampler) -> list[Setting]:
    """Spell a grid, a list or a sampler out as settings that all name the same parameters.

    Examples
    --------
    >>> settings_of({"rate.limit": [1, 2], "size.limit": [10]})
    [{'rate.limit': 1, 'size.limit': 10}, {'rate.limit': 2, 'size.limit': 10}]
    """
    if isinstance(grid, Mapping):
        axes = {name: _axis(name, values) for name, values in grid.items()}
        found = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())] if axes else []
    else:
        found = [dict(setting) for setting in grid]
    if not found or not found[0]:
        raise InputError("grid is empty; name what is varied, as {'rate.limit': [10, 20, 50]}")
    names = found[0].keys()
    for place, setting in enumerate(found):
        if setting.keys() != names:
            raise InputError(
                f"setting {place} names {', '.join(setting) or 'nothing'}, the first one {', '.join(names)}; "
                "all settings name the same parameters"
            )
    seen = set()
    for setting in found:
        key = tuple(map(repr, setting.values()))
        if key in seen:
            raise InputError(f"the setting {setting!r} stands there twice")
        seen.add(key)
    return found


def _axis(name: str, values: Any) -> list[Any]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InputError(f"grid[{name!r}]={values!r} is not a list of values")
    axis = [value.item() if hasattr(value, "item") else value for value in values]  # numpy's scalars are plain numbers
    if not axis:
        raise InputError(f"grid[{name!r}] is empty")
    return axis


def index_of(settings: Sequence[Setting], names: list[str]) -> pd.Index:
    """Settings as the rows of a frame: an index where one parameter is varied, else a MultiIndex.

    Examples
    --------
    >>> index_of([{"rate.limit": 1}, {"rate.limit": 2}], ["rate.limit"]).tolist()
    [1, 2]
    """
    import pandas as pd

    values = [[setting[name] for setting in settings] for name in names]
    return pd.Index(values[0], name=names[0]) if len(names) == 1 else pd.MultiIndex.from_arrays(values, names=names)


def with_setting(rules: RuleSet, setting: Setting) -> RuleSet:
    """The rules with a setting's values in place of their own.

    Raises
    ------
    InputError
        Where a name is not ``rule_id.parameter`` of these rules, or a value does not fit.

    Examples
    --------
    >>> from riskkit.replay.rules import OrderRate
    >>> rules = RuleSet([Rule("rate", OrderRate(limit=50, window_ns="1s"))])
    >>> with_setting(rules, {"rate.limit": 7})["rate"].parameters.limit
    7
    """
    changes: dict[str, dict[str, Any]] = {}
    for name, value in setting.items():
        rule, field = split_name(rules, name)
        changes.setdefault(rule.id, {})[field] = value
    return RuleSet([_changed(rule, changes[rule.id]) if rule.id in changes else rule for rule in rules])


def split_name(rules: RuleSet, name: str) -> tuple[Rule, str]:
    """The rule and the field that ``rule_id.parameter`` names."""
    id, _, field = name.rpartition(".")
    ids = [rule.id for rule in rules]
    if id not in ids:
        raise InputError(f"{name!r} is not 'rule_id.parameter' of these rules; their ids are {', '.join(ids)}")
    rule = rules[id]
    if field not in rule.parameters._fields and field not in OUTSIDE:
        raise InputError(
            f"{name!r}: rule {id!r} has no parameter {field!r}; it has {', '.join(rule.parameters._fields)}"
        )
    return rule, field


def _changed(rule: Rule, values: dict[str, Any]) -> Rule:
    outside = {name: getattr(rule, name) for name in OUTSIDE}
    inside: dict[str, Any] = {}
    for name, value in values.items():
        (outside if name in OUTSIDE and name not in rule.parameters._fields else inside)[name] = value
    return Rule(rule.id, rule.parameters._replace(**inside), kind=rule.kind, **outside)
