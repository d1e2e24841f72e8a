"""Workers in front of one engine: the engine's side, in the process that has the journal.

Each worker (`riskkit.service.acceptor`) has a listening socket of its own at the same port, which this process keeps open, so that
connections outlive a worker that is killed until the next one takes them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import ExitStack, suppress
from types import coroutine
from typing import Any

import msgspec

from riskkit._check import InputError
from riskkit.service.app import App
from riskkit.service.channel import (
    DISCONNECT,
    Alive,
    Call,
    Channel,
    Heard,
    Opened,
    Ready,
    Reply,
    Setup,
    Stop,
    Taken,
    ToEngine,
    Told,
    ToWorker,
)
from riskkit.service.options import SILENT_SECONDS, STOP_SECONDS
from riskkit.service.request import Request
from riskkit.service.settings import FROM_ENVIRONMENT

Message = dict[str, Any]
TICK = 0.1  # seconds, as of uvicorn
logger = logging.getLogger("riskkit")


class Workers:
    """The server of an application whose connections workers take, with the call and the switch of ``uvicorn.Server``.

    Parameters
    ----------
    app : App
        With all its routes.

    Attributes
    ----------
    should_exit : bool
        Set it, from any thread, to end the service.
    """

    def __init__(self, app: App) -> None:
        self.app, self.should_exit = app, False
        self.routes = [(method, path, route) for path, found in app.routes.items() for method, route in found.items()]
        self.parties = app.guard.parties()
        settings = msgspec.structs.replace(app.settings, redis={}, postgres={}, kafka={})
        routes = [(method, path, route.scope) for method, path, route in self.routes]
        self.setup = Setup(settings, app.guard.keys, routes)
        self._workers: set[Worker] = set()

    async def serve(self, sockets: list[socket.socket]) -> None:
        """Serve with a worker at each of the listening sockets, which are closed at the end, once all of them do with an engine."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, setattr, self, "should_exit", True)
        keeping = [asyncio.create_task(self._keep(listening)) for listening in sockets]
        is_begun = False
        while not self.should_exit:
            if not is_begun and sum(worker.is_ready for worker in self._workers) == len(sockets):
                is_begun = True
                self.app.begin()
            for worker in self._workers:
                worker.end_if_silent()
            await asyncio.sleep(TICK)
        for listening in sockets:
            listening.close()
        await asyncio.gather(*(worker.stop() for worker in self._workers), *keeping)
        await self.app.end()

    async def _keep(self, listening: socket.socket) -> None:
        """Have a worker at a socket, and another when it ends."""
        while not self.should_exit:
            worker = Worker(self, listening)
            self._workers.add(worker)
            try:
                await worker.run()
            except OSError as error:
                self.fail(f"a worker cannot be started: {error}")
                return
            finally:
                self._workers.discard(worker)
            if not (worker.is_ready or worker.is_killed or self.should_exit):
                self.fail("a worker has ended before it took connections; what it said is above")
                return
            if not self.should_exit:
                logger.warning("worker %d has ended and is started again", worker.process.pid)
                self.app.metrics.workers_ended += 1

    def fail(self, why: str) -> None:
        """End a service that cannot go on."""
        self.app.trouble = self.app.trouble or why
        self.should_exit = True


