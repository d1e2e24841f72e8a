"""Slow plain twins of riskkit.var_backtest, written from the papers: loops, products and brute force."""

import itertools
import math

import numpy as np


def xlogy(x, y):
    return 0.0 if x == 0 else x * math.log(y)


def pof_lr(x, n, p):
    """Kupiec (1995): logs of both likelihoods, 0 ln 0 = 0."""
    null = xlogy(n - x, 1 - p) + xlogy(x, p)
    free = xlogy(n - x, 1 - x / n) + xlogy(x, x / n)
    return -2.0 * (null - free)


def binomial_pmf(n, p):
    return [math.comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(n + 1)]


def exact_p_value(x, n, p, order):
    """Sum of the probabilities of all counts at least as extreme."""
    pmf = binomial_pmf(n, p)
    if order == "probability":
        return sum(q for q in pmf if q <= pmf[x] * (1 + 1e-9))
    extreme = [pof_lr(k, n, p) if order == "lr" else abs(k - n * p) for k in range(n + 1)]
    return sum(q for q, e in zip(pmf, extreme, strict=True) if e >= extreme[x] - 1e-9)


def tuff_lr(v, p):
    free = math.log(1 / v) + xlogy(v - 1, 1 - 1 / v)
    return -2.0 * (math.log(p) + (v - 1) * math.log(1 - p) - free)


def tuff_exact_p_value(v, p, longest=20_000):
    """Geometric probabilities of all days whose ratio is at least as large."""
    observed = tuff_lr(v, p)
    return sum(p * (1 - p) ** (k - 1) for k in range(1, longest) if tuff_lr(k, p) >= observed - 1e-9)


def transitions(hits):
    counts = {(i, j): 0 for i in (0, 1) for j in (0, 1)}
    for before, after in itertools.pairwise(int(hit) for hit in hits):
        counts[before, after] += 1
    return counts


def independence_lr(hits):
    """Christoffersen (1998): likelihoods of the pairs under a Markov chain and under independence."""
    n = transitions(hits)
    pairs = sum(n.values())
    if pairs == 0:
        return 0.0
    pi = (n[0, 1] + n[1, 1]) / pairs
    tied = xlogy(n[0, 0] + n[1, 0], 1 - pi) + xlogy(n[0, 1] + n[1, 1], pi)
    free = 0.0
    for i in (0, 1):
        row = n[i, 0] + n[i, 1]
        if row:
            free += xlogy(n[i, 0], n[i, 0] / row) + xlogy(n[i, 1], n[i, 1] / row)
    return -2.0 * (tied - free)


def cc_lr(hits, p):
    return pof_lr(sum(hits), len(hits), p) + independence_lr(hits)


def all_sequences(n, p):
    """Every sequence of n days, with its probability under independent hits."""
    for hits in itertools.product((0, 1), repeat=n):
        x = sum(hits)
        yield hits, p**x * (1 - p) ** (n - x)


def markov_probability(hits, first, after_no_hit, after_hit):
    probability = first if hits[0] else 1 - first
    for before, after in itertools.pairwise(hits):
        chance = after_hit if before else after_no_hit
        probability *= chance if after else 1 - chance
    return probability


def times_between(hits):
    found, last = [], 0
    for day, hit in enumerate(hits, start=1):
        if hit:
            found.append(day - last)
            last = day
    return found


def weibull_waits(hits):
    """(wait, censored) as Christoffersen and Pelletier count them."""
    days = [day for day, hit in enumerate(hits, start=1) if hit]
    waits = [(b - a, False) for a, b in itertools.pairwise(days)]
    if days[0] > 1:
        waits.insert(0, (days[0], True))
    if days[-1] < len(hits):
        waits.append((len(hits) - days[-1], True))
    return waits


def weibull_log_likelihood(waits, a, b):
    total = 0.0
    for wait, censored in waits:
        total -= (a * wait) ** b
        if not censored:
            total += math.log(a**b * b * wait ** (b - 1))
    return total


