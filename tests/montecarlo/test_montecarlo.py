import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import montecarlo as naive
from scipy import stats

from riskkit import montecarlo
from riskkit._check import InputError
from riskkit.attribution import portfolio
from riskkit.montecarlo.draws import BLOCK, source_of
from riskkit.montecarlo.engine.estimate import plain_estimate
from riskkit.montecarlo.engine.tail import Tail
from riskkit.montecarlo.models.return_model import matrix_root
from riskkit.pnl import DeltaGamma
from riskkit.var.historical_simulation import historical

ASSETS = list("ABC")
CORRELATION = np.array([[1.0, 0.5, -0.3], [0.5, 1.0, 0.1], [-0.3, 0.1, 1.0]])
VOLATILITY = np.array([0.01, 0.02, 0.015])
COVARIANCE = CORRELATION * np.outer(VOLATILITY, VOLATILITY)
TABLE = pd.DataFrame(COVARIANCE, index=ASSETS, columns=ASSETS)
MEAN = np.array([0.001, 0.0, -0.002])
BOOK = np.array([1000.0, -400.0, 300.0])
HISTORY = np.random.default_rng(9).standard_t(4, (60, 3)) * 0.01 @ np.linalg.cholesky(CORRELATION).T
FRAME = pd.DataFrame(HISTORY, columns=ASSETS)

MODELS = {
    "normal": montecarlo.NormalReturns(TABLE, MEAN),
    "student t": montecarlo.StudentTReturns(TABLE, 5.0, MEAN),
    "gaussian copula": montecarlo.GaussianCopula(FRAME),
    "t copula": montecarlo.StudentTCopula(FRAME, 4.0),
    "stationary bootstrap": montecarlo.BlockBootstrap(FRAME, horizon=5, block=3.5),
    "circular bootstrap": montecarlo.BlockBootstrap(FRAME, horizon=5, block=2, kind="circular"),
    "geometric Brownian motion": montecarlo.GeometricBrownianMotion(
        VOLATILITY, MEAN, CORRELATION, horizon=2.0, steps=2
    ),
    "jump diffusion": montecarlo.JumpDiffusion(VOLATILITY, 0.5, -0.02, 0.01, MEAN, CORRELATION, horizon=2.0, steps=2),
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())


def rng(seed=1):
    return np.random.default_rng(seed)


# the promises every model keeps


@every_model
def test_the_numbers_do_not_depend_on_the_chunks(model):
    def run(chunk_size):
        return montecarlo.simulate_risk(
            model, BOOK, 30_001, draws=rng(), confidence=[0.95, 0.99], chunk_size=chunk_size
        )

    first = run(1)
    for chunk_size in (BLOCK + 1, 3 * BLOCK, 100_000):
        np.testing.assert_array_equal(run(chunk_size).path, first.path)
    assert repr(run(9_000)) == repr(first)


@every_model
def test_a_run_is_the_sample_that_the_same_seed_gives(model):
    scenarios = model.sample(20_000, rng(3))
    pnl = np.asarray(scenarios) @ BOOK
    risk = montecarlo.simulate_risk(model, BOOK, 20_000, draws=rng(3), confidence=0.95)
    assert risk.var == pytest.approx(historical(pnl, 0.95).var, rel=1e-10)
    assert risk.es == pytest.approx(historical(pnl, 0.95).es, rel=1e-10)
    assert risk.mean == pytest.approx(pnl.mean(), abs=1e-9)
    assert risk.volatility == pytest.approx(pnl.std(ddof=1), rel=1e-9)
    revalued = montecarlo.simulate_risk(
        model, lambda moves: np.asarray(moves) @ BOOK, 20_000, draws=rng(3), confidence=0.95
    )
    assert revalued.es == pytest.approx(risk.es, rel=1e-10)


@every_model
def test_the_same_seed_gives_the_same_and_a_used_one_goes_on(model):
    generator = rng(4)
    one, other = model.sample(50, generator), model.sample(50, generator)
    np.testing.assert_array_equal(one, model.sample(50, rng(4)))
    assert not np.array_equal(one, other)


