"""Slow plain twins of riskkit.montecarlo, written from the definitions."""

import math

import numpy as np
from scipy import stats


def var_es(losses, confidence):
    """The ceil(n p)-th largest loss, and the mean of exactly n p of the largest."""
    ordered = sorted(losses, reverse=True)
    size = round(len(ordered) * (1 - confidence), 9)
    rank = math.ceil(size) - 1
    return ordered[rank], (sum(ordered[:rank]) + (size - rank) * ordered[rank]) / size


def standard_errors(losses, confidence, unit=1):
    """Those of VaR and ES: of the fraction beyond VaR times the spacing of losses, and of the mean excess over p.

    `unit` scenarios at a time are independent of all others: their means are.
    """
    var, _ = var_es(losses, confidence)
    n, p = len(losses), 1 - confidence
    rank = math.ceil(round(n * p, 9)) - 1
    ordered = sorted(losses, reverse=True)
    means = [
        np.reshape(values, (-1, unit)).mean(axis=1)
        for values in (np.array(losses) >= var, np.maximum(losses, var) - var)
    ]
    beyond, excess = (values.std(ddof=1) / math.sqrt(n / unit) for values in means)
    share = (rank + 1) / n
    width = max(1, round(math.sqrt(n * share * (1 - share))))
    low, high = max(rank - width, 0), min(rank + width, n - 1)
    return n * beyond * (ordered[low] - ordered[high]) / (high - low), excess / p


def largest(losses, count):
    """The largest losses with their rows; of equal ones the earliest."""
    order = sorted(range(len(losses)), key=lambda t: (-losses[t], t))[:count]
    return [losses[t] for t in order], order


def copula_returns(history, correlation_root, normals, chi_squares, nu=None):
    """One scenario a row: probability of each variate, and the smallest return whose share of the sample reaches it."""
    out = []
    for z, chi_square in zip(normals, chi_squares, strict=True):
        x = correlation_root @ z
        if nu is None:
            levels = stats.norm.cdf(x)
        else:
            levels = stats.t.cdf(x * math.sqrt(nu / chi_square), nu)
        row = []
        for asset, level in enumerate(levels):
            ordered = sorted(history[:, asset])
            row.append(next(r for k, r in enumerate(ordered, 1) if k / len(ordered) >= level))
        out.append(row)
    return np.array(out)


def stationary_days(uniforms, n_days, horizon, block):
    """Politis and Romano: stay with probability 1 - 1/block, else start afresh; the series is a circle."""
    out = []
    for u in uniforms:
        days = [int(u[0] * n_days)]
        for t in range(1, horizon):
            if u[horizon + t - 1] < 1 / block:
                days.append(int(u[t] * n_days))
            else:
                days.append((days[-1] + 1) % n_days)
        out.append(days)
    return out


def circular_days(uniforms, n_days, horizon, block):
    """Blocks of one length from random starts, the last one cut."""
    out = []
    for u in uniforms:
        days = [(int(start * n_days) + step) % n_days for start in u for step in range(block)]
        out.append(days[:horizon])
    return out


def merton_moments(volatility, intensity, jump_mean, jump_volatility, drift, horizon):
    """Mean, variance, third and fourth central moment of the log return (cumulants of a compound Poisson distribution)."""
    m, s = jump_mean, jump_volatility
    rate = intensity * horizon
    growth = math.exp(m + s**2 / 2) - 1
    mean = (drift - intensity * growth - volatility**2 / 2) * horizon + rate * m
    second = volatility**2 * horizon + rate * (m**2 + s**2)
    third = rate * (m**3 + 3 * m * s**2)
    fourth = rate * (m**4 + 6 * m**2 * s**2 + 3 * s**4) + 3 * second**2
    return mean, second, third, fourth


def merton_call(spot, strike, volatility, intensity, jump_mean, jump_volatility, rate, maturity):
    """Merton (1976): Black-Scholes prices weighted by the number of jumps."""
    growth = math.exp(jump_mean + jump_volatility**2 / 2) - 1
    price = 0.0
    for jumps in range(60):
        weight = stats.poisson.pmf(jumps, intensity * maturity)
        forward = spot * math.exp((rate - intensity * growth) * maturity + jumps * (jump_mean + jump_volatility**2 / 2))
        sd = math.sqrt(volatility**2 * maturity + jumps * jump_volatility**2)
        d1 = (math.log(forward / strike) + sd**2 / 2) / sd
        value = forward * stats.norm.cdf(d1) - strike * stats.norm.cdf(d1 - sd)
        price += weight * math.exp(-rate * maturity) * value
    return price