def weibull_fit(hits):
    """Best (a, b) by two-dimensional search, and the log-likelihoods with b free and b = 1."""
    from scipy.optimize import minimize

    waits = weibull_waits(hits)
    free = minimize(
        lambda x: -weibull_log_likelihood(waits, math.exp(x[0]), math.exp(x[1])),
        x0=[-math.log(np.mean([wait for wait, _ in waits])), 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000},
    )
    observed = sum(not censored for _, censored in waits)
    tied = weibull_log_likelihood(waits, observed / sum(wait for wait, _ in waits), 1.0)
    return math.exp(free.x[1]), -free.fun, tied


def dynamic_quantile(hits, var, p, lags, extra=()):
    """OLS of hit - p on a constant, lagged hits - p, VaR and further columns; b'X'Xb/(p(1-p)) and the rank."""
    demeaned = [hit - p for hit in hits]
    rows, y = [], []
    for t in range(lags, len(hits)):
        rows.append([1.0, *(demeaned[t - j] for j in range(1, lags + 1)), var[t], *(column[t] for column in extra)])
        y.append(demeaned[t])
    x, y = np.array(rows), np.array(y)
    b = np.linalg.lstsq(x, y, rcond=1e-10)[0]
    return float(b @ x.T @ x @ b / (p * (1 - p))), int(np.linalg.matrix_rank(x, tol=1e-9))


def z1(returns, var, es):
    ratios = [r / -e for r, v, e in zip(returns, var, es, strict=True) if r < -v]
    return 1 - sum(ratios) / len(ratios)


def z2(returns, var, es, p):
    total = sum(r / -e for r, v, e in zip(returns, var, es, strict=True) if r < -v)
    return 1 - total / (len(returns) * p)


def minimally_biased(returns, var, es, p):
    days = [(e - v - max(-(r + v), 0) / p) / e for r, v, e in zip(returns, var, es, strict=True)]
    return sum(days) / len(days)


def null_statistics(n, p, quantile, es, draw, n_draws, rng):
    """Z1, Z2 and the minimally biased statistic of whole simulated paths with the true VaR and ES."""
    found = {"z1": [], "z2": [], "minimally_biased": []}
    for _ in range(n_draws):
        path = draw(n, rng)
        var, shortfall = [quantile] * n, [es] * n
        if (path < -quantile).any():
            found["z1"].append(z1(path, var, shortfall))
        found["z2"].append(z2(path, var, shortfall, p))
        found["minimally_biased"].append(minimally_biased(path, var, shortfall, p))
    return {name: np.array(values) for name, values in found.items()}


def nolde_ziegel(returns, var, es, p, sd=None):
    """Statistic in the notation of the paper: q = -VaR, e = -ES."""
    rows = []
    for i, (r, v, s) in enumerate(zip(returns, var, es, strict=True)):
        q, e, hit = -v, -s, float(r < -v)
        v1, v2 = p - hit, e - q + hit * (q - r) / p
        rows.append([v1, v2] if sd is None else [v1 * (q - e) / (p * sd[i]) + v2 / sd[i]])
    columns = np.array(rows)
    mean, omega = columns.mean(axis=0), columns.T @ columns / len(columns)
    z = [math.sqrt(len(columns)) * m / math.sqrt(omega[i, i]) for i, m in enumerate(mean)]
    return float(len(columns) * mean @ np.linalg.inv(omega) @ mean), z


def du_escanciano(pit, p, lags):
    h = [(p - u) / p if u <= p else 0.0 for u in pit]
    n, mean = len(h), sum(h) / len(h)
    z = (mean - p / 2) / math.sqrt(p * (1 / 3 - p / 4) / n)
    gamma = [sum((h[t] - p / 2) * (h[t - j] - p / 2) for t in range(j, n)) / (n - j) for j in range(lags + 1)]
    return mean, z, n * sum((g / gamma[0]) ** 2 for g in gamma[1:])


def quantile_loss(returns, var, p):
    return [(p - (r < -v)) * (r + v) for r, v in zip(returns, var, strict=True)]


def fz0_loss(returns, var, es, p):
    """Patton, Ziegel and Chen (2019), in returns: q and e negative."""
    found = []
    for r, v, s in zip(returns, var, es, strict=True):
        q, e = -v, -s
        found.append(-(1 / (p * e)) * (r <= q) * (q - r) + q / e + math.log(-e) - 1)
    return found


