"""`Deadline`: an end of a connection after so many seconds in all.

The timeout of a socket begins anew with every byte, so a server that sends one now and then would hold a channel for ever.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any


class Deadline:
    """A block that shuts the connection that is made in it after some seconds, and then fails.

    Raises
    ------
    TimeoutError
        At the end of the block.

    Examples
    --------
    >>> with Deadline(5.0) as deadline:
    ...     len(deadline.handlers())
    2
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._passed = seconds, False
        self._connection: Any = None
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        with contextlib.suppress(RuntimeError):  # at the end of the interpreter no thread can be started
            self._timer.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._timer.cancel()
        if self._passed:
            raise TimeoutError(f"not done within {self._seconds:g} s") from None

    def watched(self, kind: Any) -> Any:
        """A class of connections whose next one is shut at the deadline."""
        deadline = self

        class Watched(kind):  # type: ignore[misc]
            def connect(self, *given: Any, **options: Any) -> Any:
                deadline._connection = self
                return super().connect(*given, **options)

        return Watched

    def handlers(self) -> list[Any]:
        """Handlers of `urllib.request` whose connections are shut at the deadline."""
        from http.client import HTTPConnection, HTTPSConnection
        from urllib.request import HTTPHandler, HTTPSHandler, Request

        plain, secure = self.watched(HTTPConnection), self.watched(HTTPSConnection)

        class Plain(HTTPHandler):
            def http_open(self, request: Request) -> Any:
                return self.do_open(plain, request)

        class Secure(HTTPSHandler):
            def https_open(self, request: Request) -> Any:
                return self.do_open(secure, request)

        return [Plain, Secure]

    def _shut(self) -> None:
        self._passed = True
        held = getattr(self._connection, "sock", None)
        if held is not None:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
