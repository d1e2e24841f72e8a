"""Books in several currencies, and their P&L in one: prices and exchange rates move together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, labels_of, positive, shown, with_labels
from riskkit._plain import mapping_of
from riskkit._show import Row, Shown
from riskkit.instruments.factor_moves import factor_moves
from riskkit.instruments.option_book import OptionBook
from riskkit.instruments.priced_book import PricedBook
from riskkit.pnl import DeltaGamma

NEAR = 0.02
"""Relative distance up to which two quotes of one rate may differ, as those of other hours do."""


class _Part(NamedTuple):
    """A book in its own currency: positions, what moves them, P&L by position, values today."""

    positions: tuple[str, ...]
    factors: tuple[Any, ...]
    pnl: Callable[[np.ndarray], np.ndarray]
    values: np.ndarray


@dataclass(frozen=True, repr=False, eq=False)
class CurrencyBook(Shown):
    """Books in several currencies as one book; a function of scenarios, as `stress_test`, `reverse_stress` and `full_revaluation` take.

    What is worth V in a currency at a rate of X is worth V X. If prices change V by p, and the rate moves by the fraction f, the P&L
    is X (p + V f + p f): of prices, of exchange, and of both together.

    Parameters
    ----------
    books : mapping
        Name -> what is held, in its own currency: a number, cash; a Series or mapping {asset: money}, linear positions; an
        `OptionBook`; or a `PricedBook`. Books may share factors. FX forwards and options are rows of an `OptionBook` whose
        underlying is a cross rate, and their values are in the currency that it is quoted in.
    currencies : mapping
        Name of a book -> its currency.
    rates : mapping
        Currency -> units of `reporting` for one unit of it.
    reporting : label
        Currency of the P&L.
    crosses : mapping, optional
        Factor of a book that is itself an exchange rate -> (currency bought, currency it is quoted in), as ``{"EURUSD": ("EUR", "USD")}``.
        It has no moves of its own: they follow from those of the two currencies, so that no triangle of rates can open.
    settled : sequence, optional
        Books whose gains are paid every day, as futures: their value is 0, and only their P&L is exchanged.

    Attributes
    ----------
    factors : tuple of labels
        Relative moves and other factors of the books, then relative moves of `rates`: the columns of scenarios without names.
    positions : tuple[str, ...]
        Names of the columns of `pnl`, "book: position"; cash has the name of its book.

    Raises
    ------
    InputError
        A book without a currency, a currency without a rate, a factor with the name of a currency, or a cross rate that the rates
        contradict by more than 2 %.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 11.2 (currency positions mapped on two factors).

    Examples
    --------
    >>> from riskkit.instruments import CurrencyBook
    >>> books = {"shares": {"AAPL": 1000.0}, "cash": 500.0}
    >>> book = CurrencyBook(books, {"shares": "USD", "cash": "GBP"}, {"USD": 0.9, "GBP": 1.2}, "EUR")
    >>> book.factors, book([[-0.1, 0.05, 0.0]]).round(6).tolist()
    (('AAPL', 'USD', 'GBP'), [-49.5])
    >>> book.by_effect([[-0.1, 0.05, 0.0]]).round(6).to_dict("records")
    [{'prices': -90.0, 'exchange': 45.0, 'both': -4.5}]
    """

    books: Mapping[Any, Any]
    currencies: Mapping[Any, Any]
    rates: Mapping[Any, float]
    reporting: Any
    crosses: Mapping[Any, tuple[Any, Any]] | None = None
    settled: Sequence[Any] = ()
    _parts: list[_Part] = field(init=False)

    def __post_init__(self) -> None:
        for name in ("books", "currencies", "rates", "crosses"):
            object.__setattr__(self, name, mapping_of(getattr(self, name), name))
        for currency, rate in self.rates.items():
            if positive(rate, f"rates[{shown(currency)}]") != 1.0 and currency == self.reporting:
                raise InputError(f"rates has {rate!r} for the reporting currency {shown(currency)}, which is 1")
        if not self.books:
            raise InputError("books is empty; give {name: what is held}")
        strange = [name for name in (*self.currencies, *self.settled) if name not in self.books]
        if strange:
            raise InputError(f"currencies or settled name {shown(strange[0])}, which is not one of {list(self.books)}")
        for name in self.books:
            if name not in self.currencies:
                raise InputError(f"currencies is missing the book {shown(name)}")
            self._rate(self.currencies[name])
        parts = [_part(name, held, name in self.settled) for name, held in self.books.items()]
        object.__setattr__(self, "_parts", parts)
        own = [name for part in parts for name in part.factors]
        for pair in self.crosses.items() if self.crosses else ():
            self._check_cross(*pair, own)
        twice = [name for name in own if name in self.rates and name not in (self.crosses or {})]
        if twice:
            raise InputError(
                f"books have the factor {shown(twice[0])}, which is a currency, too; "
                "name the factor otherwise, or give it in crosses as {factor: (bought, quoted in)}"
            )

    def _rate(self, currency: Any) -> float:
        if currency not in self.rates and currency != self.reporting:
            raise InputError(f"rates is missing {shown(currency)}: units of {self.reporting} for one unit of it")
        return float(self.rates.get(currency, 1.0))

    def _check_cross(self, factor: Any, pair: Any, own: list[Any]) -> None:
        """Refuse a cross rate that no book has, or that is not the ratio of the two rates."""
        if factor not in own or not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise InputError(
                f"crosses has {shown(factor)}: {shown(pair)}; give a factor of the books and (bought, quoted in)"
            )
        ratio = self._rate(pair[0]) / self._rate(pair[1])
        for held in self.books.values():
            quote = None
            if isinstance(held, OptionBook):
                quote = held.spots.get(factor)
            elif isinstance(held, PricedBook) and factor in held.quotes:
                quote = held.quotes[factor].value()
                if factor not in held.relative:
                    raise InputError(f"crosses has {shown(factor)}, whose moves are not relative in a book of QuantLib")
            if quote is not None and abs(quote / ratio - 1.0) > NEAR:
                raise InputError(
                    f"the cross rate {shown(factor)} is {quote:g} in a book, and {ratio:g} by rates; is it {pair[0]} in {pair[1]}?"
                )

    @property
    def factors(self) -> tuple[Any, ...]:
        """Names of the columns of scenarios."""
        own = dict.fromkeys(name for part in self._parts for name in part.factors if name not in (self.crosses or {}))
        return (*own, *(name for name in self.rates if name != self.reporting))

    @property
    def positions(self) -> tuple[str, ...]:
        """Names of the columns of `pnl`."""
        return tuple(name for part in self._parts for name in part.positions)

    @property
    def value(self) -> float:
        """Value today in the reporting currency."""
        return sum(self._rate(self.currencies[name]) * part.values.sum() for name, part in self._named())

    def _named(self) -> Any:
        return zip(self.books, self._parts, strict=True)

    def _moved(self, scenarios: Any) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Of each book: P&L of prices (n_scenarios, n), values today (n,), and the move of its currency (n_scenarios, 1)."""
        known = self.factors
        moves = factor_moves(scenarios, known)
        by_name = dict(zip(known, moves.T, strict=True)) | {self.reporting: np.zeros(len(moves))}
        for currency in self.rates:
            if by_name[currency].min() <= -1.0:
                raise InputError(
                    f"scenarios moves {shown(currency)} by {by_name[currency].min():g}; a rate stays above 0"
                )
        for factor, (bought, quoted) in (self.crosses or {}).items():
            by_name[factor] = (1.0 + by_name[bought]) / (1.0 + by_name[quoted]) - 1.0
        for name, part in self._named():
            currency = self.currencies[name]
            rate, change = self._rate(currency), by_name[currency][:, None]
            inputs = [by_name[factor] for factor in part.factors]
            local = part.pnl(np.column_stack(inputs) if inputs else np.empty((len(moves), 0)))
            yield rate * local, rate * part.values, change

    def pnl(self, scenarios: Any) -> Any:
        """P&L of each position in each scenario, in the reporting currency.

        Parameters
        ----------
        scenarios : (n_scenarios, n_factors)
            Moves of the factors, of a currency its relative move against `reporting`; matched by name, 0 for unnamed factors.

        Returns
        -------
        (n_scenarios, n_positions)
            Money; a block for `ScenarioCube.write`, and for ``attribution.historical(None, ...)``.

        Raises
        ------
        InputError
            Other factors, an exchange rate that does not stay above 0, or what a book refuses.
        """
        parts = [local + (local + values) * change for local, values, change in self._moved(scenarios)]
        rows = labels_of(scenarios, 0)
        return with_labels(np.hstack(parts), rows, None if rows is None else list(self.positions))

    def __call__(self, scenarios: Any) -> Any:
        """P&L of all books in each scenario, (n_scenarios,)."""
        return self.pnl(scenarios).sum(axis=1)

    def by_effect(self, scenarios: Any) -> Any:
        """P&L of all books by what caused it: prices, exchange, and both together.

        Parameters
        ----------
        scenarios : (n_scenarios, n_factors)
            As for `pnl`.

        Returns
        -------
        DataFrame (n_scenarios, 3)
            `prices` at today's exchange rates, `exchange` of today's values, and `both`, the product; money. They add up to the P&L.
        """
        import pandas as pd

        sums: dict[str, Any] = dict.fromkeys(("prices", "exchange", "both"), 0.0)
        for local, values, change in self._moved(scenarios):
            prices, rate = local.sum(axis=1), change[:, 0]
            for effect, part in zip(sums, (prices, values.sum() * rate, prices * rate), strict=True):
                sums[effect] = sums[effect] + part
        return pd.DataFrame(sums, labels_of(scenarios, 0))

    def delta_gamma(self) -> DeltaGamma:
        """Sensitivities to the factors, with the cross gammas of prices and exchange rates.

        Returns
        -------
        DeltaGamma
            Money in the reporting currency per unit of relative move; volatilities of an `OptionBook` are left out, as in its own.

        Raises
        ------
        InputError
            A `PricedBook`, whose sensitivities are those of its engines.
        """
        import pandas as pd

        known = self.factors
        at = {name: i for i, name in enumerate(known)}
        delta, gamma = np.zeros(len(known)), np.zeros((len(known), len(known)))
        for name, part in self._named():
            local_delta, local_gamma = _sensitivities(name, self.books[name])
            currency = self.currencies[name]
            rate, exchange = self._rate(currency), np.zeros(len(known))
            if currency != self.reporting:
                exchange[at[currency]] = 1.0
            delta += rate * part.values.sum() * exchange
            for factor, slope in local_delta.items():
                first, second = self._chain(factor, at)
                delta += rate * slope * first
                both = np.outer(first, exchange)
                gamma += rate * (local_gamma[factor] * np.outer(first, first) + slope * (second + both + both.T))
        return DeltaGamma(pd.Series(delta, known), pd.DataFrame(gamma, known, known))

    def _chain(self, factor: Any, at: dict[Any, int]) -> tuple[np.ndarray, np.ndarray]:
        """First and second derivatives of a book's own factor in the factors of all."""
        first, second = np.zeros(len(at)), np.zeros((len(at), len(at)))
        pair = (self.crosses or {}).get(factor)
        if pair is None:
            first[at[factor]] = 1.0
            return first, second
        bought, quoted = (at.get(currency) for currency in pair)
        if bought is not None:
            first[bought] += 1.0
        if quoted is not None:
            first[quoted] -= 1.0
            second[quoted, quoted] += 2.0
            if bought is not None:
                second[bought, quoted] -= 1.0
                second[quoted, bought] -= 1.0
        return first, second

    def _title(self) -> str:
        held = ", ".join(map(str, dict.fromkeys(self.currencies.values())))
        return f"Books in {held}; P&L in {self.reporting}"

    def _rows(self) -> list[Row]:
        rows: list[Row] = [("positions", len(self.positions), ""), ("value", self.value, str(self.reporting))]
        for currency in dict.fromkeys(self.currencies.values()):
            held = sum(float(part.values.sum()) for name, part in self._named() if self.currencies[name] == currency)
            rows.append((f"of which in {currency}", held * self._rate(currency), str(self.reporting)))
        return rows


