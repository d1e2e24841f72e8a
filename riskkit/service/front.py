"""What stands at a port: every request is guarded, bounded and routed, and answered in JSON, whatever it is."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from riskkit.service.guard import PUBLIC, Guard
from riskkit.service.keys import Key
from riskkit.service.request import JSON, RefusedError, Request, Response, Route
from riskkit.service.settings import Settings
from riskkit.service.wire import Refused, encode

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
logger = logging.getLogger("riskkit")


class Front(ABC):
    """An ASGI application that serves what it lets in.

    Parameters
    ----------
    settings : Settings
        Limits.
    keys : dict of str to Key
        By the hash of the secret.

    Attributes
    ----------
    guard : Guard
        Who may do what.
    routes : dict
        Of each path, by method; of ``/name/*`` all paths one below.
    """

    def __init__(self, settings: Settings, keys: dict[str, Key]) -> None:
        self.settings = settings
        self.guard = Guard(keys, settings)
        self.routes: dict[str, dict[str, Route]] = {}

    @abstractmethod
    async def serve(self, route: Route, request: Request) -> Response:
        """The answer to a request that may be made."""

    @abstractmethod
    async def watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket until it ends."""

    @abstractmethod
    async def live(self, receive: Receive, send: Send) -> None:
        """Follow the server from its start to its end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, one socket, or the life of the server."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self.watch(scope, receive, send)
        else:
            await self.live(receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(scope, receive)
        except RefusedError as refused:
            response = refusal(refused.status, str(refused), field=refused.field, headers=refused.headers)
        except Exception:
            response = failure(scope["path"])
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
            self.guard.permit(key, route.scope)
        body = await self._body(headers, receive) if method != "GET" else b""
        return await self.serve(route, Request(method, path, rest, scope["query_string"], headers, body, key))

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


def failure(path: str) -> Response:
    """The answer where the service is at fault, which says nothing of the inside; the log has the error that is handled."""
    logger.exception("a request to %s has failed", path)
    return refusal(500, "the service has failed on this request; see its log")
