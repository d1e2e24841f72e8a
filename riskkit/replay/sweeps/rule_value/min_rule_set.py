"""Smallest set of rules that rejects every message that the full set rejects (minimum hitting set)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Literal

MAX_EXACT = 16  # candidate rules; at most 65,536 subsets are tried


def min_rule_set(masks: Iterable[int]) -> tuple[list[int], Literal["exact", "greedy"]]:
    """Fewest bits such that every mask has at least one of them set.

    Parameters
    ----------
    masks : iterable of int
        One per rejected message: bit k is set if rule k rejects it. Zeros are ignored.

    Returns
    -------
    bits : list of int
        Ascending; of several sets of the same size the lexicographically first.
    how : {"exact", "greedy"}
        Exact if at most 16 candidate rules remain after the rules that are the only one to reject some message;
        greedy repeatedly takes the rule that rejects most of the remaining masks.

    Examples
    --------
    >>> min_rule_set([0b011, 0b110, 0b111])
    ([1], 'exact')
    """
    left = _minimal(set(masks) - {0})
    chosen = sum(mask for mask in left if mask.bit_count() == 1)  # rules that alone reject some message
    left = [mask for mask in left if mask & chosen == 0]
    bits = [bit for bit in range(64) if any(mask >> bit & 1 for mask in left)]
    exact = len(bits) <= MAX_EXACT
    chosen |= _fewest(left, bits) if exact else _greedy(left, bits)
    return [bit for bit in range(64) if chosen >> bit & 1], "exact" if exact else "greedy"


def _minimal(masks: set[int]) -> list[int]:
    """Masks without a subset among the others; a set that hits these hits all."""
    minimal: list[int] = []
    for mask in sorted(masks, key=lambda mask: (mask.bit_count(), mask)):
        if not any(smaller & mask == smaller for smaller in minimal):
            minimal.append(mask)
    return minimal


def _fewest(left: list[int], bits: list[int]) -> int:
    sizes = range(len(bits) + 1)
    subsets = (sum(1 << bit for bit in chosen) for size in sizes for chosen in itertools.combinations(bits, size))
    return next(subset for subset in subsets if all(mask & subset for mask in left))


def _greedy(left: list[int], bits: list[int]) -> int:
    chosen = 0
    while left:
        best = max(bits, key=lambda bit: sum(mask >> bit & 1 for mask in left))
        chosen |= 1 << best
        left = [mask for mask in left if not mask >> best & 1]
    return chosen
