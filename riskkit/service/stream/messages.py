"""Messages of a stream as calls of an engine, and its answers as messages.

The value of a message is a JSON object: an event with the fields of a row of `Session.process` and its ``kind``, a trade event
(`riskkit.service.stream.trade_events`), or a command ("limits", "halt", "restart"). The answer to it depends on nothing but
the messages of its partition up to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields as names_of
from typing import Any, NamedTuple

from riskkit._check import InputError, optional, shown
from riskkit.replay.results.decisions import Decision
from riskkit.replay.schema.columns import RowFlag
from riskkit.service.engine import EngineService
from riskkit.service.stream.trade_events import TradeEvent, fills_of

COMMANDS = {"limits": "set_limits", "halt": "halt", "restart": "restart"}
CLOCKS = {"clock": "tick", "session": "reset_daily"}
EXACT = 2**53
as_json = json.JSONEncoder(separators=(",", ":")).encode
MORE = [known.name for known in names_of(Decision) if known.name not in ("action", "seq", "ts")]


class Taken(NamedTuple):
    """What became of a message: the number of its last event, whether it passed, actions, or why it is no event."""

    seq: int | None
    passed: bool
    actions: list[Decision]
    error: InputError | None = None

    def message(self, partition: int, offset: int) -> bytes:
        """The value of the decision's message; a reader drops those whose partition and offset it has had."""
        if self.passed and self.seq is not None and not self.actions:  # most are so
            return b'{"partition":%d,"offset":%d,"seq":%d,"passed":true,"actions":[]}' % (partition, offset, self.seq)
        found: dict[str, Any] = {"partition": partition, "offset": offset, "seq": self.seq, "passed": self.passed}
        if self.error is not None:
            found |= {"error": str(self.error), "error_type": type(self.error).__name__}
        found["actions"] = [_plain(action) for action in self.actions]
        return as_json(found).encode()


def _plain(action: Decision) -> dict[str, Any]:
    """A decision for JSON; times in nanoseconds as texts, since they are beyond 2**53."""
    found = {"action": action.action.name, "seq": action.seq, "ts": str(action.ts)}
    for name in MORE:
        value = getattr(action, name)
        if value is not None and value != "":
            found[name] = str(value) if isinstance(value, int) and abs(value) > EXACT else value
    return found


class Reader:
    """Puts messages through an engine.

    Parameters
    ----------
    engine : EngineService
    decimals : mapping of str to int
        As for `fills_of`.
    commands : bool
        True: commands are taken. Who may write to the topic may then change limits.
    """

    def __init__(self, engine: EngineService, decimals: Mapping[str, int], commands: bool) -> None:
        self._engine, self._decimals, self._commands = engine, decimals, commands
        self._decode: Callable[[bytes], Any] = optional("msgspec.json", "kafka").Decoder().decode
        self._bad = optional("msgspec", "kafka").DecodeError, UnicodeDecodeError, RecursionError

    def take(self, value: bytes | None) -> Taken:
        """Put a message through the engine; one that does not fit changes nothing, and the answer says why."""
        size = len(self._engine.session)
        try:
            fields = self._decode(value or b"")
            if not isinstance(fields, dict):
                raise InputError("the message is no JSON object")
            return self._call(fields)
        except self._bad as error:
            return Taken(None, False, [], InputError(f"the message is no JSON: {error}"))
        except InputError as error:
            return Taken(len(self._engine.session) - 1 if len(self._engine.session) > size else None, False, [], error)

    def _call(self, fields: dict[str, Any]) -> Taken:
        if "token_in" in fields:
            return self._swap(TradeEvent.of(fields))
        kind = fields.pop("kind", "order")
        if not isinstance(kind, str):
            raise InputError(f"kind={kind!r} is not a text")
        engine = self._engine
        for name, value in fields.items() if kind not in (*COMMANDS, "order_list", "snapshot") else ():
            if isinstance(value, (list, dict)):
                raise InputError(f"{name}={shown(value)} is neither a text nor a number")
        if kind in COMMANDS and not self._commands:
            raise InputError(f"kind={kind!r} is a command; this consumer takes none (option --commands)")
        try:
            if kind in CLOCKS:
                found = engine.command(CLOCKS[kind], fields.get("ts"))
            elif kind in COMMANDS:
                found = engine.command(COMMANDS[kind], **fields)
            else:
                return Taken(*engine.decide(kind, fields))
        except TypeError as error:
            raise InputError(f"kind={kind!r}: {str(error).partition('() ')[2] or error}") from None
        return Taken(len(engine.session) - 1, True, [one for one in found or () if isinstance(one, Decision)])

    def _swap(self, event: TradeEvent) -> Taken:
        """Book the two fills of a swap, both or none."""
        engine, found = self._engine, []
        legs = fills_of(event, engine.session, self._decimals)
        for place, leg in enumerate(legs):
            try:
                found.append(engine.decide("fill", leg))
            except InputError:
                if place and not engine.session.engine.row(found[0].seq)["flags"] & RowFlag.DUPLICATE:
                    first = legs[0]
                    busted = {name: first[name] for name in ("account", "instrument", "trade_id", "ts")}
                    engine.decide("bust", busted)
                raise
        actions = [action for answer in found for action in answer.actions]
        return Taken(found[-1].seq, all(answer.passed for answer in found), actions)