class Worker:
    """One process of a worker, from its start to its end."""

    def __init__(self, owner: Workers, listening: socket.socket) -> None:
        self._owner, self._listening = owner, listening
        self.is_ready = False
        self._silent = 0  # ticks of the engine's own loop, so that no worker is taken to hang because the engine did
        self._closed = asyncio.Event()
        self._channel = Channel(ToEngine, self._take, self._closed.set)
        self._sockets: dict[int, RemoteSocket] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Start the process, tell it what it has to know, and wait for its end."""
        ours, theirs = socket.socketpair()
        given = (theirs.fileno(), self._listening.fileno())
        environment = {name: value for name, value in os.environ.items() if name not in FROM_ENVIRONMENT}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        command = [sys.executable, "-P", "-m", "riskkit.service.acceptor", *map(str, given)]
        with ExitStack() as begun, theirs:
            begun.callback(ours.close)
            # a group of its own: the engine, which gets the terminal's signals, ends its workers
            self.process = subprocess.Popen(
                command, pass_fds=given, env=environment, stdin=subprocess.DEVNULL, process_group=0
            )  # fmt: skip
            begun.pop_all()
        await asyncio.get_running_loop().create_unix_connection(lambda: self._channel, sock=ours)
        self._channel.put(self._owner.setup)
        await self._closed.wait()
        for one in self._sockets.values():
            one.hear({"type": DISCONNECT})
        try:
            await asyncio.to_thread(self.process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)

    @property
    def is_killed(self) -> bool:
        """True if a signal has ended the process, and not the process itself."""
        return (self.process.returncode or 0) < 0

    async def stop(self) -> None:
        """Have the worker answer what is open and end; kill it if it does not."""
        self._channel.put(Stop())
        try:
            await asyncio.wait_for(self._closed.wait(), 2 * STOP_SECONDS)
        except TimeoutError:
            self.process.kill()

    def end_if_silent(self) -> None:
        """Kill a worker that takes connections and has said nothing for long: it hangs, and another does its work."""
        self._silent += self.is_ready
        if self._silent * TICK > SILENT_SECONDS:
            logger.warning("worker %d has been silent for %d s and is killed", self.process.pid, SILENT_SECONDS)
            self._silent = 0
            self.process.kill()

    # ------------------------------------------------------------------ what a worker says

    def _take(self, message: Any) -> None:
        self._silent = 0
        if isinstance(message, Alive):
            return
        if isinstance(message, Call):
            self._begin(self._answer(message))
        elif isinstance(message, Opened):
            self._sockets[message.number] = one = RemoteSocket(message.number, self._channel.put)
            self._begin(self._watch(message, one))
        elif isinstance(message, Ready):
            self.is_ready = True
            if message.trouble:
                self._owner.fail(f"a worker cannot take connections: {message.trouble}")
        elif message.number in self._sockets:
            one = self._sockets[message.number]
            one.hear(message.message) if isinstance(message, Heard) else one.pass_on()
        elif isinstance(message, Heard):
            self._channel.put(Taken(message.number))  # of a socket that the hub has closed

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run some work up to its first wait at once; a task, which costs more than a decision, has the rest, if there is one."""
        try:
            waits = work.send(None)
        except StopIteration:
            return
        task = asyncio.create_task(_rest(work, waits))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, call: Call) -> None:
        method, _, route = self._owner.routes[call.route]
        key: Any = self._owner.parties[call.key]
        request = Request(method, call.path, call.rest, call.query, call.headers, call.body, key)
        found = await self._owner.app.serve(route, request)
        self._channel.put(Reply(call.number, found.status, found.body, found.content_type, found.headers))

    async def _watch(self, opened: Opened, one: RemoteSocket) -> None:
        scope = {"path": opened.path, "query_string": opened.query, "headers": list(opened.headers.items())}
        try:
            await self._owner.app.watch(scope, one.receive, one.send)
        except ConnectionError:
            pass  # the client has gone, which is its right
        finally:
            del self._sockets[opened.number]


class RemoteSocket:
    """A WebSocket of a worker, as ASGI: one message at a time each way, so that a slow client is felt here."""

    def __init__(self, number: int, put: Callable[[ToWorker], None]) -> None:
        self._number, self._put = number, put
        self._heard: asyncio.Queue[Message] = asyncio.Queue()
        self._room: asyncio.Future[None] | None = None
        self._gone = False

    async def receive(self) -> Message:
        """The next message of the client."""
        message = await self._heard.get()
        self._put(Taken(self._number))
        return message

    async def send(self, message: Message) -> None:
        """Send a message, and wait until the client has room for another."""
        if self._gone:
            raise ConnectionError("the client has gone")
        self._room = asyncio.get_running_loop().create_future()
        self._put(Told(self._number, message))
        await self._room

    def hear(self, message: Message) -> None:
        """Take a message of the client."""
        self._heard.put_nowait(message)
        if message["type"] == DISCONNECT:
            self._gone = True
            if self._room is not None and not self._room.done():
                self._room.set_exception(ConnectionError("the client has gone"))

    def pass_on(self) -> None:
        """The client has room."""
        if self._room is not None and not self._room.done():
            self._room.set_result(None)


@coroutine
def _rest(work: Coroutine[Any, Any, None], waits: Any) -> Generator[Any, None, None]:
    """Go on with work that has begun, after what it waits for, whose error, if any, the work gets when it goes on."""
    with suppress(Exception):
        yield waits
    yield from work


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """Listening sockets at one port, among which the system spreads connections.

    Raises
    ------
    OSError
        If another program has the port, also one that would share it.
    InputError
        If several are asked for where the system spreads none.
    """
    if count > 1 and not hasattr(socket, "SO_REUSEPORT"):
        raise InputError(
            f"workers={count} needs a system that shares a port among processes (SO_REUSEPORT); give 1 here"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    first = socket.create_server((host, port), family=family, backlog=2048)
    if count == 1:
        return [first]
    with first:
        port = first.getsockname()[1]
    return [
        socket.create_server((host, port), family=family, backlog=2048, reuse_port=True) for _ in range(count)
    ]  # fmt: skip
