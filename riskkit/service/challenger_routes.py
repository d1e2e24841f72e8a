"""The routes of challengers: other rule sets that are judged on the same events, and may be put in force."""

from __future__ import annotations

from typing import Any

import msgspec

from riskkit.replay.live.challengers import Challenger
from riskkit.service.app import App
from riskkit.service.keys import LIMITS, READ
from riskkit.service.request import RefusedError, Request
from riskkit.service.routes import approver, said
from riskkit.service.wire import Challenged, Compared, Difference, Promotion


def add_challenger_routes(app: App) -> None:
    """Add /challengers and /challengers/NAME to an application; all need a key for all accounts."""

    @app.route("GET", "/challengers", READ)
    async def challengers(request: Request) -> list[Challenged]:
        """The challengers, and how many orders they and the rules in force refused."""
        app.guard.accounts(request.key, [None])
        return [_counted(one) for one in app.engine.session.challengers.values()]

    @app.route("GET", "/challengers/*", READ)
    async def compared(request: Request) -> Compared:
        """The last events that one of challenger and rules in force refused, each with the rule that did; `last` is their number."""
        app.guard.accounts(request.key, [None])
        last = request.parameters(last=100)["last"]
        if not 0 < last <= app.settings.batch_events:
            raise RefusedError(422, f"last={last} is not from 1 to {app.settings.batch_events:,}", field="last")
        challenger = _named(app, request.rest)
        columns = challenger.differences().tail(last).astype({"ts": "int64"}).astype(object)
        rows: Any = columns.where(columns.notna(), None).to_dict("records")
        return Compared(_counted(challenger), [Difference(**{**row, "ts": str(row["ts"])}) for row in rows])

    @app.route("POST", "/challengers/*", LIMITS)
    async def promoted(request: Request) -> dict[str, Any]:
        """Put the rules of a challenger in force; the person is the owner of the key, a second one that of X-Approved-By."""
        app.guard.accounts(request.key, [None])
        asked = msgspec.json.decode(request.body, type=Promotion)
        name = _named(app, request.rest).name
        fields = {"why": asked.why, "approved_by": approver(app, request)}
        await said(app, request, "promote", name, ts=asked.ts, about={"challenger": name}, **fields)
        return {"rules": app.engine.session.rules.to_dict()["rules"]}


def _named(app: App, name: str) -> Challenger:
    known = app.engine.session.challengers
    if name not in known:
        names = ", ".join(map(repr, known)) or "none"
        raise RefusedError(404, f"{name[:80]!r} is no challenger of this service; it has {names}")
    return known[name]


def _counted(challenger: Challenger) -> Challenged:
    counts = challenger.counts()
    return Challenged(challenger.name, **counts, stopped=challenger.stopped, rules=challenger.rules.to_dict()["rules"])
