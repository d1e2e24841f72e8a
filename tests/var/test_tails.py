"""Tail diagnostics: slow twins, known laws, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import genextreme, genpareto, multivariate_t

import riskkit as rk
from riskkit._check import InputError
from riskkit.var import tails

RETURNS = 0.01 * np.random.default_rng(6).standard_t(4, 2000)
DAYS = pd.bdate_range("2015-01-01", periods=len(RETURNS))


def test_hill_and_mean_excess_by_loops():
    ranked = sorted(-RETURNS, reverse=True)
    for count, row in tails.hill(RETURNS, [5, 80]).iterrows():
        logs = [math.log(loss / ranked[count]) for loss in ranked[:count]]
        assert row["shape"] == pytest.approx(sum(logs) / count) and row["threshold"] == ranked[count]
    table = tails.mean_excess(RETURNS)
    assert table["n_excesses"].iloc[-1] >= 10 and len(table) > 900
    threshold = table.index[700]
    over = [loss - threshold for loss in ranked if loss > threshold]
    assert table["mean_excess"].iloc[700] == pytest.approx(sum(over) / len(over))
    assert list(tails.hill(RETURNS).index[[0, -1]]) == [10, 200]


def test_a_pareto_tail_is_found_and_stays_the_same_over_higher_thresholds():
    losses = genpareto.isf((np.arange(20_000) + 0.5) / 20_000, 0.25, scale=0.01)
    table = tails.threshold_stability(-losses, [0.0, 0.01, 0.02])
    assert table["shape"].to_numpy() == pytest.approx(0.25, abs=0.01)
    assert table["modified_scale"].to_numpy() == pytest.approx(0.01, rel=0.05)
    slope = np.diff(tails.mean_excess(-losses, [0.01, 0.02])["mean_excess"])[0] / 0.01
    assert slope == pytest.approx(0.25 / 0.75, rel=0.05)
    assert len(tails.threshold_stability(RETURNS)) == 20


@pytest.mark.parametrize("quantity", ["var", "es", "shape"])
def test_at_the_ends_of_an_interval_the_likelihood_has_fallen_by_half_the_quantile(quantity):
    threshold, p = 0.015, 0.01
    found = tails.tail_interval(RETURNS, 0.99, threshold=threshold, quantity=quantity, coverage=0.9)
    excesses = (losses := -RETURNS)[losses > threshold] - threshold
    share = p * len(losses) / len(excesses)
    top = rk.var.parametric.fit_gpd(excesses).log_likelihood

    def scale_of(value, shape):
        beyond = math.expm1(-shape * math.log(share)) / shape
        return (value - threshold) / (beyond if quantity == "var" else (beyond + 1.0) / (1.0 - shape))

    def height(shape, scale):
        inside = np.maximum(1.0 + shape * excesses / scale, 1e-300)
        return -len(excesses) * math.log(scale) - (1.0 + 1.0 / shape) * np.log(inside).sum()

    for end in (found.low, found.high):
        if quantity == "shape":
            heights = [height(end, scale) for scale in np.linspace(0.003, 0.015, 1500)]
        else:
            heights = [height(shape, scale_of(end, shape)) for shape in np.linspace(-0.4001, 0.9, 1500)]
        assert top - max(heights) == pytest.approx(0.5 * 2.705543, abs=0.002)
    assert found.low < found.estimate < found.high
    if quantity != "shape":
        fitted = rk.var.evt(RETURNS, 0.99, threshold=threshold)
        assert found.estimate == pytest.approx(getattr(fitted, quantity))
        assert found.high - found.estimate > found.estimate - found.low


def test_an_interval_without_an_end_is_infinite_and_a_heavy_tail_has_no_shortfall():
    few = [-0.01, -0.02, -0.03, -0.05, -0.3, -0.04, *[0.0] * 50]
    assert tails.tail_interval(few, 0.95, threshold=0.005, quantity="shape", coverage=0.9999).low == -1.0
    heavy = -(np.arange(1, 101.0) ** -2.0)
    with pytest.raises(InputError, match="from 1 on there is no expected shortfall"):
        tails.tail_interval(heavy, threshold=0.0005)


@given(st.lists(st.booleans(), min_size=4, max_size=60), st.integers(1, 6))
def test_clusters_by_a_loop(hits, run):
    returns = np.where(hits, -1.0 - np.arange(len(hits)) / 100.0, 0.0)
    if sum(hits) < 2:
        return
    clusters, last = [], None
    for day, hit in enumerate(hits):
        if hit:
            if last is None or day - last > run:
                clusters.append([])
            clusters[-1].append(day)
            last = day
    table = tails.decluster(returns, 0.5, run)
    assert table["first"].tolist() == [days[0] for days in clusters]
    assert table["last"].tolist() == [days[-1] for days in clusters]
    assert table["n_losses"].tolist() == [len(days) for days in clusters]
    assert table["largest"].tolist() == pytest.approx([max(-returns[days]) for days in clusters])
    assert table["total"].tolist() == pytest.approx([sum(-returns[days]) for days in clusters])
    assert tails.extremal_index(returns, 0.5, run) == pytest.approx(len(clusters) / sum(hits))
    assert 0.0 < tails.extremal_index(returns, 0.5) <= 1.0


def test_independent_losses_do_not_cluster_and_moving_maxima_do():
    noise = np.random.default_rng(1).pareto(3.0, 20_001)
    doubled = np.maximum(noise[1:], noise[:-1])  # each large loss comes twice
    assert tails.extremal_index(-noise, 2.0) == pytest.approx(1.0, abs=0.1)
    assert tails.extremal_index(-doubled, 2.0) == pytest.approx(0.5, abs=0.06)
    assert tails.decluster(pd.Series(RETURNS, DAYS), 0.03, 5)["first"].isin(DAYS).all()


def test_block_maxima_against_scipy():
    fit = tails.block_maxima(RETURNS, 20)
    maxima = (-RETURNS).reshape(-1, 20).max(axis=1)
    shape, location, scale = genextreme.fit(100.0 * maxima, -0.2)
    theirs = genextreme.logpdf(100.0 * maxima, shape, location, scale).sum() + len(maxima) * math.log(100.0)
    assert fit.log_likelihood >= theirs - 1e-6
    level = fit.return_level(50.0)
    assert genextreme.sf(level, -fit.shape, fit.location, fit.scale) == pytest.approx(1.0 / 50.0)


def test_tail_dependence_counts_and_limits():
    both = np.column_stack([RETURNS, RETURNS])
    assert tails.tail_dependence(both, 0.9)["chi"].iloc[0] == pytest.approx(1.0)
    against = tails.tail_dependence(np.column_stack([RETURNS, -RETURNS]), 0.9).iloc[0]
    assert against["chi"] == 0.0 and against["chi_bar"] == -1.0
    assert len(tails.tail_dependence(both)) == 19
    limit = tails.t_tail_dependence(0.4, 3.0)
    finite = [tails.t_tail_dependence(0.4, 3.0, confidence=level) for level in (0.9, 0.99, 0.9999)]
    assert finite == sorted(finite, reverse=True) and finite[-1] == pytest.approx(limit, abs=0.02)
    assert tails.t_tail_dependence(0.5, 1e6) < 1e-3


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gaussian", {"correlation": -0.3}),
        ("t", {"correlation": 0.5, "df": 4.0}),
        ("clayton", {"dependence": 0.8}),
        ("gumbel", {"dependence": 1.4}),
    ],
)
def test_a_copula_density_integrates_to_the_mass_of_a_box(name, options):
    def density(v, u):
        return math.exp(tails.copula_log_density([[u, v]], name, **options)[0])

    nodes, weights = np.polynomial.legendre.leggauss(24)
    ends = (0.2, 0.7)
    points = 0.5 * (ends[0] + ends[1]) + 0.25 * nodes
    mass = sum(
        0.0625 * a * b * density(v, u)
        for u, a in zip(points, weights, strict=True)
        for v, b in zip(points, weights, strict=True)
    )

    def distribution(u, v):
        if name == "clayton":
            return (u ** -options["dependence"] + v ** -options["dependence"] - 1.0) ** (-1.0 / options["dependence"])
        if name == "gumbel":
            theta = options["dependence"]
            return math.exp(-(((-math.log(u)) ** theta + (-math.log(v)) ** theta) ** (1.0 / theta)))
        from scipy.stats import norm, t

        rho = options["correlation"]
        if name == "gaussian":
            from scipy.stats import multivariate_normal

            return multivariate_normal.cdf([norm.ppf(u), norm.ppf(v)], cov=[[1.0, rho], [rho, 1.0]])
        law = multivariate_t(shape=[[1.0, rho], [rho, 1.0]], df=options["df"], seed=1)
        return law.cdf([t.ppf(u, options["df"]), t.ppf(v, options["df"])], maxpts=40_000, random_state=1)

    box = distribution(0.7, 0.7) - distribution(0.7, 0.2) - distribution(0.2, 0.7) + distribution(0.2, 0.2)
    assert mass == pytest.approx(box, rel=2e-3)


def test_shocks_with_a_pareto_tail_are_the_two_steps_by_hand():
    risk = rk.var.filtered_historical(RETURNS, 0.99, tail_fraction=0.1)
    sigma = np.sqrt([rk.covariance.ewma_initial(RETURNS)])
    for value in RETURNS:
        sigma = np.append(sigma, math.sqrt(0.94 * sigma[-1] ** 2 + 0.06 * value**2))
    shocks = rk.var.evt(RETURNS / sigma[:-1], 0.99)
    assert risk.parameters["next_volatility"] == pytest.approx(sigma[-1])
    assert risk.var == pytest.approx(sigma[-1] * shocks.var) and risk.es == pytest.approx(sigma[-1] * shocks.es)
    assert "EVT" in repr(risk)
    rolled = rk.rolling_var(RETURNS[:420], 400, method="filtered_historical", tail_fraction=0.1, confidence=0.99)
    assert np.isfinite(np.asarray(rolled.var)[400:]).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tails.hill(RETURNS, 1500), "n_worst=1500 needs as many losses"),
        (lambda: tails.hill([-1.0] * 20, 5), "are all equal"),
        (lambda: tails.mean_excess(RETURNS, [1.0]), "which 0 losses are over"),
        (lambda: tails.threshold_stability(RETURNS, [1.0]), "0 losses over the threshold 1"),
        (lambda: tails.extremal_index(RETURNS, 1.0), "0 losses over the threshold 1"),
        (lambda: tails.decluster(RETURNS, 1.0, 2), "no loss over the threshold 1"),
        (lambda: tails.block_maxima(RETURNS, 1000), "2 full blocks of 1000"),
        (lambda: tails.block_maxima(np.full(100, -1.0), 10), "are all equal"),
        (lambda: tails.block_maxima(RETURNS, 20).return_level(1.0), "blocks=1 is not above 1"),
        (lambda: tails.tail_dependence(RETURNS), "of two series"),
        (lambda: tails.tail_dependence(np.column_stack([RETURNS, RETURNS]), 0.9999), "leaves none of 2000"),
        (lambda: tails.t_tail_dependence(1.0, 4.0), "is not between -1 and 1"),
        (lambda: tails.archimedean_tail_dependence("gumbel", 0.5), "dependence=0.5 is below 1"),
        (lambda: tails.copula_log_density([[0.1, 1.0]]), "give \\(n, 2\\) between 0 and 1"),
        (lambda: tails.copula_log_density([[0.1, 0.2]]), "copula='gaussian' needs correlation"),
        (lambda: tails.copula_log_density([[0.1, 0.2]], correlation=2.0), "is not between -1 and 1"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_joint_tails_by_a_loop_and_at_both_ends():
    rng = np.random.default_rng(5)
    table = pd.DataFrame(rng.standard_t(3, (300, 1)) + rng.standard_t(3, (300, 4)), columns=list("abcd"))
    found = tails.joint_tails(table, 0.9)
    worst = {name: set(table[name].nsmallest(30).index) for name in table}
    for one in table:
        for other in table:
            assert found.chi.loc[one, other] == pytest.approx(len(worst[one] & worst[other]) / 30)
    numbers = [sum(day in days for days in worst.values()) for day in table.index]
    assert found.n_together.tolist() == [numbers.count(k) for k in range(5)]
    assert found.expected_number == pytest.approx(np.mean([number for number in numbers if number]))
    pair = tails.tail_dependence(table[["a", "b"]], 0.9)
    assert found.chi.loc["a", "b"] == pytest.approx(pair["chi"].iloc[0])
    same = tails.joint_tails(table[["a", "a", "a"]].to_numpy(), 0.9)
    assert same.expected_number == 3.0 and (same.chi == 1.0).all()
    alone = tails.joint_tails(rng.standard_normal((20_000, 4)), 0.9)
    assert alone.expected_number == pytest.approx(4 * 0.1 / (1.0 - 0.9**4), abs=0.02)
