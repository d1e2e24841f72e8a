"""`calibrate_loss_limit`: a daily loss limit from a series of daily P&L alone, under a declared path inside the day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from riskkit._check import (
    InputError,
    finite_array,
    one_of,
    positive,
    probability,
    random_generator,
    single_series,
    whole_number,
)
from riskkit.replay.sweeps.calibration.block_bootstrap import BlockKind, automatic_block, resampled_means
from riskkit.replay.sweeps.calibration.loss_limit_result import LossLimits

Path = Literal["straight", "bridge"]
PATHS: tuple[Path, ...] = ("straight", "bridge")
STEPS = 12  # limits that are tried by default
SERIES = ("trips", "saved", "cost", "rest", "next", "followed")


class Days(NamedTuple):
    """Days of P&L, the lowest point of each if it is known, and the P&L of the periods after each; NaN where it is cut."""

    pnl: np.ndarray
    lowest: np.ndarray | None
    volatility: np.ndarray
    following: np.ndarray

    def chance(self, limit: float, path: str) -> np.ndarray:
        """Probability that each day reaches a loss of `limit` at some time."""
        if self.lowest is not None:
            return np.where(self.lowest <= -limit, 1.0, 0.0)
        gone = np.where(self.pnl <= -limit, 1.0, 0.0)
        if path == "straight":
            return gone
        with np.errstate(divide="ignore", over="ignore"):
            exponent = -2.0 * limit * np.maximum(limit + self.pnl, 0.0) / self.volatility**2
        return np.maximum(gone, np.exp(np.where(self.volatility > 0.0, exponent, -np.inf)))

    def series(self, limit: float, path: str, slippage: float) -> np.ndarray:
        """What a limit does on each day, in the order of `SERIES`; shape (6, n_days)."""
        chance = self.chance(limit, path)
        gain = -limit * (1.0 + slippage) - self.pnl  # of a day that is stopped
        known = np.isfinite(self.following)
        after = np.where(known, self.following, 0.0)
        return np.array(
            [
                chance,
                chance * np.maximum(gain, 0.0),
                chance * np.maximum(-gain, 0.0),
                -chance * gain,
                chance * after,
                chance * known,
            ]
        )


def calibrate_loss_limit(
    pnl: Any,
    limits: Sequence[float] | None = None,
    *,
    lowest: Any = None,
    paths: Sequence[Path] = PATHS,
    volatility: Any = None,
    slippage: float = 0.0,
    after: int = 21,
    periods_per_year: float = 252,
    rng: np.random.Generator,
    resamples: int = 1_000,
    block: float | None = None,
    kind: BlockKind = "stationary",
    coverage: float = 0.90,
    currency: str = "",
) -> LossLimits:
    r"""How often each daily loss limit would have tripped, what it would have saved and cost, from daily P&L alone.

    A day that trips ends at minus the limit (and the slippage), and nothing else changes. Whether a day that ended above
    minus the limit had been below it is not in its P&L, so it is assumed, and each assumption has rows of its own:

    - "straight": P&L goes straight from zero to its end. Only days that ended beyond the limit trip; nothing is ever
      cost. The fewest trips and the most favourable answer.
    - "bridge": P&L is a Brownian motion between zero and its end x, which reaches a loss L above minus x with
      probability :math:`\exp(-2 L (L + x) / \sigma^2)`. Days that would have recovered are cut at their loss.
    - "lowest": the lowest P&L of each day, as given; nothing is assumed.

    Parameters
    ----------
    pnl : (n_days,) array or Series
        P&L of consecutive days in money, gains positive, oldest first.
    limits : sequence of float, optional
        Losses, positive; by default 12 from the median loss to the largest.
    lowest : (n_days,) array or Series, optional
        Lowest P&L inside each day, at most zero and at most the day's P&L; then the only path is "lowest".
    paths : sequence of {"straight", "bridge"}
        Assumptions about the path inside a day.
    volatility : float or (n_days,) array, optional
        Standard deviation of the P&L of a day, of the bridge; by default that of `pnl`.
    slippage : float
        Loss beyond the limit until positions are closed, a fraction of the limit.
    after : int
        Periods after a trip of which the P&L is added up ("next").
    periods_per_year : float
        252 for trading days.
    rng : numpy.random.Generator
        Draws the resamples of days, for the intervals.
    resamples, block, kind, coverage
        Of the block bootstrap of days, as in `calibrate`.
    currency : str
        Unit of the money, for table and plot.

    Returns
    -------
    LossLimits
        Reproducible for the same Generator state.

    Raises
    ------
    InputError
        If no day loses, a limit is not above zero, or a lowest point is above zero or the day's P&L.

    References
    ----------
    Glasserman (2004), Monte Carlo Methods in Financial Engineering, section 6.4: extremes of a Brownian bridge.

    Examples
    --------
    >>> pnl = [30.0, -120.0, 40.0, -10.0, 25.0, -60.0, 80.0, 10.0]
    >>> found = calibrate_loss_limit(pnl, [50, 100], after=1, rng=np.random.default_rng(1), periods_per_year=8)
    >>> found.frame.loc["straight", ["trips", "saved", "cost", "next"]].values.round(1).tolist()
    [[2.0, 80.0, 0.0, 60.0], [1.0, 20.0, 0.0, 40.0]]
    >>> found.best(trips_per_year=1, path="straight")
    100.0
    """
    days = _days(pnl, lowest, volatility, whole_number(after, "after"))
    chosen = ("lowest",) if lowest is not None else tuple(one_of(path, PATHS, "paths") for path in _listed(paths))
    tried = _limits(days.pnl, limits)
    slippage, year = positive(slippage, "slippage", zero=True), positive(periods_per_year, "periods_per_year")
    probability(coverage, "coverage")
    random_generator(rng)
    whole_number(resamples, "resamples")
    keys = [(path, limit) for path in chosen for limit in tried]
    series = np.concatenate([days.series(limit, path, slippage) for path, limit in keys])
    length = automatic_block(days.pnl[None, :], kind) if block is None else positive(block, "block")
    drawn = resampled_means(series, rng, resamples, block=length, kind=kind)
    return LossLimits(
        keys=tuple(keys),
        means=series.mean(axis=1).reshape(len(keys), len(SERIES)),
        resampled=drawn.reshape(resamples, len(keys), len(SERIES)),
        pnl=days.pnl,
        periods_per_year=year,
        after=after,
        slippage=slippage,
        block=length,
        coverage=coverage,
        currency=currency,
    )


def _listed(paths: Any) -> tuple[Any, ...]:
    listed = (paths,) if isinstance(paths, str) else tuple(paths)
    if not listed:
        raise InputError("paths is empty; give 'straight', 'bridge' or both")
    return tuple(dict.fromkeys(listed))


def _days(pnl: Any, lowest: Any, volatility: Any, after: int) -> Days:
    values = single_series(pnl, "pnl", min_obs=2, ordered=True)
    if values.min() >= 0.0:
        raise InputError("pnl has no loss; a loss limit would never have tripped")
    if lowest is not None:
        low = single_series(lowest, "lowest")
        if len(low) != len(values):
            raise InputError(f"lowest has {len(low):,} values and pnl {len(values):,}; give one for each day")
        wrong = np.flatnonzero(low > np.minimum(values, 0.0))
        if wrong.size:
            day = int(wrong[0])
            raise InputError(
                f"lowest at position {day} is {low[day]:,.6g}, above zero or the day's P&L of {values[day]:,.6g}; "
                "give the lowest P&L since the start of the day"
            )
        lowest = low
    if volatility is None:
        spread = np.full(len(values), values.std(ddof=1))
    else:
        spread = np.asarray(finite_array(volatility, "volatility"), float)
        if spread.ndim > 1 or spread.size not in (1, len(values)) or (spread < 0.0).any():
            raise InputError("volatility is not one number at least zero, or one for each day")
        spread = np.broadcast_to(spread, values.shape)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    following = np.full(len(values), np.nan)
    following[: max(len(values) - after, 0)] = sums[1 + after :] - sums[1 : len(values) - after + 1]
    return Days(values, lowest, spread, following)


def _limits(pnl: np.ndarray, limits: Any) -> list[float]:
    """The limits in ascending order; by default of two digits, evenly spaced in logarithms."""
    if limits is not None:
        values = finite_array(limits, "limits", ndim=1)
        if not values.size or (values <= 0.0).any():
            raise InputError("limits holds a number that is not above zero; a limit is a loss, as 20_000")
        return sorted(set(values.tolist()))
    losses = -pnl[pnl < 0.0]
    spaced = np.geomspace(np.median(losses), losses.max(), STEPS)
    return sorted({float(f"{value:.1e}") for value in spaced.tolist()})