def _part(name: Any, held: Any, settled: bool) -> _Part:
    """Give a book one form: its positions, factors, P&L and values in its own currency."""
    if isinstance(held, (OptionBook, PricedBook)):
        values = finite_array(held.values, f"the values of {shown(name)}")
        part = _Part(tuple(f"{name}: {one}" for one in held.positions), held.factors, held.pnl, values)
    elif isinstance(held := mapping_of(held, f"books[{shown(name)}]"), Mapping) and held:
        amounts = np.array(
            [finite_number(amount, f"books[{shown(name)}][{shown(one)}]") for one, amount in held.items()]
        )
        part = _Part(tuple(f"{name}: {one}" for one in held), tuple(held), lambda moves: moves * amounts, amounts)
    elif isinstance(held, (int, float, np.number)):
        cash = np.array([finite_number(held, f"books[{shown(name)}]")])
        part = _Part((str(name),), (), lambda moves: np.zeros((len(moves), 1)), cash)
    else:
        raise InputError(
            f"books[{shown(name)}]={shown(held)} is no book; give cash, {{asset: money}}, an OptionBook or a PricedBook"
        )
    return part._replace(values=np.zeros(len(part.values))) if settled else part


def _sensitivities(name: Any, held: Any) -> tuple[Mapping[Any, float], Mapping[Any, float]]:
    """Delta and gamma of a book in its own currency by factor."""
    if isinstance(held, PricedBook):
        raise InputError(f"books[{shown(name)}] is priced by QuantLib and has no deltas here; revalue it by pnl")
    if isinstance(held, OptionBook):
        own = held.delta_gamma()
        return own.delta.to_dict(), own.gamma.to_dict()
    deltas = mapping_of(held, "books") if not isinstance(held, (int, float, np.number)) else {}
    return deltas, dict.fromkeys(deltas, 0.0)
