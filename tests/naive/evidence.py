"""Slow plain twins of the evidence for a choice, written from the papers: one series, one resample, one day at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean."""
    return math.fsum(values) / len(values)


def covariance(values: Sequence[float], lag: int) -> float:
    """Sum of products of deviations `lag` days apart, over the number of all days."""
    middle = mean(values)
    pairs = ((values[t] - middle) * (values[t - lag] - middle) for t in range(lag, len(values)))
    return math.fsum(pairs) / len(values)


def durbin_levinson(covariances: Sequence[float]) -> list[float]:
    """The Yule-Walker coefficients by recursion over the order (Brockwell and Davis 1991, proposition 5.2.1)."""
    coefficients: list[float] = []
    left = covariances[0]
    for order in range(1, len(covariances)):
        reached = math.fsum(phi * covariances[order - lag] for lag, phi in enumerate(coefficients, 1))
        last = (covariances[order] - reached) / left
        coefficients = [phi - last * other for phi, other in zip(coefficients, reversed(coefficients), strict=True)]
        coefficients.append(last)
        left *= 1 - last**2
    return coefficients


def fitted(values: Sequence[float], order: int) -> tuple[list[float], float, float]:
    """Coefficients with the corrected sum, variance of the residuals, and standard error of the mean."""
    n = len(values)
    gamma = [covariance(values, lag) for lag in range(order + 1)]
    phi = durbin_levinson(gamma)
    total = math.fsum(phi)
    wanted = min(max(total + (1 + 3 * total) / n, 0.0), 0.95)
    phi = [one + (wanted - total) / order for one in phi]
    full = [-1.0, *phi]  # of the residual, as a filter of the series
    terms = (full[i] * full[j] * gamma[abs(i - j)] for i in range(order + 1) for j in range(order + 1))
    variance = math.fsum(terms)
    return phi, variance, math.sqrt(variance / (n - 1 - order)) / (1 - wanted)


def chosen_order(values: Sequence[float]) -> int:
    """The order with the smallest corrected criterion of Akaike, one for each 20 days and at most three."""
    n = len(values)

    def criterion(order: int) -> float:
        return n * math.log(fitted(values, order)[1]) + 2 * (order + 2) * n / (n - order - 3)

    return min(range(1, max(1, min(3, n // 20)) + 1), key=criterion)


def ratios(values: Sequence[float], uniforms: Sequence[Sequence[float]], burn: int) -> list[float]:
    """Mean over its error in each series made of resampled residuals."""
    n, first, middle = len(values), max(1, min(3, len(values) // 20)), mean(values)
    deviations = [value - middle for value in values]
    phi, _, _ = fitted(values, chosen_order(values))
    left = [deviations[t] - sum(p * deviations[t - k] for k, p in enumerate(phi, 1)) for t in range(first, n)]
    left = [one - mean(left) for one in left]
    found = []
    for row in uniforms:
        made: list[float] = []
        before = [left[int(row[0] * len(left))] / (1 - math.fsum(phi))] * len(phi)  # as if it had always been the first
        for u in row:
            residual = left[int(u * len(left))]
            before = [residual + sum(p * one for p, one in zip(phi, before, strict=True)), *before[:-1]]
            made.append(before[0])
        kept = made[burn:]
        found.append(mean(kept) / fitted(kept, len(phi))[2])
    return found


def block_length(values: Sequence[float], scale: float) -> float:
    """Politis and White (2004), section 3.2, with `scale` of Patton, Politis and White (2009): 2 stationary, 4/3 circular."""
    n = len(values)
    run, band = max(5, int(math.log10(n))), 2 * math.sqrt(math.log10(n) / n)
    most = min(math.ceil(math.sqrt(n)) + run, n - 1)
    gamma = [covariance(values, lag) for lag in range(most + 1)]
    inside = [abs(one / gamma[0]) < band for one in gamma]
    first = next((lag for lag in range(1, most - run + 1) if all(inside[lag : lag + run])), most)
    lags = min(2 * first, most)
    g = spectrum = 0.0
    for lag in range(-lags, lags + 1):
        part = abs(lag) / lags
        weight = 1.0 if part <= 0.5 else 2 * (1 - part)
        g += weight * abs(lag) * gamma[abs(lag)]
        spectrum += weight * gamma[abs(lag)]
    return min((2 * g**2 / (scale * spectrum**2)) ** (1 / 3) * n ** (1 / 3), math.ceil(min(3 * math.sqrt(n), n / 3)))


def stationary_variance(values: Sequence[float], block: float) -> float:
    """Politis and Romano (1994), lemma 1: variance of sqrt(n) times the mean of a resample."""
    n, p = len(values), 1 / block
    total = covariance(values, 0)
    for lag in range(1, n):
        weight = (1 - lag / n) * (1 - p) ** lag + lag / n * (1 - p) ** (n - lag)
        total += 2 * weight * covariance(values, lag)
    return total


def p_values(scores: list[list[float]], drawn: list[list[float]], block: float) -> tuple[float, float]:
    """White's reality check, and Hansen's consistent studentised test, from the means of resamples."""
    n = len(scores[0])
    middle = [mean(row) for row in scores]
    omega = [math.sqrt(stationary_variance(row, block)) for row in scores]
    white = hansen = 1
    statistic = max(0.0, *(math.sqrt(n) * m / w for m, w in zip(middle, omega, strict=True)))
    for means in drawn:
        white += max(m - o for m, o in zip(means, middle, strict=True)) >= max(middle)
        best = 0.0
        for m, o, w in zip(means, middle, omega, strict=True):
            kept = o if math.sqrt(n) * o / w >= -math.sqrt(2 * math.log(math.log(n))) else 0.0
            best = max(best, math.sqrt(n) * (m - kept) / w)
        hansen += best >= statistic
    return white / (1 + len(drawn)), hansen / (1 + len(drawn))


def overfitted(scores: list[list[float]], groups: int) -> tuple[float, int]:
    """Bailey et al. (2017), section 3: the share of logits below zero over all halves of the groups."""
    n = len(scores[0])
    parts = [range(g * n // groups, (g + 1) * n // groups) for g in range(groups)]
    below, splits = 0.0, 0
    for half in itertools.combinations(range(groups), groups // 2):
        inside = [t for g in half for t in parts[g]]
        outside = [t for g in range(groups) if g not in half for t in parts[g]]
        trained = [mean([row[t] for t in inside]) for row in scores]
        tested = [mean([row[t] for t in outside]) for row in scores]
        mine = tested[trained.index(max(trained))]
        rank = sum(one < mine for one in tested) + 0.5 * sum(one == mine for one in tested) + 0.5
        share = rank / (len(scores) + 1)
        logit = math.log(share / (1 - share))
        below += 1.0 if logit < 0 else 0.5 if logit == 0 else 0.0
        splits += 1
    return below / splits, splits
