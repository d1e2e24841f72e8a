"""The year in which something happened changes no answer, and what happens later changes nothing earlier."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from house.test_doors import parts
from model_doors import DAYS, DOORS, RETURNS, N, table_for

from riskkit import covariance
from riskkit.instruments import funding_payments
from riskkit.var import path_returns

NAMES_DATES = ("stressed_sample", "historical_scenarios", "historical_stress", "episodes", "monthly_table")
"""Doors whose call names dates, or that count in months."""


@pytest.mark.parametrize("name", [name for name in DOORS if not name.partition(":")[0].endswith(NAMES_DATES)])
def test_an_answer_does_not_depend_on_the_year(name):
    door = DOORS[name]
    table = table_for(door)
    earlier = door.call(table.set_axis(DAYS - pd.Timedelta(weeks=1_000)), 1.0)
    expected = parts(door.call(table, 1.0))
    assert len(parts(earlier)) == len(expected)
    for (found, _), (wanted, _) in zip(parts(earlier), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


KNOWN = 200
"""The first day on which the two inputs differ."""
OTHER = RETURNS * np.where(np.arange(N)[:, None] >= KNOWN, -0.7, 1.0)
LOOKS_AHEAD = {
    "covariance.fit_garch: volatility": "the volatility of each day by the parameters that were fitted to all",
    "stress.scale_scenarios: to a volatility": "one factor for all days",
}


def by_day(answer: Any) -> Iterator[pd.DataFrame]:
    """The parts of an answer that have rows by day."""
    if dataclasses.is_dataclass(answer):
        answer = [getattr(answer, field.name) for field in dataclasses.fields(answer)]
    if isinstance(answer, (pd.Series, pd.DataFrame)):
        days = answer.index.get_level_values(0)
        if isinstance(days, pd.DatetimeIndex):
            yield pd.DataFrame(answer.to_numpy(dtype=float).reshape(len(answer), -1), days)
    elif isinstance(answer, np.ndarray) and answer.ndim and len(answer) in (N, N + 1):
        yield pd.DataFrame(answer[:N].reshape(N, -1), DAYS)
    elif isinstance(answer, (list, tuple)):
        for part in answer:
            yield from by_day(part)


def the_past_is_the_same(answer: Any, other: Any) -> bool:
    for found, changed in zip(by_day(answer), by_day(other), strict=True):
        past, before = found[found.index < DAYS[KNOWN]], changed[changed.index < DAYS[KNOWN]]
        assert len(past) and past.index.equals(before.index)
        if not np.allclose(past, before, rtol=1e-9, atol=1e-12, equal_nan=True):
            return False
    return True


@pytest.mark.parametrize("area", sorted({name.partition(".")[0] for name in DOORS}))
def test_later_days_change_nothing_earlier(area):
    looked = []
    for name, door in DOORS.items():
        if name.startswith(f"{area}.") and door.kind != "hits":
            later = 100.0 * (1.0 + OTHER).cumprod() if door.kind == "prices" else OTHER
            if not the_past_is_the_same(door.call(table_for(door), 1.0), door.call(later, 1.0)):
                looked.append(name)
    assert looked == [name for name in LOOKS_AHEAD if name.startswith(f"{area}.")]


GARCH = {"omega": 1e-6, "alpha": 0.05, "gamma": 0.05, "beta": 0.9}
PATHS: dict[str, Callable[[np.ndarray], Any]] = {
    "gjr_path": lambda r: covariance.gjr_path(r[:, 0], 1e-4, **GARCH),
    "egarch_path": lambda r: covariance.egarch_path(
        100.0 * r[:, 0], 1e-4, omega=-0.5, alpha=0.1, gamma=-0.05, beta=0.95
    ),
    "dcc_path": lambda r: covariance.dcc_path(100.0 * r, 0.03, 0.95, np.eye(3)),
    "completed, holidays": lambda r: gaps(r, "zero_fill"),
    "funding_payments": lambda r: funding_payments(2.0, 100.0 * (1.0 + r[:, 0]), r[:, 1]).payments,
    "path_returns": lambda r: path_returns(100.0 * r[:, 0], np.tile(np.arange(N), (2, 1)).T[:, :1], 1e-4, **GARCH),
}


def gaps(returns: np.ndarray, policy: str) -> Any:
    """Returns of which every seventh is missing, completed."""
    table = pd.DataFrame(np.where(np.arange(N)[:, None] % 7 == [2, 3, 9], np.nan, returns), DAYS)
    return covariance.complete_returns(table, policy).returns


@pytest.mark.parametrize("name", PATHS)
def test_later_shocks_change_nothing_earlier_on_a_path(name):
    answers = [PATHS[name](table.to_numpy()) for table in (RETURNS, OTHER)]
    assert list(by_day(answers[0]))
    assert the_past_is_the_same(*answers)
    assert not np.array_equal(*map(np.asarray, answers))