@every_model
def test_draws_may_be_given(model):
    needs = model.needs
    given_draws = np.hstack(
        [rng().normal(size=(40, needs.normals)), rng(2).uniform(size=(40, needs.columns - needs.normals))]
    )
    scenarios = model.sample(None, given_draws)
    assert scenarios.shape == (40, 3)
    np.testing.assert_array_equal(scenarios[:7], model.sample(7, given_draws))
    risk = montecarlo.simulate_risk(model, BOOK, draws=given_draws, confidence=0.9)
    assert risk.n_scenarios == 40
    assert risk.var == pytest.approx(historical(scenarios @ BOOK, 0.9).var, rel=1e-10)
    with pytest.raises(InputError, match="the model needs"):
        model.sample(None, np.full((5, needs.columns + 1), 0.5))
    with pytest.raises(InputError, match="enough for 40"):
        model.sample(41, given_draws)


@every_model
def test_sobol_points_and_mirrored_pairs_agree_with_plain_draws(model):
    plain = montecarlo.simulate_risk(model, BOOK, 2**16, draws=rng(5), confidence=0.95)
    for other in (
        montecarlo.simulate_risk(model, BOOK, 2**16, draws=montecarlo.SobolDraws(rng(6)), confidence=0.95),
        montecarlo.simulate_risk(model, BOOK, 2**16, draws=rng(7), confidence=0.95, antithetic=True),
    ):
        for name in ("var", "es"):
            error = math.hypot(getattr(plain, f"{name}_standard_error"), getattr(other, f"{name}_standard_error"))
            assert abs(getattr(plain, name) - getattr(other, name)) < 4.5 * error


@every_model
def test_laws_print_and_label(model):
    assert model.n_assets == 3
    assert "assets" in repr(model)
    assert repr(model) in repr(model) and "0x" not in repr(model)
    if not isinstance(model, (montecarlo.GeometricBrownianMotion, montecarlo.JumpDiffusion)):
        assert list(model.sample(3, rng()).columns) == ASSETS


# models


