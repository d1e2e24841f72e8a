"""A small server of a process without one: ``/metrics`` for Prometheus, ``/health`` and ``/ready`` for a supervisor."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from riskkit._check import InputError
from riskkit.service.metrics import TYPE, Metrics


class _Quiet(WSGIRequestHandler):
    timeout = 5  # seconds that a silent client may hold the one thread

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@contextmanager
def serve_metrics(metrics: Metrics, address: str) -> Iterator[int]:
    """Serve the metrics of a process within a block, from a thread of its own; gives the port.

    Parameters
    ----------
    metrics : Metrics
    address : str
        ``host:port``; port 0 is a free one.

    Examples
    --------
    >>> from urllib.request import urlopen
    >>> with serve_metrics(Metrics(), "127.0.0.1:0") as port:
    ...     urlopen(f"http://127.0.0.1:{port}/health").read()
    b'{"status": "ok"}'
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise InputError(f"metrics={address!r} is not host:port, as 127.0.0.1:9300")
    try:
        server = make_server(host, int(port), _application(metrics), handler_class=_Quiet)
    except OSError as error:
        raise InputError(f"metrics={address!r} cannot be served: {error.strerror}") from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _application(metrics: Metrics) -> Callable[..., list[bytes]]:
    """The answers, as a WSGI application."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        path, status, kind = environ["PATH_INFO"], "200 OK", "application/json"
        if path == "/metrics":
            kind, body = TYPE, metrics.exposition()
        elif path == "/health":
            body = json.dumps({"status": "ok"}).encode()
        elif path == "/ready":
            status = "200 OK" if metrics.ready else "503 Service Unavailable"
            body = json.dumps({"ready": bool(metrics.ready)}).encode()
        else:
            status, body = "404 Not Found", json.dumps({"error": "there are /metrics, /health and /ready"}).encode()
        start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    return answer
