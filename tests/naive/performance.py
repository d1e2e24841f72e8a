"""Slow plain twins of riskkit.performance, written from the definitions."""

import math
import statistics


def wealth_of(values, of):
    """The levels of wealth, its start included where the values are returns."""
    if of == "prices":
        return list(values)
    levels = [1.0]
    for r in values:
        levels.append(levels[-1] * (1 + r) if of == "returns" else levels[-1] + r)
    return levels


def drawdown_path(values, of="returns"):
    levels = wealth_of(values, of)
    path = [1 - levels[t] / max(levels[: t + 1]) for t in range(len(levels))]
    return path if of == "prices" else path[1:]


def conditional_drawdown_at_risk(path, confidence):
    """Rockafellar and Uryasev: the minimum over a of a + mean of (drawdown - a)+ / (1 - c) lies at a drawdown."""
    n = len(path)
    return min(a + sum(max(d - a, 0.0) for d in path) / n / (1 - confidence) for a in path)


def drawdowns(path):
    """(start, trough, end or None, depth) by walking through the periods, rounding left to the caller."""
    found, start = [], None
    for t, fall in enumerate(path):
        if fall > 0 and start is None:
            start, trough = t, t
        if start is not None and fall > path[trough]:
            trough = t
        if start is not None and fall <= 0:
            found.append((start, trough, t, path[trough]))
            start = None
    if start is not None:
        found.append((start, trough, None, path[trough]))
    return found


def annualised_return(returns, periods):
    final = wealth_of(returns, "returns")[-1]
    return final ** (periods / len(returns)) - 1


def sharpe(returns):
    return statistics.mean(returns) / statistics.stdev(returns)


def lo_sharpe(returns, periods):
    """Sharpe ratio of a year, its variance the sum of all autocovariances of its periods (lags the sample has)."""
    n, mean = len(returns), statistics.mean(returns)

    def correlation(lag):
        if lag >= n:
            return 0.0
        top = sum((returns[t] - mean) * (returns[t - lag] - mean) for t in range(lag, n))
        return top / sum((r - mean) ** 2 for r in returns)

    variance = sum(correlation(abs(i - j)) for i in range(periods) for j in range(periods))
    return periods * sharpe(returns) / math.sqrt(variance)


def downside_deviation(returns, threshold, divisor):
    below = [threshold - r for r in returns if r < threshold]
    count = len(returns) if divisor == "all" else len(below)
    return math.sqrt(sum(x * x for x in below) / count)


def omega(returns, threshold):
    return sum(r - threshold for r in returns if r > threshold) / sum(threshold - r for r in returns if r < threshold)


def longest_run(flags):
    best = now = 0
    for flag in flags:
        now = now + 1 if flag else 0
        best = max(best, now)
    return best
