"""`PositionValues`: the value of each position in money, checked once for any number of trades."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from riskkit._check import InputError, finite_number, positive, shown
from riskkit.desk.core.records import CheckedRecord, Field, as_text, checked

ROUNDING = 1e-9


def _values(value: Any, name: str) -> dict[str, float]:
    """{ticker: money} from a mapping, a Series, a DataFrame or a list of positions."""
    if hasattr(value, "columns"):
        value = (value if "ticker" in value.columns else value.rename_axis("ticker").reset_index()).to_dict("records")
    elif hasattr(value, "to_dict"):
        value = value.to_dict()
    if isinstance(value, (list, tuple)):
        value = _by_ticker(value, name)
    if not isinstance(value, Mapping):
        raise InputError(f"{name} came as {type(value).__name__}; give a mapping from ticker to money")
    tickers = [as_text(ticker, f"a ticker of {name}") for ticker in value]
    return {ticker: _money(held, f"{name}[{ticker!r}]") for ticker, held in zip(tickers, value.values(), strict=True)}


def _by_ticker(listed: Any, name: str) -> dict[Any, Any]:
    """A list of {"ticker", "quantity", "price"} (or "value") as a mapping by ticker."""
    found: dict[Any, Any] = {}
    for index, entry in enumerate(listed):
        if not isinstance(entry, Mapping) or "ticker" not in entry:
            raise InputError(f"{name}[{index}]={shown(entry)} is not a position; give a ticker, and quantity and price")
        rest = {key: item for key, item in entry.items() if key != "ticker"}
        if entry["ticker"] in found:
            raise InputError(f"{name} has {entry['ticker']!r} twice; add its positions up")
        found[entry["ticker"]] = rest["value"] if set(rest) == {"value"} else rest
    return found


def _money(held: Any, name: str) -> float:
    if not isinstance(held, Mapping):
        return finite_number(held, name)
    unknown = [key for key in held if key not in ("quantity", "price", "value")]
    if unknown or "quantity" not in held or "price" not in held:
        raise InputError(f"{name}={shown(held)} is not a position; give money, or quantity and price (and their value)")
    quantity, price = finite_number(held["quantity"], f"{name}: quantity"), positive(held["price"], f"{name}: price")
    if "value" in held:
        check_value(finite_number(held["value"], f"{name}: value"), quantity, price, name)
    return finite_number(quantity * price, f"{name}: quantity x price")


def check_value(value: float, quantity: float, price: float, name: str) -> None:
    """Refuse a stated value that is not quantity × price, up to the rounding of floats (a relative 1e-9)."""
    if not math.isclose(value, quantity * price, rel_tol=ROUNDING):
        raise InputError(
            f"{name}: value={shown(value)} is not quantity x price, {quantity * price!r}; omit it or correct it"
        )


@dataclass(frozen=True, repr=False, eq=False)
class PositionValues(CheckedRecord):
    """Value of each position in money, negative when short; immutable.

    Parameters
    ----------
    values : mapping, Series, DataFrame or list
        {ticker: money} or {ticker: ``{"quantity": ..., "price": ...}``}; or a list of such dicts with a ``"ticker"``,
        or a DataFrame with these columns. A stated ``"value"`` has to be the product.

    Raises
    ------
    RequestError
        A ticker that is not a text, a value that is not finite, or one that is not quantity × price.

    Examples
    --------
    >>> held = PositionValues({"AAPL": 3_000.0, "TLT": {"quantity": -10, "price": 92.5}})
    >>> held["TLT"], held["GLD"], held.gross
    (-925.0, 0.0, 3925.0)
    """

    values: Annotated[dict[str, float], Field(_values, "money")]

    def __getitem__(self, ticker: str) -> float:
        """Value of a position, 0 without one."""
        return self.values.get(ticker, 0.0)

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def gross(self) -> float:
        """Gross exposure: the sum of absolute values, in money."""
        return math.fsum(map(abs, self.values.values()))

    @property
    def largest(self) -> str | None:
        """Ticker of the largest absolute value, the first of equals; None without positions."""
        return max(self.values, key=lambda ticker: abs(self.values[ticker]), default=None)

    def to_frame(self) -> Any:
        """One row per ticker: value in money."""
        import pandas as pd

        return pd.DataFrame({"value": pd.Series(self.values, dtype=float)}).rename_axis("ticker")

    def _rows(self) -> list[tuple[str, Any, str]]:
        return [(ticker, value, "") for ticker, value in self.values.items()]


def position_values(value: Any, name: str = "positions") -> PositionValues:
    """A `PositionValues` unchanged, or made from an argument called `name`."""
    if type(value) is PositionValues:
        return value
    return PositionValues._trusted(values=checked(_values, value, name))
