"""What the workers of a service and its engine say to each other, over a pair of sockets that nobody else can open.

A frame is four bytes of length and a list of messages in msgpack: all that was said in one turn of the sender's loop. A body is
handed on as it came, since the engine reads JSON as fast as msgpack.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from riskkit.service.keys import Key
from riskkit.service.settings import Settings

LENGTH = 4
HEADERS = (b"content-type", b"x-approved-by")  # those that routes read
WATCH_HEADERS = (b"authorization", b"host", b"origin")
DISCONNECT = "websocket.disconnect"
ENGINE_ENDED = "the engine of this service has ended; send it again once the service is back"


class Setup(Struct, array_like=True, tag=0):
    """To a worker, first: settings without addresses of stores, keys by hash, and the method, path and scope of each route."""

    settings: Settings
    keys: dict[str, Key]
    routes: list[tuple[str, str, str | None]]


class Stop(Struct, array_like=True, tag=1):
    """To a worker: take no more connections, answer what is open, and end."""


class Reply(Struct, array_like=True, tag=2, gc=False):
    """To a worker: the answer to a call."""

    number: int
    status: int
    body: bytes
    content_type: bytes
    headers: tuple[tuple[bytes, bytes], ...]


class Told(Struct, array_like=True, tag=3):
    """To a worker: a message of ASGI for a WebSocket, which the worker has `Passed` before the next one is sent."""

    number: int
    message: dict[str, Any]


class Taken(Struct, array_like=True, tag=4):
    """To a worker: what was `Heard` of a WebSocket has been taken; the next message may follow."""

    number: int


class Ready(Struct, array_like=True, tag=10):
    """To the engine: connections are accepted now, or why they cannot be."""

    trouble: str = ""


class Call(Struct, array_like=True, tag=11, gc=False):
    """To the engine: a request that its key permits; route and key are places in the lists of the `Setup`."""

    number: int
    route: int
    key: int
    path: str
    rest: str
    query: bytes
    headers: dict[bytes, bytes]
    body: bytes


class Opened(Struct, array_like=True, tag=12):
    """To the engine: somebody opens a WebSocket."""

    number: int
    path: str
    query: bytes
    headers: dict[bytes, bytes]


class Heard(Struct, array_like=True, tag=13):
    """To the engine: a message of ASGI from a WebSocket; the next one is read once this one is `Taken`."""

    number: int
    message: dict[str, Any]


class Passed(Struct, array_like=True, tag=14):
    """To the engine: a WebSocket has room for the next message."""

    number: int


class Alive(Struct, array_like=True, tag=15):
    """To the engine, once a second: this worker's loop turns."""


ToWorker = Setup | Stop | Reply | Told | Taken
ToEngine = Ready | Call | Opened | Heard | Passed | Alive


class Channel(asyncio.Protocol):
    """One end of a pair of sockets.

    Parameters
    ----------
    kinds : type
        What comes in: `ToWorker` or `ToEngine`.
    take : callable
        Gets each message that has come in.
    end : callable
        Called once when the other end is gone.
    """

    def __init__(self, kinds: Any, take: Callable[[Any], None], end: Callable[[], None]) -> None:
        self._decode = msgspec.msgpack.Decoder(list[kinds]).decode
        self._encode = msgspec.msgpack.Encoder().encode
        self._take, self._end = take, end
        self._in, self._out = bytearray(), list[Any]()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin, with what has been said before."""
        self._transport = transport
        if self._out:
            self._flush()

    def put(self, message: ToWorker | ToEngine) -> None:
        """Have a message sent with the others of this turn of the loop; nothing, if the other end is gone."""
        self._out.append(message)
        if len(self._out) == 1:
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        if self._transport is None or not self._out:
            return
        messages, self._out = self._out, []
        frame = self._encode(messages)
        if not self._transport.is_closing():
            self._transport.write(len(frame).to_bytes(LENGTH, "big") + frame)

    def data_received(self, data: bytes) -> None:
        """Take the messages of all frames that are complete."""
        self._in += data
        begin = 0
        while len(self._in) - begin >= LENGTH:
            stop = begin + LENGTH + int.from_bytes(self._in[begin : begin + LENGTH], "big")
            if len(self._in) < stop:
                break
            messages = self._decode(bytes(self._in[begin + LENGTH : stop]))
            begin = stop
            for message in messages:
                self._take(message)
        del self._in[:begin]

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner."""
        self._end()

    def close(self) -> None:
        """Close this end."""
        if self._transport is not None:
            self._transport.close()
