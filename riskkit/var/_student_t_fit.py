"""Maximum likelihood of a Student t: of columns, and of every rolling window from the fit of the window before."""

from __future__ import annotations

import math

import numpy as np

from riskkit._check import InputError
from riskkit._docs import counted
from riskkit._jit import kernel

LARGEST_DF = 10_000.0
"""Upper bound of a fit, reached by samples whose tails are not heavier than normal."""
SMALLEST_DF = 0.5
"""Lower bound of a fit; below, the likelihood is unbounded around a value that a third of the sample shares."""
MANY_EQUAL = 20
"""One in so many equal returns of a window are many."""
MOST_STEPS = 12
"""Of Newton from the parameters of the window before; it takes three, and a window that needs more is fitted anew."""


def fit_columns(table: np.ndarray) -> np.ndarray:
    """Location, scale and degrees of freedom of each column: (3, n_series)."""
    rows = np.require(table.T, requirements=["C", "W"])
    if rows.shape[1] < 3:
        raise InputError(f"returns has {counted(rows.shape[1], 'observation')}; a Student t fit needs at least 3")
    if _share(rows, -(-rows.shape[1] // 3)).any():
        raise InputError("a third or more of the returns are equal; the likelihood of a Student t then has no maximum")
    middle = np.median(rows, axis=1)
    unit = np.percentile(np.abs(rows - middle[:, None]), 75, axis=1)
    out = np.empty((3, len(rows)))
    fit_rows((rows - middle[:, None]) / unit[:, None], out)
    out[0], out[1] = middle + unit * out[0], unit * out[1]
    return out


def fit_windows(table: np.ndarray, window: int) -> np.ndarray:
    """The same of every window of rows of each column: (3, n_windows, n_series), NaN where a window has no fit.

    Equal returns give the likelihood a second maximum: windows with many are fitted without regard to their neighbours.
    """
    out = np.full((3, table.shape[1], len(table) - window + 1), np.nan)
    for j, line in enumerate(np.array(table.T, order="C")):
        views = np.lib.stride_tricks.sliding_window_view(line, window)
        least = max(2, window // MANY_EQUAL)
        many = np.unique(line, return_counts=True)[1].max() >= least
        alone = _share(views, least) if many else np.zeros(len(views), dtype=bool)
        first = 0
        while first < len(views):
            try:
                out[:, j, first] = fit_columns(views[first][:, None])[:, 0]
                first = follow(line, window, first, alone, out[:, j])
            except InputError:
                pass
            first += 1
    return out.swapaxes(1, 2)


def _share(rows: np.ndarray, least: int) -> np.ndarray:
    """True for rows of which at least so many numbers are equal."""
    ordered = np.sort(rows, axis=1)
    return np.any(ordered[:, least - 1 :] == ordered[:, : rows.shape[1] - least + 1], axis=1)


@kernel
def fit_rows(rows: np.ndarray, out: np.ndarray) -> None:
    """Fit each row of standardized returns; write location, scale and degrees of freedom into the rows of `out`."""
    for j in range(rows.shape[0]):
        out[0, j], out[1, j], out[2, j] = fit_student_t(rows[j])


@kernel
def fit_student_t(x: np.ndarray) -> tuple[float, float, float]:
    """Solve for a zero derivative of the profile likelihood in log df, by the Illinois variant of false position."""
    location, scale, low, high = 0.0, 1.0, math.log(SMALLEST_DF), math.log(LARGEST_DF)
    slope_low, location, scale = profile_slope(x, low, location, scale)
    if slope_low <= 0.0:
        return location, scale, SMALLEST_DF
    slope_high, location, scale = profile_slope(x, high, location, scale)
    if slope_high >= 0.0:
        return location, scale, LARGEST_DF
    log_df, last = low, 0.0
    for _ in range(200):
        log_df = low + (high - low) * slope_low / (slope_low - slope_high)
        slope, location, scale = profile_slope(x, log_df, location, scale)
        if slope > 0.0:
            low, slope_low = log_df, slope
            slope_high *= 0.5 if last > 0.0 else 1.0
        else:
            high, slope_high = log_df, slope
            slope_low *= 0.5 if last < 0.0 else 1.0
        last = slope
        if high - low < 1e-10 or abs(slope) < 1e-13:
            break
    return location, scale, math.exp(log_df)


@kernel
def profile_slope(x: np.ndarray, log_df: float, location: float, scale: float) -> tuple[float, float, float]:
    """Derivative of the mean log-likelihood in log df, at the best location and scale for that df."""
    df, n = math.exp(log_df), x.size
    for _ in range(2000):
        total, first, second, curved, crossed, bent = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(n):
            z = (x[i] - location) / scale
            square = z * z
            weight = 1.0 / (df + square)
            total += weight
            first += weight * z
            second += weight * square
            curved += weight * weight * (df - square)
            crossed += weight * weight * z
            bent += weight * weight * square
        # EM, with the sum of weights in place of n: slow, but every step increases the likelihood
        step = first / total
        growth = math.sqrt(second / total - step * step)
        # Newton in location/scale and log scale, near the maximum
        determinant = curved * 2.0 * df * bent - (2.0 * df * crossed) ** 2
        if curved > 0.0 and determinant > 0.0 and abs(step) + abs(growth - 1.0) < 0.3:
            gap = second - n / (df + 1.0)
            across = (2.0 * df * bent * first - 2.0 * df * crossed * gap) / determinant
            along = (curved * gap - 2.0 * df * crossed * first) / determinant
            if abs(across) < 1.0 and abs(along) < 1.0:
                step, growth = across, math.exp(along)
        location, scale = location + step * scale, scale * growth
        if abs(step) + abs(growth - 1.0) < 1e-11:
            break
    slope = 0.0
    for i in range(n):
        ratio = ((x[i] - location) / scale) ** 2 / df
        slope += 0.5 * (df + 1.0) * ratio / (df * (1.0 + ratio)) - 0.5 * math.log1p(ratio)
    constant = 0.5 * (digamma(0.5 * (df + 1.0)) - digamma(0.5 * df) - 1.0 / df)
    return df * (slope / n + constant), location, scale


@kernel
def digamma(x: float) -> float:
    """ψ(x) for x > 0: recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.5, 6.3.18)."""
    below = 0.0
    while x < 10.0:
        below += 1.0 / x
        x += 1.0
    r = 1.0 / (x * x)
    series = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - r * 691 / 32760)))))
    return math.log(x) - 0.5 / x - series - below


