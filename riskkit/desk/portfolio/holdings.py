"""What a desk holds, as the money of each ticker, checked once so that many trades can be held against it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from riskkit._check import InputError, finite_number, positive
from riskkit.desk.fields import Record, as_text, checked

__all__ = ["Positions", "agree", "positions_of"]

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
    """A list of {"ticker", "quantity", "price"} (or "value") by ticker."""
    found: dict[Any, Any] = {}
    for place, entry in enumerate(listed):
        if not isinstance(entry, Mapping) or "ticker" not in entry:
            raise InputError(f"{name}[{place}]={entry!r} is no position; give a ticker, and quantity and price")
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
        raise InputError(f"{name}={held!r} is no position; give money, or quantity and price (and their value)")
    quantity, price = finite_number(held["quantity"], f"{name}: quantity"), positive(held["price"], f"{name}: price")
    if "value" in held:
        agree(finite_number(held["value"], f"{name}: value"), quantity, price, name)
    return finite_number(quantity * price, f"{name}: quantity x price")


def agree(value: float, quantity: float, price: float, name: str) -> None:
    """Refuse a stated value that is not quantity × price, up to a billionth of it (what floats may differ by)."""
    if not math.isclose(value, quantity * price, rel_tol=ROUNDING):
        raise InputError(
            f"{name}: value={value!r} is not quantity x price, {quantity * price!r}; leave it out or mend it"
        )


@dataclass(frozen=True, repr=False, eq=False)
class Positions(Record):
    """Money held of each ticker, negative when short; never changed once made.

    Parameters
    ----------
    values : mapping, Series, DataFrame or list
        From ticker to money, or to ``{"quantity": ..., "price": ...}``; or a list of such with their ``"ticker"``, or a
        DataFrame with these columns. A stated ``"value"`` has to be the product.

    Raises
    ------
    RequestError
        A ticker that is no text, a value that is not finite, or one that is not quantity × price.

    Examples
    --------
    >>> held = Positions({"AAPL": 3_000.0, "TLT": {"quantity": -10, "price": 92.5}})
    >>> held["TLT"], held["never held"], held.gross
    (-925.0, 0.0, 3925.0)
    """

    values: dict[str, float]

    _checks: ClassVar = {"values": _values}

    def __getitem__(self, ticker: str) -> float:
        """Money of a ticker, 0 when it is not held."""
        return self.values.get(ticker, 0.0)

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def gross(self) -> float:
        """Sum of absolute values, in money."""
        return math.fsum(map(abs, self.values.values()))

    @property
    def largest(self) -> str | None:
        """The ticker with the largest absolute value, the first of equals; None without any."""
        return max(self.values, key=lambda ticker: abs(self.values[ticker]), default=None)

    def to_frame(self) -> Any:
        """One row a ticker: value in money."""
        import pandas as pd

        return pd.DataFrame({"value": pd.Series(self.values, dtype=float)}).rename_axis("ticker")

    def _rows(self) -> list[tuple[str, Any, str]]:
        return [(ticker, value, "") for ticker, value in self.values.items()]


def positions_of(value: Any, name: str = "positions") -> Positions:
    """Positions as they are, or made of what came under the argument's name."""
    if type(value) is Positions:
        return value
    return Positions._trusted(values=checked(_values, value, name))
