"""Slow plain twins of riskkit.var, written from the papers."""

import math
from fractions import Fraction

import numpy as np
from scipy import integrate, optimize, stats


def tail_mass(confidence):
    """1 - confidence of the decimal that was typed."""
    return 1 - Fraction(repr(float(confidence)))


def inverted_cdf_var(returns, confidence):
    """The smallest return whose empirical cdf reaches p, counted with exact fractions."""
    p, n = tail_mass(confidence), len(returns)
    for x in sorted(returns):
        if Fraction(sum(1 for y in returns if y <= x), n) >= p:
            return -x
    raise AssertionError


def tail_mass_es(returns, confidence):
    """Take the worst return, then the next, until p of mass is used up; the last gives a fraction."""
    left, total = tail_mass(confidence) * len(returns), Fraction(0)
    size = left
    for x in sorted(returns):
        taken = min(Fraction(1), left)
        total += taken * Fraction(x)
        left -= taken
        if not left:
            break
    return float(-total / size)


def es_as_mean_of_vars(returns, confidence):
    """Acerbi and Tasche: the mean of VaR over all tail masses up to p, summed in pieces that the cdf is made of."""
    p, n = tail_mass(confidence), len(returns)
    edges = sorted({Fraction(i, n) for i in range(n + 1) if Fraction(i, n) < p} | {p})
    total = Fraction(0)
    for low, high in zip([Fraction(0), *edges], edges, strict=False):
        if high > low:
            total += (high - low) * Fraction(sorted(returns)[math.ceil(high * n) - 1])
    return float(-total / p)


def weighted_var_es(returns, weights, confidence):
    """Boudoukh, Richardson and Whitelaw, step by step."""
    p = float(tail_mass(confidence))
    total = math.fsum(weights)
    rows = sorted(zip(returns, [w / total for w in weights], strict=True), key=lambda row: row[0])
    reached, var = 0.0, None
    used, es = 0.0, 0.0
    for x, w in rows:
        reached += w
        if var is None and reached >= p - 1e-13:
            var = -x
        take = min(w, p - used)
        es += take * -x
        used += take
    return var, es / p


def ewma_path(returns, decay, tau=75):
    """Variance forecast for every day and the next, started by a backcast of the first squares."""
    head = returns[:tau]
    weights = [decay**i for i in range(len(head))]
    variance = sum(w * r * r for w, r in zip(weights, head, strict=True)) / sum(weights)
    path = [variance]
    for r in returns:
        variance = decay * variance + (1 - decay) * r * r
        path.append(variance)
    return path


def filtered_var_es(returns, decay, confidence, window=None):
    """Hull and White (1998): every return times tomorrow's volatility over its own day's."""
    path = ewma_path(returns, decay)
    scaled = [r * math.sqrt(path[-1] / v) for r, v in zip(returns, path, strict=False)]
    scaled = scaled[-(window or len(scaled)) :]
    return inverted_cdf_var(scaled, confidence), tail_mass_es(scaled, confidence)


def distribution_var_es(distribution, confidence):
    """VaR and ES of a scipy distribution of returns; ES as the integral of VaR over the tail mass."""
    p = float(tail_mass(confidence))
    es = integrate.quad(lambda u: -distribution.ppf(u), 0.0, p, limit=200)[0] / p
    return -distribution.ppf(p), es


def student_t_mle(returns):
    """The likelihood itself, maximised from several starts."""
    x = np.asarray(returns)
    unit = x.std()

    def minus_log_likelihood(parameters):
        location, log_scale, log_nu = parameters
        return -stats.t.logpdf(x / unit, math.exp(log_nu), location, math.exp(log_scale)).sum()

    fits = [
        optimize.minimize(
            minus_log_likelihood,
            [np.median(x) / unit, math.log(0.7), math.log(nu)],
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 5000},
        )
        for nu in (2.5, 6.0)
    ]
    location, log_scale, log_nu = min(fits, key=lambda fit: fit.fun).x
    return location * unit, math.exp(log_scale) * unit, math.exp(log_nu)


def cornish_fisher_w(y, s, k):
    return y + (y * y - 1) * s / 6 + (y**3 - 3 * y) * k / 24 - (2 * y**3 - 5 * y) * s * s / 36


def cornish_fisher_rises(s, k):
    """Look at the expansion on a fine grid of normal quantiles."""
    y = np.linspace(-30, 30, 60_001)
    return bool((np.diff(cornish_fisher_w(y, s, k)) >= 0).all())


def cornish_fisher_moments(s, k):
    """Variance, skewness and excess kurtosis of the expansion by integration over the normal density."""
    second, third, fourth = (
        integrate.quad(lambda y, m=m: cornish_fisher_w(y, s, k) ** m * stats.norm.pdf(y), -14, 14, limit=400)[0]
        for m in (2, 3, 4)
    )
    return second, third / second**1.5, fourth / second**2 - 3


def cornish_fisher_var_es(s, k, deviation, confidence):
    """Quantile and tail mean of w/deviation."""
    p = float(tail_mass(confidence))
    y = stats.norm.ppf(p)
    tail = integrate.quad(lambda x: cornish_fisher_w(x, s, k) * stats.norm.pdf(x), -14, y, limit=400)[0]
    return -cornish_fisher_w(y, s, k) / deviation, -tail / p / deviation


