"""The routes of events, limits and the breaker: what a request says becomes a call of the engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, ItemsView, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from riskkit._check import InputError
from riskkit.replay.live.batch import Batch
from riskkit.replay.results.decisions import Decision, DecisionKind
from riskkit.service.app import App
from riskkit.service.engine import EVENTS, Answer
from riskkit.service.guard import NOBODY
from riskkit.service.keys import LIMITS, READ, TRADE
from riskkit.service.request import RefusedError, Request, Response
from riskkit.service.wire import (
    Action,
    BatchDecided,
    Cancel,
    Decided,
    Event,
    Fill,
    Limits,
    Modify,
    Order,
    Price,
    Probed,
    Refused,
    Switch,
    encode,
    nanoseconds,
)

SINGLE: dict[str, tuple[str, type[Event]]] = {
    "/orders": ("order", Order),
    "/fills": ("fill", Fill),
    "/cancels": ("cancel", Cancel),
    "/modifies": ("modify", Modify),
    "/prices": ("price", Price),
}
OTHERS = [kind for kind in EVENTS if kind not in {kind for kind, _ in SINGLE.values()} | {"order_list", "trade"}]
ARROW = b"application/vnd.apache.arrow.stream"
APPROVER = b"x-approved-by"


class Column(list[Any]):
    """A column of JSON as `Session.process` takes it."""

    dtype = "object"

    @property
    def array(self) -> Column:
        """The column itself, as its numbers."""
        return self

    def tolist(self) -> list[Any]:
        """The column itself, as a list."""
        return self


class Columns:
    """Columns of JSON as a frame, each a list, or one value for all rows."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        sizes = {len(values) for values in data.values() if isinstance(values, list)}
        if len(sizes) != 1:
            raise InputError(f"the columns have {sorted(sizes)} rows; give lists of one length")
        (self.rows,) = sizes
        self._of = {name: Column(v if isinstance(v, list) else [v] * self.rows) for name, v in data.items()}

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._of)

    def items(self) -> ItemsView[str, Column]:
        """Columns by name."""
        return self._of.items()

    def __getitem__(self, name: str) -> Column:
        return self._of[name]

    def __len__(self) -> int:
        """Number of rows."""
        return self.rows

    def with_column(self, name: str, value: Any) -> Columns:
        """The same rows with one value more."""
        return Columns({**self._of, name: value})


