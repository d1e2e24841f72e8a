"""How uvicorn is run, by a service of one process and by each worker of another."""

from __future__ import annotations

from typing import Any

from riskkit.service.settings import Settings

STOP_SECONDS = 5
SILENT_SECONDS = 30  # of a worker, whose engine then takes it to hang


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    """The options of uvicorn: bounded heads, sockets and waits, and a stop that closes sockets with 1012."""
    from riskkit.service.guarded_protocol import guarded

    return {
        "host": settings.host,
        "port": settings.port,
        "ssl_certfile": settings.tls_certificate,
        "ssl_keyfile": settings.tls_key,
        "proxy_headers": settings.behind_proxy,
        "http": guarded(settings.head_bytes, settings.idle_seconds),
        "ws": "websockets-sansio",
        "ws_max_size": settings.head_bytes,
        "ws_per_message_deflate": False,
        "access_log": False,
        "log_level": "warning",
        "server_header": False,
        "timeout_keep_alive": int(settings.idle_seconds),
        "timeout_graceful_shutdown": STOP_SECONDS,
        "lifespan": "on",
    }
