"""Funding liquidity: cash flows by maturity against what can be turned into cash, and how long it lasts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, as_pandas, finite_array, labels_of
from riskkit._docs import counted
from riskkit._excel import Exported
from riskkit._show import Row, percent

LCR_DAYS, INFLOW_CAP = 30.0, 0.75
"""Period of the liquidity coverage ratio, and the share of the outflows that inflows may cover in it."""


@dataclass(frozen=True, repr=False, eq=False)
class FundingLadder(Exported):
    """Cash flows by maturity, and the liquidity left after each.

    Attributes
    ----------
    table : DataFrame
        By `day`: outflow and inflow under the stress, cumulative gap, buffer that is cash by then, and what is left; money.
    survival_days : float
        Last maturity, in days, before the first at which nothing is left; infinite if there is none.
    coverage_ratio : float
        The buffer over net outflows of 30 days, with inflows capped at 75 % of outflows; infinite without net outflows.

    Examples
    --------
    >>> from riskkit.liquidity import funding_ladder
    >>> ladder = funding_ladder([1, 7, 30], {"deposits": [10, 20, 60]}, {"loans": [5, 5, 20]}, buffer=50.0)
    >>> ladder.survival_days, round(ladder.coverage_ratio, 3)
    (7.0, 0.833)
    """

    table: Any
    survival_days: float
    coverage_ratio: float

    def to_frame(self) -> Any:
        """One row per maturity."""
        return self.table.copy()

    def plot(self, ax: Any = None) -> Any:
        """Draw what is left after each maturity."""
        ax = plot.axes(ax)
        left = self.table["left"]
        names = [f"{day:g}" for day in left.index]
        ax.bar(names, left, color=[plot.WARM if value < 0.0 else plot.STRONG for value in left])
        ax.axhline(0.0, color=plot.INK, linewidth=0.8)
        plot.thousands(ax.yaxis)
        ax.set_xlabel("days")
        ax.set_ylabel("liquidity left, money")
        plot.dress(ax, self._title())
        return ax

    def _title(self) -> str:
        survival = self.survival_days
        return (
            "Funding lasts through every maturity"
            if math.isinf(survival)
            else f"Funding lasts for {counted(float(survival), 'day')}"
        )

    def _rows(self) -> list[Row]:
        worst = self.table["left"]
        return [
            ("least liquidity left", float(worst.min()), f"money, at {worst.idxmin():g} days"),
            ("coverage ratio, 30 days", percent(round(self.coverage_ratio, 4)), ""),
        ]


def funding_ladder(
    days: Any,
    outflows: Any,
    inflows: Any,
    *,
    buffer: Any,
    haircut: Any = 0.0,
    cash_after: Any = 0.0,
    run_off: Any = 1.0,
    roll_in: Any = 1.0,
) -> FundingLadder:
    """Maturity ladder of a fund or bank under a funding stress.

    Parameters
    ----------
    days : (n_buckets,)
        Maturities, ascending, above zero; a flow of a bucket falls due until its day.
    outflows, inflows : (n_buckets,), (n_buckets, n_items), or mapping of items to (n_buckets,)
        Contractual cash flows in money, at least zero.
    buffer : float or (n_assets,)
        Market value of what can be sold or pledged, money.
    haircut : float or (n_assets,)
        Fraction lost by doing so.
    cash_after : float or (n_assets,)
        Days until it is cash; for example from `days_to_liquidate`.
    run_off, roll_in : float, (n_items,) or mapping
        Share of each outflow that is asked for, and of each inflow that is paid, under the stress, as fractions.

    Returns
    -------
    FundingLadder
        The table, the survival period and the coverage ratio.

    Raises
    ------
    InputError
        NaN, negative flows, days that do not rise, a fraction out of range, or shapes that do not fit.

    References
    ----------
    Basel Committee (2013), Basel III: The Liquidity Coverage Ratio and liquidity risk monitoring tools (d238), paragraphs 69 (net
    outflows), 144 (cap) and 187 (contractual maturity mismatch). CEBS (2009), Guidelines on liquidity buffers and survival periods.

    Examples
    --------
    >>> ladder = funding_ladder(
    ...     [1, 7, 30, 90],
    ...     {"retail": [0, 0, 100, 0], "wholesale": [40, 20, 20, 0]},
    ...     {"loans": [5, 5, 40, 50]},
    ...     buffer=[50.0, 30.0],
    ...     haircut=[0.0, 0.2],
    ...     cash_after=[0.0, 5.0],
    ...     run_off={"retail": 0.1, "wholesale": 1.0},
    ...     roll_in=0.5,
    ... )
    >>> ladder.table["left"].tolist(), ladder.survival_days
    ([12.5, 19.0, 9.0, 34.0], inf)
    """
    import pandas as pd

    ends = finite_array(days, "days", ndim=1)
    if ends[0] <= 0.0 or (np.diff(ends) <= 0.0).any():
        raise InputError("days do not rise from above zero; give the maturities in order, each once")
    out = _stressed(outflows, run_off, len(ends), "outflows", "run_off")
    into = _stressed(inflows, roll_in, len(ends), "inflows", "roll_in")
    value, lost, ready = (
        np.atleast_1d(finite_array(part, name))
        for part, name in ((buffer, "buffer"), (haircut, "haircut"), (cash_after, "cash_after"))
    )
    if value.min() < 0.0 or lost.min() < 0.0 or lost.max() > 1.0 or ready.min() < 0.0:
        raise InputError("buffer, haircut or cash_after is out of range; give at least 0, and a haircut of at most 1")
    try:
        worth, lag = np.broadcast_arrays(value * (1.0 - lost), ready)
    except ValueError:
        raise InputError("buffer, haircut and cash_after have different numbers of assets; give one for each") from None
    cash = (worth * (lag <= ends[:, None])).sum(axis=1)
    gap = np.cumsum(into - out)
    left = cash + gap
    soon = ends <= LCR_DAYS
    need = out[soon].sum() - min(into[soon].sum(), INFLOW_CAP * out[soon].sum())
    short = np.flatnonzero(left < 0.0)
    table = pd.DataFrame(
        {"outflow": out, "inflow": into, "gap": gap, "buffer": cash, "left": left}, index=pd.Index(ends, name="day")
    )
    survival = math.inf if not len(short) else float(ends[short[0] - 1]) if short[0] else 0.0
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        ratio = np.float64(worth.sum()) / need
    return FundingLadder(table, survival, float(ratio) if need > 0.0 else math.inf)


def _stressed(flows: Any, rates: Any, n_buckets: int, name: str, rate_name: str) -> np.ndarray:
    """Sum over items of flow × rate, by bucket."""
    import pandas as pd

    table = pd.DataFrame(flows) if isinstance(flows, dict) else as_pandas(flows)
    items = labels_of(table, 1)
    array = finite_array(table, name)
    array = array[:, None] if array.ndim == 1 else array
    if isinstance(rates, dict) and items is not None:
        unknown = [item for item in items if item not in rates]
        if unknown:
            raise InputError(f"{rate_name} is missing {unknown[0]!r}")
        rates = [rates[item] for item in items]
    share = finite_array(rates, rate_name)
    if array.shape[0] != n_buckets or share.shape not in ((), (array.shape[1],)):
        raise InputError(
            f"{name} has shape {array.shape} and {rate_name} {share.shape} for {n_buckets} days; give a row for each day and a "
            "rate for each item"
        )
    if array.min() < 0.0 or share.min() < 0.0 or share.max() > 1.0:
        raise InputError(f"{name} or {rate_name} is out of range; give flows of at least 0, and shares between 0 and 1")
    return (array * share).sum(axis=1)
