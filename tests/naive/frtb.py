"""Slow plain twins of riskkit.frtb: correlations of the rules, and the sums within and across buckets, written out pair by pair."""

import math

SCENARIOS = {
    "low": lambda c: max(2 * c - 1, 0.75 * c),
    "medium": lambda c: c,
    "high": lambda c: min(1.25 * c, 1.0),
}

TABLE_5 = """75 10 20 25 20 15 10  0 45 45
5 15 20 15 10 10  0 45 45
5 15 20  5 20  0 45 45
20 25  5  5  0 45 45
25  5 15  0 45 45
5 20  0 45 45
5  0 45 45
0 45 45
0  0
75"""
PLACES = [1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 18]
BETWEEN = {
    (PLACES[row], PLACES[row + 1 + place]): int(number) / 100.0
    for row, line in enumerate(TABLE_5.splitlines())
    for place, number in enumerate(line.split())
}


def sector(bucket):
    return bucket - 8 if 9 <= bucket <= 15 else bucket


def credit_between(b, c):
    first, second = sorted((sector(b), sector(c)))
    of_sector = 1.0 if first == second else BETWEEN[first, second]
    differ = max(b, c) <= 15 and (b <= 8) != (c <= 8)
    return of_sector * (0.5 if differ else 1.0)


def commodity_between(b, c):
    return 0.0 if 11 in (b, c) else 0.2


def equity_between(b, c):
    return 0.0 if 11 in (b, c) else 0.75 if min(b, c) > 11 else 0.45 if max(b, c) > 11 else 0.15


def no_correlation(b, c):
    return 0.0


def credit_names(bucket):
    return 0.8 if bucket >= 17 else 0.35


def commodity_names(bucket):
    return (55, 95, 40, 80, 60, 65, 55, 45, 15, 40, 15)[bucket - 1] / 100.0


def equity_names(bucket):
    return (0.15, 0.15, 0.15, 0.15, 0.25, 0.25, 0.25, 0.25, 0.075, 0.125, 0.0, 0.8, 0.8)[bucket - 1]


CLASSES = {
    "credit": (18, credit_names, credit_between, 16, False),
    "correlation trading": (16, lambda bucket: 0.35, credit_between, 16, False),
    "securitisation": (25, lambda bucket: 0.4, no_correlation, 25, True),
    "commodity": (11, commodity_names, commodity_between, None, False),
    "equity": (13, equity_names, equity_between, 11, False),
}
"""Number of buckets, correlation of names and of buckets, the bucket of others, and whether that is added to the rest."""


def net(positions, weight):
    """Weighted sum of the positions in each factor; the money is last."""
    found = {}
    for *factor, money in positions:
        found[tuple(factor)] = found.get(tuple(factor), 0.0) + money * weight
    return found


def bucket_charge(amounts, rho, change):
    """K of the weighted amounts by factor, with the correlation of two factors in a scenario."""
    square = sum(x * y * (1.0 if k == m else change(rho(k, m))) for k, x in amounts.items() for m, y in amounts.items())
    return math.sqrt(max(0.0, square))


def across(kb, sums, gamma, change, other=None, added=False):
    """The charge of a class from those of its buckets; where the square would be negative, the sums are cut to ±K."""
    if added:
        return math.sqrt(sum(k * k for b, k in kb.items() if b != other)) + kb.get(other, 0.0)

    def total(parts):
        pairs = sum(change(gamma(b, c)) * parts[b] * parts[c] for b in kb for c in kb if b != c)
        return sum(k * k for k in kb.values()) + pairs

    square = total(sums)
    if square < 0.0:
        square = max(0.0, total({b: max(min(sums[b], kb[b]), -kb[b]) for b in kb}))
    return math.sqrt(square)


def across_curvature(kb, sums, gamma, change, other=None, added=False):
    """As `across` with squared correlations, none of two sums below zero, and nothing cut."""
    if added:
        return across(kb, sums, gamma, change, other, added)
    square = sum(k * k for k in kb.values())
    for b in kb:
        for c in kb:
            if b != c and not (sums[b] < 0.0 and sums[c] < 0.0):
                square += change(gamma(b, c) ** 2) * sums[b] * sums[c]
    return math.sqrt(max(0.0, square))
