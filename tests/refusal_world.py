"""Names that the calls of tests/house/refusals.toml use: small returns, prices, events, rules and files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import riskkit as rk
from riskkit import rules as catalogue

DAYS = pd.date_range("2020-01-01", periods=300, name="day")
R = pd.DataFrame(0.01 * np.random.default_rng(4).standard_normal((300, 2)), DAYS, ["A", "B"])
PRICES = 100 * (1 + R["A"]).cumprod()


def events(**columns: Any) -> pd.DataFrame:
    """Two orders as a frame, with other values in some columns."""
    order = {"ts": [0, 1], "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10.0}
    return pd.DataFrame({**order, **columns})


def written(text: str, name: str) -> Path:
    """A file with this text in the working folder."""
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def session() -> rk.Session:
    """A session of one account and one instrument."""
    return rk.Session.create(SIZE, [rk.Instrument("X")], [rk.Account("A")], compiled=False)


def two_currencies() -> rk.EventLog:
    """Two orders of accounts in dollars and in euros, of one desk."""
    traded = [rk.Instrument("X"), rk.Instrument("E", currency="EUR")]
    accounts = [rk.Account("A", desk="D"), rk.Account("B", desk="D")]
    return rk.EventLog.from_frame(events(account=["A", "B"], instrument=["X", "E"]), traded, accounts)


def rated(kind: str, **fields: Any) -> rk.EventLog:
    """An exchange rate, an order in euros, and an event of the same account."""
    rows = [
        {"kind": "fx", "pair": "EURUSD", "price": 1.1},
        {"kind": "order", "account": "A", "instrument": "E", "side": "B"},
    ]
    rows = [rows[0], {**rows[1], "qty": 1, "price": 10.0}, {"kind": kind, "account": "A", **fields}]
    frame = pd.DataFrame([{"ts": ts, **row} for ts, row in enumerate(rows)])
    return rk.EventLog.from_frame(frame, [rk.Instrument("E", currency="EUR"), rk.Instrument("X")])


def replayed() -> rk.ReplayResult:
    """The replay of two orders."""
    return rk.replay_log(LOG, SIZE, compiled=False)


def rule_set(parameters: Any, **options: Any) -> rk.RuleSet:
    """A set of one rule."""
    return rk.RuleSet([rk.Rule("r", parameters, **options)])


def history(*rules: rk.RuleSet, **change: Any) -> rk.RuleHistory:
    """Rule sets, each in force from a nanosecond later than the one before."""
    signed = {"who": "Ann", "why": "a test", **change}
    return rk.RuleHistory(rules[0], [rk.RuleChange(ts, one, **signed) for ts, one in enumerate(rules[1:], 1)])


SIZE = rk.RuleSet([rk.Rule("size", catalogue.MaxOrderQty(limit=5))])
LOG = rk.EventLog.from_frame(events())


def asked(method: str, path: str, body: Any = None, *, scopes: str = "read trade", **settings: Any) -> Any:
    """The answer of a service of one account to a request with a key of these scopes; a refusal is raised."""
    import asyncio
    import json

    from riskkit.service import EngineService
    from riskkit.service.app import App
    from riskkit.service.challenger_routes import add_challenger_routes
    from riskkit.service.keys import Key, hash_of
    from riskkit.service.risk import add_risk
    from riskkit.service.routes import add_routes
    from riskkit.service.settings import Settings
    from riskkit.service.turns import Turns

    given = json.dumps(body).encode()
    key = Key("desk", "Ann", frozenset(scopes.split()), settings.pop("accounts", None))
    path, _, query = path.partition("?")
    scope = {"method": method, "path": path, "query_string": query.encode(), "headers": []}
    if scopes:
        scope["headers"] = [(b"authorization", b"Bearer secret")]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": given}

    async def main() -> Any:
        app = App(Settings(**settings), {hash_of("secret"): key}, session)
        for add in (add_routes, add_risk, add_challenger_routes):
            add(app)
        app._turns = Turns(EngineService(session()), waits=False, most=8)
        app.serve = app._served  # type: ignore[method-assign]  # refusals are raised, not answered
        return await app._answer(scope, receive)

    return asyncio.run(main())


NAMES: dict[str, Any] = {
    "rk": rk,
    "desk": rk.desk,
    "Fraction": Fraction,
    "np": np,
    "pd": pd,
    "R": R,
    "r": R["A"],
    "prices": PRICES,
    "NEWEST_FIRST": PRICES[::-1],
    "log": LOG,
    "SIZE": SIZE,
    "events": events,
    "asked": asked,
    "written": written,
    "session": session,
    "two_currencies": two_currencies,
    "rated": rated,
    "replayed": replayed,
    "history": history,
    "rule_set": rule_set,
    **{name: getattr(catalogue, name) for name in catalogue.__all__},
}
