"""Vega charges: sensitivities to implied volatilities by the maturity of the option, in the buckets of the deltas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit._plain import mapping_of
from riskkit.frtb import tables
from riskkit.frtb.docs import documented_charge
from riskkit.frtb.risk_classes import COMMODITY, EQUITY, FactorClass, credit_class, net_factors, product_of_labels
from riskkit.frtb.sensitivities import SensitivitiesCharge, aggregate_buckets, of_rates

NamedVega = tuple[str, float, float]
MATURITIES = tables.VEGA_MATURITIES


@documented_charge
def girr_vega(sensitivities: Mapping[str, Mapping[tuple[float, float | str], float]]) -> SensitivitiesCharge:
    """Vega charge of interest rates, with the inflation and the cross-currency basis of each currency.

    Parameters
    ----------
    sensitivities : mapping of currency to mapping of (option maturity, underlying maturity) to money
        Vega times implied volatility; both maturities 0.5, 1, 3, 5 or 10 years, that of the underlying after the option's. In
        the place of the second: "inflation", "basis over USD" or "basis over EUR", which have none, and are correlated with rates
        as their deltas are (40 % and 0), times the correlation of the options' maturities; MAR21.93 does not speak of them.

    References
    ----------
    Basel Framework, MAR21.8(4) with its FAQ, 21.48, 21.49 and 21.92 to 21.95.

    Examples
    --------
    >>> round(girr_vega({"USD": {(1, 5): 80_000, (5, 10): -30_000}}).charges["medium"])
    52289
    >>> round(girr_vega({"USD": {(1, 5): 80_000, (1, "inflation"): -80_000}}).charges["medium"])
    87636
    """
    form = {"option maturity": MATURITIES, "underlying maturity": (*MATURITIES, *tables.GIRR_FLAT)}
    return _of_currencies(sensitivities, form, "interest rate", tables.GIRR_BETWEEN)


@documented_charge
def fx_vega(sensitivities: Mapping[str, Mapping[float, float]]) -> SensitivitiesCharge:
    """Vega charge of exchange rates.

    Parameters
    ----------
    sensitivities : mapping of currency pair to mapping of option maturity to money
        Vega times implied volatility; the maturity 0.5, 1, 3, 5 or 10 years.

    References
    ----------
    Basel Framework, MAR21.14(2), 21.92, 21.94 and 21.95.

    Examples
    --------
    >>> round(fx_vega({"EURUSD": {0.5: 20_000, 1: -5_000}, "USDJPY": {3: 10_000}}).charges["medium"])
    22516
    """
    return _of_currencies(sensitivities, {"maturity": MATURITIES}, "FX", tables.FX_BETWEEN)


@documented_charge
def credit_vega(
    sensitivities: Mapping[int, Iterable[NamedVega]], *, instruments: str = "no securitisation"
) -> SensitivitiesCharge:
    """Vega charge of credit spreads; options on bonds and on CDS of a name are options on that name.

    Parameters
    ----------
    sensitivities : mapping of bucket to (name, maturity, money)
        Vega times implied volatility; the option's maturity 0.5, 1, 3, 5 or 10 years.
    instruments : {"no securitisation", "securitisation", "correlation trading"}
        Buckets 1 to 18, 1 to 25 and 1 to 16.

    References
    ----------
    Basel Framework, MAR21.9(2), 21.10(3), 21.11(3), 21.56, 21.92, 21.94 and 21.95.

    Examples
    --------
    >>> round(credit_vega({4: [("X", 1, 60_000), ("Y", 5, -20_000)], 16: [("Z", 1, -9_000)]}).charges["medium"])
    57218
    """
    return _of_names(sensitivities, credit_class(instruments), lambda bucket: "credit")


@documented_charge
def equity_vega(sensitivities: Mapping[int, Iterable[NamedVega]]) -> SensitivitiesCharge:
    """Vega charge of equities.

    Parameters
    ----------
    sensitivities : mapping of bucket (1 to 13) to (name, maturity, money)
        Vega times implied volatility; the option's maturity 0.5, 1, 3, 5 or 10 years. Buckets 9 to 11 are small or other.

    References
    ----------
    Basel Framework, MAR21.12(2), 21.79, 21.92, 21.94 and 21.95.

    Examples
    --------
    >>> round(equity_vega({5: [("X", 0.5, 200_000), ("X", 1, -100_000), ("X", 3, 150_000)]}).charges["medium"])
    191422
    """
    return _of_names(sensitivities, EQUITY, lambda bucket: f"equity, {'small' if 9 <= bucket <= 11 else 'large'}")


@documented_charge
def commodity_vega(sensitivities: Mapping[int, Iterable[NamedVega]]) -> SensitivitiesCharge:
    """Vega charge of commodities; places of delivery and maturities of the underlying are not told apart.

    Parameters
    ----------
    sensitivities : mapping of bucket (1 to 11) to (name, maturity, money)
        Vega times implied volatility; the option's maturity 0.5, 1, 3, 5 or 10 years.

    References
    ----------
    Basel Framework, MAR21.13(2), 21.92, 21.94 and 21.95.

    Examples
    --------
    >>> round(commodity_vega({2: [("Brent", 1, 50_000), ("WTI", 1, -45_000)]}).charges["medium"])
    15811
    """
    return _of_names(sensitivities, COMMODITY, lambda bucket: "commodity")


def _of_currencies(sensitivities: Any, form: dict[str, Any], weighed_as: str, between: float) -> SensitivitiesCharge:
    """Buckets of one underlying each."""
    weight = tables.vega_weight(tables.VEGA_HORIZONS[weighed_as])
    weighted, within = {}, []
    for bucket, given in _buckets(sensitivities).items():
        amounts = mapping_of(given, f"{bucket}")
        if not isinstance(amounts, Mapping):
            raise InputError(f"{bucket} is no mapping; give {{{', '.join(form)}: money}}")
        positions = [(*(key if isinstance(key, tuple) else (key,)), money) for key, money in amounts.items()]
        net = net_factors(f"{bucket}", positions, form)
        weighted[bucket] = [weight * amount for amount in net.values()]
        within.append(_of_maturities(*zip(*net, strict=True)))
    return aggregate_buckets(weighted, within, between)


def _of_names(sensitivities: Any, chosen: FactorClass, weighed_as: Callable[[int], str]) -> SensitivitiesCharge:
    weighted, within = {}, []
    for given, positions in _buckets(sensitivities).items():
        bucket = tables.known_bucket(given, chosen.weights, chosen.what)
        net = net_factors(f"bucket {bucket}", positions, {"name": None, "maturity": MATURITIES})
        weight = tables.vega_weight(tables.VEGA_HORIZONS[weighed_as(bucket)])
        weighted[bucket] = [weight * amount for amount in net.values()]
        names, maturities = zip(*net, strict=True)
        rho = product_of_labels([(name,) for name in names], [chosen.name.get(bucket, 0.0)])
        within.append(None if bucket == chosen.other else rho * _of_maturities(maturities))
    return chosen.total(aggregate_buckets(weighted, within, chosen.of_buckets(weighted)))


def _buckets(given: Any) -> Mapping[Any, Any]:
    sensitivities: Any = mapping_of(given, "sensitivities")
    if not isinstance(sensitivities, Mapping) or not sensitivities:
        raise InputError("sensitivities has no bucket; give a mapping with at least one")
    return sensitivities


def _of_maturities(*maturities: Any) -> np.ndarray:
    """The product of the correlations of the maturities; at most 1."""
    product: np.ndarray = np.prod([_of_each(each) for each in maturities], axis=0)
    return np.minimum(product, 1.0)


def _of_each(maturities: Sequence[Any]) -> np.ndarray:
    """Correlation by maturity; of what has none and a rate, that of their deltas."""
    flat = np.array([isinstance(each, str) for each in maturities])
    years = tables.vega_correlations([1.0 if isinstance(each, str) else each for each in maturities])
    if not flat.any():
        return years
    deltas = of_rates([(each, 0.0) if isinstance(each, str) else ("", 1.0) for each in maturities])
    same = np.array([[one == other for other in maturities] for one in maturities])
    return np.where(flat[:, None] | flat, np.where(same, 1.0, deltas), years)
