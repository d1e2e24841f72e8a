"""Fire sales: funds that must sell after a loss move the prices of what others hold, who must sell in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, finite_array, labels_of, whole_number, with_labels
from riskkit._docs import counted
from riskkit._excel import Exported
from riskkit._show import Row, percent
from riskkit.pnl import in_asset_order

ENOUGH = 1e-6
"""Sales, as a share of all assets, that end the spiral."""


@dataclass(frozen=True, repr=False, eq=False)
class FireSales(Exported):
    """Rounds of sales and falling prices.

    Attributes
    ----------
    prices : (n_rounds + 1, n_assets)
        Prices after the shock (row 0) and after each round of sales, as fractions of those before the shock.
    equity : (n_rounds + 1, n_funds)
        Equity of each fund at these prices, money.
    sold : (n_rounds, n_funds, n_assets)
        Sales of each round at the prices before them, money.
    shock_loss : float
        Loss of all funds by the shock, money.

    Examples
    --------
    >>> from riskkit.liquidity import fire_sales
    >>> spiral = fire_sales([[100.0]], [10.0], [-0.02], market_depth=500.0, max_leverage=10.0)
    >>> round(spiral.shock_loss, 2), round(spiral.spiral_loss, 2)
    (2.0, 6.95)
    """

    prices: Any
    equity: Any
    sold: np.ndarray
    shock_loss: float

    @property
    def n_rounds(self) -> int:
        """Number of rounds of sales until nobody has to sell."""
        return len(self.sold)

    @property
    def spiral_loss(self) -> float:
        """Loss of all funds after the shock, by the sales, money."""
        equity = np.asarray(self.equity)
        return float(equity[0].sum() - equity[-1].sum())

    @property
    def defaults(self) -> np.ndarray:
        """(n_funds,) True for funds without equity at the end."""
        return np.asarray(self.equity)[-1] <= 0.0

    def events(self, price: float = 100.0, *, seconds: float = 60.0) -> Any:
        """The spiral as events for `EventLog.from_frame`: prices, and the orders of every fund, round by round.

        Parameters
        ----------
        price : float
            Price of every asset before the shock.
        seconds : float
            Time from one round to the next.
        """
        import pandas as pd

        assets, funds = labels_of(self.prices, 1), labels_of(self.equity, 1)
        levels, rows = np.asarray(self.prices), []
        for step, table in enumerate(levels):
            at = pd.Timestamp(0, unit="ns") + pd.Timedelta(seconds=seconds * step)
            for j, level in enumerate(table):
                rows.append(
                    {"ts": at, "kind": "price", "instrument": _name(assets, j, "asset"), "price": price * level}
                )
            for i, j in np.argwhere(self.sold[step]) if step < self.n_rounds else ():
                quantity = round(float(self.sold[step][i, j]) / (price * table[j]))
                if quantity:
                    order = {"account": _name(funds, i, "fund"), "instrument": _name(assets, j, "asset")}
                    side = {"side": "S" if quantity > 0 else "B", "qty": abs(quantity)}
                    rows.append({"ts": at, "kind": "order", **order, **side, "price": price * table[j]})
        frame = pd.DataFrame(rows)
        return frame.assign(price=frame["price"].round(2))

    def to_frame(self) -> Any:
        """One row per round: sales, mean price and equity of all funds, money."""
        import pandas as pd

        sales = np.concatenate([[0.0], np.abs(self.sold).sum(axis=(1, 2))])
        columns = {"sold": sales, "lowest_price": np.asarray(self.prices).min(axis=1)}
        return pd.DataFrame(
            {**columns, "equity": np.asarray(self.equity).sum(axis=1)},
            index=pd.RangeIndex(self.n_rounds + 1, name="round"),
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the price of each asset, round by round."""
        ax = plot.axes(ax)
        table = np.asarray(self.prices)
        names = labels_of(self.prices, 1)
        for j in range(table.shape[1]):
            ax.plot(table[:, j], marker="o", markersize=3, label=plot.literal(_name(names, j, "asset")))
        ax.set_xlabel("round of sales")
        ax.set_ylabel("price, 1 before the shock")
        plot.dress(ax, self._title())
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend(frameon=False)
        return ax

    def _title(self) -> str:
        return f"Fire sales of {counted(np.shape(self.equity)[1], 'fund')} in {counted(self.n_rounds, 'round')}"

    def _rows(self) -> list[Row]:
        return [
            ("loss by the shock", self.shock_loss, "money"),
            ("loss by the sales", self.spiral_loss, "money"),
            ("largest fall", percent(round(1.0 - float(np.asarray(self.prices)[-1].min()), 4)), "of a price"),
            ("defaults", int(self.defaults.sum()), f"of {len(self.defaults)} funds"),
        ]


