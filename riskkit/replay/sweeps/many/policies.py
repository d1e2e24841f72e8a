"""Policies for orphan exits, side by side: where a replay has orphans, the other policies are replayed as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar, get_args

import numpy as np

from riskkit.replay.results.result import ORPHANS_ARE, ReplayResult

Policy = Literal["keep", "clip", "drop"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
T = TypeVar("T")


def under_policies(policy: Policy, result: ReplayResult, found: T, measured: Callable[[Policy], T]) -> dict[Policy, T]:
    """What a replay did under each policy; without orphan exits, and in shadow mode, all are `found` under its own."""
    differ = result.mode == "enforce" and result.counts()["orphans"] > 0
    return {other: found if other == policy or not differ else measured(other) for other in POLICIES}


def agree(values: Any) -> bool:
    """True if all values, one for each policy, have the same sign."""
    return len(set(np.sign(list(values)).tolist())) == 1


def disagreement(values: dict[Policy, float], what: str, currency: str) -> str:
    """A sentence that the policies disagree in the sign of an amount; empty if they agree."""
    if agree(values.values()):
        return ""
    listed = ", ".join(f"{value:+,.0f} if they are {ORPHANS_ARE[policy]}" for policy, value in values.items())
    return f"the sign of {what} depends on what becomes of orphan exits: {listed} ({currency})"