@kernel
def follow(line: np.ndarray, window: int, first: int, alone: np.ndarray, out: np.ndarray) -> int:
    """Fit the windows after `first` by Newton's method, each from the one before; return the last that was fitted."""
    for w in range(first + 1, out.shape[1]):
        if alone[w]:
            return w - 1
        location, scale, df = newton(line[w : w + window], out[0, w - 1], out[1, w - 1], out[2, w - 1])
        if not df > 0.0:
            return w - 1
        out[0, w], out[1, w], out[2, w] = location, scale, df
    return out.shape[1] - 1


@kernel
def newton(x: np.ndarray, location: float, scale: float, df: float) -> tuple[float, float, float]:
    """Maximise the likelihood in location/scale, log scale and log df; a df of -1 if it is not concave on the way.

    a, b, c are the derivatives; aa, ab, ... the second ones, all of the mean log-likelihood.
    """
    n = x.size
    for _ in range(MOST_STEPS):
        a, b, c, aa, ab, bb, ac, bc, cc = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(n):
            z = (x[i] - location) / scale
            q = z * z
            w = 1.0 / (df + q)
            u = w * w
            a += w * z
            b += w * q
            c += math.log1p(q / df)
            aa += u * (df - q)
            ab += u * z
            bb += u * q
            ac += u * z * (q - 1.0)
            bc += u * q * (q - 1.0)
            cc += q * (df / w - (df + 1.0) * (2.0 * df + q)) * u
        constant = 0.5 * (digamma(0.5 * (df + 1.0)) - digamma(0.5 * df) - 1.0 / df)
        bend = 0.25 * (trigamma(0.5 * (df + 1.0)) - trigamma(0.5 * df)) + 0.5 / (df * df)
        c = df * constant + 0.5 * ((df + 1.0) * b - df * c) / n
        cc = c + df * df * bend + 0.5 * (df * b + cc) / n
        a, b = (df + 1.0) * a / n, (df + 1.0) * b / n - 1.0
        aa, bb = (df + 1.0) * aa / n, 2.0 * (df + 1.0) * df * bb / n
        ab, ac, bc = 2.0 * (df + 1.0) * df * ab / n, -df * ac / n, -df * bc / n
        # minus the second derivatives, by their Cholesky factors
        if aa <= 0.0:
            return location, scale, -1.0
        bb -= ab * ab / aa
        bc -= ab * ac / aa
        if bb <= 0.0:
            return location, scale, -1.0
        cc = -cc - ac * ac / aa - bc * bc / bb
        if cc <= 0.0:
            return location, scale, -1.0
        b -= ab * a / aa
        c -= ac * a / aa + bc * b / bb
        c /= cc
        b = (b - bc * c) / bb
        a = (a - ab * b - ac * c) / aa
        if abs(a) > 0.5 or abs(b) > 0.5 or abs(c) > 1.0:
            return location, scale, -1.0
        location, scale, df = location + scale * a, scale * math.exp(b), df * math.exp(c)
        if df <= SMALLEST_DF or df >= LARGEST_DF:
            return location, scale, -1.0
        if abs(a) + abs(b) + abs(c) < 1e-9:  # the next step would be of the square of this one
            return location, scale, df
    return location, scale, -1.0


@kernel
def trigamma(x: float) -> float:
    """ψ'(x) for x > 0: recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.4.6, 6.4.12)."""
    below = 0.0
    while x < 10.0:
        below += 1.0 / (x * x)
        x += 1.0
    r = 1.0 / (x * x)
    series = r * (1 / 6 - r * (1 / 30 - r * (1 / 42 - r * (1 / 30 - r * (5 / 66 - r * 691 / 2730)))))
    return below + 1.0 / x + 0.5 * r + series / x
