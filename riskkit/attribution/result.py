"""The answer to "what drives the risk": components that add up to the total."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, labels_of
from riskkit._show import Row, Shown, alike, number
from riskkit.pnl import aggregate_pnl
from riskkit.var.estimate import percent

__all__ = ["Attribution"]

SHOWN = 10
NAMES = {"var": "VaR", "es": "ES", "volatility": "Volatility"}


@dataclass(frozen=True, repr=False, eq=False)
class Attribution(Shown):
    """Risk of a book, split into what each position contributes; money, losses positive.

    Vectors are Series where assets have names, else arrays, all of shape (n_assets,).

    Attributes
    ----------
    measure : str
        ``"var"``, ``"es"`` or ``"volatility"``.
    method : str
        How the components were estimated.
    confidence : float or None
        0.95 for 95 %; None for a volatility.
    total : float
        The risk of the book; the components sum to it.
    component : (n_assets,)
        What each position contributes; negative for a hedge.
    positions : (n_assets,)
        Money held; None where P&L per position came in.
    standard_error : (n_assets,)
        Of each component, from sampling; None where the method gives none.
    total_standard_error : float or None
        Of the total; None where the method gives none.
    n_obs : int or None
        Observations or scenarios behind the estimate.
    effective_scenarios : float or None
        How many equally weighted scenarios the estimate rests on: one over the sum of its squared weights.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit import Attribution
    >>> split = Attribution("var", "given", 0.95, 30.0, np.array([36.0, -6.0]), np.array([100.0, -50.0]))
    >>> split.share.tolist(), split.marginal.tolist()
    ([1.2, -0.2], [0.36, 0.12])
    """

    measure: str
    method: str
    confidence: float | None
    total: float
    component: Any
    positions: Any
    standard_error: Any = None
    total_standard_error: float | None = None
    n_obs: int | None = None
    effective_scenarios: float | None = None

    @property
    def share(self) -> Any:
        """Component over total, as a fraction; they sum to one."""
        if self.total == 0.0:
            raise InputError("the book has no risk to share out: its total is zero")
        return self.component / self.total

    @property
    def marginal(self) -> Any:
        """Change of the total per unit of money added to each position: component over position.

        Raises
        ------
        InputError
            An asset is not held: its component is zero and says nothing about the margin (`marginal_var` does).
        """
        if self.positions is None or (np.asarray(self.positions) == 0.0).any():
            raise InputError("positions are unknown or zero for some asset; marginal_var gives the margin for those")
        return self.component / self.positions

    def aggregate(self, tree: Any, *, total: Any = None) -> Any:
        """Components summed over a book -> desk -> firm tree, as `riskkit.pnl.aggregate_pnl` takes it.

        Components add up along the tree, which the VaR of the nodes themselves does not.
        """
        import pandas as pd

        if not isinstance(self.component, pd.Series):
            raise InputError("the components have no names; give positions or returns with labels")
        return aggregate_pnl(self.component, tree, total=total)

    def to_frame(self) -> Any:
        """One row per asset, in the order of the input."""
        import pandas as pd

        columns = {"position": self.positions, "component": self.component, "standard_error": self.standard_error}
        frame = pd.DataFrame({name: value for name, value in columns.items() if value is not None})
        if self.total != 0.0:
            frame["share"] = self.share
        return frame.rename_axis("asset")

    def plot(self, ax: Any = None) -> Any:
        """Bars of the components of what is held, largest on top, with one standard error where it is known."""
        frame = self.to_frame()
        frame = (frame[self._held] if self._held.any() else frame).sort_values("component", kind="stable")
        ax = plot.axes(ax, height=1.3 + 0.36 * len(frame))
        errors = frame["standard_error"] if "standard_error" in frame else None
        ax.barh(
            [str(name) for name in frame.index], frame["component"], xerr=errors, color=plot.STRONG, ecolor=plot.INK
        )
        ax.axvline(0.0, color=plot.INK, linewidth=0.8)
        plot.thousands(ax.xaxis)
        ax.set_xlabel(f"{NAMES[self.measure]} component, money")
        plot.dress(ax, self._title())
        return ax

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
            rows.append(("observations", self.n_obs, _resting_on(self.effective_scenarios)))
        rows += zip(labels, texts, shares, strict=True)
        if not held.all():
            rows.append(("not held", len(held) - len(order), "assets without a part"))
        return rows

    @property
    def _held(self) -> np.ndarray:
        """(n_assets,) where there is a position, or a component if positions are unknown."""
        held = np.asarray(self.component) != 0.0
        return held if self.positions is None else held | (np.asarray(self.positions) != 0.0)


def _as_exact_as(text: str, value: float) -> str:
    """A number with the decimals of a text, and at least two significant digits."""
    if not 1e-4 <= value < 1e15:
        return number(value)
    decimals = len(text.partition(".")[2])
    return f"{value:,.{max(decimals, 1 - math.floor(math.log10(value)))}f}"


def _resting_on(scenarios: float | None) -> str:
    return "" if scenarios is None else f"the estimate rests on {scenarios:,.3g} of them"
