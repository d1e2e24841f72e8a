"""The routes about the service itself: is it there, is it ready, what has it decided, and what can be asked."""

from __future__ import annotations

import asyncio
import time
from importlib.resources import files
from typing import Any

import riskkit
from riskkit.replay.live.session_status import SessionStatus
from riskkit.service.app import App
from riskkit.service.keys import READ
from riskkit.service.metrics import TYPE
from riskkit.service.request import RefusedError, Request, Response
from riskkit.service.stores import FENCE
from riskkit.service.views import EngineViews
from riskkit.service.wire import Health, Watched, encode

NAME = "riskkit"
HTML = b"text/html; charset=utf-8"
LIVE_POLICY = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
)
POLICY = ((b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),)


def add_server_routes(app: App) -> None:
    """Add /health, /ready, /metrics, /journal, /status, /accounts/NAME, /ws-ticket, /docs, /openapi.json and /live to an application."""

    @app.route("GET", "/health", None)
    async def health(request: Request) -> Health:
        """That the process is there, which says nothing about the engine."""
        return Health("ok", NAME, riskkit.__version__, int(time.time()))

    @app.route("GET", "/ready", None)
    async def ready(request: Request) -> Response:
        """200 once the rules are compiled and the journal is read, and as long as it can be written; else 503 and why."""
        why = app.not_ready
        return Response(503 if why else 200, encode({"ready": not why, "reason": why}))

    @app.route("GET", "/metrics", READ)
    async def metrics(request: Request) -> Response:
        """Counts, times and gauges, in the text that Prometheus reads."""
        return Response(200, app.metrics.exposition(), TYPE.encode())

    @app.route("GET", "/journal", READ)
    async def journal(request: Request) -> dict[str, Any]:
        """Number of events, time of the last one, and the digest that a replay of the journal has."""
        session = app.engine.session
        ts = session.latest if len(session) else 0
        found = {"events": len(session), "ts": str(ts), "digest": session.digest, "mode": app.settings.mode}
        return found if app.lease is None else {**found, FENCE: app.lease.token}

    @app.route("GET", "/status", READ)
    async def status(request: Request) -> dict[str, Any]:
        """Cash, value and profit of each account, positions, and utilization of each limit, as of one event."""
        return await asyncio.to_thread(_status, app.engine.status(), request.key.accounts)  # a second, of many accounts

    @app.route("GET", "/accounts/*", READ)
    async def account(request: Request) -> Watched:
        """What an account holds and risks, as its WebSocket shows it, from a snapshot of at most 50 ms ago."""
        name = request.rest
        app.guard.accounts(request.key, [name])
        if name not in app.engine.session.engine.labels.account_codes:
            raise RefusedError(404, f"{name[:80]!r} is not an account that is known")
        views = EngineViews(app.engine)
        return Watched(views.metrics(name), views.exposure(name), views.positions(name))

    @app.route("POST", "/ws-ticket", READ)
    async def ticket(request: Request) -> dict[str, str]:
        """A ticket that opens one WebSocket, for a page that cannot send a key."""
        return {"ticket": app.hub.ticket(request.key)}

    @app.route("GET", "/openapi.json", None)
    async def openapi(request: Request) -> Response:
        """The description of all routes."""
        return Response(200, _page("openapi.json"))

    @app.route("GET", "/docs", None)
    async def docs(request: Request) -> Response:
        """The same as a page, which asks nothing of another host."""
        return Response(200, _page("docs.html"), HTML, POLICY)

    @app.route("GET", "/live", None)
    async def live(request: Request) -> Response:
        """A page that watches an account: exposure, alerts to acknowledge, a trade ticket, challengers; it asks for a key."""
        return Response(200, _page("live.html"), HTML, LIVE_POLICY)

    @app.route("GET", "/live.js", None)
    async def script(request: Request) -> Response:
        """The script of /live."""
        return Response(200, _page("live.js"), b"text/javascript; charset=utf-8")


def _page(name: str) -> bytes:
    try:
        return files("riskkit.service").joinpath("pages", name).read_bytes()
    except OSError:
        raise RefusedError(404, f"{name} is not part of this installation") from None


def _status(found: SessionStatus, mine: frozenset[str] | None) -> dict[str, Any]:
    """The tables of a status; of some accounts only, if a key is for them."""
    tables = {"accounts": found.accounts().reset_index(), "positions": found.positions().reset_index()}
    rows = {name: _rows(table) for name, table in tables.items()}
    if mine is not None:
        rows = {name: [row for row in table if row["account"] in mine] for name, table in rows.items()}
    else:
        rows["utilization"] = _rows(found.utilization())
    return {"events": found.size, "ts": str(found.ts), **rows}


def _rows(table: Any) -> list[dict[str, Any]]:
    """The rows of a frame as JSON has them: no NaN."""
    return table.astype(object).where(table.notna(), None).to_dict("records")
