"""Slow plain twins of riskkit.liquidity, written from the papers."""

import math

import numpy as np


def bangia(price, z, vol, spread_mean, spread_sd, multiplier):
    """Bangia et al. (1999): worst price and worst half spread."""
    return price * (1 - math.exp(-z * vol)), price / 2 * (spread_mean + multiplier * spread_sd)


def almgren(x, volume, sigma, days, outstanding, gamma=0.314, eta=0.142):
    """Almgren et al. (2005): permanent I, temporary J - I/2, realized J."""
    permanent = gamma * sigma * (x / volume) * (outstanding / volume) ** 0.25
    temporary = eta * sigma * (x / (volume * days)) ** 0.6
    return permanent, temporary, permanent / 2 + temporary


def held_by_day(position, volume, participation):
    """Sell day by day at the allowed pace; what is held during each day, as fractions."""
    pace, left, held = participation * volume, abs(position), []
    while not held or left > 1e-9 * abs(position):
        held.append(left / abs(position) if position else 1.0)
        left -= min(pace, left)
    return held


def unwinding_var(positions, covariance, volumes, participation, z):
    """z × root of the summed variances of the days, each with what is still held on it."""
    paths = [held_by_day(p, v, participation) for p, v in zip(positions, volumes, strict=True)]
    variance = 0.0
    for day in range(max(map(len, paths))):
        book = [p * (path[day] if day < len(path) else 0.0) for p, path in zip(positions, paths, strict=True)]
        variance += sum(book[i] * book[j] * covariance[i][j] for i in range(len(book)) for j in range(len(book)))
    return z * math.sqrt(variance)


def execution_cost(trades, interval, volatility, half_spread, permanent, temporary):
    """Almgren and Chriss (2000), section 1.4: mean and variance of the cost, from the price of every single trade."""
    left, drop, mean, variance = sum(trades), 0.0, 0.0, 0.0
    for sold in trades:
        speed = sold / interval
        mean += sold * (drop + math.copysign(half_spread, sold) + temporary * speed)
        drop += interval * permanent * speed
        left -= sold
        variance += volatility**2 * interval * left**2
    return mean, variance


def best_trades(shares, count, interval, volatility, permanent, temporary, aversion):
    """Minimise cost + aversion × variance as a quadratic programme under "all is sold" (Lagrange)."""
    lower = np.tril(np.ones((count, count)))
    # cost: sum over i of n_i (permanent × sum of n_j before i + temporary n_i / interval)
    cost = permanent * (lower - np.eye(count)) + temporary / interval * np.eye(count)
    # held after trade k: shares - cumulated trades
    risk = aversion * volatility**2 * interval
    quadratic = cost + cost.T + 2 * risk * lower.T @ lower
    linear = 2 * risk * shares * lower.T @ np.ones(count)
    system = np.block([[quadratic, np.ones((count, 1))], [np.ones((1, count)), np.zeros((1, 1))]])
    return np.linalg.solve(system, np.append(linear, shares))[:count]
