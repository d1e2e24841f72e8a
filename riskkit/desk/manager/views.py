"""What a `RiskManager` shows of its ledger and its risk: tables and answers, made when they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit import attribution
from riskkit.desk.manager.answers import Dashboard, PortfolioState
from riskkit.desk.manager.gate import Gate
from riskkit.desk.manager.ledger import Ledger, Line
from riskkit.desk.manager.portfolio_risk import PortfolioRisk
from riskkit.returns import scale_volatility

__all__ = ["dashboard", "market_data", "portfolio_state"]

COLUMNS = ["quantity", "average_price", "price", "value", "unrealised", "realised"]


def market_data(ledger: Ledger, risk: PortfolioRisk, stressed: np.ndarray | None) -> Any:
    """One row a ticker."""
    import pandas as pd

    live = risk.covariance
    stressed_volatility = np.full(len(live.places), np.nan) if stressed is None else np.sqrt(np.diag(stressed))
    columns = {
        "price": pd.Series([line.price for line in ledger.lines.values()], dtype=float),
        "timestamp": pd.Series([line.price_time for line in ledger.lines.values()], dtype=object),
        "volatility": scale_volatility(np.sqrt(np.diag(live.matrix)), risk.bars_per_day) if live.places else [],
        "stressed_volatility": stressed_volatility * np.sqrt(risk.bars_per_day),
        "bars": list(live.bars),
    }
    return pd.DataFrame(columns).set_axis(pd.Index(live.tickers, name="ticker", dtype=object))


def portfolio_state(ledger: Ledger, timestamp: Any) -> PortfolioState:
    """Cash, holdings, value, profits and drawdown at the last prices."""
    return PortfolioState(
        cash=ledger.money(ledger.cash),
        holdings=_holdings(ledger),
        value=ledger.money(ledger.equity),
        gross=ledger.money(sum(abs(line.value) for line in ledger.lines.values())),
        realised=ledger.money(ledger.realised),
        unrealised=ledger.money(ledger.value - ledger.cost),
        drawdown=ledger.drawdown,
        timestamp=timestamp,
    )


def dashboard(
    ledger: Ledger, risk: PortfolioRisk, stressed: np.ndarray | None, gate: Gate, timestamp: Any
) -> Dashboard:
    """Volatility, VaR, its components and VaR under stress, all of a day, and a frame per holding."""
    import pandas as pd

    confidence, z = gate.limits.confidence, gate.z
    daily = risk.covariance.to_frame() * risk.bars_per_day
    held = pd.Series(risk.positions, index=daily.index, dtype=float)
    component: Any = attribution.component(held, daily, confidence, z=z) if len(held) else held.copy()
    stressed_var = None
    if stressed is not None:
        stressed_var = attribution.portfolio(risk.positions, stressed * risk.bars_per_day, confidence, z=z)
    equity, volatility = ledger.money(ledger.equity), risk.variance**0.5 * risk.bars_per_day**0.5
    frame = pd.DataFrame.from_dict(_holdings(ledger), orient="index", columns=COLUMNS).rename_axis("ticker")
    frame["weight"] = frame["value"] / equity if equity > 0 else np.nan
    frame["volatility"] = pd.Series(np.sqrt(np.diag(daily)), index=daily.index).reindex(frame.index)
    frame["component_var"] = component.reindex(frame.index)
    return Dashboard(
        value=equity,
        cash=ledger.money(ledger.cash),
        volatility=volatility,
        volatility_pct=100.0 * volatility / equity if equity > 0 else None,
        var=gate.factor * risk.variance**0.5,
        stressed_var=stressed_var,
        component_var=component,
        holdings=frame,
        drawdown=ledger.drawdown,
        confidence=confidence,
        timestamp=timestamp,
    )


def _holdings(ledger: Ledger) -> dict[str, dict[str, Any]]:
    return {ticker: _holding(ledger, line) for ticker, line in ledger.lines.items() if line.holding.lots}


def _holding(ledger: Ledger, line: Line) -> dict[str, Any]:
    quantity = ledger.lot.number(line.holding.lots)
    return {
        "quantity": quantity,
        "average_price": ledger.money(line.holding.cost) / quantity,
        "price": line.price,
        "value": ledger.money(line.value),
        "unrealised": ledger.money(line.value - line.holding.cost),
        "realised": ledger.money(line.holding.realised),
    }
