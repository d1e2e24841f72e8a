"""Deltas of credit spreads and commodities: factors with a name, a tenor, and a curve or a place of delivery."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_number, one_of, shown
from riskkit.frtb import tables
from riskkit.frtb.docs import documented, documented_delta
from riskkit.frtb.sensitivities import SensitivitiesCharge, aggregate_buckets

Position = tuple[str, float, str, float]


class FactorClass(NamedTuple):
    """Weights and correlations of a class: of two names (by bucket), tenors and curves; `other` adds up absolute amounts."""

    what: str
    weights: Mapping[int, float]
    tenors: Sequence[float]
    name: Mapping[int, float]
    tenor: float
    basis: float
    other: int | None


def _names(weights: Mapping[int, float], name: float, **of_index: float) -> dict[int, float]:
    return dict.fromkeys(weights, name) | {int(bucket[1:]): value for bucket, value in of_index.items()}


COMMODITY = FactorClass(
    "commodity", tables.COMMODITY_WEIGHTS, tables.COMMODITY_TENORS, tables.COMMODITY_WITHIN, 0.99, 0.999, None
)
CREDIT = {
    "no securitisation": FactorClass(
        "credit", tables.CREDIT_WEIGHTS, tables.CREDIT_TENORS,
        _names(tables.CREDIT_WEIGHTS, 0.35, b17=0.80, b18=0.80), 0.65, 0.999, 16,
    ),
    "correlation trading": FactorClass(
        "correlation trading", tables.CORRELATION_TRADING_WEIGHTS, tables.CREDIT_TENORS,
        _names(tables.CORRELATION_TRADING_WEIGHTS, 0.35), 0.65, 0.99, 16,
    ),
    "securitisation": FactorClass(
        "securitisation", tables.SECURITISATION_WEIGHTS, tables.CREDIT_TENORS,
        _names(tables.SECURITISATION_WEIGHTS, 0.40), 0.80, 0.999, 25,
    ),
}  # fmt: skip


@documented
def credit_delta(
    sensitivities: Mapping[int, Iterable[Position]], *, instruments: str = "no securitisation"
) -> SensitivitiesCharge:
    """Delta charge of credit spreads.

    Parameters
    ----------
    sensitivities : mapping of bucket to (name, tenor, curve, money)
        Change of value for a rise of the spread by 1.00 (that of a basis point over 0.0001); the name is that of the issuer
        or tranche, the tenor 0.5, 1, 3, 5 or 10 years, the curve as "bond" or "CDS". Equal factors are netted.
    instruments : {"no securitisation", "securitisation", "correlation trading"}
        Buckets 1 to 18, 1 to 25 and 1 to 16.

    Returns
    -------
    SensitivitiesCharge
        `capital` and the charges by scenario; bucket 25 of securitisations is added without diversification.

    References
    ----------
    Basel Framework, MAR21.51 to 21.71.

    Examples
    --------
    >>> bonds = {3: [("X", 1, "bond", 1_000_000), ("X", 5, "CDS", -800_000), ("Y", 5, "bond", 400_000)]}
    >>> round(credit_delta(bonds).charges["medium"])
    42405
    """
    chosen = CREDIT[one_of(instruments, tuple(CREDIT), "instruments")]
    securitised = instruments == "securitisation"
    charge = _charge(sensitivities, chosen, None if securitised else tables.credit_between)
    return _with_added(charge, tables.SECURITISATION_WEIGHTS) if securitised else charge


@documented_delta
def commodity_delta(sensitivities: Mapping[int, Iterable[Position]]) -> SensitivitiesCharge:
    """Delta charge of commodities.

    Parameters
    ----------
    sensitivities : mapping of bucket (1 to 11) to (name, tenor, place, money)
        Change of value for a rise of the price by 100 %; the tenor is one of 0, 0.25, 0.5, 1, 2, 3, 5, 10, 15, 20 and 30
        years, the place that of delivery. Equal factors are netted.

    References
    ----------
    Basel Framework, MAR21.81 to 21.85.

    Examples
    --------
    >>> oil = [("Brent", 1, "Le Havre", 1_000_000), ("WTI", 5, "Oklahoma", -900_000)]
    >>> round(commodity_delta({2: oil, 7: [("gold", 0, "London", 500_000)]}).charges["medium"])
    161097
    """
    return _charge(sensitivities, COMMODITY, tables.commodity_between)


def _charge(sensitivities: Mapping[int, Iterable[Position]], chosen: FactorClass, between: Any) -> SensitivitiesCharge:
    if not sensitivities:
        raise InputError("sensitivities has no bucket; give at least one")
    weighted: dict[int, list[float]] = {}
    within: list[Any] = []
    for given, positions in sensitivities.items():
        bucket = tables.known_bucket(given, chosen.weights, chosen.what)
        net = _net(bucket, positions, chosen)
        if not net:
            raise InputError(f"bucket {bucket} has no sensitivity; leave it out, or give (name, tenor, curve, money)")
        weighted[bucket] = [chosen.weights[bucket] * amount for amount in net.values()]
        within.append(None if bucket == chosen.other else _correlations(list(net), bucket, chosen))
    return aggregate_buckets(weighted, within, 0.0 if between is None else between(weighted))


def _net(bucket: int, positions: Iterable[Position], chosen: FactorClass) -> dict[tuple[str, float, str], float]:
    """The sum of the sensitivities to each factor."""
    net: dict[tuple[str, float, str], float] = {}
    for position in positions:
        if not isinstance(position, Sequence) or isinstance(position, str) or len(position) != 4:
            raise InputError(f"bucket {bucket} holds {shown(position)}; give (name, tenor, curve, money)")
        name, tenor, basis, money = position
        for label in (name, basis):
            if not isinstance(label, str):
                raise InputError(f"bucket {bucket} has {shown(label)} as a name; names, curves and places are texts")
        if finite_number(tenor, f"tenor of {name} in bucket {bucket}") not in chosen.tenors:
            known = ", ".join(f"{each:g}" for each in chosen.tenors)
            raise InputError(
                f"tenor {shown(tenor)} of {name} in bucket {bucket} is not prescribed; the tenors are {known} years"
            )
        key = (name, float(tenor), basis)
        net[key] = net.get(key, 0.0) + finite_number(money, f"sensitivity of bucket {bucket} to {name}")
    return net


def _correlations(factors: Sequence[tuple[str, float, str]], bucket: int, chosen: FactorClass) -> np.ndarray:
    """Correlation of two factors: that of their names times those of their tenors and their curves or places."""
    parts = zip(zip(*factors, strict=True), (chosen.name[bucket], chosen.tenor, chosen.basis), strict=True)
    found = np.ones((len(factors), len(factors)))
    for labels, other in parts:
        places: dict[Any, int] = {}
        codes = np.array([places.setdefault(label, len(places)) for label in labels])
        found *= np.where(codes[:, None] == codes, 1.0, other)
    return found


def _with_added(charge: SensitivitiesCharge, weights: Mapping[int, float]) -> SensitivitiesCharge:
    """The charge with the last bucket added to that of the others, which are not correlated."""
    last = np.array([name == max(weights) for name in charge.names])
    charges = {
        scenario: math.sqrt(float((kb[~last] ** 2).sum())) + float(kb[last].sum())
        for scenario, kb in charge.buckets.items()
    }
    return replace(charge, capital=max(charges.values()), charges=charges)
