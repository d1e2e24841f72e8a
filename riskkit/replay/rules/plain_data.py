"""Parameters that are data: tables, arrays and ratios of instruments, checked before a rule is made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from typing import Any

from riskkit._check import InputError, shown
from riskkit.replay.kernels.integers import MILLION
from riskkit.replay.schema.columns import RETURN_UNIT
from riskkit.replay.schema.names import name_text
from riskkit.replay.schema.universe import exact


def _table(rows: Any, name: str) -> None:
    """Refuse rows that are not (up to, rate) in rising order."""
    lower = Fraction(0)
    if isinstance(rows, str) or not isinstance(rows, (list, tuple)) or not rows:
        raise InputError(f"{name}={shown(rows)} is no table; give rows of (up to, rate), as [[50_000, '0.004']]")
    for row in rows:
        if not isinstance(row, (list, tuple)) or len(row) != 2:
            raise InputError(f"{name} holds {shown(row)}, which is no row; give rows of (up to, rate)")
        bound, rate = exact(row[0], name), exact(row[1], name)
        if bound <= lower or not 0 <= rate <= 1 or (rate * RETURN_UNIT).denominator != 1:
            raise InputError(
                f"{name} holds {shown(row)}: bounds rise from above zero, and rates are fractions with at most nine decimals"
            )
        lower = bound


def _arrays(value: Any, name: str) -> None:
    """Refuse what is not as many amounts of money for each instrument."""
    if not isinstance(value, Mapping) or not value:
        raise InputError(f"{name}={shown(value)} is not a table of amounts by instrument, as {{'FUT': [100, -100]}}")
    for label, amounts in value.items():
        _amounts(amounts, f"{name} of {shown(label)}")
    widths = {label: len(amounts) for label, amounts in value.items()}
    if len(set(widths.values())) > 1:
        raise InputError(f"{name} has as many scenarios for each instrument, and got {widths}")


def _amounts(value: Any, name: str) -> None:
    """Refuse what is not a list of numbers."""
    if isinstance(value, str) or not isinstance(value, (list, tuple)) or not value:
        raise InputError(f"{name} is {shown(value)}; give a list of amounts, one for each scenario")
    for amount in value:
        exact(amount, name)


def _ratios(value: Any, name: str) -> None:
    """Refuse what is not a table of ratios by instrument for each set."""
    rows = list(value.items()) if isinstance(value, Mapping) else []
    if not rows or not all(isinstance(ratios, Mapping) and ratios for _, ratios in rows):
        raise InputError(
            f"{name}={shown(value)} is not a ratio of each instrument by set, as {{'index': {{'ES': 1, 'MES': '0.1'}}}}"
        )
    for label, ratios in rows:
        for instrument, ratio in ratios.items():
            number = exact(ratio, f"{name} of {shown(label)}")
            if number == 0 or (number * MILLION).denominator != 1:
                raise InputError(
                    f"{name} of {shown(label)}: the ratio {shown(ratio)} of {shown(instrument)} is not a number other than 0 with at "
                    "most six decimals"
                )


def _label_sets(value: Any, name: str) -> None:
    """Refuse what is not a list of labels by name."""
    if not isinstance(value, Mapping) or not value:
        raise InputError(f"{name}={shown(value)} is not a list of instruments by name, as {{'index': ['ES', 'C4000']}}")
    for label, members in value.items():
        for member in list_of(members, f"{name} of {shown(label)}", "labels"):
            name_text(member, f"{name} of {shown(label)}")


def _spreads(value: Any, name: str) -> None:
    """Refuse what is not a list of spreads, each of at least two legs and one number."""
    number = "charge" if name.endswith("intra_spread") else "credit"
    for row in list_of(value, name, f"spreads, as [{{'legs': {{'A': 1, 'B': -1}}, '{number}': '0.8'}}]"):
        if not isinstance(row, Mapping) or row.keys() != {"legs", number} or not isinstance(row["legs"], Mapping):
            raise InputError(f"{name} holds {shown(row)}; a spread has legs, a ratio by instrument, and a {number}")
        ratios = [exact(ratio, f"{name}: legs") for ratio in row["legs"].values()]
        if len(ratios) < 2 or 0 in ratios or (len(ratios) > 2 and len({ratio > 0 for ratio in ratios}) == 1):
            raise InputError(
                f"{name} has the legs {shown(row['legs'])}; give two or more, with ratios other than 0, those of the one side above "
                "zero and those of the other below it"
            )
        if not 0 <= exact(row[number], f"{name}: {number}") or (number == "credit" and exact(row[number], name) > 1):
            fits = "at or above zero" if number == "charge" else "a fraction from 0 to 1"
            raise InputError(f"{name}: {number}={shown(row[number])} is not {fits}")


def _amounts_of(value: Any, name: str) -> None:
    """Refuse what is not an amount of money at or above zero by instrument."""
    if not isinstance(value, Mapping) or not value:
        raise InputError(f"{name}={shown(value)} is not an amount by instrument, as {{'C4000': 50}}")
    for label, amount in value.items():
        if exact(amount, f"{name} of {shown(label)}") < 0:
            raise InputError(f"{name} of {shown(label)}: {shown(amount)} is below zero")


def _ranges(value: Any, name: str) -> None:
    """Refuse what is not how far prices fall and rise, by instrument."""
    rows = list(value.items()) if isinstance(value, Mapping) else []
    if not rows:
        raise InputError(
            f"{name}={shown(value)} is not a fall and a rise by instrument, as {{'SPX': ['-0.08', '0.06']}}"
        )
    for label, pair in rows:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise InputError(f"{name} of {shown(label)} is {shown(pair)}; give a fall and a rise, as ['-0.15', '0.15']")
        if not -1 <= exact(pair[0], name) <= 0 <= exact(pair[1], name):
            raise InputError(
                f"{name} of {shown(label)}: {shown(pair)} is not a fall at or below 0 (at least -1) and a rise"
            )


def list_of(value: Any, name: str, of: str) -> list[Any]:
    """The entries of a list, a tuple or a set, which can be read again and again; not of an array, which is neither true nor false."""
    if isinstance(value, str):
        raise InputError(f"{name}={shown(value)} is a string; give a list of {of}")
    if not isinstance(value, Collection) or isinstance(value, (bytes, bytearray, Mapping)) or hasattr(value, "ndim"):
        raise InputError(f"{name}={shown(value)} is not a list of {of}")
    return list(value)


def _tables(value: Any, name: str) -> None:
    """Refuse what is neither rows nor rows by instrument."""
    for rows in value.values() if isinstance(value, Mapping) else [value]:
        _table(rows, name)


CHECKS: dict[str, Callable[[Any, str], None]] = {
    "table": _tables,
    "arrays": _arrays,
    "amounts": _amounts,
    "ratios": _ratios,
    "spreads": _spreads,
    "amounts_of": _amounts_of,
    "label_sets": _label_sets,
    "ranges": _ranges,
}
PLAIN_DATA = tuple(CHECKS)  # units of data


def check_data(value: Any, unit: str, name: str) -> None:
    """Refuse data that are not what their unit says."""
    CHECKS[unit](value, name)
