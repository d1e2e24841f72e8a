"""A worker: HTTP and WebSocket of uvicorn in front of an engine that is another process.

``python -m riskkit.service.acceptor CHANNEL LISTENING``, of two descriptors, is started by `riskkit.service.workers`. A worker knows
keys as hashes and decides nothing; it checks keys, scopes, heads and bodies, and ends with the engine.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any, cast

import uvicorn

from riskkit.service.channel import (
    DISCONNECT,
    ENGINE_ENDED,
    HEADERS,
    WATCH_HEADERS,
    Alive,
    Call,
    Channel,
    Heard,
    Opened,
    Passed,
    Ready,
    Reply,
    Setup,
    Stop,
    Taken,
    ToEngine,
    Told,
    ToWorker,
)
from riskkit.service.front import Front, Receive, Scope, Send
from riskkit.service.guard import AGAIN
from riskkit.service.options import uvicorn_options
from riskkit.service.request import RefusedError, Request, Response, Route

BEAT_SECONDS = 1


class Watched:
    """A WebSocket: where its messages are sent, and whether the engine has taken what came from it."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.taken, self.closed = asyncio.Event(), asyncio.Event()
        self.telling: asyncio.Task[None] | None = None


class Acceptor(Front):
    """The application of a worker.

    Parameters
    ----------
    setup : Setup
        What the engine has said first.
    put : callable
        Sends a message to the engine.
    """

    def __init__(self, setup: Setup, put: Callable[[ToEngine], None]) -> None:
        super().__init__(setup.settings, setup.keys)
        self._put, self._ended = put, False
        self._numbers = count()
        self._calls: dict[int, asyncio.Future[Response]] = {}
        self._watched: dict[int, Watched] = {}
        self._places = {key: place for place, key in enumerate(self.guard.parties())}
        for number, (method, path, scope) in enumerate(setup.routes):
            self.routes.setdefault(path, {})[method] = Route(partial(self._call, number), scope)

    async def serve(self, route: Route, request: Request) -> Response:
        """The engine's answer."""
        return cast("Response", await route.handler(request))

    async def _call(self, route: int, request: Request) -> Response:
        if self._ended:
            raise RefusedError(503, ENGINE_ENDED, headers=AGAIN)
        number = next(self._numbers)
        self._calls[number] = answer = asyncio.get_running_loop().create_future()
        headers = {name: request.headers[name] for name in HEADERS if name in request.headers}
        key = self._places[request.key]
        self._put(Call(number, route, key, request.path, request.rest, request.query, headers, request.body))
        return await answer

    async def watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the messages of a WebSocket to the engine and back, one at a time each way."""
        number = next(self._numbers)
        self._watched[number] = watched = Watched(send)
        headers = {name: value for name, value in scope["headers"] if name in WATCH_HEADERS}
        self._put(Opened(number, scope["path"], scope["query_string"], headers))
        ends = [asyncio.create_task(self._hear(number, watched, receive)), asyncio.create_task(watched.closed.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ends:
                task.cancel()
            del self._watched[number]
            self._put(Heard(number, {"type": DISCONNECT}))

    async def _hear(self, number: int, watched: Watched, receive: Receive) -> None:
        while (message := await receive())["type"] != DISCONNECT:
            self._put(Heard(number, message))
            await watched.taken.wait()
            watched.taken.clear()

    async def _tell(self, number: int, watched: Watched, message: dict[str, Any]) -> None:
        with suppress(OSError):  # the client is gone, which `_hear` learns
            await watched.send(message)
            self._put(Passed(number))
        if message["type"] == "websocket.close":
            watched.closed.set()

    async def live(self, receive: Receive, send: Send) -> None:
        """Nothing: the engine's process has a life of its own."""

    def take(self, message: Reply | Told | Taken) -> None:
        """Take what the engine says."""
        if isinstance(message, Reply):
            answer = self._calls.pop(message.number)
            if not answer.done():
                answer.set_result(Response(message.status, message.body, message.content_type, message.headers))
            return
        watched = self._watched.get(message.number)
        if watched is None:
            return
        if isinstance(message, Taken):
            watched.taken.set()
        else:
            watched.telling = asyncio.create_task(self._tell(message.number, watched, message.message))

    def end(self) -> None:
        """Refuse what waits for the engine, which has ended."""
        self._ended = True
        for answer in self._calls.values():
            if not answer.done():
                answer.set_exception(RefusedError(503, ENGINE_ENDED, headers=AGAIN))


async def beat(put: Callable[[ToEngine], None]) -> None:
    """Say again and again that this loop turns."""
    while True:
        put(Alive())
        await asyncio.sleep(BEAT_SECONDS)


async def run(channel: socket.socket, listening: socket.socket) -> None:
    """Serve until the engine says so or ends."""
    loop, serving = asyncio.get_running_loop(), asyncio.current_task()
    begun: asyncio.Future[Setup] = loop.create_future()
    server: uvicorn.Server | None = None
    acceptor: Acceptor | None = None

    def take(message: ToWorker) -> None:
        if isinstance(message, Setup):
            begun.set_result(message)
        elif isinstance(message, Stop):
            stop()
        elif acceptor is not None:
            acceptor.take(message)

    def stop() -> None:
        if server is not None:
            server.should_exit = True
        elif serving is not None:
            serving.cancel()

    def end() -> None:
        if acceptor is not None:
            acceptor.end()
        stop()

    _, engine = await loop.create_unix_connection(lambda: Channel(ToWorker, take, end), sock=channel)
    setup = await begun
    acceptor = Acceptor(setup, engine.put)
    config = uvicorn.Config(acceptor, **uvicorn_options(setup.settings) | {"lifespan": "off"})
    try:
        config.load()
    except (OSError, ValueError) as error:
        engine.put(Ready(f"{type(error).__name__}: {error}"))
        await asyncio.Event().wait()  # until the engine ends it
    server = uvicorn.Server(config)
    engine.put(Ready())
    gc.collect()
    gc.freeze()
    beating = asyncio.create_task(beat(engine.put))
    await server.serve(sockets=[listening])
    beating.cancel()
    engine.close()


if __name__ == "__main__":
    pair, port = (socket.socket(fileno=int(text)) for text in sys.argv[1:])
    with asyncio.Runner(loop_factory=uvicorn.Config(run).get_loop_factory()) as runner:
        with suppress(asyncio.CancelledError):
            runner.run(run(pair, port))
