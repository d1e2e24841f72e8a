"""The ASGI application: every request is guarded, bounded, routed, and answered in JSON, whatever it is."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from riskkit._check import InputError
from riskkit.desk.core.records import RequestError
from riskkit.service.audit import Audit
from riskkit.service.engine import EngineService
from riskkit.service.guard import AGAIN, Guard
from riskkit.service.keys import Key
from riskkit.service.metrics import Metrics
from riskkit.service.redis_lease import WriterLease
from riskkit.service.request import JSON, Handler, RefusedError, Request, Response, Route
from riskkit.service.settings import Settings
from riskkit.service.sockets import Hub
from riskkit.service.turns import LOST, BrokenError, BusyError, Turns
from riskkit.service.wire import Refused, encode

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
PUBLIC = Key("", "", frozenset())
STANDING_BY = "another server has the writer's lease; this one stands by"
WARMING = "the service is warming up; ask /ready"
logger = logging.getLogger("riskkit")


class App:
    """The application of one engine.

    Parameters
    ----------
    settings : Settings
        Limits and policies.
    keys : dict of str to Key
        By the hash of the secret.
    open_engine : callable
        Makes the engine, in a thread, once the server listens: until then the service is alive and not ready.

    Attributes
    ----------
    hub : Hub
        The WebSockets.
    audit : Audit, optional
        Gets a line for each change.
    lease : WriterLease, optional
        Without it nothing is decided.
    ending : threading.Event
        Set when the service ends, so that nothing waits any more.
    metrics : Metrics
        What is counted, and what is looked up when somebody asks.
    routes : dict
        Of each path, by method; of ``/name/*`` all paths one below.
    """

    def __init__(
        self,
        settings: Settings,
        keys: dict[str, Key],
        open_engine: Callable[[], EngineService],
    ) -> None:
        self.settings = settings
        self.audit: Audit | None = None
        self.lease: WriterLease | None = None
        self.ending = threading.Event()
        self.guard = Guard(keys, settings)
        self.hub = Hub(settings, self.guard)
        self.metrics = Metrics(self._look_up)
        self.routes: dict[str, dict[str, Route]] = {}
        self.trouble = ""  # why the engine could not be opened, or is not used any more
        self.stage = WARMING  # what is waited for
        self.on_open: Callable[[], None] = lambda: None  # called when the engine is open, or is in trouble
        self._open_engine = open_engine
        self._turns: Turns | None = None
        self._opening: asyncio.Task[None] | None = None
        self._closing: list[Callable[[], None]] = []

    # ------------------------------------------------------------------ parts

    @property
    def turns(self) -> Turns:
        """The commits of the engine; refuses while there is none."""
        if self._turns is None:
            raise RefusedError(503, self.not_ready, headers=AGAIN)
        return self._turns

    @property
    def engine(self) -> EngineService:
        """The engine; refuses while there is none."""
        return self.turns.engine

    @property
    def not_ready(self) -> str:
        """Why the service takes no events; empty where it does."""
        return self.trouble or (self.stage if self._turns is None else self._turns.broken)

    def route(self, method: str, path: str, scope: str | None) -> Callable[[Handler], Handler]:
        """A decorator that adds a route."""

        def add(handler: Handler) -> Handler:
            self.routes.setdefault(path, {})[method] = Route(handler, scope)
            return handler

        return add

    def _look_up(self, metrics: Metrics) -> None:
        """Bring the metrics that nobody counts up to date."""
        metrics.sockets, metrics.ready = self.hub.count, int(not self.not_ready)
        if self._turns is not None:
            turns, engine = self._turns, self._turns.engine
            metrics.commits, metrics.queue_full, metrics.queue_depth = turns.commits, turns.full, turns.waiting
            metrics.look_up(engine)
            metrics.look_at(engine.followers)

    def start(self, part: Any) -> None:
        """Have a part, with a method ``close``, closed with the service."""
        self._closing.append(part.close)

    # ------------------------------------------------------------------ ASGI

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, one socket, or the life of the server."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self.hub.serve(scope, receive, send)
        else:
            await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._opening = asyncio.create_task(self._open())
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _open(self) -> None:
        try:
            engine = await asyncio.to_thread(self._open_engine)
        except Exception as error:
            logger.error("the engine cannot be opened: %s", error, exc_info=not isinstance(error, InputError))
            self.trouble = str(error) if isinstance(error, InputError) else f"{type(error).__name__}; see the log"
            self.trouble = f"the engine cannot be opened: {self.trouble}"
            self.on_open()
            return
        settings = self.settings
        waits = settings.durability == "group"
        self.on_open()
        self._turns = Turns(engine, waits=waits, most=settings.waiting, audit=self.audit)
        if self.lease is not None:
            self._turns.may_write = self.lease.is_held
        self.hub.open(engine)

    def lose(self) -> None:
        """Decide nothing more, and end: another server may write now."""
        self.trouble = LOST
        self.on_open()

    async def _close(self) -> None:
        self.ending.set()
        if self._opening is not None:
            await self._opening
        for close in reversed(self._closing):
            close()
        self.hub.close()
        if self._turns is not None:
            await self._turns.close()
            await asyncio.to_thread(self._turns.engine.close)
        if self.lease is not None:
            await asyncio.to_thread(self.lease.release)
        if self.audit is not None:
            self.audit.close()

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(scope, receive)
        except RefusedError as refused:
            response = refusal(refused.status, str(refused), field=refused.field, headers=refused.headers)
        except RequestError as error:
            listed = [problem._asdict() for problem in error.problems]
            response = refusal(422, error.message, field=error.field or None, problems=listed)
        except InputError as error:
            response = refusal(422, str(error))
        except msgspec.ValidationError as error:
            response = refusal(422, f"the body does not fit: {error}")
        except (msgspec.DecodeError, UnicodeDecodeError):
            response = refusal(400, "the body is not JSON")
        except BusyError:
            response = refusal(503, "as many requests wait as may; send it again", headers=AGAIN)
        except BrokenError as error:
            response = refusal(503, str(error), headers=AGAIN)
        except Exception:
            logger.exception("a request to %s has failed", scope["path"])
            response = refusal(500, "the service has failed on this request; see its log")
        headers = [
            (b"content-type", response.content_type),
            (b"content-length", b"%d" % len(response.body)),
            *response.headers,
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        path, method = scope["path"], scope["method"]
        routes, rest = self.routes.get(path), ""
        if routes is None:
            above, _, rest = path.rpartition("/")
            routes = self.routes.get(f"{above}/*") if rest else None
        if routes is None:
            raise RefusedError(404, f"there is no {path[:200]!r}; /docs has what there is")
        route = routes.get(method)
        if route is None:
            allowed = ", ".join(sorted(routes))
            raise RefusedError(405, f"{path[:200]} takes {allowed}", headers=[(b"allow", allowed.encode())])
        headers = dict(scope["headers"])
        key = PUBLIC
        if route.scope is not None:
            key = self.guard.key_of(headers.get(b"authorization"))
            self.guard.admit(key, route.scope)
        body = await self._body(headers, receive) if method != "GET" else b""
        found = await route.handler(Request(method, path, rest, scope["query_string"], headers, body, key))
        return found if isinstance(found, Response) else Response(200, encode(found))

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """The body, counted while it arrives."""
        most = self.settings.body_bytes
        stated = headers.get(b"content-length", b"")
        message: dict[str, Any] = {"more_body": True}
        found = bytearray()
        too_long = stated.isdigit() and len(stated) < 20 and int(stated) > most
        while message.get("more_body") and not too_long:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RefusedError(400, "the body is not complete")
            found += message.get("body", b"")
            too_long = len(found) > most
        if too_long:
            raise RefusedError(413, f"the body is longer than {most:,} bytes", headers=[(b"connection", b"close")])
        return bytes(found)


def refusal(status: int, sentence: str, *, headers: Any = (), **fields: Any) -> Response:
    """The answer to a request that is not taken."""
    return Response(status, encode(Refused(sentence, **fields)), JSON, tuple(headers))
