"""Slow plain twins of riskkit.attribution, written from the formulas."""

import math

import numpy as np
from scipy import integrate, optimize, stats


def normal_risk(weights, covariance, confidence, measure="var", mean=None):
    """VaR or ES of a normal book, term by term."""
    n = len(weights)
    variance = sum(weights[i] * weights[j] * covariance[i][j] for i in range(n) for j in range(n))
    z = stats.norm.ppf(confidence)
    factor = z if measure == "var" else stats.norm.pdf(z) / (1 - confidence)
    drift = 0.0 if mean is None else sum(w * m for w, m in zip(weights, mean, strict=True))
    return factor * math.sqrt(variance) - drift


def slopes(function, at, step):
    """Central differences in every position."""
    out = []
    for i in range(len(at)):
        up, down = np.array(at, dtype=float), np.array(at, dtype=float)
        up[i] += step
        down[i] -= step
        out.append((function(up) - function(down)) / (2 * step))
    return np.array(out)


def best_trade(weights, covariance, i, risk):
    """The trade in asset i with the least risk, by search; and that risk."""

    def after(trade):
        moved = np.array(weights, dtype=float)
        moved[i] += trade
        return risk(moved)

    scale = abs(np.asarray(weights)).sum() * max(np.sqrt(np.diag(covariance))) / math.sqrt(covariance[i][i])
    found = optimize.minimize_scalar(after, bounds=(-20 * scale, 20 * scale), method="bounded", options={"xatol": 1e-9})
    return found.x, found.fun


def harrell_davis_weights(n, confidence):
    """Harrell and Davis (1982): what a beta distribution puts between (k-1)/n and k/n."""
    beta = stats.beta((n + 1) * confidence, (n + 1) * (1 - confidence))
    return [beta.cdf(k / n) - beta.cdf((k - 1) / n) for k in range(1, n + 1)]


def kernel_weights(n, confidence, width):
    """Sheather and Marron (1990): the kernel integrated over ((k-1)/n, k/n), all of it over (0, 1)."""

    def density(t):
        return math.exp(-0.5 * ((t - confidence) / width) ** 2) / (width * math.sqrt(2 * math.pi))

    def over(a, b):
        return integrate.quad(density, a, b, epsabs=1e-14)[0]

    whole = over(0, confidence) + over(confidence, 1)
    return [over((k - 1) / n, k / n) / whole for k in range(1, n + 1)]


def tail_mass_weights(n, confidence):
    """The worst n p, the last with its fraction."""
    size = round(n * (1 - confidence), 9)
    return [min(max(size - (n - k), 0.0), 1.0) / size for k in range(1, n + 1)]


def rank_shares(losses, rank_weights):
    """Weight of each scenario, in its own order; tied losses share evenly."""
    order = sorted(range(len(losses)), key=lambda t: losses[t])
    share = [0.0] * len(losses)
    for loss in set(losses):
        tied = [rank for rank, t in enumerate(order) if losses[t] == loss]
        for rank in tied:
            share[order[rank]] = sum(rank_weights[r] for r in tied) / len(tied)
    return share


def weighted_components(weights, returns, rank_weights):
    """Sum over scenarios, by ascending loss of the book, of rank weight × the positions' losses; ties share evenly."""
    share = rank_shares([-float(np.dot(weights, row)) for row in returns], rank_weights)
    return sum(share[t] * -np.asarray(weights) * np.asarray(returns[t]) for t in range(len(returns)))


def var_component_errors(weights, returns, rank_weights, total_error):
    """Error of the VaR through the regression on the book, and the noise of the scenarios near it."""
    losses = [-float(np.dot(weights, row)) for row in returns]
    share = rank_shares(losses, rank_weights)
    effective = 1 / sum(v**2 for v in share)
    var = sum(v * loss for v, loss in zip(share, losses, strict=True))
    errors = []
    for i, weight in enumerate(weights):
        own = [-weight * row[i] for row in returns]
        slope = np.cov(own, losses)[0, 1] / np.var(losses, ddof=1)
        mean = sum(v * x for v, x in zip(share, own, strict=True))
        left = [x - mean - slope * (loss - var) for x, loss in zip(own, losses, strict=True)]
        noise = sum(v**2 * e**2 for v, e in zip(share, left, strict=True)) * effective / (effective - 1)
        errors.append(math.sqrt(noise + slope**2 * total_error**2))
    return errors


def es_component_errors(weights, returns, rank_weights, near_var):
    """Standard error of the mean of n v (x - what the position loses near the VaR)."""
    share = rank_shares([-float(np.dot(weights, row)) for row in returns], rank_weights)
    n = len(returns)
    return [
        np.std([n * v * (-w * row[i] - m) for v, row in zip(share, returns, strict=True)], ddof=1) / math.sqrt(n)
        for i, (w, m) in enumerate(zip(weights, near_var, strict=True))
    ]


def jackknife(function, rows):
    """Standard error of `function` of the rows, leaving out one after the other."""
    n = len(rows)
    values = np.array([function(np.delete(rows, t, axis=0)) for t in range(n)])
    return np.sqrt((n - 1) / n * ((values - values.mean(axis=0)) ** 2).sum(axis=0))


def modified_var(weights, returns, confidence):
    """PerformanceAnalytics' modified VaR of a book: variance with n-1, third and fourth moments with n."""
    book = [float(np.dot(weights, row)) for row in returns]
    n = len(book)
    mean = sum(book) / n
    sd = math.sqrt(sum((x - mean) ** 2 for x in book) / (n - 1))
    s = sum((x - mean) ** 3 for x in book) / n / sd**3
    k = sum((x - mean) ** 4 for x in book) / n / sd**4 - 3
    y = stats.norm.ppf(1 - confidence)
    w = y + (y**2 - 1) * s / 6 + (y**3 - 3 * y) * k / 24 - (2 * y**3 - 5 * y) * s**2 / 36
    return -(mean + w * sd)
