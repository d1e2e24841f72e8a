"""Digests: running hashes that can be stored in a snapshot and do not depend on how their input was split.

hashlib objects cannot be stored, so a `Chain` hashes aligned blocks, each after the previous hash, and keeps the open
block as bytes. A digest has two chains: one over the events, one over the decisions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from riskkit.replay.schema.columns import OPTIONAL, REQUIRED

SEMANTICS = 3  # increased when the same events and rules give another decision
BLOCK_ROWS = 65_536
SIZE = 32


class Chain:
    """BLAKE2b(previous, block) over aligned blocks of fixed-size rows.

    Examples
    --------
    >>> one, split = Chain(8), Chain(8)
    >>> rows = np.arange(100_000, dtype="<i8").tobytes()
    >>> one.update(rows)
    >>> split.update(rows[:80]); split.update(rows[80:])
    >>> one.hexdigest() == split.hexdigest()
    True
    """

    def __init__(self, row_size: int, state: bytes = b"", open_block: bytes = b"") -> None:
        self.block_size = row_size * BLOCK_ROWS
        self.state = state
        self.open_block = open_block

    def update(self, rows: bytes) -> None:
        """Append rows."""
        pending = self.open_block + rows
        end = len(pending) - len(pending) % self.block_size
        for start in range(0, end, self.block_size):
            self.state = hashlib.blake2b(
                self.state + pending[start : start + self.block_size], digest_size=SIZE
            ).digest()
        self.open_block = pending[end:]

    def digest(self) -> bytes:
        """The hash of all rows so far; further rows can follow."""
        return hashlib.blake2b(self.state + b"end" + self.open_block, digest_size=SIZE).digest()

    def hexdigest(self) -> str:
        """`digest` in hexadecimal."""
        return self.digest().hex()

    def copy(self) -> Chain:
        """An independent copy."""
        other = Chain(1, self.state, self.open_block)
        other.block_size = self.block_size
        return other


class EventChain:
    """The hash of `hash_columns` over events that come in parts.

    Attributes
    ----------
    size : int
        Number of events so far.
    tail : dict of str to ndarray
        Columns of the events of the open block.
    """

    def __init__(self, state: bytes = b"", size: int = 0, tail: Mapping[str, np.ndarray] | None = None) -> None:
        self.state = state
        self.size = size
        self.tail = dict(tail or {})

    def update(self, columns: Mapping[str, np.ndarray]) -> None:
        """Append events: the columns of a log, the same ones in each call."""
        if self.tail:
            columns = {name: np.concatenate([self.tail[name], column]) for name, column in columns.items()}
        self.size += len(columns["ts"]) - len(self.tail.get("ts", ()))
        start = 0
        while len(columns["ts"]) - start >= BLOCK_ROWS:
            self.state = _event_block(self.state, columns, slice(start, start + BLOCK_ROWS))
            start += BLOCK_ROWS
        self.tail = {name: column[start:].copy() for name, column in columns.items()}

    def digest(self) -> bytes:
        """The hash of all events so far; further events can follow."""
        state = _event_block(self.state, self.tail, slice(None)) if self.size % BLOCK_ROWS else self.state
        return hashlib.blake2b(state + str(self.size).encode(), digest_size=SIZE).digest()

    def copy(self) -> EventChain:
        """An independent copy."""
        return EventChain(self.state, self.size, self.tail)


def hash_columns(columns: Mapping[str, np.ndarray]) -> bytes:
    """Hash the events of a log, the same whether an optional column is absent or empty.

    ``pair`` is left out: it is derived from account and instrument.
    """
    state = b""
    size = len(columns["ts"])
    for start in range(0, size, BLOCK_ROWS):
        state = _event_block(state, columns, slice(start, start + BLOCK_ROWS))
    return hashlib.blake2b(state + str(size).encode(), digest_size=SIZE).digest()


def _event_block(state: bytes, columns: Mapping[str, np.ndarray], rows: slice) -> bytes:
    """Hash one block of events after the blocks before it."""
    block = hashlib.blake2b(state, digest_size=SIZE)
    for name, dtype in REQUIRED.items():
        if name != "pair":
            block.update(np.ascontiguousarray(columns[name][rows], dtype).tobytes())
    for name, (dtype, absent) in OPTIONAL.items():
        if name in columns and (columns[name][rows] != absent).any():
            block.update(name.encode())
            block.update(np.ascontiguousarray(columns[name][rows], dtype).tobytes())
    return block.digest()


def hash_rows(arrays: Sequence[np.ndarray]) -> bytes:
    """Hash arrays of equal length, one after the other within each block of rows."""
    state = b""
    for start in range(0, len(arrays[0]), BLOCK_ROWS):
        block = hashlib.blake2b(state, digest_size=SIZE)
        for array in arrays:
            block.update(np.ascontiguousarray(array[start : start + BLOCK_ROWS], "<i8").tobytes())
        state = block.digest()
    return hashlib.blake2b(state + str(len(arrays[0])).encode(), digest_size=SIZE).digest()


def hash_plain(value: Any) -> bytes:
    """Hash plain lists, dicts, texts and integers by their canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=SIZE).digest()


def seal(*parts: bytes) -> str:
    """Hash parts in a fixed order, after the version of the semantics."""
    return hashlib.blake2b(b"riskkit" + str(SEMANTICS).encode() + b"".join(parts), digest_size=SIZE).hexdigest()
