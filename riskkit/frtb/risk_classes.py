"""Facts of the risk classes whose buckets hold names, and what their charges share: netting, correlations of names, added buckets."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_number, one_of, shown
from riskkit.frtb import tables
from riskkit.frtb.sensitivities import SensitivitiesCharge


class FactorClass(NamedTuple):
    """Weights and correlations of a class: of two names (by bucket), tenors, curves and buckets; `other` adds absolute amounts."""

    what: str
    weights: Mapping[int, float]
    tenors: Sequence[float]
    name: Mapping[int, float]
    tenor: float
    basis: float
    other: int | None
    between: Callable[[Any], np.ndarray] | None
    added: bool = False

    def of_buckets(self, buckets: Any) -> Any:
        """Correlation of buckets; none where all stand alone."""
        return 0.0 if self.between is None else self.between(buckets)

    def total(self, charge: SensitivitiesCharge) -> SensitivitiesCharge:
        """The charge, with the last bucket added to that of the others where the class says so."""
        return _with_added(charge, max(self.weights)) if self.added else charge


def _names(weights: Mapping[int, float], name: float, **of_index: float) -> dict[int, float]:
    return dict.fromkeys(weights, name) | {int(bucket[1:]): value for bucket, value in of_index.items()}


EQUITY = FactorClass(
    "equity", tables.EQUITY_WEIGHTS, (), tables.EQUITY_WITHIN, 1.0, 0.999, 11, tables.equity_between
)  # fmt: skip
COMMODITY = FactorClass(
    "commodity", tables.COMMODITY_WEIGHTS, tables.COMMODITY_TENORS, tables.COMMODITY_WITHIN, 0.99, 0.999, None,
    tables.commodity_between,
)  # fmt: skip
CREDIT = {
    "no securitisation": FactorClass(
        "credit", tables.CREDIT_WEIGHTS, tables.CREDIT_TENORS,
        _names(tables.CREDIT_WEIGHTS, 0.35, b17=0.80, b18=0.80), 0.65, 0.999, 16, tables.credit_between,
    ),
    "correlation trading": FactorClass(
        "correlation trading", tables.CORRELATION_TRADING_WEIGHTS, tables.CREDIT_TENORS,
        _names(tables.CORRELATION_TRADING_WEIGHTS, 0.35), 0.65, 0.99, 16, tables.credit_between,
    ),
    "securitisation": FactorClass(
        "securitisation", tables.SECURITISATION_WEIGHTS, tables.CREDIT_TENORS,
        _names(tables.SECURITISATION_WEIGHTS, 0.40), 0.80, 0.999, 25, None, added=True,
    ),
}  # fmt: skip
"""The classes of credit spreads by `instruments`."""


def credit_class(instruments: Any) -> FactorClass:
    """The class of credit spreads of these instruments."""
    return CREDIT[one_of(instruments, tuple(CREDIT), "instruments")]


def net_factors(
    place: str, positions: Iterable[Any], form: Mapping[str, Sequence[Any] | None]
) -> dict[tuple[Any, ...], float]:
    """The sum of the sensitivities to each factor; `form` has the label's tenors and names, or None for any text."""
    net: dict[tuple[Any, ...], float] = {}
    asked = f"give ({', '.join(form)}, money)"
    for position in positions:
        is_row = isinstance(position, (tuple, list)) or (
            isinstance(position, Sequence) and not isinstance(position, str)
        )
        if not is_row or len(position) != len(form) + 1:
            raise InputError(f"{place} holds {shown(position)}; {asked}")
        *labels, money = position
        key = tuple(map(_label, labels, form, form.values(), [place] * len(labels)))
        net[key] = net.get(key, 0.0) + finite_number(money, f"sensitivity of {place} to {key[0]!r}")
    if not net:
        raise InputError(f"{place} has no sensitivity; leave it out, or {asked}")
    return net


def _label(value: Any, label: str, tenors: Sequence[Any] | None, place: str) -> Hashable:
    if tenors is None:
        if not isinstance(value, str):
            raise InputError(f"{place} has {shown(value)} as a {label}; names, curves and places are texts")
        return value
    if isinstance(value, str) and (names := [each for each in tenors if isinstance(each, str)]):
        if value not in names:
            raise InputError(
                f"{label} {shown(value)} in {place} is not prescribed; use years, or one of {', '.join(names)}"
            )
        return value
    if finite_number(value, f"{label} in {place}") not in tenors:
        known = ", ".join(f"{each:g}" for each in tenors if not isinstance(each, str))
        raise InputError(f"{label} {shown(value)} in {place} is not prescribed; use one of {known} years")
    return float(value)


def product_of_labels(factors: Iterable[tuple[Any, ...]], correlations: Sequence[float]) -> np.ndarray:
    """Correlation of two factors: the product over their labels of 1 where they agree and the number where they do not."""
    rows = list(factors)
    found = np.ones((len(rows), len(rows)))
    for labels, other in zip(zip(*rows, strict=True), correlations, strict=True):
        places: dict[Any, int] = {}
        codes = np.array([places.setdefault(label, len(places)) for label in labels])
        found *= np.where(codes[:, None] == codes, 1.0, other)
    return found


def _with_added(charge: SensitivitiesCharge, bucket: int) -> SensitivitiesCharge:
    """The charge with one bucket added to that of the others, which are not correlated."""
    last = np.array([name == bucket for name in charge.names])
    charges = {
        scenario: math.sqrt(float((kb[~last] ** 2).sum())) + float(kb[last].sum())
        for scenario, kb in charge.buckets.items()
    }
    return replace(charge, capital=max(charges.values()), charges=charges)