def edgeworth_es(s, k, confidence):
    """Boudt, Peterson and Croux (2008): minus the mean of the Edgeworth density below the modified quantile, over p."""
    p = float(tail_mass(confidence))
    w = cornish_fisher_w(stats.norm.ppf(p), s, k)

    def density(x):
        he3, he4 = x**3 - 3 * x, x**4 - 6 * x**2 + 3
        he6 = x**6 - 15 * x**4 + 45 * x**2 - 15
        return stats.norm.pdf(x) * (1 + s / 6 * he3 + k / 24 * he4 + s * s / 72 * he6)

    return -integrate.quad(lambda x: x * density(x), -np.inf, w, limit=400)[0] / p


def gpd_mle(excesses):
    """The likelihood itself, maximised by Nelder and Mead."""
    y = np.asarray(excesses) / np.mean(excesses)

    def minus_log_likelihood(parameters):
        shape, log_scale = parameters
        return -stats.genpareto.logpdf(y, shape, scale=math.exp(log_scale)).sum()

    fit = optimize.minimize(
        minus_log_likelihood, [0.1, 0.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-13}
    )
    return fit.x[0], math.exp(fit.x[1]) * np.mean(excesses)


def entropic_var(returns, confidence):
    """Ahmadi-Javid (2012), eq. 5, over a fine grid of log t and a bounded search around its best point."""
    p = float(tail_mass(confidence))
    losses = -np.asarray(returns)
    worst, spread = losses.max(), np.ptp(losses)

    def bound(log_t):
        t = math.exp(log_t) / spread
        return worst + (math.log(np.exp(t * (losses - worst)).mean()) - math.log(p)) / t

    grid = np.linspace(-8, 25, 400)
    best = grid[int(np.argmin([bound(x) for x in grid]))]
    return optimize.minimize_scalar(
        bound, bounds=(best - 0.2, best + 0.2), method="bounded", options={"xatol": 1e-9}
    ).fun


def binomial_coverage(n, p, high, low):
    """Probability that between `high` and `low` - 1 of n losses lie beyond the true VaR, summed exactly."""
    p = Fraction(p).limit_denominator(10**6)
    terms = (math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(high, low))
    return float(sum(terms))


def studentised_es(returns, confidence, coverage, n_draws, rng):
    """Interval and error of the ES: one resample after another, of a sample with a Pareto tail over its worst losses."""
    n, p = len(returns), round(1 - confidence, 12)
    losses = sorted((-value for value in returns), reverse=True)
    over = int(n * max(0.1, 2 * p))
    threshold, middle = losses[over], float(np.median(losses))
    excesses = [loss - threshold for loss in losses[:over]]

    def likelihood(v):  # of the shape and scale with 1 + shape/scale of the largest excess = e^v
        theta = math.expm1(v) / max(excesses)
        shape = sum(math.log1p(theta * y) for y in excesses) / over
        return -math.log(shape / theta) - shape - 1 if v and shape > -1 else -math.inf

    grid = [v / 4 + 1e-9 for v in range(-24, 81)]
    best = max(grid, key=likelihood)
    found = optimize.minimize_scalar(
        lambda v: -likelihood(v), bounds=(best - 0.25, best + 0.25), options={"xatol": 1e-10}
    )
    shape = sum(math.log1p(math.expm1(found.x) / max(excesses) * y) for y in excesses) / over
    shape = min(max(shape, 1 / 3), 0.9)
    scale = sum(excesses) / over * (1 - shape)

    def loss_at(u):  # exceeded with probability u
        if u < over / n:
            return threshold + scale / shape * ((u * n / over) ** -shape - 1)
        return losses[min(int(u * n), n - 1)]

    es_drawn_from = threshold + (loss_at(p) - threshold + scale) / (1 - shape)
    steps = rng.standard_exponential((n_draws, over))
    rest = rng.standard_gamma(n + 1 - over, (n_draws, 1))
    ratios = []
    for row, last in zip(steps.tolist(), rest[:, 0].tolist(), strict=True):
        total, drawn = sum(row) + last, []
        for i in range(over):
            drawn.append(loss_at(sum(row[: i + 1]) / total))
        es, error = _tail_mean(drawn, n, n * p)
        ratios.append(math.log((es - middle) / (es_drawn_from - middle)) / (error / (es - middle)))
    es, error = _tail_mean(losses, n, n * p)
    ends = np.quantile(ratios, [(1 + coverage) / 2, (1 - coverage) / 2], method="inverted_cdf")
    low, high = (middle + (es - middle) * math.exp(-end * error / (es - middle)) for end in ends)
    return low, high, error


def _tail_mean(losses, n, size):
    """Mean of exactly `size` of the worst losses, and its error by the influence function over all n."""
    whole = math.floor(round(size, 9))
    part = round(size, 9) - whole
    total = sum(losses[:whole]) + (part * losses[whole] if part else 0.0)
    var = losses[whole if part else whole - 1]
    beyond = [max(loss - var, 0.0) for loss in losses[: whole + 1]]
    variance = sum(x * x for x in beyond) / n - (sum(beyond) / n) ** 2
    return total / size, math.sqrt(variance / n) / (size / n)
