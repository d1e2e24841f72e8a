"""The smallest set of rules that still stops everything: a hitting set of the masks of who objects."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

__all__ = ["minimal_cover"]

EXACT = 16  # rules to choose from; 65,536 sets at most are tried


def minimal_cover(masks: Iterable[int]) -> tuple[list[int], str]:
    """The fewest bits such that every mask has one of them.

    Parameters
    ----------
    masks : iterable of int
        One for each message that is stopped: bit k is set if rule k stops it. Zeros are passed over.

    Returns
    -------
    bits : list of int
        In rising order; of several sets of one size the first in that order.
    how : {"exact", "greedy"}
        Exact where at most sixteen rules are left to choose from once those that alone stop something are in;
        greedy takes the rule that stops most of what is left.

    Examples
    --------
    >>> minimal_cover([0b011, 0b110, 0b111])
    ([1], 'exact')
    """
    left = _least(set(masks) - {0})
    chosen = 0
    for mask in left:
        if mask & (mask - 1) == 0:  # one rule alone stops it
            chosen |= mask
    left = [mask for mask in left if mask & chosen == 0]
    bits = [bit for bit in range(64) if any(mask >> bit & 1 for mask in left)]
    how = "exact" if len(bits) <= EXACT else "greedy"
    chosen |= _fewest(left, bits) if how == "exact" else _greedy(left, bits)
    return [bit for bit in range(64) if chosen >> bit & 1], how


def _least(masks: set[int]) -> list[int]:
    """Masks of which no other is a part: what hits those hits all."""
    kept: list[int] = []
    for mask in sorted(masks, key=lambda mask: (mask.bit_count(), mask)):
        if not any(one & mask == one for one in kept):
            kept.append(mask)
    return kept


def _fewest(left: list[int], bits: list[int]) -> int:
    for size in range(len(bits) + 1):
        for some in itertools.combinations(bits, size):
            found = sum(1 << bit for bit in some)
            if all(mask & found for mask in left):
                return found
    raise AssertionError("all bits together hit every mask")


def _greedy(left: list[int], bits: list[int]) -> int:
    found = 0
    while left:
        best = max(bits, key=lambda bit: sum(mask >> bit & 1 for mask in left))
        found |= 1 << best
        left = [mask for mask in left if not mask >> best & 1]
    return found
