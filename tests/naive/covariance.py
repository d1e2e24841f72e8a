"""Slow plain twins of riskkit.covariance, written from the definitions and papers with lists and loops."""

import math


def covariance(rows, ddof=1, zero_mean=False):
    n, k = len(rows), len(rows[0])
    mean = [0.0 if zero_mean else sum(row[i] for row in rows) / n for i in range(k)]
    return [
        [sum((row[i] - mean[i]) * (row[j] - mean[j]) for row in rows) / (n - ddof) for j in range(k)] for i in range(k)
    ]


def start_variance(series, decay, start, tau=75):
    """Value before the first return, for one pair of series given as their products."""
    if start == "zero":
        return 0.0
    if start == "first_square":
        return series[0]
    if start == "sample":
        return sum(series) / len(series)
    first = series[:tau]
    weights = [decay**i for i in range(len(first))]
    return sum(w * x for w, x in zip(weights, first, strict=True)) / sum(weights)


def ewma_path(products, decay, start):
    """The recursion for one pair of assets, from the products of their returns."""
    value = start_variance(products, decay, start)
    path = []
    for product in products:
        value = decay * value + (1 - decay) * product
        path.append(value)
    return path


def ewma_weighted_sum(products, decay, start_value):
    """The same as one sum: all weights written out."""
    n = len(products)
    return decay**n * start_value + sum((1 - decay) * decay ** (n - 1 - i) * x for i, x in enumerate(products))


def portfolio_variance(matrix, weights):
    return sum(a * b * matrix[i][j] for i, a in enumerate(weights) for j, b in enumerate(weights))


def riskmetrics2006(products, tau0=1560, tau1=4, kmax=14, rho=2**0.5):
    """Zumbach (2007): kmax recursions, each from its own backcast, averaged with logarithmic weights."""
    taus = [tau1 * rho**k for k in range(kmax)]
    raw = [1 - math.log(tau) / math.log(tau0) for tau in taus]
    total = 0.0
    for tau, weight in zip(taus, raw, strict=True):
        mu = math.exp(-1 / tau)
        days = min(len(products), max(1, math.floor(math.log(0.01) / math.log(mu))))
        value = start_variance(products, mu, "backcast", days)
        for product in products:
            value = mu * value + (1 - mu) * product
        total += weight / sum(raw) * value
    return total


def ledoit_wolf(rows):
    """Ledoit and Wolf (2004), section 3.3: m, d², b² and a² with the inner product tr(AB')/p."""
    n, p = len(rows), len(rows[0])
    sample = covariance(rows, ddof=0)
    mean = [sum(row[i] for row in rows) / n for i in range(p)]
    m = sum(sample[i][i] for i in range(p)) / p
    d2 = sum((sample[i][j] - (m if i == j else 0)) ** 2 for i in range(p) for j in range(p)) / p
    b2 = 0.0
    for row in rows:
        x = [row[i] - mean[i] for i in range(p)]
        b2 += sum((x[i] * x[j] - sample[i][j]) ** 2 for i in range(p) for j in range(p)) / p
    share = min(b2 / n**2, d2) / d2
    shrunk = [[(1 - share) * sample[i][j] + (share * m if i == j else 0) for j in range(p)] for i in range(p)]
    return shrunk, share


def garch_path(returns, mean, omega, alpha, beta, first):
    """Conditional variances; the deviation and the variance before the sample are both `first`."""
    variances = [omega + alpha * first + beta * first]
    for r in returns[:-1]:
        variances.append(omega + alpha * (r - mean) ** 2 + beta * variances[-1])
    return variances


def nearest_correlation(matrix):
    """The nearest correlation by direct search over all correlation matrices: unit rows L, X = LL'."""
    import numpy as np
    from scipy.optimize import minimize

    target = np.asarray(matrix, dtype=float)
    size = len(target)

    def correlation(flat):
        rows = flat.reshape(size, size)
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return rows @ rows.T

    def distance(flat):
        return ((correlation(flat) - target) ** 2).sum()

    starts = np.random.default_rng(3)
    found = [
        minimize(
            distance, starts.standard_normal(size * size), method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9}
        )
        for _ in range(3)
    ]
    return correlation(min(found, key=lambda result: result.fun).x)
