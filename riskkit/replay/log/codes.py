"""Codes of a stored log: each names something that the log has, since a compiled loop does not look twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit.replay.schema.columns import ROW_NUMBERS, EventKind
from riskkit.replay.schema.universe import Universe


def checked_pairs(pairs: Any, universe: Universe) -> tuple[np.ndarray, np.ndarray]:
    """Account and instrument of each pair of a header; those that the universe does not have are refused."""
    accounts, instruments = (np.array(codes, np.int32) for codes in pairs)
    known = len(universe.accounts), len(universe.instruments)
    for codes, count in zip((accounts, instruments), known, strict=True):
        if codes.shape != (len(accounts),) or not _within(codes, 0, count):
            raise InputError("the header has pairs of accounts or instruments that it does not declare")
    return accounts, instruments


def refuse_unknown_codes(name: str, columns: Mapping[str, np.ndarray], pairs: int, universe: Universe) -> None:
    """Refuse codes of labels, pairs, kinds and rows that a log does not have."""
    labels = {"account": universe.accounts, "instrument": universe.instruments}
    labels |= {"strategy": universe.strategies, "connection": universe.connections}
    counts = {column: len(known) for column, known in labels.items()} | {"kind": len(EventKind), "pair": pairs}
    for column, count in (counts | dict.fromkeys(ROW_NUMBERS, len(columns["ts"]))).items():
        lowest = {"kind": 0, "order": -len(columns["ts"]) - 1}.get(column, -1)
        if column in columns and not _within(columns[column], lowest, count):
            raise InputError(
                f"{name}: column {column!r} has a code that the log does not have; it was not written by riskkit"
            )


def _within(codes: np.ndarray, lowest: int, count: int) -> bool:
    return not len(codes) or (int(codes.min()) >= lowest and int(codes.max()) < count)