def test_roots_reproduce_the_matrix_and_put_the_largest_first():
    root = matrix_root(COVARIANCE)
    np.testing.assert_allclose(root @ root.T, COVARIANCE, atol=1e-18)
    assert (np.diff((root**2).sum(axis=0)) < 0.0).all()
    np.testing.assert_array_equal(matrix_root(np.eye(3)), np.eye(3))
    singular = np.ones((3, 3))
    np.testing.assert_allclose(matrix_root(singular) @ matrix_root(singular).T, singular, atol=1e-14)
    with pytest.raises(InputError, match="not a covariance matrix"):
        montecarlo.NormalReturns([[1.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize("name", ["normal", "student t"])
def test_elliptical_laws_have_the_moments_asked_for(name):
    scenarios = np.asarray(MODELS[name].sample(400_000, rng(8)))
    tolerance = 5.0 * VOLATILITY / math.sqrt(400_000)
    assert (np.abs(scenarios.mean(axis=0) - MEAN) < tolerance).all()
    np.testing.assert_allclose(np.cov(scenarios.T), COVARIANCE, atol=0.02 * COVARIANCE.max())


def test_student_t_is_what_its_draws_say():
    model = montecarlo.StudentTReturns(COVARIANCE, 5.0, MEAN)
    normals, level = rng().normal(size=(4, 3)), np.array([[0.1], [0.5], [0.9], [0.999]])
    chi_squares = stats.chi2(5.0).ppf(level)
    expected = normals @ model.root.T * np.sqrt(3.0 / chi_squares) + MEAN
    np.testing.assert_allclose(model.sample(None, np.hstack([normals, level])), expected, rtol=1e-10)
    for nu in (2.0, -1.0, np.nan):
        with pytest.raises(InputError, match="df"):
            montecarlo.StudentTReturns(COVARIANCE, nu)


@pytest.mark.parametrize("name", ["normal", "student t"])
def test_linear_books_meet_their_closed_form(name):
    model = MODELS[name]
    nu = getattr(model, "df", None)
    exact = (
        portfolio(BOOK, COVARIANCE, 0.99, mean=MEAN, df=nu),
        portfolio(BOOK, COVARIANCE, 0.99, mean=MEAN, df=nu, measure="es"),
    )
    assert model.linear_risk(BOOK, 0.99) == pytest.approx(exact)
    for risk in (
        montecarlo.simulate_risk(model, pd.Series(BOOK, index=ASSETS)[::-1], 300_000, draws=rng(2)),
        montecarlo.simulate_risk(model.project(BOOK), [1.0], 300_000, draws=rng(3)),
        montecarlo.simulate_risk(model.project(BOOK), [1.0], 2**18, draws=montecarlo.SobolDraws(rng(3))),
    ):
        assert abs(risk.var - exact[0]) < 4.0 * risk.var_standard_error
        assert abs(risk.es - exact[1]) < 4.0 * risk.es_standard_error
    assert risk.var_standard_error < 0.002 * risk.var  # in one dimension, Sobol points are very even


@pytest.mark.parametrize("nu", [None, 3.0])
def test_copulas_against_plain(nu):
    model = (
        montecarlo.GaussianCopula(FRAME, CORRELATION)
        if nu is None
        else montecarlo.StudentTCopula(FRAME, nu, CORRELATION)
    )
    normals, uniforms = rng(1).normal(size=(200, 3)), rng(2).uniform(0.01, 0.99, size=(200, 1))
    draws = normals if nu is None else np.hstack([normals, uniforms])
    chi_squares = np.ones(200) if nu is None else stats.chi2(nu).ppf(uniforms[:, 0])
    expected = naive.copula_returns(HISTORY, model.root, normals, chi_squares, nu)
    np.testing.assert_array_equal(model.sample(None, draws), expected)


def test_copulas_keep_margins_and_dependence():
    history = montecarlo.StudentTReturns(COVARIANCE, 4.0).sample(3_000, rng(1))
    gaussian, student = montecarlo.GaussianCopula(history), montecarlo.StudentTCopula(history)
    np.testing.assert_allclose(student.matrix, CORRELATION, atol=0.06)
    np.testing.assert_allclose(gaussian.matrix, CORRELATION, atol=0.06)
    assert 3.0 < student.df < 5.5
    together = {}
    for model in (gaussian, student):
        scenarios = model.sample(200_000, rng(2))
        for level in (0.01, 0.5, 0.99):
            np.testing.assert_allclose(
                np.quantile(scenarios, level, axis=0), np.quantile(history, level, axis=0), rtol=0.08, atol=3e-4
            )
        low = scenarios[:, :2] < np.quantile(history[:, :2], 0.01, axis=0)
        together[model] = low.all(axis=1).mean()
    observed = (history[:, :2] < np.quantile(history[:, :2], 0.01, axis=0)).all(axis=1).mean()
    assert together[student] > 1.3 * together[gaussian]  # joint extremes are what the t copula is for
    assert abs(together[student] - observed) < abs(together[gaussian] - observed)


def test_copulas_refuse_what_they_cannot_use():
    for copula in (montecarlo.GaussianCopula, montecarlo.StudentTCopula):
        with pytest.raises(InputError, match="nan"):
            copula(np.full((5, 2), np.nan))
        with pytest.raises(InputError, match="diagonal that is not 1"):
            copula(FRAME, correlation=COVARIANCE)
        with pytest.raises(InputError, match="shape"):
            copula(FRAME, correlation=np.eye(2))
    with pytest.raises(InputError, match="df"):
        montecarlo.StudentTCopula(FRAME, 0.0)
    with pytest.raises(InputError, match="one asset"):
        montecarlo.StudentTCopula(HISTORY[:, 0]).sample(3, rng())
    with pytest.raises(InputError, match="singular"):
        montecarlo.StudentTCopula(np.column_stack([HISTORY[:, 0], HISTORY[:, 0]])).sample(3, rng())
    assert montecarlo.GaussianCopula(HISTORY[:, 0]).sample(5, rng()).shape == (5, 1)


@pytest.mark.parametrize("horizon", [1, 4, 7])
def test_bootstrap_against_plain(horizon):
    for model, days in (
        (montecarlo.BlockBootstrap(HISTORY, horizon, 2.5), naive.stationary_days),
        (montecarlo.BlockBootstrap(HISTORY, horizon, 3, "circular"), naive.circular_days),
    ):
        uniforms = rng(horizon).uniform(size=(50, model.needs.uniforms))
        chosen = days(uniforms, 60, horizon, model.block)
        expected = np.array([np.prod(1.0 + HISTORY[row], axis=0) - 1.0 for row in chosen])
        np.testing.assert_allclose(model.sample(None, uniforms), expected, rtol=1e-10, atol=1e-15)


def test_stationary_blocks_have_the_mean_length_and_every_day_its_share():
    model = montecarlo.BlockBootstrap(HISTORY, horizon=40, block=4.0)
    source, _ = source_of(rng(3), model.needs, 4_000)
    days = model.days(source.take(4_000))
    broken = ((days[:, 1:] - days[:, :-1]) % 60 != 1).mean()
    assert broken == pytest.approx(0.25 * 59 / 60, abs=0.005)
    counts = np.bincount(days.ravel(), minlength=60)
    assert counts.min() > 0.9 * counts.mean()
    with pytest.raises(InputError, match="block"):
        montecarlo.BlockBootstrap(HISTORY, 5, 0.5)
    with pytest.raises(InputError, match="block"):
        montecarlo.BlockBootstrap(HISTORY, 5, 61)
    with pytest.raises(InputError, match="block"):
        montecarlo.BlockBootstrap(HISTORY, 5, 2.5, "circular")
    with pytest.raises(InputError, match="kind"):
        montecarlo.BlockBootstrap(HISTORY, kind="moving")
    with pytest.raises(InputError, match="-1 or less"):
        montecarlo.BlockBootstrap([[0.1], [-1.0]], block=1)


def test_geometric_brownian_motion_has_its_law():
    model = montecarlo.GeometricBrownianMotion(
        [0.2, 0.3], [0.05, -0.02], [[1.0, 0.6], [0.6, 1.0]], horizon=0.5, steps=3
    )
    paths = model.paths(200_000, rng(1), spot=[100.0, 50.0])
    assert paths.shape == (200_000, 4, 2)
    assert (paths[:, 0] == [100.0, 50.0]).all()
    logs = np.log(paths[:, -1] / [100.0, 50.0])
    np.testing.assert_allclose(logs.mean(axis=0), [(0.05 - 0.02) * 0.5, (-0.02 - 0.045) * 0.5], atol=0.002)
    expected = 0.5 * np.array([[0.04, 0.036], [0.036, 0.09]])
    np.testing.assert_allclose(np.cov(logs.T), expected, rtol=0.02)
    sample = np.log1p(model.sample(200_000, rng(1)))  # over the horizon alone: in one step
    np.testing.assert_allclose(np.cov(sample.T), expected, rtol=0.02)
    np.testing.assert_allclose(sample, np.log1p(replace(model, steps=1).sample(200_000, rng(1))), rtol=1e-9, atol=1e-12)
    draws = rng(1).standard_normal((1_000, model.needs.columns))  # given draws are those of every step
    ends = model.paths(None, draws)[:, -1] - 1.0
    np.testing.assert_allclose(model.sample(None, draws), ends, rtol=1e-9, atol=1e-12)
    growth = np.diff(np.log(paths[:, :, 0]), axis=1)
    assert abs(np.corrcoef(growth[:, 0], growth[:, 1])[0, 1]) < 0.01


@pytest.mark.parametrize("steps", [1, 4])
def test_jump_diffusion_has_the_moments_of_merton(steps):
    options = {"volatility": 0.2, "intensity": 1.5, "jump_mean": -0.1, "jump_volatility": 0.15, "drift": 0.03}
    model = montecarlo.JumpDiffusion(**options, horizon=0.8, steps=steps)
    returns = np.asarray(model.sample(400_000, rng(2)))[:, 0]
    assert returns.mean() == pytest.approx(math.expm1(0.03 * 0.8), abs=4 * returns.std() / math.sqrt(400_000))
    logs = np.log1p(returns)
    mean, second, third, fourth = naive.merton_moments(**options, horizon=0.8)
    assert logs.mean() == pytest.approx(mean, abs=0.003)
    assert logs.var() == pytest.approx(second, rel=0.02)
    assert ((logs - mean) ** 3).mean() == pytest.approx(third, rel=0.08)
    assert ((logs - mean) ** 4).mean() == pytest.approx(fourth, rel=0.08)


def test_a_call_under_jumps_costs_what_merton_says():
    model = montecarlo.JumpDiffusion(
        volatility=0.2, intensity=1.0, jump_mean=-0.1, jump_volatility=0.15, drift=0.05, horizon=0.5
    )
    spots = 100.0 * (1.0 + model.sample(2**18, montecarlo.SobolDraws(rng(1)))[:, 0])
    price = math.exp(-0.05 * 0.5) * np.maximum(spots - 105.0, 0.0).mean()
    exact = naive.merton_call(100.0, 105.0, 0.2, 1.0, -0.1, 0.15, 0.05, 0.5)
    assert price == pytest.approx(exact, rel=0.002)


def test_common_jumps_come_together():
    options = {"volatility": [0.1, 0.1], "jump_mean": -0.3, "jump_volatility": 0.0, "horizon": 1.0}
    own = montecarlo.JumpDiffusion(intensity=0.05, **options).sample(100_000, rng(1))
    common = montecarlo.JumpDiffusion(intensity=0.05, common_jumps=True, **options).sample(100_000, rng(1))
    both = [(scenarios < -0.2).all(axis=1).mean() for scenarios in (own, common)]
    assert both[1] > 8 * both[0]
    with pytest.raises(InputError, match="one intensity"):
        montecarlo.JumpDiffusion(intensity=[0.05, 0.1], common_jumps=True, **options)
    for name in ("intensity", "jump_volatility"):
        with pytest.raises(InputError, match=name):
            montecarlo.JumpDiffusion(**{"intensity": 0.05, **options, name: -0.1})
    with pytest.raises(InputError, match="volatility"):
        montecarlo.GeometricBrownianMotion([-0.1])
    with pytest.raises(InputError, match="drift has 3 entries"):
        montecarlo.GeometricBrownianMotion([0.1, 0.2], [0.0, 0.0, 0.0])
    with pytest.raises(InputError, match="horizon"):
        montecarlo.GeometricBrownianMotion(0.1, horizon=0.0)


# the tail


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40), st.lists(st.integers(1, 300), min_size=1, max_size=12), st.booleans())
def test_the_tail_keeps_exactly_the_largest_however_the_stream_is_cut(seed, capacity, cuts, ties):
    generator = rng(seed)
    losses = generator.normal(size=sum(cuts))
    if ties:
        losses = np.round(losses * 2.0)
    tail, first = Tail(capacity, companions=True), 0
    for cut in cuts:
        tail.add(losses[first : first + cut], first, losses[first : first + cut] * 3.0)
        first += cut
        for count in (1, capacity // 2 + 1, capacity):
            kept, rows, companions = tail.largest(count)
            expected, order = naive.largest(losses[:first].tolist(), min(count, first))
            assert kept.tolist() == expected
            assert rows.tolist() == order
            assert companions.tolist() == [3.0 * loss for loss in expected]


@pytest.mark.parametrize("n", [2, 3, 19, 20, 21, 1000, 9_999])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_estimates_against_plain_at_every_size(n, confidence):
    normals = rng(n).normal(size=(n, 1))
    risk = montecarlo.simulate_risk(montecarlo.NormalReturns([[1.0]]), [2.0], draws=normals, confidence=confidence)
    var, es = naive.var_es((-2.0 * normals[:, 0]).tolist(), confidence)
    assert risk.var == pytest.approx(var, rel=1e-12)
    assert risk.es == pytest.approx(es, rel=1e-12)
    for stop, (at_var, _, at_es, _) in zip(risk.stops, risk.path[:, 0, 0].tolist(), strict=True):
        assert (at_var, at_es) == pytest.approx(
            naive.var_es((-2.0 * normals[:stop, 0]).tolist(), confidence), rel=1e-12
        )


# standard errors


@pytest.mark.parametrize("unit", [1, 2])
@pytest.mark.parametrize("n", [4, 10, 200])
def test_standard_errors_against_plain_at_small_sizes(n, unit):
    losses = rng(n).normal(size=n)
    rows = np.argsort(-losses)
    found = plain_estimate(losses[rows], rows, n, 0.5, unit)
    expected = naive.standard_errors(losses.tolist(), 0.5, unit)
    assert (found.var_standard_error, found.es_standard_error) == pytest.approx(expected, rel=1e-12)


def spread_and_claim(run, n_runs=150):
    """How estimates scatter over seeds, and what their standard errors claim: rows var and es."""
    found = [run(seed) for seed in range(n_runs)]
    scatter = [np.std([getattr(risk, name) for risk in found], ddof=1) for name in ("var", "es")]
    claim = [np.mean([getattr(risk, f"{name}_standard_error") for risk in found]) for name in ("var", "es")]
    return np.array(scatter), np.array(claim)


OPTION = montecarlo.NormalReturns([[0.02**2]])


def short_straddle(moves):
    """Delta 300, gamma -20,000: loses on large moves either way."""
    x = np.asarray(moves)[:, 0]
    return 300.0 * x - 10_000.0 * x**2


@pytest.mark.parametrize(
    "options",
    [
        {"n_scenarios": 4_000},
        {"n_scenarios": 4_000, "antithetic": True},
        {"n_scenarios": 4_000, "control_variate": [300.0]},
    ],
    ids=["plain", "antithetic", "control"],
)
def test_standard_errors_say_how_far_estimates_scatter(options):
    scatter, claim = spread_and_claim(
        lambda seed: montecarlo.simulate_risk(
            OPTION, short_straddle, draws=rng(seed), confidence=0.95, checkpoints=1, **options
        )
    )
    np.testing.assert_allclose(claim, scatter, rtol=0.2)


def test_sobol_errors_say_how_far_estimates_scatter_and_are_smaller():
    scatter, claim = spread_and_claim(
        lambda seed: montecarlo.simulate_risk(
            OPTION, short_straddle, 4_096, draws=montecarlo.SobolDraws(rng(seed)), confidence=0.95, checkpoints=1
        ),
        60,
    )
    np.testing.assert_allclose(claim, scatter, rtol=0.5)
    plain = montecarlo.simulate_risk(OPTION, short_straddle, 4_096, draws=rng(1), confidence=0.95)
    assert claim[0] < 0.3 * plain.var_standard_error


def test_a_good_control_variate_cuts_the_error():
    model = montecarlo.NormalReturns(TABLE)
    deltas = pd.Series(BOOK, index=ASSETS)
    book = DeltaGamma(deltas, pd.DataFrame(np.diag([-300.0, 100.0, -200.0]), index=ASSETS, columns=ASSETS))
    plain = montecarlo.simulate_risk(model, book, 50_000, draws=rng(1), confidence=[0.95, 0.99])
    controlled = montecarlo.simulate_risk(
        model, book, 50_000, draws=rng(1), confidence=[0.95, 0.99], control_variate=deltas
    )
    large = montecarlo.simulate_risk(model, book, 2**21, draws=montecarlo.SobolDraws(rng(2)), confidence=[0.95, 0.99])
    assert (controlled.var_standard_error < 0.4 * plain.var_standard_error).all()
    assert (controlled.es_standard_error < 0.4 * plain.es_standard_error).all()
    assert (np.abs(controlled.var - large.var) < 4.0 * controlled.var_standard_error).all()
    assert (np.abs(controlled.es - large.es) < 4.0 * controlled.es_standard_error).all()
    exact = montecarlo.simulate_risk(
        model, BOOK, 20_000, draws=rng(1), control_variate=BOOK
    )  # a control that is the book itself
    assert exact.var == pytest.approx(portfolio(BOOK, COVARIANCE, 0.99), rel=0.003)
    assert exact.es == pytest.approx(portfolio(BOOK, COVARIANCE, 0.99, measure="es"), rel=0.003)


# books


def test_books_of_every_form_agree():
    def run(book, **options):
        return montecarlo.simulate_risk(MODELS["normal"], book, 20_000, draws=rng(6), **options)

    linear = run(BOOK)
    np.testing.assert_allclose(run(DeltaGamma(BOOK, np.zeros(3))).var, linear.var, rtol=1e-10)
    np.testing.assert_allclose(
        run(lambda frame: frame["A"] * 1000 - frame["B"] * 400 + frame["C"] * 300).var, linear.var
    )
    several = run(np.array([BOOK, BOOK * 2.0, -BOOK]), confidence=[0.95, 0.99])
    assert several.var.shape == (2, 3)
    np.testing.assert_allclose(several.var[1, :2], [linear.var, 2 * linear.var], rtol=1e-10)
    assert isinstance(linear.var, float) and isinstance(linear.es_standard_error, float)


def test_delta_gamma_does_not_depend_on_the_chunks():
    gamma = rng(1).normal(size=(3, 3)) * 1000
    runs = [
        montecarlo.simulate_risk(
            MODELS["normal"], DeltaGamma(BOOK, gamma + gamma.T), 20_000, draws=rng(6), chunk_size=size
        )
        for size in (BLOCK, 3 * BLOCK, 50_000)
    ]
    for other in runs[1:]:
        np.testing.assert_array_equal(other.path, runs[0].path)


def test_a_tree_of_books():
    positions = pd.DataFrame(
        [[100.0, 0, 0], [0, 50.0, 0], [0, 0, -80.0]], index=["swaps", "bonds", "fx"], columns=ASSETS
    )
    tree = {"firm": {"rates": ["swaps", "bonds"], "macro": ["fx"]}}
    risk = montecarlo.simulate_risk(MODELS["normal"], positions, 20_000, draws=rng(2), hierarchy=tree)
    assert list(risk.var.index) == ["firm", "rates", "swaps", "bonds", "macro", "fx"]
    pnl = MODELS["normal"].sample(20_000, rng(2)) @ positions.T
    assert risk.var["firm"] == pytest.approx(historical(pnl.sum(axis=1), 0.99).var, rel=1e-9)
    assert risk.var["rates"] == pytest.approx(historical(pnl["swaps"] + pnl["bonds"], 0.99).var, rel=1e-9)
    assert risk.var["firm"] < risk.var["rates"] + risk.var["macro"]
    assert risk.to_frame().loc[("macro", 0.99), "es"] == pytest.approx(risk.es["fx"])
    revalued = montecarlo.simulate_risk(
        MODELS["normal"], lambda moves: moves @ positions.T, 20_000, draws=rng(2), hierarchy=tree
    )
    np.testing.assert_allclose(revalued.var, risk.var, rtol=1e-10)
    with pytest.raises(InputError, match="no names"):
        montecarlo.simulate_risk(MODELS["normal"], positions.to_numpy(), 2_000, draws=rng(2), hierarchy=tree)


# refusals


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 7}, "draws=7 is not a numpy Generator; give numpy.random.default_rng"),
        ({"draws": None}, "give numpy.random.default_rng"),
        ({"draws": np.random.RandomState(1)}, "give numpy.random.default_rng"),
        ({"n_scenarios": None}, "n_scenarios is missing"),
        ({"n_scenarios": 1}, "n_scenarios"),
        ({"confidence": 99}, "confidence=99"),
        ({"n_scenarios": 1001, "antithetic": True}, "pairs"),
        ({"antithetic": True, "draws": montecarlo.SobolDraws(rng())}, "balanced already"),
        ({"n_scenarios": 1000, "draws": montecarlo.SobolDraws(rng())}, "use 1024"),
        ({"n_scenarios": 1040, "draws": montecarlo.SobolDraws(rng())}, "use 2048"),
        ({"control_variate": BOOK, "antithetic": True}, "independent scenarios"),
        ({"control_variate": BOOK[:2]}, "control_variate has 2 entries"),
        ({"chunk_size": 0}, "chunk_size"),
        ({"book": BOOK[:2]}, "positions has shape"),
        ({"book": [np.nan, 1, 1]}, "positions holds nan"),
        ({"book": lambda moves: np.full(len(moves), np.nan)}, "revalue"),
        ({"book": lambda moves: [1.0]}, "one row for each"),
        ({"book": pd.Series({"Z": 1.0})}, "'Z'"),
        ({"model": MODELS["t copula"], "control_variate": BOOK}, "no closed form"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    given_options = {"model": MODELS["normal"], "book": BOOK, "n_scenarios": 1000, "draws": rng(), **options}
    with pytest.raises(InputError, match=message):
        montecarlo.simulate_risk(given_options.pop("model"), given_options.pop("book"), **given_options)


def test_bad_draws_are_refused():
    with pytest.raises(InputError, match="nan"):
        MODELS["normal"].sample(None, [[np.nan, 0.0, 0.0]])
    with pytest.raises(InputError, match="outside"):
        MODELS["student t"].sample(None, [[0.0, 0.0, 0.0, 1.0]])
    with pytest.raises(InputError, match="replicates"):
        montecarlo.SobolDraws(rng(), 1)
    with pytest.raises(InputError, match="Generator"):
        montecarlo.SobolDraws(7)
    assert montecarlo.NormalReturns([[1.0]]).sample(None, [0.5, -0.5]).tolist() == [[0.5], [-0.5]]


def test_degenerate_books_have_a_defined_answer():
    flat = montecarlo.simulate_risk(MODELS["normal"], [0.0, 0.0, 0.0], 1_000, draws=rng())
    assert (flat.var, flat.es, flat.var_standard_error, flat.es_standard_error) == (0.0, 0.0, 0.0, 0.0)
    still = montecarlo.simulate_risk(montecarlo.NormalReturns([[0.0]], 0.01), [100.0], 1_000, draws=rng())
    assert (still.var, still.volatility) == (-1.0, 0.0)


# the answer


def test_mirrored_pairs_are_mirrored():
    scenarios = montecarlo.NormalReturns(COVARIANCE).sample(10, rng(), antithetic=True)
    np.testing.assert_array_equal(scenarios[0::2], -scenarios[1::2])
    fat = montecarlo.StudentTReturns(COVARIANCE, 4.0).sample(10, rng(), antithetic=True)
    np.testing.assert_allclose(fat[0::2], -fat[1::2], rtol=1e-14)


def test_results_print_frame_and_converge():
    risk = montecarlo.simulate_risk(MODELS["normal"], BOOK, 50_000, draws=rng(1), confidence=[0.95, 0.99])
    frame = risk.to_frame()
    assert list(frame.columns) == ["var", "var_standard_error", "es", "es_standard_error"]
    assert list(frame.index) == [0.95, 0.99]
    path = risk.convergence(0.99)
    assert path.index[-1] == 50_000
    assert path.iloc[-1].tolist() == frame.loc[0.99].tolist()
    errors = path["es_standard_error"].to_numpy()
    assert np.isnan(errors[0])  # 100 scenarios: one in the tail says nothing about the error of ES
    assert errors[-1] < 0.3 * errors[path.index.searchsorted(1_000)]
    text = repr(risk)
    assert "VaR 99%" in text and "±" in text and "PCG64" in text
    assert "50,000" in risk._repr_html_()
    with pytest.raises(InputError, match="0.9 was not simulated"):
        risk.convergence(0.9)


def test_the_convergence_plot_shows_the_path():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    risk = montecarlo.simulate_risk(MODELS["normal"], BOOK, 20_000, draws=rng(1))
    ax = risk.plot(plt.figure().gca())
    for line, name in zip(ax.lines, ("var", "es"), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), risk.stops)
        np.testing.assert_array_equal(line.get_ydata(), risk.convergence()[name])
    assert len(ax.collections) == 2


