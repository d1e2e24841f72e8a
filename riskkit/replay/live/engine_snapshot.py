"""Snapshots of a live session as bytes: a header in JSON and arrays as .npy, with a checksum. No pickle."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import numpy as np

from riskkit._check import InputError, shown
from riskkit._plain import LARGEST, anything, fields, integer, maybe, row, rows, table, text
from riskkit.replay.live.running_digest import TAIL, RunningDigest
from riskkit.replay.rules.history import RuleHistory
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.digest import SEMANTICS

CHECKSUM = 32
COUNT = integer(0)
HEADER = {
    **{"universe": rows(anything), "open": maybe(rows(anything)), "capacity": rows(integer(0, 1 << 31)), "mode": text},
    **{"options": table(text), **dict.fromkeys(("size", "shift", "slots"), COUNT), "pairs": rows(row(COUNT, COUNT))},
    **{"strays": rows(row(integer(), COUNT)), "first": integer(), "latest": integer(-LARGEST)},
    "proof": fields(events=text, size=COUNT, span=row(integer(), integer()), decisions=text),
    **{"changes": rows(table(anything)), "in_force": text, "extra": table(anything), "semantics": COUNT, "rules": text},
    **{"declared": maybe(table(anything)), "challengers": rows(table(anything))},
}


def pack(header: dict[str, Any], arrays: dict[str, np.ndarray], rules: RuleSet) -> bytes:
    """Write a header and arrays, with the version of the semantics, the hash of the rules and, if it can name them, the rules."""
    known = {"semantics": SEMANTICS, "rules": rules.hash.hex(), "declared": _declared(rules)}
    words = json.dumps({"challengers": [], **header, **known}, default=str).encode()
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, header=np.frombuffer(words, np.uint8), **arrays)
    body = out.getvalue()
    return hashlib.blake2b(body, digest_size=CHECKSUM).digest() + body


def _declared(rules: RuleSet) -> dict[str, Any] | None:
    """The rules as plain data; None if some are of a type that only the caller has."""
    declared: dict[str, Any] = json.loads(json.dumps(rules.to_dict(), default=str))
    try:
        return declared if RuleSet.from_dict(declared).hash == rules.hash else None
    except InputError:
        return None


def is_whole(snapshot: bytes) -> bool:
    """True if the bytes fit their checksum."""
    return hashlib.blake2b(snapshot[CHECKSUM:], digest_size=CHECKSUM).digest() == snapshot[:CHECKSUM]


def header_of(snapshot: bytes) -> dict[str, Any]:
    """The header of `pack`; an InputError if the bytes are incomplete or altered."""
    if not is_whole(snapshot):
        raise InputError("the snapshot is torn or altered: its checksum does not fit; use an older one")
    with np.load(io.BytesIO(snapshot[CHECKSUM:]), allow_pickle=False) as stored:
        header: dict[str, Any] = json.loads(stored["header"].tobytes())
    return header


def size_of(snapshot: bytes) -> int:
    """Number of events before a snapshot."""
    header = header_of(snapshot)
    return int(header["size"]) + int(header["shift"])


def arrays_of(snapshot: bytes, prefix: str = "") -> dict[str, np.ndarray]:
    """The arrays of `pack` whose name begins with a prefix."""
    with np.load(io.BytesIO(snapshot[CHECKSUM:]), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files if name != "header" and name.startswith(prefix)}


def proof_of(snapshot: bytes) -> RunningDigest:
    """The hashes of the events and decisions before a snapshot."""
    return RunningDigest.of_parts(header_of(snapshot)["proof"], arrays_of(snapshot, TAIL))


def unpack(snapshot: bytes, rules: RuleSet) -> tuple[dict[str, Any], dict[str, np.ndarray], RuleHistory]:
    """Read the header and arrays of `pack`, and the rules as in force; `rules` are those of the start or those of now.

    Raises
    ------
    InputError
        If the bytes are incomplete or altered, or of other rules or another version of the semantics.
    """
    header, arrays = header_of(snapshot), arrays_of(snapshot)
    if header.get("semantics") != SEMANTICS:
        raise InputError(
            f"the snapshot has semantics {shown(header.get('semantics'))}; this riskkit decides by {SEMANTICS}"
        )
    fields(**HEADER)(header, "the snapshot")
    history = history_of(header, rules)
    if history is None:
        raise InputError("the snapshot was taken under other rules; restore it with the same rules")
    return header, arrays, history


def history_of(header: dict[str, Any], rules: RuleSet | None = None) -> RuleHistory | None:
    """The rules of a header as in force, which are nameable or those given; None if these are others."""
    given = None if rules is None else rules.hash.hex()
    if given not in (None, header["rules"], header["in_force"]):
        return None
    if given == header["rules"]:
        first = rules
    else:
        first = RuleSet.from_dict(header["declared"]) if header["declared"] else None
    return None if first is None else RuleHistory.of(first, header["changes"], rules)


def with_new_fields(stored: np.ndarray, known: np.ndarray, *, counts: bool = False) -> np.ndarray:
    """A table of the state as an older riskkit stored it, with the fields, or the `counts`, that have come since, at 0.

    A field whose value would be another one after the events before is a change of the semantics.

    Examples
    --------
    >>> older, now = np.ones(2, [("qty", "i8")]), np.zeros(0, [("qty", "i8"), ("stated", "i8")])
    >>> with_new_fields(older, now).tolist(), with_new_fields(np.ones(2), np.zeros(3), counts=True).tolist()
    ([(1, 0), (1, 0)], [1.0, 1.0, 0.0])
    """
    if counts:
        return np.append(stored, np.zeros(len(known) - len(stored), stored.dtype))
    if known.dtype.names is None or not set(stored.dtype.names or ()) < set(known.dtype.names):
        return stored
    found = np.zeros(stored.shape, known.dtype)
    for name in stored.dtype.names or ():
        found[name] = stored[name]
    return found
