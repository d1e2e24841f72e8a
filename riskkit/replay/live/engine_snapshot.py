"""Snapshots of a live session as bytes: a header in JSON and arrays as .npy, with a checksum. No pickle."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.digest import SEMANTICS

CHECKSUM = 32


def pack(header: dict[str, Any], arrays: dict[str, np.ndarray], rules: RuleSet) -> bytes:
    """Write a header and arrays, with the version of the semantics and the hash of the rules."""
    text = json.dumps({**header, "semantics": SEMANTICS, "rules": rules.hash.hex()}).encode()
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, header=np.frombuffer(text, np.uint8), **arrays)
    body = out.getvalue()
    return hashlib.blake2b(body, digest_size=CHECKSUM).digest() + body


def is_whole(snapshot: bytes) -> bool:
    """True if the bytes fit their checksum."""
    return hashlib.blake2b(snapshot[CHECKSUM:], digest_size=CHECKSUM).digest() == snapshot[:CHECKSUM]


def unpack(snapshot: bytes, rules: RuleSet) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read the header and arrays of `pack`.

    Raises
    ------
    InputError
        If the bytes are incomplete or altered, or of other rules or another version of the semantics.
    """
    body = snapshot[CHECKSUM:]
    if not is_whole(snapshot):
        raise InputError("the snapshot is torn or altered: its checksum does not fit; use an older one")
    with np.load(io.BytesIO(body), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    header = json.loads(arrays.pop("header").tobytes())
    if header["semantics"] != SEMANTICS:
        raise InputError(f"the snapshot has semantics {header['semantics']}; this riskkit decides by {SEMANTICS}")
    if header["rules"] != rules.hash.hex():
        raise InputError("the snapshot was taken under other rules; restore it with the same rules")
    return header, arrays
