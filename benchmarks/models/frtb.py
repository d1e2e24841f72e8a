"""Capital for market risk beside the rules written out pair by pair; equality first."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.stats import binom, norm

from benchmarks._bench import Row, beside, best
from riskkit import frtb
from riskkit.frtb import tables

ISSUERS, TENORS = 30, tables.CREDIT_TENORS


def rows() -> Iterator[Row]:
    """One row a charge."""
    rng = np.random.default_rng(0)
    book = {
        bucket: [
            (f"issuer {issuer}", tenor, curve, float(amount))
            for issuer in range(ISSUERS)
            for tenor, amount in zip(TENORS, rng.normal(0.0, 1e5, len(TENORS)), strict=True)
            for curve in ("bond", "CDS")[issuer % 2 :][:1]
        ]
        for bucket in (3, 4, 11)
    }
    ours = frtb.credit_delta(book)
    assert math.isclose(ours.charges["medium"], _pair_by_pair(book), rel_tol=1e-9)
    mine, other = best(lambda: frtb.credit_delta(book), lambda: _pair_by_pair(book), repeat=3)
    yield Row("credit delta, 450 factors, three scenarios", mine, other, "one scenario, pair by pair", 2.0)

    yield _vega(rng)
    yield _curvature(rng)
    yield from _defaults()
    yield _shares(rng)
    pnl = rng.standard_normal((2_500, 5))
    np.testing.assert_allclose(frtb.expected_shortfall(pnl).es, _nested(pnl), rtol=1e-12)
    mine, other = best(lambda: frtb.expected_shortfall(pnl), lambda: _nested(pnl))
    yield Row("shortfall over five horizons, 2,500 days", mine, other, "sorted sums in numpy", 0.3)


def _pair_by_pair(book: dict[int, list[tuple[str, float, str, float]]]) -> float:
    squares, sums = 0.0, []
    for bucket, positions in book.items():
        weight = tables.CREDIT_WEIGHTS[bucket]
        weighted = [(name, tenor, curve, weight * money) for name, tenor, curve, money in positions]
        square = 0.0
        for name, tenor, curve, x in weighted:
            for other, years, kind, y in weighted:
                rho = (1.0 if name == other else 0.35) * (1.0 if tenor == years else 0.65)
                square += rho * (1.0 if curve == kind else 0.999) * x * y
        squares += square
        sums.append(sum(x for *_, x in weighted))
    gamma = tables.credit_between(book)
    cross = sum(gamma[b, c] * sums[b] * sums[c] for b in range(len(sums)) for c in range(len(sums)) if b != c)
    return math.sqrt(squares + cross)


def _nested(pnl: np.ndarray) -> float:
    """Basel Framework, MAR33.4: the mean of the worst 2.5 % of the nested sums, scaled by the steps of the horizons."""
    horizons, total = (0, 10, 20, 40, 60, 120), 0.0
    count = 0.025 * len(pnl)
    whole = int(count)
    for j in range(5):
        worst = np.sort(pnl[:, j:].sum(axis=1))[: whole + 1]
        shortfall = -(worst[:whole].sum() + (count - whole) * worst[whole]) / count
        total += shortfall**2 * (horizons[j + 1] - horizons[j]) / 10.0
    return math.sqrt(total)


def _vega(rng: np.random.Generator) -> Row:
    names = [f"issuer {issuer}" for issuer in range(60)]
    book = {4: [(name, tenor, float(rng.normal(0.0, 1e5))) for name in names for tenor in tables.VEGA_MATURITIES]}

    def pair_by_pair() -> float:
        square = 0.0
        for name, years, x in book[4]:
            for other, maturity, y in book[4]:
                rho = math.exp(-0.01 * abs(years - maturity) / min(years, maturity))
                square += (1.0 if name == other else 0.35) * rho * x * y
        return math.sqrt(square)

    assert math.isclose(frtb.credit_vega(book).charges["medium"], pair_by_pair(), rel_tol=1e-9)
    mine, other = best(lambda: frtb.credit_vega(book), pair_by_pair, repeat=3)
    return Row("credit vega, 300 factors, three scenarios", mine, other, "one scenario, pair by pair", 2.0)


def _curvature(rng: np.random.Generator) -> Row:
    book = {5: {f"issuer {issuer}": tuple(rng.normal(10.0, 50.0, 2)) for issuer in range(300)}}

    def pair_by_pair() -> float:
        sides = []
        for risks in zip(*book[5].values(), strict=True):
            square = sum(max(x, 0.0) ** 2 for x in risks)
            for i, x in enumerate(risks):
                for j, y in enumerate(risks):
                    square += 0.25**2 * x * y if i != j and (x >= 0.0 or y >= 0.0) else 0.0
            sides.append(math.sqrt(max(0.0, square)))
        return max(sides)

    assert math.isclose(frtb.equity_curvature(book).charges["medium"], pair_by_pair(), rel_tol=1e-9)
    mine, other = best(lambda: frtb.equity_curvature(book), pair_by_pair, repeat=3)
    return Row("equity curvature, 300 names, three scenarios", mine, other, "one scenario, pair by pair", 2.0)


def _defaults() -> Iterator[Row]:
    """Counts of defaults by quadrature, and simulated losses of unequal issuers."""
    n, p, rho = 1_000, 0.01, 0.2
    z = np.linspace(-9.0, 9.0, 4_001)
    weights = norm.pdf(z) / norm.pdf(z).sum()

    def by_scipy() -> np.ndarray:
        given = norm.cdf((norm.ppf(p) - math.sqrt(rho) * z) / math.sqrt(1.0 - rho))
        return np.asarray(binom.pmf(np.arange(n + 1)[:, None], n, given) @ weights)

    yield beside(
        "distribution of defaults of 1,000 issuers",
        lambda: frtb.default_count_distribution(n, p, rho),
        by_scipy,
        "scipy.stats.binom, one table",
        3.0,
        rtol=1e-8,
    )
    amounts = np.linspace(1.0, 2.0, 200)

    def ours() -> float:
        draws = np.random.default_rng(1)
        return float(frtb.simulate_default_risk(amounts, p, math.sqrt(rho), 50_000, draws=draws).var)

    def year_by_year() -> float:
        draws, losses = np.random.default_rng(1), np.empty(50_000)
        for year in range(len(losses)):
            assets = math.sqrt(rho) * draws.standard_normal() + math.sqrt(1.0 - rho) * draws.standard_normal(200)
            losses[year] = amounts @ (assets < norm_threshold)
        return float(np.quantile(losses, 0.999, method="inverted_cdf"))

    norm_threshold = float(norm.ppf(p))
    assert abs(ours() - year_by_year()) < 0.15 * ours()
    mine, other = best(ours, year_by_year, repeat=2)
    yield Row("50,000 years of defaults of 200 issuers", mine, other, "numpy, year by year", 2.0)


def _shares(rng: np.random.Generator) -> Row:
    book = {bucket: rng.normal(0.0, 1e5, 60) for bucket in range(1, 11)}

    def pair_by_pair() -> float:
        squares, sums = 0.0, []
        for bucket, amounts in book.items():
            weighted = (tables.EQUITY_WEIGHTS[bucket] * amounts).tolist()
            rho = tables.EQUITY_WITHIN[bucket]
            squares += sum(
                x * y * (1.0 if i == j else rho) for i, x in enumerate(weighted) for j, y in enumerate(weighted)
            )
            sums.append(sum(weighted))
        return math.sqrt(squares + 0.15 * (sum(sums) ** 2 - sum(each * each for each in sums)))

    assert math.isclose(frtb.equity_delta(book).charges["medium"], pair_by_pair(), rel_tol=1e-9)
    mine, other = best(lambda: frtb.equity_delta(book), pair_by_pair, repeat=3)
    return Row("equity delta, 600 shares, three scenarios", mine, other, "one scenario, pair by pair", 2.0)
