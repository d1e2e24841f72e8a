"""Deltas of credit spreads and commodities: factors with a name, a tenor, and a curve or a place of delivery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from riskkit._check import InputError, shown
from riskkit._plain import mapping_of
from riskkit.frtb import tables
from riskkit.frtb.docs import documented, documented_charge
from riskkit.frtb.risk_classes import COMMODITY, FactorClass, credit_class, net_factors, product_of_labels
from riskkit.frtb.sensitivities import SensitivitiesCharge, aggregate_buckets

Position = tuple[str, float, str, float]
COVERED_BONDS = 8


@documented
def credit_delta(
    sensitivities: Mapping[int, Iterable[Position]],
    *,
    instruments: str = "no securitisation",
    high_grade: Sequence[str] = (),
) -> SensitivitiesCharge:
    """Delta charge of credit spreads.

    Parameters
    ----------
    sensitivities : mapping of bucket to (name, tenor, curve, money)
        Change of value for a rise of the spread by 1.00 (that of a basis point over 0.0001); the name is that of the issuer
        or tranche, the tenor 0.5, 1, 3, 5 or 10 years, the curve as "bond" or "CDS". Equal factors are netted.
    instruments : {"no securitisation", "securitisation", "correlation trading"}
        Buckets 1 to 18, 1 to 25 and 1 to 16.
    high_grade : sequence of str
        Names of covered bonds (bucket 8, no securitisation) rated AA- or higher, which the bank may weigh by 1.5 %, not 2.5 %.

    Returns
    -------
    SensitivitiesCharge
        `capital` and the charges by scenario; bucket 25 of securitisations is added without diversification.

    References
    ----------
    Basel Framework, MAR21.51 to 21.71; covered bonds: the note to table 4.

    Examples
    --------
    >>> bonds = {3: [("X", 1, "bond", 1_000_000), ("X", 5, "CDS", -800_000), ("Y", 5, "bond", 400_000)]}
    >>> round(credit_delta(bonds).charges["medium"])
    42405
    >>> round(credit_delta({8: [("Pfandbrief", 5, "bond", 1_000_000)]}, high_grade=["Pfandbrief"]).capital)
    15000
    """
    chosen, sensitivities = credit_class(instruments), mapping_of(sensitivities, "sensitivities")
    if high_grade and instruments != "no securitisation":
        raise InputError(f"high_grade is for covered bonds; instruments={instruments!r} have none")
    named = [high_grade] if isinstance(high_grade, str) else list(high_grade)
    held = {position[0] for position in map(tuple, sensitivities.get(COVERED_BONDS, ())) if position}
    if unknown := [name for name in named if name not in held]:
        raise InputError(f"high_grade has {shown(unknown[0])}, which is no name in bucket 8 (covered bonds)")
    return _charge(sensitivities, chosen, "curve", dict.fromkeys(named, tables.COVERED_BOND_WEIGHT))


@documented_charge
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
    return _charge(mapping_of(sensitivities, "sensitivities"), COMMODITY, "place", {})


def _charge(
    sensitivities: Mapping[int, Iterable[Position]], chosen: FactorClass, basis: str, covered: Mapping[str, float]
) -> SensitivitiesCharge:
    if not sensitivities:
        raise InputError("sensitivities has no bucket; give at least one")
    weighted: dict[int, list[float]] = {}
    within: list[Any] = []
    for given, positions in sensitivities.items():
        bucket = tables.known_bucket(given, chosen.weights, chosen.what)
        net = net_factors(f"bucket {bucket}", positions, {"name": None, "tenor": chosen.tenors, basis: None})
        own = covered if bucket == COVERED_BONDS else {}
        weighted[bucket] = [own.get(key[0], chosen.weights[bucket]) * amount for key, amount in net.items()]
        parts = chosen.name.get(bucket, 0.0), chosen.tenor, chosen.basis
        within.append(None if bucket == chosen.other else product_of_labels(net, parts))
    return chosen.total(aggregate_buckets(weighted, within, chosen.of_buckets(weighted)))