def add_routes(app: App) -> None:
    """Add the routes of the engine to an application."""
    for path, (kind, form) in SINGLE.items():
        app.route("POST", path, TRADE)(_single(app, kind, msgspec.json.Decoder(form)))
    anything = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
    rows = msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal)
    server_clock = app.settings.clock == "server"

    @app.route("POST", "/events/*", TRADE)
    async def other(request: Request) -> Any:
        """An event of another kind: fx, cash, equity, ack, error, ..."""
        if request.rest not in OTHERS:
            raise RefusedError(404, f"{request.rest[:80]!r} is not a kind of event; there are {', '.join(OTHERS)}")
        fields = anything.decode(request.body)
        return await decided(app, request, request.rest, fields)

    @app.route("POST", "/orders/batch", TRADE)
    async def batch(request: Request) -> BatchDecided:
        """Many events in one request: a list of them, an object of columns, or an Arrow stream."""
        events: Any
        if request.headers.get(b"content-type", b"").startswith(ARROW):
            events = _arrow(request.body)
        elif request.body.lstrip()[:1] == b"{":
            events = Columns(anything.decode(request.body))
        else:
            events = rows.decode(request.body)
        app.guard.accounts(request.key, _of_rows(events, "account"))
        _refuse_commands(events)
        count = len(events)
        if not 0 < count <= app.settings.batch_events:
            raise RefusedError(413, f"a batch has 1 to {app.settings.batch_events:,} events; this one has {count:,}")
        app.turns.admit()
        if server_clock:
            events = _stamped(events, now(app))
        before = len(app.engine.session)
        began = time.perf_counter()
        found: Batch = app.engine.decide_many(events)
        taken = count - len(found.errors)
        app.metrics.bad_events += len(found.errors)
        latest = str(app.engine.session.latest)
        app.metrics.decided(time.perf_counter() - began, taken, int(found.passed.sum()), len(found.actions))
        waits = None
        if len(app.engine.session) > before:
            app.turns.durable(request.key.id, before)
            waits = app.turns.durable(request.key.id, len(app.engine.session) - 1, spoken=bool(found.actions))
        if waits is not None:
            await waits
        return BatchDecided(
            found.passed.tolist(),
            found.seq.tolist(),
            {str(row): sentence for row, sentence in found.errors.items()},
            [Action.of(action) for action in found.actions],
            latest,
        )

    @app.route("POST", "/probe", TRADE)
    async def probe(request: Request) -> Probed:
        """What an order would be answered now; nothing is decided and nothing changes."""
        fields = msgspec.json.decode(request.body, type=Order).fields()
        app.guard.accounts(request.key, [fields["account"]])
        if fields.pop("ts", None) is not None:
            raise RefusedError(422, "a probe is of now; leave ts out", field="ts")
        _with_expiry(fields)
        at = now(app) if server_clock else app.engine.session.latest
        found = app.engine.session.probe(ts=max(at, 0), **fields)
        return Probed(_pass(found), [Action.of(action) for action in found])

    @app.route("GET", "/orders/*", READ)
    async def answer(request: Request) -> Decided:
        """The answer to an earlier order once more."""
        account = request.parameters(account=None)["account"]
        app.guard.accounts(request.key, [account])
        found = first_answer(app, request.rest, account)
        if found is None:
            raise RefusedError(404, f"order_id={request.rest[:80]!r} is not that of an order that is known")
        return found

    @app.route("GET", "/limits", READ)
    async def limits(request: Request) -> dict[str, Any]:
        """The rules in force, and the changes so far."""
        session = app.engine.session
        return {"rules": session.rules.to_dict()["rules"], "changes": session.history.to_dict()["changes"]}

    @app.route("PUT", "/limits", LIMITS)
    async def change(request: Request) -> dict[str, Any]:
        """Change limits; the person is the owner of the key, a second one that of the key in X-Approved-By."""
        asked = msgspec.json.decode(request.body, type=Limits)
        fields = {"why": asked.why, "approved_by": approver(app, request)}
        await said(app, request, "set_limits", asked.limits, ts=asked.ts, about={"limits": asked.limits}, **fields)
        return {"rules": app.engine.session.rules.to_dict()["rules"]}

    def switch(path: str, command: str, scope: str) -> None:
        @app.route("POST", path, scope)
        async def act(request: Request) -> Any:
            asked = msgspec.json.decode(request.body, type=Switch)
            app.guard.accounts(request.key, [asked.account])
            if command == "reset_breaker":
                if asked.desk is not None:
                    raise RefusedError(422, "a breaker is reset by account, or for all", field="desk")
                found = await said(app, request, command, asked.account, ts=asked.ts, about={"why": asked.why})
                return {"actions": [Action.of(action) for action in found]}
            named = {"account": asked.account, "desk": asked.desk}
            found = await said(app, request, command, ts=asked.ts, about=named, why=asked.why, **named)
            return {"working_orders": [order._asdict() for order in found or ()]}

    switch("/halt", "halt", TRADE)
    switch("/limits/halt", "halt", LIMITS)
    switch("/restart", "restart", LIMITS)
    switch("/breaker/reset", "reset_breaker", LIMITS)

    @app.route("GET", "/breaker", READ)
    async def breaker(request: Request) -> dict[str, str]:
        """ACTIVE, REDUCING, HALTED or PAUSED, by account."""
        return await asyncio.to_thread(app.engine.status().states)


def _single(app: App, kind: str, decoder: Any) -> Callable[[Request], Any]:
    """The handler of one kind of event."""

    async def handle(request: Request) -> Any:
        return await decided(app, request, kind, decoder.decode(request.body).fields())

    return handle


async def decided(app: App, request: Request, kind: str, fields: dict[str, Any]) -> Any:
    """Decide one event, and answer once it is on disk."""
    turns, session = app.turns, app.engine.session
    if request.key.accounts is not None:
        app.guard.accounts(request.key, [fields.get("account")])
    turns.admit()
    _with_expiry(fields)
    if app.settings.clock == "server":
        if "ts" in fields:
            raise RefusedError(422, "ts is the service's own clock; set clock='events' to send times", field="ts")
        fields["ts"] = now(app)
    elif "ts" in fields:
        fields["ts"] = nanoseconds(fields["ts"])
    else:
        raise RefusedError(422, "ts is missing; this service has no clock of its own", field="ts")
    began = time.perf_counter()
    try:
        found = app.engine.decide(kind, fields)
    except InputError as error:
        app.metrics.bad_events += 1
        first = first_answer(app, fields.get("order_id"), fields.get("account")) if kind == "order" else None
        if first is None:
            raise
        return Response(409, encode(Refused(str(error), field="order_id", first=first)))
    at = session.latest  # later events may come before this one is on disk
    app.metrics.decided(time.perf_counter() - began, 1, int(found.passed), len(found.actions))
    if kind == "fill" and app.hub.count:
        account = session.engine.labels.accounts[session.engine.row(found.seq)["account"]].id
        app.hub.touched[account] = found.seq + 1
    waits = turns.durable(request.key.id, found.seq, spoken=bool(found.actions))
    if waits is not None:
        await waits
    return answered(found, at, fields.get("order_id"))


