"""What the events of a log can do, beyond their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskkit.replay.schema.columns import ANSWERS, EventKind, RowFlag, TradingCommand


def flattened(columns: Mapping[str, Any]) -> bool:
    """True if the log has fills of a flattening; a live loop, whose columns are not known before, has none."""
    flags = columns.get("flags")
    return flags is not None and bool((flags & int(RowFlag.FLATTEN)).any())


def has_flag(columns: Mapping[str, Any], flag: RowFlag) -> bool:
    """True if an event has a flag; of a live loop, whose flags are not known before."""
    if "flags" not in columns:
        return False
    flags = columns["flags"]
    return flags is None or bool((flags & int(flag)).any())


def commands(columns: Mapping[str, Any], kinds: set[int]) -> bool:
    """True if a command cancels orders or is for a group of accounts; of a live loop, if there may be commands."""
    if int(EventKind.CONTROL) not in kinds or "side" not in columns:
        return int(EventKind.CONTROL) in kinds
    control = columns["kind"] == EventKind.CONTROL
    return bool((control & ((columns["side"] == TradingCommand.KILL) | (columns["qty"] != 0))).any())


def answers(columns: Mapping[str, Any], kinds: set[int]) -> bool:
    """True if the venue refuses an order, a cancel or a modify: an answer, or an error that names an order."""
    if kinds & (set(map(int, ANSWERS)) - {int(EventKind.EXPIRE)}):
        return True
    named = columns.get("order") if int(EventKind.ERROR) in kinds else None
    return named is not None and bool(((columns["kind"] == EventKind.ERROR) & (named >= 0)).any())
