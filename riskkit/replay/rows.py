"""One event as a row of integer codes: what a journal keeps of it, and what cannot be one."""

from __future__ import annotations

from collections.abc import Mapping

from riskkit._check import InputError
from riskkit.replay.columns import FACTS, MISSING, OPTIONAL, REQUIRED, Flag, Kind
from riskkit.replay.constants import LARGEST
from riskkit.replay.universe import Universe

__all__ = ["DEFAULTS", "DTYPES", "check_place", "check_row", "row_of"]

DEFAULTS = {**dict.fromkeys(REQUIRED, 0), "price": MISSING, **{name: absent for name, (_, absent) in OPTIONAL.items()}}
DEFAULTS |= {"account": -1, "instrument": -1, "pair": -1, "order": -1}
DTYPES = {**REQUIRED, **{name: dtype for name, (dtype, _) in OPTIONAL.items()}}
KINDS = {int(kind) for kind in Kind if kind != Kind.MARK}
TRADED = {int(kind) for kind in Kind if FACTS[kind].traded}
FILL, BAD_TS = int(Kind.FILL), int(Flag.BAD_TS)


def row_of(ts: int, kind: Kind, fields: dict[str, int]) -> dict[str, int]:
    """One event of integer codes as a row."""
    for name in fields:
        if name not in DEFAULTS or name == "pair":
            raise InputError(f"field {name!r} is not one of an event's; they are {', '.join(sorted(DEFAULTS))}")
    return {**DEFAULTS, **fields, "ts": ts, "kind": int(kind)}


def check_row(event: Mapping[str, int], universe: Universe) -> None:
    """Refuse an event with a code, a kind or a number that no event has."""
    account, instrument = event["account"], event["instrument"]
    if not -1 <= account < len(universe.accounts):
        raise InputError(f"account={account!r} is not a code of this universe (0 to {len(universe.accounts) - 1})")
    if not -1 <= instrument < len(universe.instruments):
        raise InputError(f"instrument={instrument!r} is not a code of this universe")
    if event["kind"] not in KINDS:
        raise InputError(f"kind={event['kind']!r} is not a kind of event")
    if not -1 <= event["side"] <= 5:
        raise InputError(f"side={event['side']!r} is no side, flow or command")
    for name in ("qty", "price", "fee", "bid", "ask", "reserve"):
        if abs(event[name]) >= LARGEST and event[name] != MISSING:
            raise InputError(f"{name}={event[name]!r} is beyond 64 bits; count in larger units")
    if event["kind"] not in TRADED:
        return
    if event["instrument"] < 0 or event["account"] < 0:
        raise InputError(f"{Kind(event['kind']).name} needs an account and an instrument")
    if event["qty"] < 0 or (event["kind"] == FILL and event["price"] == MISSING):
        raise InputError(f"qty={event['qty']!r}, price={event['price']!r} are not those of an order or fill")


def check_place(event: Mapping[str, int], place: int, latest: int, first: int) -> None:
    """Refuse an event as number `place` that names no event so far, is earlier than the one before, or joins a list.

    A list of orders is judged as one, so no order joins it after it was taken: those of one call begin at `first`.
    """
    if not -1 <= event["order"] <= place:
        raise InputError(f"order={event['order']!r} is not the number of an event so far (0 to {place})")
    if event["ts"] < latest and not event["flags"] & BAD_TS:
        raise InputError(f"ts={event['ts']!r} is earlier than the event before it, at {latest}")
    if event["batch"] != -1 and not first <= event["batch"] <= place:
        raise InputError(
            f"batch={event['batch']!r} is not an event of this call ({first} to {place}); a list comes whole"
        )