def _with_expiry(fields: dict[str, Any]) -> None:
    """Turn the time at which an order lapses, if it is one and not the end of its session, into nanoseconds."""
    if "expires" in fields and not str(fields["expires"]).startswith("session"):
        fields["expires"] = nanoseconds(fields["expires"])


def answered(found: Answer, ts: int, order_id: Any) -> Decided:
    """The answer to an event."""
    actions = [Action.of(action) for action in found.actions]
    return Decided(found.passed, found.seq, str(ts), ts // 1_000_000_000, actions, order_id)


def first_answer(app: App, order_id: Any, account: Any) -> Decided | None:
    """What was answered to an order with this id; None if none is known."""
    session = app.engine.session
    if order_id is None:
        return None
    try:
        seq, actions = session.order_number(order_id, account), session.answer_of(order_id, account)
    except InputError:
        return None
    return answered(Answer(seq, _pass(actions), actions), session.engine.row(seq)["ts"], order_id)


def _pass(actions: list[Decision]) -> bool:
    """True if none of the actions is a refusal."""
    return all(action.action is not DecisionKind.REJECT for action in actions)


def approver(app: App, request: Request) -> str:
    """The owner of the key in X-Approved-By, which may change limits; empty without one."""
    secret = request.headers.get(APPROVER)
    if secret is None:
        return ""
    key = app.guard.key_of(b"Bearer " + secret)
    app.guard.permit(key, LIMITS)
    app.guard.count(key)
    return key.owner


async def said(
    app: App, request: Request, command: str, *args: Any, ts: Any, about: Mapping[str, Any], **fields: Any
) -> Any:
    """Have a person's command done, audited and on disk."""
    app.turns.admit()
    if request.key.id == NOBODY:
        raise RefusedError(401, "a person's command needs a key")
    at = now(app) if app.settings.clock == "server" or ts is None else nanoseconds(ts)
    named = {"now": at} if command == "reset_breaker" else {"ts": at, "who": request.key.owner}
    found = app.engine.command(command, *args, **named, **fields)
    if app.audit is not None:
        line = {"key": request.key.id, "who": request.key.owner, "command": command, **about, **fields}
        app.audit.note(ts=at, seq=len(app.engine.session) - 1, **line)
    waits = app.turns.durable(request.key.id, len(app.engine.session) - 1, spoken=True)
    if waits is not None:
        await waits
    return found


def now(app: App) -> int:
    """The time of the next event: that of the machine, or of the last event if that is later."""
    return max(time.time_ns(), app.engine.session.latest)


def _of_rows(events: Any, name: str) -> Iterator[Any]:
    """A field of each row of a batch."""
    if isinstance(events, list):
        return (row.get(name) for row in events)
    return iter(events[name].tolist() if name in events.columns else [None])


def _refuse_commands(events: Any) -> None:
    """Refuse what ends pauses or counts of everybody: a person's command, for which a key needs another scope, is no event."""
    commands = {kind for kind in _of_rows(events, "kind") if isinstance(kind, str)} & {"control", "session", "clock"}
    if commands:
        raise RefusedError(
            422, f"kind={min(commands)!r} is a command; use /halt, /restart or /breaker/reset", field="kind"
        )


def _stamped(events: Any, at: int) -> Any:
    """A batch with the service's time on every row."""
    if any("ts" in row for row in events) if isinstance(events, list) else "ts" in events.columns:
        raise RefusedError(422, "ts is the service's own clock; set clock='events' to send times", field="ts")
    if isinstance(events, Columns):
        return events.with_column("ts", at)
    if isinstance(events, list):
        return [{**row, "ts": at} for row in events]
    return events.assign(ts=at)


def _arrow(body: bytes) -> Any:
    """The frame of an Arrow stream."""
    import pyarrow as pa

    try:
        return pa.ipc.open_stream(body).read_all().to_pandas(integer_object_nulls=True)
    except (pa.ArrowException, OSError) as error:
        raise RefusedError(400, f"the body is not an Arrow stream: {str(error)[:200]}") from None
