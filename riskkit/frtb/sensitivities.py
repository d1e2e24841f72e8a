"""Sensitivities-based method: weighted sensitivities within a bucket, buckets within a risk class, three scenarios."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, finite_array, finite_number, shown
from riskkit._excel import Exported
from riskkit._plain import mapping_of
from riskkit._show import Row
from riskkit.frtb import tables
from riskkit.frtb.docs import documented, documented_charge

SCENARIOS = ("low", "medium", "high")
"""Correlations of MAR21.6: max(2ρ - 1, 0.75ρ), ρ, and min(1.25ρ, 1)."""


@dataclass(frozen=True, repr=False, eq=False)
class SensitivitiesCharge(Exported):
    """Charge of a risk class under the three correlation scenarios.

    Attributes
    ----------
    capital : float
        The largest of the three charges, money.
    charges : dict[str, float]
        Charge by scenario, money.
    buckets : dict[str, (n_buckets,) array]
        Charge K_b of each bucket by scenario, money.
    sums : dict[str, (n_buckets,) array]
        Net weighted sensitivity S_b of each bucket by scenario, as it enters the charge.
    names : tuple
        Names of the buckets.
    alternative : dict[str, bool]
        True where the sum under the root would be negative, so that S_b is cut to ±K_b.

    Examples
    --------
    >>> from riskkit.frtb import aggregate_buckets
    >>> aggregate_buckets({"a": [60.0, 50.0], "b": [-55.0]}, 0.5, 0.5).capital == max(
    ...     aggregate_buckets({"a": [60.0, 50.0], "b": [-55.0]}, 0.5, 0.5).charges.values())
    True
    """

    capital: float
    charges: dict[str, float]
    buckets: dict[str, np.ndarray]
    sums: dict[str, np.ndarray]
    names: tuple[Any, ...]
    alternative: dict[str, bool]

    @property
    def scenario(self) -> str:
        """The scenario of the largest charge."""
        return max(self.charges, key=lambda name: self.charges[name])

    def _title(self) -> str:
        return f"Sensitivities-based charge, {self.scenario} correlations"

    def _rows(self) -> list[Row]:
        kb = self.buckets[self.scenario]
        return [
            ("capital", self.capital, "the largest of three"),
            *((f"{name} correlations", charge, "") for name, charge in self.charges.items()),
            *((f"bucket {name}", float(each), "") for name, each in zip(self.names, kb, strict=True)),
        ]

    def to_frame(self) -> Any:
        """One row per bucket and one column per scenario."""
        import pandas as pd

        return pd.DataFrame(self.buckets, index=pd.Index(self.names, name="bucket"))

    def plot(self, ax: Any = None) -> Any:
        """Draw the charge of each bucket under the scenario of the largest charge."""
        ax = plot.axes(ax)
        ax.bar([plot.literal(name) for name in self.names], self.buckets[self.scenario], color=plot.STRONG)
        ax.set_xlabel("bucket")
        plot.thousands(ax.yaxis)
        ax.set_ylabel("charge, money")
        plot.dress(ax, self._title())
        return ax


def correlations_of(correlations: np.ndarray, scenario: str) -> np.ndarray:
    """Correlations of a scenario (MAR21.6), the diagonal unchanged."""
    changed = {
        "low": lambda rho: np.maximum(2.0 * rho - 1.0, 0.75 * rho),
        "medium": lambda rho: rho,
        "high": lambda rho: np.minimum(1.25 * rho, 1.0),
    }[scenario](correlations)
    np.fill_diagonal(changed := np.array(changed), np.diag(correlations))
    return changed


@documented
def bucket_charge(weighted: Any, correlations: Any) -> float:
    """Charge of a bucket: sqrt(max(0, sum of ρ_kl WS_k WS_l)).

    Parameters
    ----------
    weighted : (n_factors,)
        Sensitivities times risk weights, money.
    correlations : number or (n_factors, n_factors)
        Correlation of two factors.

    References
    ----------
    Basel Framework, MAR21.4(4).

    Examples
    --------
    >>> round(bucket_charge([60.0, 50.0, 40.0], 0.1), 2)
    95.81
    """
    amounts = finite_array(weighted, "weighted", ndim=1)
    return _root(amounts, correlation_matrix(correlations, len(amounts), "correlations"))


def _root(amounts: np.ndarray, correlations: np.ndarray) -> float:
    return math.sqrt(max(0.0, float(amounts @ correlations @ amounts)))


@documented
def aggregate_buckets(weighted: Mapping[Any, Any] | Sequence[Any], within: Any, between: Any) -> SensitivitiesCharge:
    """Charge of a risk class from the weighted sensitivities of its buckets, under three correlation scenarios.

    Parameters
    ----------
    weighted : mapping of bucket to (n_factors,), or a sequence of them
        Sensitivities times risk weights, money.
    within : number, or one per bucket
        Correlation within a bucket: a number or a matrix; None for a bucket that adds up absolute amounts ("other sector").
    between : number or (n_buckets, n_buckets)
        Correlation of buckets.

    Returns
    -------
    SensitivitiesCharge
        `capital`, the largest of the charges; where a sum under the root is negative, S_b is cut to ±K_b.

    References
    ----------
    Basel Framework, MAR21.4(5), 21.6 and 21.7.

    Examples
    --------
    >>> charge = aggregate_buckets([[60.0, 50.0, 40.0], [-55.0, -60.0, -45.0]], 0.1, 0.9)
    >>> round(charge.charges["medium"], 2), charge.alternative["medium"]
    (44.54, True)
    """
    weighted = mapping_of(weighted, "weighted")
    named = dict(weighted) if isinstance(weighted, Mapping) else dict(enumerate(weighted))
    if not named:
        raise InputError("weighted has no bucket; give at least one")
    amounts = [finite_array(each, f"bucket {name!r}", ndim=1) for name, each in named.items()]
    rho = list(within) if isinstance(within, (list, tuple)) else [within] * len(amounts)
    if len(rho) != len(amounts):
        raise InputError(f"within has {len(rho)} entries for {len(amounts)} buckets; give one for each")
    matrices = [
        None if part is None else correlation_matrix(part, len(each), "within")
        for each, part in zip(amounts, rho, strict=True)
    ]
    gamma = correlation_matrix(between, len(amounts), "between")
    totals = np.array([each.sum() for each in amounts])
    buckets, sums, charges, alternative = {}, {}, {}, {}
    for scenario in SCENARIOS:
        kb = np.array([_of_bucket(each, part, scenario) for each, part in zip(amounts, matrices, strict=True)])
        shared = correlations_of(gamma, scenario)
        np.fill_diagonal(shared, 0.0)
        net = totals
        square = float(kb @ kb + net @ shared @ net)
        alternative[scenario] = square < 0.0
        if square < 0.0:
            net = np.clip(totals, -kb, kb)
            square = max(0.0, float(kb @ kb + net @ shared @ net))
        buckets[scenario], sums[scenario], charges[scenario] = kb, net, math.sqrt(square)
    return SensitivitiesCharge(max(charges.values()), charges, buckets, sums, tuple(named), alternative)


@documented_charge
def girr_delta(
    sensitivities: Mapping[str, Mapping[Any, float]], *, specified: Sequence[str] = tables.SPECIFIED_CURRENCIES
) -> SensitivitiesCharge:
    """Delta charge of interest rates, with the inflation and the cross-currency basis of each currency.

    Parameters
    ----------
    sensitivities : mapping of currency to mapping of factor to money
        Change of value for a rise of the rate by 1.00 (that of a basis point over 0.0001). A factor is a tenor in years, or
        (curve, tenor) where a currency has several curves, or "inflation", "basis over USD" or "basis over EUR".
    specified : sequence of str
        Currencies whose risk weight is over sqrt(2); add the reporting currency.

    References
    ----------
    Basel Framework, MAR21.8 and 21.41 to 21.50.

    Examples
    --------
    >>> round(girr_delta({"USD": {1: 1_000_000, 5: -500_000, 10: 800_000}}).charges["medium"])
    12818
    """
    weighted, within = {}, []
    for currency, given in mapping_of(sensitivities, "sensitivities").items():
        curve = mapping_of(given, f"sensitivities of {currency}")
        factors = [_rate_factor(factor, currency) for factor in curve]
        scale = math.sqrt(0.5) if currency in specified else 1.0
        amounts = finite_array(list(curve.values()), f"sensitivities of {currency}", ndim=1)
        weighted[currency] = amounts * [
            scale * tables.GIRR_WEIGHTS.get(tenor, tables.GIRR_FLAT_WEIGHT) for _, tenor in factors
        ]
        within.append(of_rates(factors))
    return aggregate_buckets(weighted, within, tables.GIRR_BETWEEN)


def _rate_factor(factor: Any, currency: str) -> tuple[str, float]:
    """The curve of a factor and its tenor; a flat curve has the tenor 0."""
    if isinstance(factor, str) and factor in tables.GIRR_FLAT:
        return factor, 0.0
    curve, tenor = factor if isinstance(factor, tuple) and len(factor) == 2 else ("", factor)
    years = finite_number(tenor, f"tenor of {currency}")
    if years not in tables.GIRR_WEIGHTS or not isinstance(curve, str):
        known = ", ".join(f"{each:g}" for each in tables.GIRR_WEIGHTS)
        given = shown(factor) if curve else f"{years:g}"
        raise InputError(
            f"tenor {given} of {currency} has no risk weight; the tenors are {known} years, each also as (curve, tenor), "
            f"and {', '.join(tables.GIRR_FLAT)}"
        )
    return curve, years


def of_rates(factors: Sequence[tuple[str, float]]) -> np.ndarray:
    """Correlations of the factors of a currency."""
    curves, flat = [curve for curve, _ in factors], np.array([tenor == 0.0 for _, tenor in factors])
    inflation = flat & np.array([curve == "inflation" for curve in curves])
    same = np.array([[one == other for other in curves] for one in curves])
    found = tables.tenor_correlations([tenor or 1.0 for _, tenor in factors])
    found *= np.where(same, 1.0, tables.GIRR_CURVES_WITHIN)
    found[flat[:, None] | flat] = 0.0
    found[(inflation[:, None] & ~flat) | (~flat[:, None] & inflation)] = tables.GIRR_INFLATION_WITHIN
    np.fill_diagonal(found, 1.0)
    return found


@documented_charge
def equity_delta(sensitivities: Mapping[int, Any], *, repo: Mapping[int, Any] | None = None) -> SensitivitiesCharge:
    """Delta charge of equity spot prices and repo rates.

    Parameters
    ----------
    sensitivities : mapping of bucket (1 to 13) to (n_issuers,)
        Money held of each issuer: change of value for a rise by 100 %.
    repo : mapping of bucket to (n_issuers,), optional
        Change of value for a rise of the repo rate of the same issuers, in their order, by 1.00; zeros for those without.

    References
    ----------
    Basel Framework, MAR21.72 to 21.80.

    Examples
    --------
    >>> round(equity_delta({5: [1_000_000, -400_000], 8: [500_000]}).charges["medium"])
    402989
    """
    sensitivities, rates = mapping_of(sensitivities, "sensitivities"), dict(mapping_of(repo, "repo"))
    between = tables.equity_between(sensitivities)
    weighted, within = {}, []
    for bucket, amounts in sensitivities.items():
        number = int(bucket)
        weight = tables.EQUITY_WEIGHTS[number]
        rho: Any = tables.EQUITY_WITHIN.get(number)
        spot = finite_array(amounts, f"bucket {bucket}", ndim=1)
        weighted[bucket] = weight * spot
        if bucket in rates:
            own = finite_array(rates.pop(bucket), f"repo of bucket {bucket}", ndim=1)
            if own.shape != spot.shape:
                raise InputError(
                    f"repo of bucket {bucket} has {len(own)} issuers and its spot {len(spot)}; give both for each"
                )
            weighted[bucket] = weight * np.concatenate([spot, own / 100.0])
            if rho is not None:
                names = correlation_matrix(rho, len(spot), "within")
                rho = np.block([[names, names * tables.EQUITY_REPO_WITHIN], [names * tables.EQUITY_REPO_WITHIN, names]])
        within.append(rho)
    if rates:
        raise InputError(
            f"repo has the bucket {shown(next(iter(rates)))}, which sensitivities has not; give it there, too"
        )
    return aggregate_buckets(weighted, within, between)


@documented_charge
def fx_delta(sensitivities: Mapping[str, float], *, specified: Sequence[str] = ()) -> SensitivitiesCharge:
    """Delta charge of exchange rates.

    Parameters
    ----------
    sensitivities : mapping of currency to money
        Value in each foreign currency, in the reporting one.
    specified : sequence of str
        Currencies whose pair with the reporting one is in MAR21.88, with a risk weight over sqrt(2).

    References
    ----------
    Basel Framework, MAR21.86 to 21.89.

    Examples
    --------
    >>> round(fx_delta({"EUR": 1_000_000, "TRY": 300_000}, specified=["EUR"]).charges["medium"])
    137850
    """
    sensitivities = mapping_of(sensitivities, "sensitivities")
    weights = {
        currency: tables.FX_WEIGHT * (math.sqrt(0.5) if currency in specified else 1.0) for currency in sensitivities
    }
    weighted = {
        currency: finite_array([amount], f"sensitivity to {currency}") * weights[currency]
        for currency, amount in sensitivities.items()
    }
    return aggregate_buckets(weighted, 1.0, tables.FX_BETWEEN)


def _of_bucket(weighted: np.ndarray, within: np.ndarray | None, scenario: str) -> float:
    if within is None:
        return float(np.abs(weighted).sum())
    return _root(weighted, correlations_of(within, scenario))


def correlation_matrix(correlations: Any, size: int, name: str) -> np.ndarray:
    """A matrix of correlations; a number stands for all that are off the diagonal."""
    array = finite_array(correlations, name)
    if array.ndim == 0:
        array = np.where(np.eye(size, dtype=bool), 1.0, array)
    if array.shape != (size, size):
        raise InputError(
            f"{name} has shape {array.shape} for {size} factors or buckets; give a number or ({size}, {size})"
        )
    if np.abs(array).max(initial=0.0) > 1.0:
        raise InputError(f"{name} holds {array.flat[np.abs(array).argmax()]:g}; a correlation is between -1 and 1")
    return array