def fire_sales(
    holdings: Any, equity: Any, shock: Any, *, market_depth: Any, max_leverage: Any, max_rounds: int = 1_000
) -> FireSales:
    """Spiral of forced sales after a shock, of funds with a limit on leverage and common holdings.

    In each round a fund whose assets exceed `max_leverage` × equity sells the same fraction of all its holdings, down to the
    limit; one without equity sells everything. Sales are at the price before them; then each price falls to exp(-sold / depth)
    of it.

    Parameters
    ----------
    holdings : (n_funds, n_assets)
        Money before the shock, at least zero.
    equity : (n_funds,)
        Money before the shock, above zero; the rest is debt.
    shock : (n_assets,)
        Returns of the assets, above -1; matched by name.
    market_depth : float or (n_assets,)
        Money of sales that lets a price fall to 1/e of it, above zero.
    max_leverage : float or (n_funds,)
        Largest ratio of assets to equity, at least 1.
    max_rounds : int
        Largest number of rounds.

    Returns
    -------
    FireSales
        Prices, equity and sales, round by round.

    Raises
    ------
    InputError
        NaN, a number out of range, shapes that do not fit, or sales that go on after `max_rounds`.

    References
    ----------
    Greenwood, Landier and Thesmar (2015), Vulnerable banks, J. Financial Economics 115, 471-485 (proportional sales at a target
    leverage). Cont and Schaanning (2019), Monitoring indirect contagion, J. Banking & Finance 104, 85-102 (a limit instead of
    a target; impact that keeps prices above zero).

    Examples
    --------
    >>> spiral = fire_sales([[80.0, 20.0], [0.0, 50.0]], [10.0, 10.0], [-0.05, 0.0], market_depth=200.0, max_leverage=12.0)
    >>> spiral.defaults.tolist(), round(spiral.spiral_loss, 2)
    ([True, False], 11.19)
    """
    held = finite_array(holdings, "holdings", ndim=2)
    n_funds, n_assets = held.shape
    names, funds = labels_of(holdings, 1), labels_of(holdings, 0)
    moves = finite_array(in_asset_order(shock, names, "shock"), "shock", ndim=1)
    own = finite_array(equity, "equity", ndim=1)
    if len(moves) != n_assets or len(own) != n_funds:
        raise InputError(
            f"holdings has {n_funds} funds and {n_assets} assets, equity {len(own)} entries and shock {len(moves)}"
        )
    depths, limits = _per(market_depth, n_assets, "market_depth"), _per(max_leverage, n_funds, "max_leverage")
    if held.min() < 0.0 or own.min() <= 0.0 or moves.min() <= -1.0 or depths.min() <= 0.0 or limits.min() < 1.0:
        raise InputError(
            "holdings, equity, shock, market_depth or max_leverage is out of range; give holdings of at least 0, equity and depth above "
            "0, a shock above -1 and a leverage of at least 1"
        )
    debt = held.sum(axis=1) - own
    price, units = 1.0 + moves, held.copy()
    prices, equities = [price], [held @ price - debt]
    sales: list[np.ndarray] = []
    while True:
        worth = units * price
        assets = worth.sum(axis=1)
        capital = assets - debt
        surplus = np.minimum(np.maximum(assets - limits * np.maximum(capital, 0.0), 0.0), assets)
        share = np.divide(surplus, assets, out=np.zeros(n_funds), where=assets > 0.0)
        sold = share[:, None] * worth
        if sold.sum() <= ENOUGH * held.sum():
            break
        if len(sales) >= whole_number(max_rounds, "max_rounds"):
            raise InputError(f"sales go on after {max_rounds} rounds; give a larger max_rounds")
        debt = debt - surplus
        units = units * (1.0 - share[:, None])
        price = price * np.exp(-sold.sum(axis=0) / depths)
        sales.append(sold)
        prices.append(price)
        equities.append(units @ price - debt)
    rows = None if names is None and funds is None else range(len(prices))
    return FireSales(
        with_labels(np.array(prices), rows if names is not None else None, names),
        with_labels(np.array(equities), rows if funds is not None else None, funds),
        np.array(sales).reshape(-1, n_funds, n_assets),
        float(-(held @ moves).sum()),
    )


def _per(value: Any, n: int, name: str) -> np.ndarray:
    """One number for each, or one for all."""
    array = finite_array(value, name)
    if array.shape not in ((), (n,)):
        raise InputError(f"{name} has shape {array.shape}; give one number or {n}")
    return np.broadcast_to(array, (n,))


def _name(labels: Any, position: int, kind: str) -> str:
    return f"{kind} {position}" if labels is None else str(labels[position])
