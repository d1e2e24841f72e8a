"""Numbers that stand for something everywhere in the replay; all are 64-bit integers, for compiled code too."""

from __future__ import annotations

DAY_NS = 86_400 * 10**9
LARGEST = 2**62  # above every number of a log; a parameter that is not given is cast to it, so it is no limit
MISSING = -(2**63)  # no price, no time; never NaN
NEVER = 2**63 - 1  # a time that does not come
