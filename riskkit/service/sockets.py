"""The WebSockets of those who watch: alerts to one user's sockets, snapshots, and commands from the client.

Each socket has a bounded queue and a task that sends from it, so that a slow one delays nobody; one that is too slow is closed
with 1013 and told so. A message is encoded once. A client that comes back says after which event it goes on.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
import zlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from riskkit.replay.results.decisions import Decision
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.service.engine import EngineService
from riskkit.service.followers import Follower, Published
from riskkit.service.guard import Guard
from riskkit.service.keys import READ, Key
from riskkit.service.request import RefusedError
from riskkit.service.settings import Settings
from riskkit.service.views import EngineViews, Views
from riskkit.service.wire import Acknowledged, Alert, encode

Message = dict[str, Any]
NORMAL, REFUSED, NOT_JSON, TOO_SLOW, RESTART = 1000, 1008, 1007, 1013, 1012
SLOTS = 100  # parts of the time between two snapshots, so that they are not all due at once
TICKET_SECONDS = 30
KEPT = 10_000  # alerts that a client may ask for again
logger = logging.getLogger("riskkit")


class Command(msgspec.Struct, forbid_unknown_fields=True):
    """What a client asks: to send everything now, or only some kinds of messages and severities; or that it has seen an alert."""

    command: str
    kinds: list[str] | None = None
    severities: list[str] | None = None
    alert_id: str | None = None


class Socket:
    """One client: who it is, the user it watches, the event of which it knows the alerts, its filters, and what waits to be sent."""

    def __init__(self, who: str, user: str, most: int, after: int = -1) -> None:
        self.who, self.user, self.most, self.after = who, user, most, after
        self.kinds: frozenset[str] | None = None
        self.severities: frozenset[str] | None = None
        self.waiting: deque[str] = deque()
        self.ready = asyncio.Event()
        self.close_code: int | None = None

    def put(self, kind: str, text: str, severity: str = "") -> bool:
        """Have a message sent, if it passes the filters; return False if the client is too slow for it."""
        if self.kinds is not None and kind not in self.kinds:
            return True
        if severity and self.severities is not None and severity not in self.severities:
            return True
        if len(self.waiting) >= self.most:
            self.end(TOO_SLOW)
            return False
        self.waiting.append(text)
        self.ready.set()
        return True

    def end(self, code: int) -> None:
        """Have the socket closed, after what waits if it is not for slowness."""
        self.close_code = self.close_code or code
        self.ready.set()


class Hub:
    """All sockets, by user.

    Attributes
    ----------
    count, sent, too_slow : int
        Sockets that are open; messages sent; sockets that were closed because they were too slow.
    """

    def __init__(self, settings: Settings, guard: Guard) -> None:
        self._settings, self._guard = settings, guard
        self._users: dict[str, set[Socket]] = {}
        self._slots: list[dict[str, None]] = [{} for _ in range(SLOTS)]  # users by when their snapshot is due
        self._tickets: dict[str, tuple[float, Key]] = {}
        self._kept: deque[tuple[int, str, str, str]] = deque(maxlen=KEPT)  # event, user, severity, text
        self._unseen: dict[str, Alert] = {}  # alerts that nobody has acknowledged, the last ones
        self.count = self.sent = self.too_slow = self._first = 0
        self.views: Views | None = None
        self.touched: dict[str, int] = {}  # users whose positions have changed, and the number of events by then
        self._shown: Callable[[], int] = lambda: 0  # number of events of what is shown
        self._rules: Callable[[], RuleSet] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def open(self, engine: EngineService) -> None:
        """Begin to send what is committed, and snapshots."""
        self.views = self.views or EngineViews(engine)
        self._first = len(engine.session)  # no alert of an event before it is kept
        self._rules = lambda: engine.session.rules
        self._shown = lambda: engine.status().size
        engine.add_follower(_Listener(self, asyncio.get_running_loop()))
        self._tasks.append(asyncio.create_task(self._snapshots()))

    def close(self) -> None:
        """Close all sockets: the service restarts."""
        for task in self._tasks:
            task.cancel()
        for socket in self._sockets():
            socket.end(RESTART)

    def ticket(self, key: Key) -> str:
        """A ticket with which a browser, which can send no key, opens one socket within half a minute."""
        now = time.monotonic()
        self._tickets = {name: kept for name, kept in self._tickets.items() if kept[0] > now}
        name = secrets.token_urlsafe(24)
        self._tickets[name] = now + TICKET_SECONDS, key
        return name

    # ------------------------------------------------------------------ messages

    def publish(self, actions: list[Decision]) -> None:
        """Send the actions of a commit to the users of their accounts, and keep them for those who come back."""
        rules = self._rules() if self._rules is not None else RuleSet(())
        for place, action in enumerate(actions):
            alert = alert_of(action, place, rules)
            text = encode(alert).decode()
            self._keep(alert, text)
            self._unseen[alert.alert_id] = alert
            if len(self._unseen) > KEPT:
                del self._unseen[next(iter(self._unseen))]
            for socket in self._users.get(alert.user_id, ()):
                if alert.seq > socket.after and not socket.put("Alert", text, alert.severity):
                    self.too_slow += 1

    def _keep(self, alert: Alert, text: str) -> None:
        """Keep a message about an alert for those who come back, in place of the oldest one."""
        if len(self._kept) == KEPT:
            self._first = max(self._first, self._kept[0][0] + 1)
        self._kept.append((alert.seq, alert.user_id, alert.severity, text))

    def _show(self, user: str, sockets: list[Socket], *kinds: str) -> None:
        """Send views of a user to some sockets; each is encoded once."""
        views = self.views
        if views is None or not sockets:
            return
        found: list[Any] = []
        if "RiskMetrics" in kinds:
            found.append(views.metrics(user))
        if "ExposureUpdate" in kinds:
            found.append(views.exposure(user))
        if "PositionUpdate" in kinds:
            found += views.positions(user)
        texts = [(type(view).__name__, encode(view).decode()) for view in found]
        for socket in sockets:
            for kind, text in texts:
                if not socket.put(kind, text):
                    self.too_slow += 1

    async def _snapshots(self) -> None:
        """Send each user's exposure once in the time between two snapshots, the users spread over it."""
        slot = 0
        while True:
            await asyncio.sleep(self._settings.snapshot_seconds / SLOTS)
            slot = (slot + 1) % SLOTS
            try:
                for user in list(self._slots[slot]):
                    self._show(user, list(self._users.get(user, ())), "ExposureUpdate")
                shown = self._shown() if self.touched else 0
                for user in [user for user, size in self.touched.items() if size <= shown]:
                    del self.touched[user]
                    self._show(user, list(self._users.get(user, ())), "PositionUpdate")
            except Exception:
                logger.exception("a snapshot has failed")

    # ------------------------------------------------------------------ one socket

    async def serve(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Serve one socket until it ends."""
        await receive()
        try:
            who, user, after = self._admit(scope)
        except RefusedError as refused:
            await send({"type": "websocket.close", "code": REFUSED, "reason": str(refused)[:120]})
            return
        await send({"type": "websocket.accept"})
        socket = Socket(who, user, self._settings.socket_messages, -1 if after is None else after)
        self.count += 1
        due = self._slots[zlib.crc32(user.encode()) % SLOTS]
        due[user] = None
        self._users.setdefault(user, set()).add(socket)
        sending = asyncio.create_task(self._sending(socket, send))
        try:
            self._greet(socket, after)
            while not socket.close_code:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    return
                self._obey(socket, message.get("text"))
            await sending
        finally:
            self.count -= 1
            self._users[user].discard(socket)
            if not self._users[user]:
                del self._users[user], due[user]
            sending.cancel()

    def _admit(self, scope: Message) -> tuple[str, str, int | None]:
        """Who opens a socket, the user that it watches, and the event after which it goes on."""
        headers = dict(scope["headers"])
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        user = scope["path"].removeprefix("/ws/") if scope["path"].startswith("/ws/") else query.get("user", "")
        if not user or (scope["path"] != "/ws" and not scope["path"].startswith("/ws/")):
            raise RefusedError(404, "a socket is at /ws/USER")
        self._check_origin(headers)
        key = self._key(headers, query.get("ticket"))
        self._guard.permit(key, READ)
        self._guard.count(key)
        self._guard.accounts(key, [user])
        if self.count >= self._settings.sockets:
            raise RefusedError(503, f"there are {self.count} sockets, as many as may be")
        after = query.get("after", "")
        return key.owner, user, int(after) if after.lstrip("-").isdecimal() and len(after) < 20 else None

    def _key(self, headers: dict[bytes, bytes], ticket: str | None) -> Key:
        until, key = self._tickets.pop(ticket or "", (0.0, None))
        if key is None or until < time.monotonic():
            return self._guard.key_of(headers.get(b"authorization"))
        return key

    def _check_origin(self, headers: dict[bytes, bytes]) -> None:
        """Refuse the page of another host: a browser would lend it the user's access."""
        origin = headers.get(b"origin", b"").decode("latin-1")
        same = urlsplit(origin).netloc == headers.get(b"host", b"").decode("latin-1")
        if origin and not same and origin not in self._settings.origins:
            raise RefusedError(403, "the page is of another host; name its origin in the settings")

    def _greet(self, socket: Socket, after: int | None) -> None:
        self._show(socket.user, [socket], "RiskMetrics", "ExposureUpdate")
        if after is None:
            return
        missed = [(text, severity) for seq, user, severity, text in self._kept if user == socket.user and seq > after]
        if after + 1 < self._first:
            socket.put("Missed", f'{{"type":"Missed","before":{self._first}}}')
        for text, severity in missed:
            socket.put("Alert", text, severity)

    def _obey(self, socket: Socket, text: str | None) -> None:
        try:
            asked = msgspec.json.decode(text or "", type=Command)
        except (msgspec.DecodeError, UnicodeEncodeError):
            socket.put("Error", '{"type":"Error","message":"a command is JSON such as {\\"command\\":\\"refresh\\"}"}')
            return
        if asked.command == "refresh":
            self._show(socket.user, [socket], "RiskMetrics", "ExposureUpdate", "PositionUpdate")
        elif asked.command == "filter":
            socket.kinds = None if asked.kinds is None else frozenset([*asked.kinds, "Error", "Missed"])
            socket.severities = None if asked.severities is None else frozenset(asked.severities)
        elif asked.command == "acknowledge":
            self._acknowledge(socket, asked.alert_id or "")
        elif asked.command == "close":
            socket.end(NORMAL)
        else:
            socket.put("Error", '{"type":"Error","message":"a command is refresh, filter, acknowledge or close"}')

    def _acknowledge(self, socket: Socket, alert_id: str) -> None:
        """Tell all who watch the user, now and when they come back, that one of them has seen an alert; the first one counts."""
        alert = self._unseen.get(alert_id)
        if alert is None or alert.user_id != socket.user:
            return
        del self._unseen[alert_id]
        text = encode(Acknowledged(socket.user, alert_id, socket.who)).decode()
        self._keep(alert, text)
        for one in self._users[socket.user]:
            if not one.put("Acknowledged", text, alert.severity):
                self.too_slow += 1

    async def _sending(self, socket: Socket, send: Callable[[Message], Awaitable[None]]) -> None:
        try:
            while True:
                await socket.ready.wait()
                socket.ready.clear()
                while socket.waiting and socket.close_code != TOO_SLOW:
                    await send({"type": "websocket.send", "text": socket.waiting.popleft()})
                    self.sent += 1
                if socket.close_code:
                    reason = "too slow; come back with ?after=" if socket.close_code == TOO_SLOW else ""
                    await send({"type": "websocket.close", "code": socket.close_code, "reason": reason})
                    return
        except Exception as error:  # of this socket alone
            logger.debug("a socket of %s has ended: %s", socket.user, error)

    def _sockets(self) -> list[Socket]:
        return [socket for sockets in self._users.values() for socket in sockets]


class _Listener(Follower):
    """A follower that hands commits to the hub, in its loop."""

    wants_events = False

    def __init__(self, hub: Hub, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__("sockets", 1)
        self._hub, self._loop = hub, loop

    def put(self, item: Published) -> None:
        if item.actions and not self.is_closed:
            self._loop.call_soon_threadsafe(self._hub.publish, item.actions)


def alert_of(action: Decision, place: int, rules: RuleSet) -> Alert:
    """An action as those who watch its account get it."""
    severity = next((rule.severity for rule in rules if rule.id == action.rule), "INFO")
    numbers = {"observed": action.observed, "limit": action.limit, "headroom": action.headroom}
    return Alert(
        user_id=action.account or action.key,
        alert_id=f"{action.seq}:{action.rule}:{action.action.name}:{place}",
        rule_name=action.rule,
        severity=severity,
        message=action.reason,
        timestamp=action.ts // 1_000_000,
        current_metrics={name: float(value) for name, value in numbers.items() if value is not None} or None,
        seq=action.seq,
    )
