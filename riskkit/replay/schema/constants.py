"""Constants of the replay; all are 64-bit integers, also in compiled code."""

from __future__ import annotations

DAY_NS = 86_400 * 10**9
LARGEST = 2**62  # above every number of a log; the value of a parameter that is not given, so that it does not limit
MISSING = -(2**63)  # no price, no time; never NaN
NEVER = 2**63 - 1  # a time that is never reached
