"""Learned VaR and ES: what is learned, what is refused, and that nothing looks ahead."""

import numpy as np
import pandas as pd
import pytest

from riskkit._check import InputError
from riskkit.learn import learned_risk, tail_features
from riskkit.learn.boosting import Settings, fit_tail

SIMPLE = {"EWMA": {"method": "normal", "volatility": "ewma", "mean": "zero"}, "historical": {"method": "historical"}}
N = 1_400
RNG = np.random.default_rng(3)
VOLATILITY = 0.01 * np.exp(0.7 * RNG.standard_normal(N + 1))  # of each period anew: no past return says anything of it
RETURNS = pd.Series(VOLATILITY[:N] * RNG.standard_normal(N), pd.bdate_range("2015-01-01", periods=N), name="fund")
IMPLIED = 16.0 * VOLATILITY[1:]  # known at the end of a period: the volatility of the next


def learned(returns=RETURNS, implied=IMPLIED, **options):
    given = {"train": 700, "test": 300, "n_trees": 12, "learning_rate": 0.2, "simple": SIMPLE}
    return learned_risk(returns, 0.9, implied_volatility=implied, **(given | options))


@pytest.fixture(scope="module")
def found():
    return learned()


@pytest.mark.lengthy
def test_what_options_know_is_learned_and_used(found):
    assert found.accepted and found.verdict.startswith("accepted: it beats all simple models")
    assert set(found.importance.index[:2]) == {"implied volatility", "implied over recent"}
    line = found.dependence("implied volatility")
    assert line.iloc[-1] > 1.3 * line.iloc[0]
    estimate = found.next_risk()
    assert (estimate.var, estimate.es) == found.following and 0.0 < estimate.var < estimate.es
    assert list(found.scores) == ["learned", *SIMPLE] and found.backtest.n_hits == int(
        (found.returns < -found.var).sum()
    )


@pytest.mark.parametrize("loss", ["fz0", "pinball"])
def test_the_same_a_day_late_is_worth_nothing_and_is_refused(loss):
    """The data are shifted by one row, and the judgement sees it."""
    late = learned(implied=np.roll(IMPLIED, 1), loss=loss)
    assert not late.accepted and "simple model" in late.objection
    with pytest.raises(InputError, match="the learned model is refused: it is no"):
        late.next_risk()
    assert late.next_risk(refused_too=True).var > 0.0


def test_what_comes_later_changes_no_forecast(found):
    later, implied = RETURNS.copy(), IMPLIED.copy()
    later.iloc[1_300:] *= 5.0
    implied[1_300:] *= 5.0
    other = learned(later, implied)
    before = found.var.index <= RETURNS.index[1_300]
    assert 0 < before.sum() < len(before)
    assert other.var[before].to_numpy() == pytest.approx(found.var[before].to_numpy(), rel=1e-12)
    assert (other.var[~before] != found.var[~before]).any()


def test_features_that_look_ahead_are_refused():
    with pytest.raises(InputError, match="features looks ahead: 'next' of 2017-12-13 changes when"):
        learned(features=lambda returns: pd.DataFrame({"next": returns.abs().shift(-1)}))
    with pytest.raises(InputError, match="features looks ahead: 'level'"):
        learned(features=lambda returns: pd.DataFrame({"level": returns.abs() / returns.std()}))
    own = learned(features=lambda returns: pd.DataFrame({"size": returns.abs().rolling(5).mean()}), n_trees=2)
    assert own.names == ("size",)


def test_units_and_repetition_change_nothing(found):
    other = learned(RETURNS * 2.0**17)
    assert other.var.to_numpy() == pytest.approx(2.0**17 * found.var.to_numpy(), rel=1e-9)
    assert learned().var.equals(found.var)


def test_an_embargo_leaves_rows_out(found):
    assert len(learned(embargo=100, n_trees=2).var) == 300 == len(found.var) - 300


@pytest.mark.parametrize("loss", ["fz0", "pinball"])
def test_trees_find_the_tail_of_each_group(loss):
    rng = np.random.default_rng(5)
    group = np.repeat([0.0, 1.0], 4_000)[rng.permutation(8_000)]
    losses = np.where(group == 1.0, 3.0, 1.0) * rng.standard_normal(8_000)
    var, es = fit_tail(group[:, None], losses, 0.05, loss, Settings(40, 1, 0.3), 1)(np.array([[0.0], [1.0]]))
    assert var == pytest.approx([1.645, 4.935], rel=0.08)
    assert es == pytest.approx([2.063, 6.188], rel=0.1)


def test_the_card_says_the_judgement_and_is_the_same_again(found, tmp_path):
    frame = found.card()
    assert frame.loc[frame["section"] == "verdict", "text"].item() == found.verdict
    one, two = (found.write_card(tmp_path / name).read_bytes() for name in ("one.html", "two.html"))
    assert one == two
    text = one.decode()
    for words in ("accepted: it beats", "Against simple models", "conformal factor", "What it looks at", "Coverage"):
        assert words in text


def test_conformal_limits_use_earlier_days_only(found):
    ratios = -found.returns / found.var
    assert found.conformal().n_obs == len(ratios)
    at = found.conformal_var()
    assert at.isna().sum() == 9  # the tenth loss is the first that nine can bound at 90 %
    rank = int(np.ceil(101 * 0.9)) - 1
    assert at.iloc[100] == pytest.approx(found.var.iloc[100] * np.sort(ratios.iloc[:100])[rank])
    assert 0.8 < float((-found.returns <= at)[9:].mean()) < 0.97


def test_plots(found):
    assert found.plot().lines and found.plot_importance().patches
    assert found.plot_dependence("volatility").get_xlabel() == "volatility"


def test_features_are_known_at_the_end_of_their_period():
    frame, cut = tail_features(RETURNS, IMPLIED), tail_features(RETURNS[:500], IMPLIED[:500])
    pd.testing.assert_frame_equal(frame[:500], cut)
    assert frame.isna().any(axis=1).sum() == 21
    assert frame["size of 5"].iloc[400] == pytest.approx(
        RETURNS.abs().iloc[396:401].mean() / frame["volatility"].iloc[400]
    )
