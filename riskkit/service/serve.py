"""`serve`: a service from a file of rules, with HTTP and WebSocket of uvicorn."""

from __future__ import annotations

import gc
import logging
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskkit._check import InputError, optional
from riskkit._files import make_folder
from riskkit.replay.live.session import Session
from riskkit.replay.log.files import read_units
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.universe import Instrument

if TYPE_CHECKING:
    from riskkit.service.app import App
    from riskkit.service.settings import Settings

ANY = Instrument("any instrument", tick="0.0001", lot="0.0001")
STOP_SECONDS = 5
logger = logging.getLogger("riskkit")


def create_app(
    rules: RuleSet, state: str | Path, settings: Settings, *, units: str | Path | None = None, compiled: bool = True
) -> App:
    """The ASGI application of a service, for a server of your own; `serve` runs it.

    Parameters
    ----------
    rules : RuleSet
        In their declared order.
    state : str or Path
        Folder of the journal, the keys and the audit; created if missing. One process holds it.
    settings : Settings
        As `riskkit.service.settings.read_settings` reads them.
    units : str or Path, optional
        TOML file of instruments and accounts, as of `read_log`; labels that it does not have are refused. By default every
        label is taken, and prices and quantities have four decimals.
    compiled : bool
        As for `Session`.
    """
    from riskkit.service.app import STANDING_BY, WARMING, App
    from riskkit.service.audit import Audit
    from riskkit.service.challenger_routes import add_challenger_routes
    from riskkit.service.engine import EngineService
    from riskkit.service.keys import first_keys, read_keys
    from riskkit.service.risk import add_risk
    from riskkit.service.routes import add_routes
    from riskkit.service.server_routes import add_server_routes
    from riskkit.service.stores import fence, start_stores, take_lease

    folder = Path(state)
    make_folder(folder)
    keys = Path(settings.keys) if settings.keys else folder / "keys.toml"
    for path in first_keys(keys):
        logger.warning("a new key is in %s; give it to whom it is for, and delete the file", path)
    known = read_keys(keys)
    shadow = {name: RuleSet.from_toml(path) for name, path in settings.challengers.items()}
    declared = {"auto_register": ANY} if units is None else _declared(Path(units))

    def open_engine() -> EngineService:
        app.stage = STANDING_BY
        app.lease = take_lease(settings, app.ending)
        app.stage = WARMING
        if app.lease is not None:
            app.lease.keep(app.lose)
        app.audit = Audit(folder / "audit.jsonl")
        options = {
            **declared,
            "mode": settings.mode,
            "four_eyes": settings.four_eyes,
            "compiled": compiled,
            "shadow": shadow,
        }
        session = Session.open(folder / "journal", rules, durability="none", **options)
        warmed = Session.restore(session.snapshot(), rules, compiled=compiled, shadow=shadow)
        warmed.tick(time.time_ns())  # what compiles does so on a copy
        for challenger in warmed.challengers.values():
            challenger.follow()
        step = warmed.engine.make_step()
        if step is not None:
            step.step(step.address, step.address, 0)  # no events: the call compiles
        engine = EngineService(session)
        if app.lease is not None:
            fence(engine, app.lease)
        for part in start_stores(engine, folder / "journal", settings):
            app.start(part)
        return engine

    app = App(settings, known, open_engine)
    add_routes(app)
    add_risk(app)
    add_challenger_routes(app)
    add_server_routes(app)
    return app


def _declared(units: Path) -> dict[str, Any]:
    """The instruments and accounts of a file, as a session takes them."""
    found = read_units(units)
    if found.get("quanta"):
        found["quantum"] = next(iter(found["quanta"].values()))
    return {"instruments": found["instruments"] or (), "accounts": found["accounts"], "quantum": found.get("quantum")}


def serve(
    rules: str | Path,
    state: str | Path,
    *,
    units: str | Path | None = None,
    settings: str | Path | None = None,
    **given: Any,
) -> None:
    """Serve the rules of a file until a signal ends it; what was answered is on disk.

    Parameters
    ----------
    rules : str or Path
        TOML file of the limits.
    state : str or Path
        Folder of the journal, the keys and the audit.
    units : str or Path, optional
        TOML file of instruments and accounts.
    settings : str or Path, optional
        TOML file with the names of `riskkit.service.settings.Settings`.
    **given
        Single settings, as ``host`` and ``port``.

    Raises
    ------
    InputError
        If a file or a setting does not fit, or another process holds the folder.
    ImportError
        Without the extra ``service``.
    """
    uvicorn = optional("uvicorn", "service")
    for module in ("msgspec", "httptools", "websockets"):
        optional(module, "service")
    from riskkit.service.settings import read_settings

    chosen = read_settings(settings, **given)
    family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
    try:
        listening = socket.create_server((chosen.host, chosen.port), family=family, backlog=2048)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        where = f"host={chosen.host!r}, port={chosen.port}"
        raise InputError(f"{where} cannot be listened at: {why}; give another --port") from None
    with listening:
        app = create_app(RuleSet.from_toml(rules), state, chosen, units=units)
        server = uvicorn.Server(uvicorn.Config(app, **uvicorn_options(chosen)))
        app.on_open = lambda: _settle(app, server)
        port = listening.getsockname()[1]
        print(f"listening at {chosen.host}, port {port}; /ready says when the rules are compiled, /docs what there is")
        server.run(sockets=[listening])
    if app.trouble:
        raise InputError(app.trouble)


def _settle(app: App, server: Any) -> None:
    """End without an engine; with one, keep the objects of the start out of the garbage collection, which stops all for 0.1 s."""
    if app.trouble:
        server.should_exit = True
    else:
        gc.collect()
        gc.freeze()


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
