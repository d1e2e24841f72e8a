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


def hash_columns(columns: Mapping[str, np.ndarray]) -> bytes:
    """Hash the events of a log, the same whether an optional column is absent or empty.

    ``pair`` is left out: it is derived from account and instrument.
    """
    state = b""
    size = len(columns["ts"])
    for start in range(0, size, BLOCK_ROWS):
        rows = slice(start, min(start + BLOCK_ROWS, size))
        block = hashlib.blake2b(state, digest_size=SIZE)
        for name, dtype in REQUIRED.items():
            if name != "pair":
                block.update(np.ascontiguousarray(columns[name][rows], dtype).tobytes())
        for name, (dtype, absent) in OPTIONAL.items():
            if name in columns and (columns[name][rows] != absent).any():
                block.update(name.encode())
                block.update(np.ascontiguousarray(columns[name][rows], dtype).tobytes())
        state = block.digest()
    return hashlib.blake2b(state + str(size).encode(), digest_size=SIZE).digest()


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
