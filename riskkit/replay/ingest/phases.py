"""Convert phases of trading: a word to the code in side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskkit.replay.ingest import amount as scalars
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.labels import word_codes
from riskkit.replay.ingest.rows import Row, row_of
from riskkit.replay.schema.columns import EventKind, MarketPhase


def phase_events(frame: Frame, columns: dict[str, np.ndarray]) -> None:
    """Convert the phases of PHASE events to side."""
    rows = frame.rows_of(EventKind.PHASE)
    if rows.any():
        columns["side"] = np.where(rows, word_codes(frame, "phase", rows, MarketPhase), columns["side"])


def phase_row(given: Mapping[str, Any], entries: Entries, number: int, ts: int) -> list[Row]:
    """A live phase as a row."""
    instrument = entries.instrument(given.get("instrument"))
    phase = scalars.word(given.get("phase"), MarketPhase, "phase")
    return [{**row_of(ts, EventKind.PHASE, {"instrument": instrument}), "side": phase}]
