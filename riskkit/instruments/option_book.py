"""A book of European options, revalued in scenarios of prices and volatilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import InputError, as_pandas, finite_array, finite_number, labels_of, with_labels
from riskkit._plain import mapping_of
from riskkit._show import Row, Shown
from riskkit.instruments.european import european_option
from riskkit.instruments.factor_moves import factor_moves
from riskkit.instruments.forwards import forward_contract
from riskkit.pnl import DeltaGamma

NEEDED = ("underlying", "strike", "years", "volatility", "quantity", "option")
KINDS: tuple[Any, ...] = ("call", "put", "forward")
BLOCK = 200_000
"""Valuations at a time."""


@dataclass(frozen=True, repr=False, eq=False)
class OptionBook(Shown):
    """Options on several underlyings; a function of scenarios, as `stress_test`, `reverse_stress` and `full_revaluation` take.

    Parameters
    ----------
    options : DataFrame
        A row for each position: `underlying`, `strike`, `years` to expiry, `volatility` per year, `quantity` in units of the
        underlying (negative if sold), `option` ("call", "put", or "forward", which needs no volatility: NaN); and, if they are not 0,
        `rate` and `dividend_yield`.
    spots : mapping
        Price of each underlying.
    volatility_factors : mapping, optional
        Underlying -> name of the factor that is added to its volatilities.
    days : float
        Trading time that passes in a scenario, in days of 1/252 of a year.

    Attributes
    ----------
    factors : tuple of labels
        Relative moves of the underlyings, then changes of volatilities: the columns of scenarios without names.
    positions : tuple of labels
        Labels of `options`.
    values : (n_options,)
        Value of each position today, money.

    Raises
    ------
    InputError
        A column or a price that is missing, an option that expires within `days`, or a number out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit.instruments import OptionBook
    >>> columns = ["underlying", "strike", "years", "volatility", "quantity", "option"]
    >>> rows = [["X", 100.0, 0.5, 0.2, -10.0, "call"], ["X", 95.0, 0.5, 0.22, -10.0, "put"]]
    >>> strangle = OptionBook(pd.DataFrame(rows, columns=columns), {"X": 100.0})
    >>> strangle([[0.0], [-0.1], [0.1]]).round(1).tolist()
    [0.0, -8.4, -41.8]
    """

    options: Any
    spots: Mapping[Any, float]
    volatility_factors: Mapping[Any, Any] | None = None
    days: float = 0.0

    def __post_init__(self) -> None:
        table = as_pandas(self.options)
        missing = [name for name in NEEDED if name not in getattr(table, "columns", ())]
        if missing:
            raise InputError(f"options has no column {missing[0]!r}; it needs {', '.join(NEEDED)}")
        object.__setattr__(self, "options", table)
        for name in ("spots", "volatility_factors"):
            object.__setattr__(self, name, mapping_of(getattr(self, name), name))
        unknown = [name for name in table["underlying"] if name not in self.spots]
        if unknown:
            raise InputError(f"spots is missing {unknown[0]!r}")
        strange = [kind for kind in table["option"] if kind not in KINDS]
        if strange:
            raise InputError(f"options has the option {strange[0]!r}; give 'call', 'put' or 'forward'")
        if (self._column("years") <= self._elapsed).any():
            raise InputError(f"options has one that expires within {self.days:g} days; value it at expiry")
        self.pnl(np.zeros((1, len(self.factors))))  # refuses what no option can have

    @property
    def factors(self) -> tuple[Any, ...]:
        """Names of the columns of scenarios."""
        return (*self.spots, *dict.fromkeys((self.volatility_factors or {}).values()))

    @property
    def positions(self) -> tuple[Any, ...]:
        """Names of the columns of `pnl`."""
        return tuple(self.options.index)

    @property
    def values(self) -> np.ndarray:
        """Value of each position today, money."""
        return self._prices(self._spot[None, :], self._column("years"), self._volatility)[0] * self._column("quantity")

    @property
    def _spot(self) -> np.ndarray:
        return np.array([float(self.spots[name]) for name in self.options["underlying"]])

    @property
    def _volatility(self) -> np.ndarray:
        """Volatilities; those of forwards are not looked at."""
        given = as_pandas(self.options["volatility"]).where(self.options["option"] != "forward", 1.0)
        return finite_array(given, "options['volatility']")

    @property
    def _elapsed(self) -> float:
        return finite_number(self.days, "days") / 252.0

    def _column(self, name: str) -> np.ndarray:
        if name not in self.options.columns:
            return np.zeros(len(self.options))
        return finite_array(self.options[name], f"options[{name!r}]")

    def pnl(self, scenarios: Any) -> Any:
        """P&L of each position in each scenario, by full revaluation.

        Parameters
        ----------
        scenarios : (n_scenarios, n_factors)
            Relative moves of the underlyings above -1 and changes of volatilities; matched by name, 0 for unnamed factors.

        Returns
        -------
        (n_scenarios, n_options)
            Money; a block for `ScenarioCube.write`.

        Raises
        ------
        InputError
            A move that leaves no price or volatility above zero, or other factors.
        """
        moves = factor_moves(scenarios, self.factors)
        step = max(1, BLOCK // len(self.options))
        parts = [self._revalued(moves[start : start + step]) for start in range(0, len(moves), step)]
        rows = labels_of(scenarios, 0)
        return with_labels(np.concatenate(parts), rows, None if rows is None else self.options.index)

    def __call__(self, scenarios: Any) -> Any:
        """P&L of the whole book in each scenario, (n_scenarios,)."""
        values = self.pnl(scenarios)
        return values.sum(axis=1)

    def _revalued(self, moves: np.ndarray) -> np.ndarray:
        known, names = list(self.factors), list(self.options["underlying"])
        at = [known.index(name) for name in names]
        later = self._spot * (1.0 + moves[:, at])
        spread = np.zeros((len(moves), len(names)))
        for j, name in enumerate(names):
            if self.volatility_factors and name in self.volatility_factors:
                spread[:, j] = moves[:, known.index(self.volatility_factors[name])]
        then = self._prices(later, self._column("years") - self._elapsed, self._volatility + spread)
        return then * self._column("quantity") - self.values

    def _prices(self, spot: np.ndarray, years: np.ndarray, volatility: np.ndarray) -> np.ndarray:
        """Price per unit (n, n_options) at prices of the underlyings (n, n_options)."""
        out, kinds = np.empty(spot.shape), self.options["option"].to_numpy()
        strike, rate, income = (self._column(name) for name in ("strike", "rate", "dividend_yield"))
        for kind in KINDS:
            chosen = kinds == kind
            if not chosen.any():
                continue
            terms = {"rate": rate[chosen], "dividend_yield": income[chosen]}
            place = spot[:, chosen], strike[chosen], years[chosen]
            if kind == "forward":
                out[:, chosen] = forward_contract(*place, **terms).price
            else:
                out[:, chosen] = european_option(*place, volatility[..., chosen], option=kind, **terms).price
        return out

    def delta_gamma(self) -> DeltaGamma:
        """Sensitivities to relative moves of the underlyings, money: what a limit on delta and gamma sees."""
        import pandas as pd

        known = list(self.spots)
        delta, gamma = np.zeros(len(known)), np.zeros(len(known))
        for _, row in self.options.iterrows():
            terms = {name: row[name] for name in ("rate", "dividend_yield") if name in row}
            spot, at = float(self.spots[row["underlying"]]), known.index(row["underlying"])
            if row["option"] == "forward":
                delta[at] += row["quantity"] * forward_contract(spot, row["strike"], row["years"], **terms).delta * spot
                continue
            value = european_option(spot, row["strike"], row["years"], row["volatility"], option=row["option"], **terms)
            delta[at] += row["quantity"] * value.delta * spot
            gamma[at] += row["quantity"] * value.gamma * spot**2
        return DeltaGamma(pd.Series(delta, known), pd.Series(gamma, known))

    def _title(self) -> str:
        return f"Book of {len(self.options):,} options on {len(self.spots)} underlyings"

    def _rows(self) -> list[Row]:
        table = self.delta_gamma()
        return [
            ("delta", float(np.sum(table.delta)), "money per unit of relative move"),
            ("gamma", float(np.sum(table.gamma)), "change of delta per unit of relative move"),
        ]
