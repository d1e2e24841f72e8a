"""Instruments of QuantLib in scenarios: full revaluation by its models of whatever it prices (extra `pricing`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, labels_of, shown, with_labels
from riskkit._plain import mapping_of
from riskkit._show import Row, Shown
from riskkit.instruments.factor_moves import factor_moves


@dataclass(frozen=True, repr=False, eq=False)
class PricedBook(Shown):
    """Positions in QuantLib instruments; a function of scenarios, as `stress_test`, `reverse_stress` and `full_revaluation` take.

    Market data that move are `SimpleQuote` objects from which the instruments were built: spot prices, volatilities, points of a
    curve. A scenario sets them, and the instruments' own engines value it.

    Parameters
    ----------
    instruments : mapping
        Name -> QuantLib instrument with a pricing engine.
    quotes : mapping
        Name of a factor -> `QuantLib.SimpleQuote` that it moves.
    quantities : mapping, optional
        Name -> number of instruments, negative if sold; 1 without it.
    relative : sequence of labels
        Factors whose moves are relative, as of prices; those of the others, rates and volatilities, are added.

    Attributes
    ----------
    factors : tuple of labels
        Names of `quotes`: the columns of scenarios without names.
    positions : tuple of labels
        Names of `instruments`.
    values : (n_instruments,)
        Value of each position with the quotes as they are, money.

    Raises
    ------
    InputError
        QuantLib is not installed, an object that is not of QuantLib, or an instrument that it cannot value.

    References
    ----------
    Ametrano, Ballabio and others, QuantLib: a free/open-source library for quantitative finance, version 1.36 and later.

    Examples
    --------
    >>> import pytest
    >>> ql = pytest.importorskip("QuantLib")
    >>> from riskkit.instruments import PricedBook
    >>> today, spot = ql.Date(2, 1, 2024), ql.SimpleQuote(42.0)
    >>> ql.Settings.instance().evaluationDate = today
    >>> rate = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.1, ql.Actual360()))
    >>> smile = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.2, ql.Actual360()))
    >>> call = ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Call, 40.0), ql.EuropeanExercise(today + 180))
    >>> call.setPricingEngine(ql.AnalyticEuropeanEngine(ql.BlackScholesProcess(ql.QuoteHandle(spot), rate, smile)))
    >>> book = PricedBook({"call": call}, {"X": spot}, {"call": -10.0}, relative=["X"])
    >>> book([[0.0], [-0.1], [0.1]]).round(2).tolist()
    [0.0, 27.44, -36.22]
    """

    instruments: Mapping[Any, Any]
    quotes: Mapping[Any, Any]
    quantities: Mapping[Any, float] | None = None
    relative: Sequence[Any] = ()
    _amounts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        try:
            import QuantLib as ql
        except ImportError:
            raise InputError(
                "QuantLib is not installed; it comes with the extra 'pricing': pip install riskkit[pricing]"
            ) from None
        for name in ("instruments", "quotes", "quantities"):
            object.__setattr__(self, name, mapping_of(getattr(self, name), name))
        for name, kind, objects in (
            ("instruments", ql.Instrument, self.instruments),
            ("quotes", ql.SimpleQuote, self.quotes),
        ):
            strange = [key for key, value in objects.items() if not isinstance(value, kind)]
            if strange or not objects:
                raise InputError(
                    f"{name} has no QuantLib {kind.__name__}{f' at {shown(strange[0])}' if strange else ''}"
                )
        for name, keys, known in (
            ("quantities", self.quantities or {}, self.instruments),
            ("relative", self.relative, self.quotes),
        ):
            unknown = [key for key in keys if key not in known]
            if unknown:
                raise InputError(f"{name} names {shown(unknown[0])}, which is not one of {list(known)}")
        given = self.quantities or {}
        amounts = [finite_number(given.get(name, 1.0), f"quantities[{shown(name)}]") for name in self.instruments]
        object.__setattr__(self, "_amounts", np.array(amounts))
        self._values("as they are")

    @property
    def factors(self) -> tuple[Any, ...]:
        """Names of the columns of scenarios."""
        return tuple(self.quotes)

    @property
    def positions(self) -> tuple[Any, ...]:
        """Names of the columns of `pnl`."""
        return tuple(self.instruments)

    @property
    def values(self) -> np.ndarray:
        """Value of each position with the quotes as they are, money."""
        return self._values("as they are") * self._amounts

    def pnl(self, scenarios: Any) -> Any:
        """P&L of each position in each scenario, by full revaluation; the quotes are as before afterwards.

        Parameters
        ----------
        scenarios : (n_scenarios, n_factors)
            Moves of the factors, matched by name, 0 for unnamed factors.

        Returns
        -------
        (n_scenarios, n_instruments)
            Money; a block for `ScenarioCube.write`.

        Raises
        ------
        InputError
            Other factors, or a scenario that QuantLib cannot value: its sentence and the row.
        """
        moves = factor_moves(scenarios, self.factors)
        before = {name: quote.value() for name, quote in self.quotes.items()}
        today, out = self._values("as they are"), np.empty((len(moves), len(self._amounts)))
        try:
            for i, row in enumerate(moves.tolist()):
                for name, move in zip(self.quotes, row, strict=True):
                    was = before[name]
                    self.quotes[name].setValue(was * (1.0 + move) if name in self.relative else was + move)
                out[i] = self._values(f"in row {i} of scenarios") - today
        finally:
            for name, value in before.items():
                self.quotes[name].setValue(value)
        rows = labels_of(scenarios, 0)
        return with_labels(out * self._amounts, rows, None if rows is None else list(self.positions))

    def __call__(self, scenarios: Any) -> Any:
        """P&L of the whole book in each scenario, (n_scenarios,)."""
        return self.pnl(scenarios).sum(axis=1)

    def _values(self, where: str) -> np.ndarray:
        """Value of each instrument; what QuantLib refuses is said by name."""
        values = []
        for name, instrument in self.instruments.items():
            try:
                values.append(instrument.NPV())
            except RuntimeError as error:
                raise InputError(f"QuantLib cannot value {shown(name)} {where}: {error}") from None
        return finite_array(values, "the values by QuantLib")

    def _title(self) -> str:
        return f"Book of {len(self.instruments):,} instruments of QuantLib"

    def _rows(self) -> list[Row]:
        return [
            ("factors", len(self.quotes), ""),
            ("value", float(self.values.sum()), "money"),
        ]