def test_memory_does_not_grow_with_the_scenarios():
    model, peaks = montecarlo.NormalReturns(np.eye(50) * 1e-4), []
    for n in (20_000, 500_000):
        tracemalloc.start()
        montecarlo.simulate_risk(model, np.ones(50), n, draws=rng(), checkpoints=2)
        peaks.append(tracemalloc.get_traced_memory()[1] / 2**20)
        tracemalloc.stop()
    assert peaks[1] < 20.0  # megabytes; 500,000 x 50 doubles are 190
    assert peaks[1] - peaks[0] < 2.0


def test_the_drift_of_a_model_is_one_number_per_asset():
    for model in (montecarlo.NormalReturns(COVARIANCE, MEAN), montecarlo.StudentTReturns(COVARIANCE, 5.0, MEAN)):
        assert model.drift.tolist() == np.asarray(MEAN).tolist()
    drift, volatility = np.array([0.1, 0.2]), np.array([0.2, 0.4])
    model = montecarlo.GeometricBrownianMotion(volatility, drift, np.eye(2), horizon=1.0, steps=4)
    assert model.log_drift == pytest.approx((drift - volatility**2 / 2) / 4)  # per step


@pytest.mark.parametrize("copula", [montecarlo.GaussianCopula, montecarlo.StudentTCopula])
def test_a_constant_asset_lives_in_a_copula_beside_the_others(copula):
    moves = 0.01 * np.random.default_rng(2).standard_t(4, (300, 2)) @ np.array([[1.0, 0.6], [0.0, 0.8]])
    alone, beside = copula(moves), copula(np.insert(moves, 1, 0.0001, axis=1))
    np.testing.assert_allclose(beside.matrix, np.insert(np.insert(alone.matrix, 1, 0, 0), 1, [0, 1, 0], 1), rtol=1e-9)
    if copula is montecarlo.StudentTCopula:
        assert beside.df == pytest.approx(alone.df, rel=1e-6)
    sampled = beside.sample(500, np.random.default_rng(1))
    assert (sampled[:, 1] == 0.0001).all() and np.ptp(sampled[:, [0, 2]], axis=0).min() > 0.0
