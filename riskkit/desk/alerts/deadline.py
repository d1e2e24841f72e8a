"""`Deadline`: the end of a conversation after so many seconds in all.

The timeout of a socket begins anew with every byte and with every address of a host, and a name server may say nothing at
all, so a conversation is held in a thread of its own, which nobody waits for longer.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Deadline:
    """Seconds for a conversation; then its connection is shut.

    Examples
    --------
    >>> deadline = Deadline(5.0)
    >>> len(deadline.handlers())
    2
    >>> deadline.run(lambda: "sent")
    'sent'
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._connection: Any = None

    def run(self, conversation: Callable[[], Any]) -> Any:
        """Hold a conversation and return its answer.

        Raises
        ------
        TimeoutError
            It is not over in time; the connection is shut, and its thread ends when it notices.
        """
        told: Future[Any] = Future()
        try:
            threading.Thread(target=_hold, args=(conversation, told), name="riskkit conversation", daemon=True).start()
        except RuntimeError:  # at the end of the interpreter no thread can be started
            _hold(conversation, told)
        try:
            return told.result(self._seconds)
        except TimeoutError:
            if told.done():  # of the connection
                raise
            self._shut()
            raise TimeoutError(f"not done within {self._seconds:g} s") from None
        finally:
            del told  # an error's traceback has this frame, and with it the error

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
        held = getattr(self._connection, "sock", None)
        if held is not None:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)


def _hold(conversation: Callable[[], Any], told: Future[Any]) -> None:
    try:
        told.set_result(conversation())
    except BaseException as error:
        told.set_exception(error)
    finally:
        del told