def diebold_mariano(losses, losses_b, horizon):
    d = [a - b for a, b in zip(losses, losses_b, strict=True)]
    n, mean = len(d), sum(d) / len(d)
    gamma = [sum((d[t] - mean) * (d[t - k] - mean) for t in range(k, n)) / n for k in range(horizon)]
    variance = (gamma[0] + 2 * sum(gamma[1:])) / n
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    return mean / math.sqrt(variance) * math.sqrt(correction)


def stationary_bootstrap_days(n, block, rng):
    """Politis and Romano (1994): go on to the next day, or with probability 1/block jump anywhere."""
    days = [int(rng.integers(n))]
    while len(days) < n:
        days.append(int(rng.integers(n)) if rng.random() < 1 / block else (days[-1] + 1) % n)
    return days


def model_confidence_set(losses, block, n_bootstrap, rng):
    """Hansen, Lunde and Nason (2011), T_R: p-value by model."""
    n, m = losses.shape
    means = losses.mean(axis=0)
    boot = np.array([losses[stationary_bootstrap_days(n, block, rng)].mean(axis=0) - means for _ in range(n_bootstrap)])
    alive, found, p_value = list(range(m)), {}, 0.0
    while len(alive) > 1:
        t = {(i, j): (means[i] - means[j]) / np.sqrt(np.mean((boot[:, i] - boot[:, j]) ** 2))
             for i in alive for j in alive if i != j}  # fmt: skip
        drawn = np.max([np.abs(boot[:, i] - boot[:, j]) / np.sqrt(np.mean((boot[:, i] - boot[:, j]) ** 2))
                        for i in alive for j in alive if i < j], axis=0)  # fmt: skip
        p_value = max(p_value, float(np.mean(drawn >= max(abs(value) for value in t.values()))))
        worst = max(alive, key=lambda i: max(t[i, j] for j in alive if j != i))
        found[worst] = p_value
        alive.remove(worst)
    found[alive[0]] = 1.0
    return [found[i] for i in range(m)]


def holm(p_values):
    """Holm (1979), step by step."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for step, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - step) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def benjamini_hochberg(p_values):
    """Smallest level at which the step-up procedure rejects each hypothesis."""
    m = len(p_values)
    ranked = sorted(p_values)
    return [min(1.0, min(m * ranked[k] / (k + 1) for k in range(m) if ranked[k] >= p)) for p in p_values]


def var_wealth(hits, p, hit_odds, cluster_odds):
    """Average wealth of bettors who lay fair odds on the next hit, one day after the other."""
    wealth = [1.0] * (len(hit_odds) + len(cluster_odds))
    path, yesterday = [], False
    for hit in hits:
        for k, odds in enumerate([*hit_odds, *cluster_odds]):
            if k >= len(hit_odds) and not yesterday:
                continue
            chance = odds * p / (1 - p + odds * p)
            wealth[k] *= chance / p if hit else (1 - chance) / (1 - p)
        path.append(sum(wealth) / len(wealth))
        yesterday = hit
    return path


def es_wealth(returns, var, es, p, bets):
    wealth, path = [1.0] * len(bets), []
    for r, v, s in zip(returns, var, es, strict=True):
        e = max(-r - v, 0) / (p * (s - v))
        wealth = [w * (1 - bet + bet * e) for w, bet in zip(wealth, bets, strict=True)]
        path.append(sum(wealth) / len(wealth))
    return path


def gree_wealth(returns, var, es, p):
    """GREE of Wang, Wang and Ziegel, Taylor approximation."""
    wealth, seen, path = 1.0, [], []
    for r, v, s in zip(returns, var, es, strict=True):
        e = max(-r - v, 0) / (p * (s - v))
        squares = sum((x - 1) ** 2 for x in seen)
        bet = min(max(sum(x - 1 for x in seen) / squares, 0), 0.5) if squares else 0.0
        wealth *= 1 - bet + bet * e
        seen.append(e)
        path.append(wealth)
    return path
