"""The application of one engine: it opens the engine, routes requests to it, and closes it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from riskkit._check import InputError
from riskkit.desk.core.records import RequestError
from riskkit.service.audit import Audit
from riskkit.service.engine import EngineService
from riskkit.service.front import Front, Receive, Scope, Send, failure, refusal
from riskkit.service.guard import AGAIN
from riskkit.service.keys import Key
from riskkit.service.metrics import Metrics
from riskkit.service.redis_lease import WriterLease
from riskkit.service.request import Handler, RefusedError, Request, Response, Route
from riskkit.service.settings import Settings
from riskkit.service.sockets import Hub
from riskkit.service.turns import LOST, BrokenError, BusyError, Turns
from riskkit.service.wire import encode

STANDING_BY = "another server has the writer's lease; this one stands by"
WARMING = "the service is warming up; ask /ready"
logger = logging.getLogger("riskkit")


class App(Front):
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
    """

    def __init__(
        self,
        settings: Settings,
        keys: dict[str, Key],
        open_engine: Callable[[], EngineService],
    ) -> None:
        super().__init__(settings, keys)
        self.audit: Audit | None = None
        self.lease: WriterLease | None = None
        self.ending = threading.Event()
        self.hub = Hub(settings, self.guard)
        self.metrics = Metrics(self._look_up)
        self.trouble = ""  # why the engine could not be opened, or is not used any more
        self.stage = WARMING  # what is waited for
        self.on_open: Callable[[EngineService | None], None] = lambda _: None  # gets the engine, if there is one
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
    def is_open(self) -> bool:
        """True once there is an engine."""
        return self._turns is not None

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

    # ------------------------------------------------------------------ life

    async def live(self, receive: Receive, send: Send) -> None:
        """Open the engine once the server listens, and close it with the server."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.begin()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.end()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def begin(self) -> None:
        """Open the engine, meanwhile the service is alive and not ready."""
        self._opening = asyncio.create_task(self._open())

    async def _open(self) -> None:
        try:
            engine = await asyncio.to_thread(self._open_engine)
        except Exception as error:
            logger.error("the engine cannot be opened: %s", error, exc_info=not isinstance(error, InputError))
            self.trouble = str(error) if isinstance(error, InputError) else f"{type(error).__name__}; see the log"
            self.trouble = f"the engine cannot be opened: {self.trouble}"
            self.on_open(None)
            return
        settings = self.settings
        waits = settings.durability == "group"
        self.on_open(engine)
        self._turns = Turns(engine, waits=waits, most=settings.waiting, audit=self.audit)
        if self.lease is not None:
            self._turns.may_write = self.lease.is_held
        self.hub.open(engine)

    def lose(self) -> None:
        """Decide nothing more, and end: another server may write now."""
        self.trouble = LOST
        self.on_open(None)

    async def end(self) -> None:
        """Have everything on disk, and close it."""
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

    # ------------------------------------------------------------------ requests

    async def watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket until it ends."""
        await self.hub.serve(scope, receive, send)

    async def serve(self, route: Route, request: Request) -> Response:
        """The answer to a request that may be made; whatever goes wrong is a refusal."""
        try:
            return await self._served(route, request)
        except RefusedError as refused:
            return refusal(refused.status, str(refused), field=refused.field, headers=refused.headers)
        except RequestError as error:
            listed = [problem._asdict() for problem in error.problems]
            return refusal(422, error.message, field=error.field or None, problems=listed)
        except InputError as error:
            return refusal(422, str(error))
        except msgspec.ValidationError as error:
            return refusal(422, f"the body does not fit: {error}")
        except (msgspec.DecodeError, UnicodeDecodeError):
            return refusal(400, "the body is not JSON")
        except BusyError:
            return refusal(503, "as many requests wait as may; send it again", headers=AGAIN)
        except BrokenError as error:
            return refusal(503, str(error), headers=AGAIN)
        except Exception:
            return failure(request.path)

    async def _served(self, route: Route, request: Request) -> Response:
        if route.scope is not None:
            self.guard.count(request.key)
        found = await route.handler(request)
        return found if isinstance(found, Response) else Response(200, encode(found))
