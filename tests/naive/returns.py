"""Slow plain twins of riskkit.returns, written from the definitions."""

import math


def simple_returns(prices):
    return [prices[t] / prices[t - 1] - 1 for t in range(1, len(prices))]


def horizon_returns(returns, horizon):
    """Compound by growing one unit of money through every window."""
    out = []
    for start in range(len(returns) - horizon + 1):
        wealth = 1.0
        for r in returns[start : start + horizon]:
            wealth *= 1 + r
        out.append(wealth - 1)
    return out


def variance_ratio(returns, q):
    """Lo and MacKinlay (1988): variance ratio of overlapping q-period sums, robust z, from log prices."""
    n = len(returns)
    price = [0.0]
    for r in returns:
        price.append(price[-1] + r)
    mu = (price[n] - price[0]) / n
    var_one = sum((price[k] - price[k - 1] - mu) ** 2 for k in range(1, n + 1)) / (n - 1)
    m = q * (n - q + 1) * (1 - q / n)
    var_q = sum((price[k] - price[k - q] - q * mu) ** 2 for k in range(q, n + 1)) / m
    ratio = var_q / var_one
    denominator = sum((price[k] - price[k - 1] - mu) ** 2 for k in range(1, n + 1)) ** 2
    theta = 0.0
    for j in range(1, q):
        numerator = sum(
            (price[k] - price[k - 1] - mu) ** 2 * (price[k - j] - price[k - j - 1] - mu) ** 2
            for k in range(j + 1, n + 1)
        )
        theta += (2 * (q - j) / q) ** 2 * n * numerator / denominator
    return ratio, math.sqrt(n) * (ratio - 1) / math.sqrt(theta)


def ar1_volatility_ratio(rho, h):
    """Variance of the sum as the double sum of autocovariances."""
    total = sum(rho ** abs(i - j) for i in range(h) for j in range(h))
    return math.sqrt(total) / math.sqrt(h)
