"""`serve`: a service from a file of rules, with HTTP and WebSocket of uvicorn."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
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
    from riskkit.service.engine import EngineService
    from riskkit.service.settings import Settings

ANY = Instrument("any instrument", tick="0.0001", lot="0.0001")
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
        warmed.tick(time.time_ns())  # what compiles does so on a copy, the step of single events too
        for challenger in warmed.challengers.values():
            challenger.follow()
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
    tell: Callable[[str, Mapping[str, Any]], None] = lambda text, _: print(text),
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
    tell : callable
        Gets a sentence and its facts, which may be empty: where the service listens, that it is ready, that it has ended. By
        default sentences are printed.
    **given
        Single settings, as ``host``, ``port`` and ``workers``.

    Raises
    ------
    InputError
        If a file or a setting does not fit, another process holds the folder, or a worker cannot start.
    ImportError
        Without the extra ``service``.
    """
    uvicorn = optional("uvicorn", "service")
    for module in ("msgspec", "httptools", "websockets"):
        optional(module, "service")
    from riskkit.service.options import uvicorn_options
    from riskkit.service.settings import read_settings
    from riskkit.service.workers import Workers, listen

    chosen = read_settings(settings, **given)
    try:
        listening = listen(chosen.host, chosen.port, chosen.workers)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        where = f"host={chosen.host!r}, port={chosen.port}"
        raise InputError(f"{where} cannot be listened at: {why}; give another --port") from None
    with ExitStack() as closing:
        for one in listening:
            closing.enter_context(one)
        ruleset, port = RuleSet.from_toml(rules), listening[0].getsockname()[1]
        app = create_app(ruleset, state, chosen, units=units)
        about = {"host": chosen.host, "port": port, "workers": chosen.workers, "state": str(Path(state).resolve())}
        config = uvicorn.Config(app, **uvicorn_options(chosen))
        server: Any = uvicorn.Server(config) if chosen.workers == 1 else Workers(app)

        def opened(engine: EngineService | None) -> None:
            if engine is None:
                server.should_exit = True
                return
            gc.collect()
            gc.freeze()  # the objects of the start: to look at them all again would stop everything for 0.1 s
            facts = {**about, "rules": [rule.id for rule in ruleset], "events": len(engine.session)}
            tell(f"ready, with {facts['events']:,} events", {"event": "started", **facts})

        app.on_open = opened
        where = f"{chosen.host}, port {port}"
        tell(f"listening at {where}; /ready says when the rules are compiled, /docs what there is", {})
        with _ended_by_signal(), asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(server.serve(listening))
    if app.trouble:
        raise InputError(app.trouble)
    if not app.is_open:  # a signal came before
        return
    events = len(app.engine.session)
    tell(f"ended, with {events:,} events", {"event": "ended", "events": events, "digest": app.engine.session.digest})


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """A block that a signal ends and no more than that: uvicorn raises it again once it has stopped."""
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, lambda *_: None) if is_main else None
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, before)
