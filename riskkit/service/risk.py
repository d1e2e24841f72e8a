"""The routes of a portfolio's risk, as the imitated REST service has them: drawdowns, VaR and sizes in percent."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from riskkit.desk.core.records import Problem, RequestError
from riskkit.desk.portfolio import RiskState, TradeRequest, evaluate, validate
from riskkit.service.app import App
from riskkit.service.keys import READ
from riskkit.service.request import Request
from riskkit.service.wire import Evaluate, Evaluated, HeldPosition, RiskNow, Validate, Validated

APPROVED = "Trade approved"


def add_risk(app: App) -> None:
    """Add /risk/evaluate, /risk/validate and /risk/state to an application."""
    states: dict[str, RiskState] = {}  # by key: what one client evaluates is no other's risk
    updated: dict[str, int] = {}
    evaluates, validates = msgspec.json.Decoder(Evaluate), msgspec.json.Decoder(Validate)

    @app.route("POST", "/risk/evaluate", READ)
    async def evaluated(request: Request) -> Evaluated:
        """The risk of a portfolio, and whether it is within the limits."""
        asked = evaluates.decode(request.body)
        found = evaluate(
            values_of(asked.positions, "positions"),
            asked.portfolio_value,
            asked.history,
            max_position_size=asked.max_position_size,
            max_drawdown_limit=asked.max_drawdown_limit,
            state=states.setdefault(request.key.id, RiskState()),
        )
        now = updated[request.key.id] = int(time.time())
        return Evaluated(**{**found.to_service(), "timestamp": now})

    @app.route("POST", "/risk/validate", READ)
    async def validated(request: Request) -> Validated:
        """Whether a trade keeps the portfolio within the limits."""
        asked = validates.decode(request.body)
        check = validate(
            TradeRequest(asked.symbol, asked.side, asked.quantity, asked.price),
            values_of(asked.current_positions, "current_positions"),
            asked.portfolio_value,
            asked.max_position_size,
            asked.max_drawdown_limit,
            state=states.get(request.key.id),
        )
        answer = {**check.to_service(), "timestamp": int(time.time())}
        return Validated(**answer | ({"reason": APPROVED} if check.approved else {}))

    @app.route("GET", "/risk/state", READ)
    async def state(request: Request) -> RiskNow:
        """The risk that the key has evaluated last."""
        found = states.get(request.key.id, RiskState()).to_service()
        return msgspec.convert({**found, "last_updated": updated.get(request.key.id)}, RiskNow)


def values_of(positions: list[HeldPosition], name: str) -> dict[str, Any]:
    """Positions of the wire by ticker, as the desk takes them."""
    found: dict[str, Any] = {}
    for place, held in enumerate(positions):
        if held.symbol in found:
            sentence = f"{name}[{place}]: {held.symbol!r} is there twice; add its positions up"
            raise RequestError([Problem(name, sentence)])
        fields = {"quantity": held.quantity, "price": held.price}
        found[held.symbol] = fields if held.value is None else fields | {"value": held.value}
    return found
