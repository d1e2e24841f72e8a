"""uvicorn's HTTP protocol with an end to heads that never end and to requests that never arrive."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b'content-length: 37\r\n\r\n{"error":"the request has a long head"}'[:-2]
)


def guarded(head_bytes: int, idle_seconds: float) -> type[HttpToolsProtocol]:
    """The protocol for heads of at most so many bytes, and requests that are complete after so many seconds."""

    class GuardedProtocol(HttpToolsProtocol):
        _head = 0  # bytes of a head that is not complete
        _partial = False  # whether a request has begun and is not complete
        _timer: asyncio.TimerHandle | None = None

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._head and (len(data) > head_bytes or self._head + len(data) > head_bytes):
                self.transport.write(TOO_LONG)
                self.transport.close()
            elif self._head:
                self._head += len(data)
            if self._partial and self._timer is None:
                self._timer = self.loop.call_later(idle_seconds, self._end)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._head, self._partial = 1, True

        def on_headers_complete(self) -> None:
            self._head = 0
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self._partial = False
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            super().on_message_complete()

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._timer = self.loop.call_later(idle_seconds, self._end)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._timer is not None:
                self._timer.cancel()
            super().connection_lost(exc)

        def _end(self) -> None:
            self._timer = None
            if not self.transport.is_closing():
                self.transport.close()

    return GuardedProtocol
