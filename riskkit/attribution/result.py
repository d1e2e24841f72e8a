"""Result of an attribution: components of risk that sum to the total."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, labels_of
from riskkit._excel import MONEY, PERCENT, Exported, Sheet
from riskkit._show import Row, alike, number, percent
from riskkit._types import Measure, Vector
from riskkit.pnl import aggregate as aggregate_pnl

SHOWN = 10
NAMES = {"var": "VaR", "es": "ES", "volatility": "Volatility"}


@dataclass(frozen=True, repr=False, eq=False)
class Attribution(Exported):
    """Contributions of the positions to the risk of a portfolio; money, losses positive.

    Vectors have shape (n_assets,) and are Series where assets have names.

    Attributes
    ----------
    measure : str
        ``"var"``, ``"es"`` or ``"volatility"``.
    method : str
        Method in words.
    confidence : float or None
        0.95 for 95 %; None for a volatility.
    total : float
        Risk of the portfolio in money, the sum of the components.
    component : (n_assets,)
        Contribution of each position in money; negative for a hedge.
    positions : (n_assets,)
        Money held; None for P&L per position.
    standard_error : (n_assets,)
        Sampling error of each component in money; None where the method has no formula.
    total_standard_error : float or None
        Sampling error of the total in money; None where the method has no formula.
    n_obs : int or None
        Number of observations or scenarios.
    effective_scenarios : float or None
        Effective number of equally weighted scenarios: one over the sum of the squared weights.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.attribution import Attribution
    >>> split = Attribution("var", "given", 0.95, 30.0, np.array([36.0, -6.0]), np.array([100.0, -50.0]))
    >>> split.share.tolist(), split.marginal.tolist()
    ([1.2, -0.2], [0.36, 0.12])
    """

    measure: Measure
    method: str
    confidence: float | None
    total: float
    component: Vector
    positions: Vector | None
    standard_error: Vector | None = None
    total_standard_error: float | None = None
    n_obs: int | None = None
    effective_scenarios: float | None = None

    @property
    def share(self) -> Vector:
        """Component over total, a fraction; the shares sum to one."""
        if self.total == 0.0:
            raise InputError("the total risk is zero, so the shares are undefined")
        share: Vector = self.component / self.total
        return share

    @property
    def marginal(self) -> Vector:
        """Change of the total per unit of money added to each position: component over position.

        Raises
        ------
        InputError
            An asset is not held, so that its component does not determine it; see `riskkit.attribution.marginal`.
        """
        if self.positions is None or (np.asarray(self.positions) == 0.0).any():
            raise InputError(
                "positions are unknown or zero for some asset; riskkit.attribution.marginal includes those"
            )
        marginal: Vector = self.component / self.positions
        return marginal

    def aggregate(self, hierarchy: Any, *, total: Any = None) -> Any:
        """Sum the components over a book -> desk -> firm hierarchy, as in `riskkit.pnl.aggregate`.

        Components are additive along the hierarchy, unlike the VaR of its nodes.
        """
        import pandas as pd

        if not isinstance(self.component, pd.Series):
            raise InputError("the components have no names; give positions or returns with labels")
        return aggregate_pnl(self.component, hierarchy, total=total)

    def to_frame(self) -> Any:
        """One row per asset, in the order of the input."""
        import pandas as pd

        columns = {"position": self.positions, "component": self.component, "standard_error": self.standard_error}
        frame = pd.DataFrame({name: value for name, value in columns.items() if value is not None})
        if self.total != 0.0:
            frame["share"] = self.share
        return frame.rename_axis("asset")

    def _sheets(self) -> list[Sheet]:
        money = dict.fromkeys(("position", "component", "standard_error"), MONEY)
        return [Sheet("contributions", self.to_frame(), {**money, "share": PERCENT})]

    def plot(self, ax: Any = None) -> Any:
        """Draw the share of each position in the risk beside its share in the money, largest risk on top.

        Where positions are unknown, or add up to zero or less, or the risk is zero, the components are drawn alone.
        Lines are one standard error, if known.
        """
        frame = self.to_frame()
        frame = (frame[self._held] if self._held.any() else frame).sort_values(
            "component", ascending=False, kind="stable"
        )
        errors = frame["standard_error"] if "standard_error" in frame else None
        names, measure = list(frame.index), NAMES[self.measure]
        money = 0.0 if self.positions is None else float(frame["position"].sum())
        if money <= 0.0 or "share" not in frame:
            label = f"{measure} component, money"
            return plot.bars(
                {measure: frame["component"]}, names, errors=errors, label=label, title=self._title(), ax=ax
            )
        parts = {"share of the money": frame["position"] / money, f"share of the {measure}": frame["share"]}
        errors = None if errors is None else errors / abs(self.total)
        return plot.shares(parts, names, errors=errors, label="share of the book", title=self._title(), ax=ax)

    def _title(self) -> str:
        level = "" if self.confidence is None or self.measure == "volatility" else f" {percent(self.confidence)}"
        return f"{NAMES[self.measure]}{level} by position ({self.method})"

    def _rows(self) -> list[Row]:
        values, held = np.asarray(self.component), self._held
        names = labels_of(self.component, 0)
        order = [i for i in np.argsort(-np.abs(values), kind="stable") if held[i]]
        labels = [str(i if names is None else names[i]) for i in order[:SHOWN]]
        amounts = [self.total, *(float(values[i]) for i in order[:SHOWN])]
        if len(order) > SHOWN:
            labels.append(f"{len(order) - SHOWN} more")
            amounts.append(float(values[order[SHOWN:]].sum()))
        shares = [f"{amount / self.total:.1%}" if self.total != 0.0 else "" for amount in amounts[1:]]
        error = self.total_standard_error
        total, *texts = alike(amounts)
        rows: list[Row] = [("total", total, "" if error is None else f"± {_as_exact_as(total, error)}")]
        if self.n_obs is not None:
            rows.append(("observations", self.n_obs, _effective(self.effective_scenarios)))
        rows += zip(labels, texts, shares, strict=True)
        if not held.all():
            rows.append(("not held", len(held) - len(order), "assets without a component"))
        return rows

    @property
    def _held(self) -> np.ndarray:
        """(n_assets,) True for assets with a position, or with a component if positions are unknown."""
        held: np.ndarray = np.asarray(self.component) != 0.0
        return held if self.positions is None else np.logical_or(held, np.asarray(self.positions) != 0.0)


def _as_exact_as(text: str, value: float) -> str:
    """Format a number with the decimals of a text, and at least two significant digits."""
    if not 1e-4 <= value < 1e15:
        return number(value)
    decimals = len(text.partition(".")[2])
    return f"{value:,.{max(decimals, 1 - math.floor(math.log10(value)))}f}"


def _effective(scenarios: float | None) -> str:
    return "" if scenarios is None else f"{scenarios:,.3g} effective"
