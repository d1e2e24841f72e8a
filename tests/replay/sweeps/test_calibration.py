"""A calibration: exact front, plain choice, no look-ahead, and the same answer from the same chance."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import calibration as naive
from replay.sweeps.test_utilization import single
from streams import random_log

from riskkit import EventLog, InputError, Rule, RuleSet, calibrate, sweep
from riskkit.replay.schema.columns import MISSING, EventKind
from riskkit.replay.sweeps.calibration.block_bootstrap import resampled_counts, resampled_means
from riskkit.replay.sweeps.calibration.choice_tests import overfitting, superiority
from riskkit.replay.sweeps.calibration.mean_interval import mean_intervals
from riskkit.replay.sweeps.calibration.walk_forward import windows
from riskkit.replay.sweeps.many.daily import COLUMNS
from riskkit.rules import MaxOrderQty, OrderRate, PositionLimit
from riskkit.sweeps import pareto_front

DAY = 86_400_000_000_000
RULES = RuleSet([Rule("size", PositionLimit(limit=8)), Rule("rate", OrderRate(limit=3, window_ns="20h"))])
GRID = {"size.limit": [1, 4, 9, 40], "rate.limit": [2, 5]}
PLAIN = {"compiled": False, "horizon_ns": 2 * DAY}


@pytest.fixture(scope="module")
def log() -> EventLog:
    return single(random_log(3, 240, step_ns=30_000_000_000_000))


@pytest.fixture(scope="module")
def found(log):
    chance = np.random.default_rng(5)
    return calibrate(log, RULES, GRID, rng=chance, resamples=40, train_days=9, test_days=4, **PLAIN)


def small(*orders: tuple[int, int, int]) -> EventLog:
    """Orders to buy at 10 of (day, quantity, price after it), each filled."""
    rows = []
    for number, (day, qty, after) in enumerate(orders):
        ts = day * DAY + 10 * number
        side = {"instrument": "X", "account": "A", "side": "B", "qty": qty, "price": 10, "order_id": str(number)}
        rows += [{"ts": ts, "kind": "order", **side}, {"ts": ts + 1, "kind": "fill", **side}]
        rows += [{"ts": ts + 2, "kind": "price", "instrument": "X", "price": after}]
    return EventLog.from_frame(pd.DataFrame(rows))


SMALL = RuleSet([Rule("size", MaxOrderQty(limit=9))])
TINY = {"compiled": False, "horizon_ns": 5, "resamples": 0}
TWO_DAYS = ((0, 9, 8), (0, 2, 12), (1, 5, 13), (1, 7, 6))


# ---------------------------------------------------------------------- the front and the choice


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=25))
@settings(max_examples=200)
def test_the_front_is_what_its_definition_says(points):
    gain, cost = [g for g, _ in points], [c for _, c in points]
    assert pareto_front(np.array(gain, int), np.array(cost, int)).tolist() == naive.front(gain, cost)


def test_equal_points_are_on_the_front_together():
    assert pareto_front([3, 3, 3], [1, 1, 2]).tolist() == [True, True, False]
    with pytest.raises(InputError, match="one of each for every point"):
        pareto_front([1, 2], [1])


def test_figures_and_choices_equal_the_naive_twin(log, found):
    days = [naive.by_date(log, found.base if not s else found_rules(s), 2 * DAY) for s in found.settings]
    n_days = len(days[0])
    assert n_days == len(found.figures.days.starts) and n_days > 15
    for name in ("orders_rejected", "loss_avoided", "profit_forgone"):
        for place, by_date in enumerate(days):
            per_day = [float(day[name]) for day in by_date.values()]
            column = found.figures.sums[place, :, list(found.figures.frame().columns).index(name)]
            money = found.figures.quantum if name != "orders_rejected" else 1.0
            np.testing.assert_allclose(column * money, per_day, rtol=1e-12)
            assert found.frame[name].iloc[place] == pytest.approx(sum(per_day) / n_days, rel=1e-12)
    gain, cost = (
        [sum(d[name] for d in by_date.values()) for by_date in days] for name in ("loss_avoided", "profit_forgone")
    )
    assert found.frame["on_front"].tolist() == naive.front(gain, cost)
    assert found.row == naive.best(gain, cost, Fraction(1), [True] * len(days))
    assert sum(gain) > 0 and sum(cost) > 0
    for split in found.splits:  # the training window again, from the dates
        use = slice(split.window.train_from, split.window.known_to)
        some = [list(by_date.values())[use] for by_date in days]
        gain, cost = ([sum(d[name] for d in part) for part in some] for name in ("loss_avoided", "profit_forgone"))
        assert split.row == naive.best(gain, cost, Fraction(1), [True] * len(days))


def found_rules(setting):
    size, rate = setting["size.limit"], setting["rate.limit"]
    return RuleSet([Rule("size", PositionLimit(limit=size)), Rule("rate", OrderRate(limit=rate, window_ns="20h"))])


def test_totals_equal_those_of_a_sweep(log, found):
    swept = sweep(log, RULES, GRID, horizon_ns=2 * DAY, compiled=False).frame
    n_days = len(found.figures.days.starts)
    for name in (
        "orders_rejected",
        "modifies_rejected",
        "notional_rejected",
        "good_rejections",
        "bad_rejections",
        "loss_avoided",
    ):
        np.testing.assert_allclose(found.frame[name] * n_days, swept[name], rtol=1e-12)
    assert (found.frame.index == swept.index).all()
    assert found.rules()["size"].parameters.limit == found.chosen["size.limit"]


def test_objectives():
    log, grid = small(*TWO_DAYS), {"size.limit": [1, 4, 6, 8, 9]}
    # what is refused: 9 loses 18, 7 loses 28, 5 earns 15, 2 earns 4; two days
    free = calibrate(log, SMALL, grid, 0.0, **TINY)
    assert free.frame["loss_avoided"].tolist() == [23.0, 23.0, 23.0, 9.0, 0.0]
    assert free.frame["profit_forgone"].tolist() == [9.5, 7.5, 0.0, 0.0, 0.0]
    assert free.frame["good_notional_rejected"].tolist() == [35.0, 25.0, 0.0, 0.0, 0.0]
    assert free.frame["rejected_share"].tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert free.chosen == {"size.limit": 6}  # of equal scores the one that blocks less
    assert calibrate(log, SMALL, grid, "orders_rejected", **TINY).chosen == {"size.limit": 1}
    assert calibrate(log, SMALL, grid, "-orders_rejected", **TINY).chosen == {"size.limit": 9}
    assert (
        calibrate(log, SMALL, grid, lambda frame: -((frame["loss_avoided"] - 9) ** 2), **TINY).chosen["size.limit"] == 8
    )
    dear = calibrate(small((0, 9, 8), (0, 9, 12)), SMALL, {"size.limit": [8, 9]}, 2.0, **TINY)
    assert dear.chosen == {"size.limit": 9} and dear.frame["score"].tolist() == [-18.0, 0.0]
    by_notional = calibrate(log, SMALL, grid, 1.0, cost="notional", **TINY)
    assert by_notional.frame["score"].tolist() == [-12.0, -2.0, 23.0, 9.0, 0.0]


def test_constraints():
    log, grid = small(*TWO_DAYS), {"size.limit": [1, 4, 6, 8, 9]}

    def chosen(**constraints):
        return calibrate(log, SMALL, grid, constraints=constraints, **TINY).chosen["size.limit"]

    assert chosen(rejected_share=(None, 0.25)) == 8
    assert chosen(rejected_share=(0.25, 0.25)) == 8
    assert chosen(rejected_share=(0.6, None)) == 4
    assert chosen(orders_rejected=lambda column: column == 2.0) == 1
    assert chosen(some=lambda frame: (frame["orders_rejected"] < 1).to_numpy()) == 8


@pytest.mark.parametrize(
    ("constraints", "sentence"),
    [
        (
            {"rejected_share": (None, 1), "good_rejections": (9, None)},
            r"no setting satisfies the constraint good_rejections >= 9; its values range from 0",
        ),
        (
            {"nobody": lambda frame: frame["good_rejections"] > 99},
            r"no setting satisfies the constraint 'nobody' \(a function\)",
        ),
        (
            {"orders_rejected": (2, None), "rejected_share": (None, 0.3)},
            r"at once; settings that satisfy each: orders_rejected >= 2 \(1\), rejected_share <= 0.3 \(2\)",
        ),
        ({"profits": (0, 1)}, "'profits' is not a column of the metrics"),
        ({"good_rejections": 5}, "neither a .low, high. nor a function"),
        ({"good_rejections": (float("nan"), 1)}, "nan"),
        ({"good_rejections": lambda column: 5}, "one boolean for each of 5 settings"),
    ],
)
def test_constraints_that_nothing_fits(constraints, sentence):
    with pytest.raises(InputError, match=sentence):
        calibrate(small(*TWO_DAYS), SMALL, {"size.limit": [1, 4, 6, 8, 9]}, constraints=constraints, **TINY)


# ---------------------------------------------------------------------- resampled days


@pytest.mark.parametrize("block", [1, 2.5, 7])
def test_resampled_days_equal_the_naive_twin(block):
    counts = np.concatenate(list(resampled_counts(7, np.random.default_rng(2), 9, block=block)))
    uniforms = np.random.default_rng(2).random((9, 13))
    for row, draw in zip(counts, uniforms, strict=True):
        assert row.tolist() == np.bincount(naive.stationary(7, block, draw.tolist()), minlength=7).tolist()


def test_a_circular_block_as_long_as_the_record_is_the_record():
    counts = np.concatenate(list(resampled_counts(7, np.random.default_rng(2), 5, block=7, kind="circular")))
    assert (counts == 1).all()


def test_batches_do_not_change_what_is_drawn(monkeypatch):
    whole = np.concatenate(list(resampled_counts(6, np.random.default_rng(1), 8, block=2)))
    monkeypatch.setattr("riskkit.replay.sweeps.calibration.block_bootstrap.BATCH", 25)
    parts = list(resampled_counts(6, np.random.default_rng(1), 8, block=2))
    assert len(parts) == 4 and (np.concatenate(parts) == whole).all()


def test_shares_intervals_and_tests_are_those_of_the_resamples(found):
    frame, figures, chance = found.frame, found.figures, np.random.default_rng(5)
    n_days = len(figures.days.starts)
    counts = np.concatenate(list(resampled_counts(n_days, chance, 40, block=found.block)))
    gain, cost = (
        figures.sums[:, :, COLUMNS.index(name)] * figures.quantum for name in ("loss_avoided", "profit_forgone")
    )
    scores = counts @ (gain - cost).T / n_days
    assert (scores[np.arange(40), found.resamples.chosen] >= scores.max(axis=1) - 1e-9).all()
    assert frame["chosen_share"].sum() == pytest.approx(1.0)
    for name, series in {"loss_avoided": gain, "profit_forgone": cost, "score": gain - cost}.items():
        expected = mean_intervals(series, chance, 40, 0.90)
        low = expected.chosen_low if name == "score" else expected.low
        np.testing.assert_allclose(frame[f"{name}_low"], low)
        np.testing.assert_allclose(frame[f"{name}_high"], expected.high)
        assert ("not corrected for choosing" in frame.attrs[f"{name}_low"]) == (name != "score")
    means = resampled_means(gain - cost, chance, 40, block=found.block)
    assert found.evidence.superiority == superiority(gain - cost, means, found.block)
    assert found.evidence.overfitting == overfitting(gain - cost)
    days = np.concatenate([(gain - cost)[one.row, one.window.test_from : one.window.test_to] for one in found.splits])
    expected = mean_intervals(days[None], chance, 40, 0.90)
    assert found.evidence.out_of_sample == pytest.approx((expected.low[0], expected.high[0]))


def test_an_interval_is_corrected_for_the_settings_that_could_be_chosen(log):
    def evidence(**wanted):
        return calibrate(log, RULES, GRID, rng=np.random.default_rng(5), resamples=40, **PLAIN, **wanted)

    shares = evidence().frame["rejected_share"]
    bound = float(shares.sort_values().iloc[2])
    few = evidence(constraints={"rejected_share": (None, bound)})
    assert few.evidence.n_candidates == (shares <= bound).sum() < len(shares)
    assert "corrected for choosing among 3" in repr(few)
    for objective in ("-rejected_share", lambda frame: frame["loss_avoided"] ** 2):  # no sums over days
        found = evidence(objective=objective)
        assert "score_low" not in found.frame and found.evidence.overfitting is found.evidence.superiority is None
        assert "loss_avoided_low" in found.frame and "reality check" not in repr(found)
    fewest = evidence(objective="-orders_rejected")
    assert fewest.frame["score_high"].iloc[fewest.row] >= fewest.frame["score"].iloc[fewest.row]


def test_the_same_chance_gives_the_same_answer_on_any_number_of_threads(log, found):
    chance = np.random.default_rng(5)
    other = calibrate(log, RULES, GRID, rng=chance, resamples=40, train_days=9, test_days=4, threads=3, **PLAIN)
    pd.testing.assert_frame_equal(found.frame, other.frame, check_exact=True)
    pd.testing.assert_frame_equal(found.out_of_sample(), other.out_of_sample(), check_exact=True)
    assert repr(found) == repr(other)


# ---------------------------------------------------------------------- walking forward


def test_windows():
    day = np.arange(10) * DAY
    got = windows(day, day + DAY, 0, train_days=4, test_days=4)
    assert [tuple(one) for one in got] == [(0, 4, 4, 4, 8), (0, 8, 8, 8, 10)]
    got = windows(day, day + DAY, 1, train_days=4, test_days=4, kind="rolling")
    assert [tuple(one) for one in got] == [(0, 4, 3, 4, 8), (4, 8, 7, 8, 10)]
    got = windows(day, day + DAY, DAY, train_days=4, test_days=4, embargo_days=1)  # the purge is longer or the embargo
    assert [one.known_to for one in got] == [3, 7]
    got = windows(day, day + DAY, DAY, train_days=4, test_days=4, embargo_days=3)
    assert [one.known_to for one in got] == [1, 5]


def test_what_comes_after_a_training_window_does_not_change_its_choice(log, found):
    starts = found.figures.days.starts
    for split, other_price in zip(found.splits, (3, 40, 7), strict=False):
        cut, known = starts[split.window.test_from], split.window.known_to
        columns = {name: column.copy() for name, column in log.columns.items()}
        later = (columns["ts"] >= cut) & (columns["price"] != MISSING)
        later &= np.isin(columns["kind"], (int(EventKind.PRICE), int(EventKind.FILL), int(EventKind.ORDER)))
        columns["price"][later] = other_price * columns["price"][later]
        changed = EventLog(columns, log.pair_account, log.pair_instrument, log.universe, log.about)
        again = calibrate(changed, RULES, GRID, resamples=0, train_days=9, test_days=4, **PLAIN)
        assert (again.figures.sums[:, :known] == found.figures.sums[:, :known]).all()
        assert (again.figures.sums != found.figures.sums).any()
        same = next(one for one in again.splits if one.window == split.window)
        assert (same.row, same.train) == (split.row, split.train)


def test_a_limit_that_held_only_in_training_is_seen_to_fail():
    losing = [(day, 9, 8) for day in range(4)]
    winning = [(day, 9, 12) for day in range(4, 8)]
    found = calibrate(small(*losing, *winning), SMALL, {"size.limit": [8, 9]}, 0.5, train_days=4, test_days=4, **TINY)
    table = found.out_of_sample()
    assert table["size.limit"].tolist() == [8]
    assert table["train_score"].tolist() == [18.0] and table["test_score"].tolist() == [-9.0]
    assert table["best_score"].tolist() == [0.0]
    assert table["train_rejected_share"].tolist() == table["test_rejected_share"].tolist() == [1.0]
    assert found.by_day()["loss_avoided"].tolist() == [18.0] * 4 + [0.0] * 4
    assert str(found.by_day().index[7]) == "1970-01-08 00:00:00+00:00"
    assert "out of sample" in repr(found)


def test_the_best_in_hindsight_is_of_those_that_fit():
    wanted = {"rejected_share": (None, 0.5)}
    log = small((0, 9, 8), (0, 2, 12), (1, 2, 12), (2, 9, 8), (2, 7, 8), (2, 6, 8))
    run = {**TINY, "train_days": 2, "test_days": 1}
    found = calibrate(log, SMALL, {"size.limit": [1, 8, 9]}, "loss_avoided", wanted, **run)
    table = found.out_of_sample()
    assert table["size.limit"].tolist() == [8] and table["test_rejected_share"].tolist() == [1 / 3]
    assert table["best_score"].tolist() == table["test_score"].tolist() == [18.0]  # the limit of 1 would refuse all


def test_where_nothing_fits_in_a_training_window_no_limit_is_in_force():
    orders = [(day, 9 if day >= 4 else 2, 8) for day in range(8)]
    wanted = {"orders_rejected": (0.4, None)}
    found = calibrate(small(*orders), SMALL, {"size.limit": [8]}, constraints=wanted, train_days=3, test_days=5, **TINY)
    table = found.out_of_sample()
    assert table["feasible"].tolist() == [False] and table["test_score"].tolist() == [0.0]
    assert table["size.limit"].isna().all() and found.chosen == {"size.limit": 8}


# ---------------------------------------------------------------------- what is degenerate, and what is refused


def test_one_day_one_setting_all_or_nothing_refused():
    one_day = calibrate(small((0, 9, 8), (0, 2, 12)), SMALL, {"size.limit": [5]}, **TINY)
    assert one_day.chosen == {"size.limit": 5} and one_day.frame["on_front"].tolist() == [True]
    nothing = calibrate(
        small(*TWO_DAYS), SMALL, {"size.limit": [50, 60]}, **{**TINY, "resamples": 8}, rng=np.random.default_rng(0)
    )
    assert nothing.chosen == {"size.limit": 50} and nothing.frame["on_front"].all()
    assert nothing.frame[["loss_avoided_low", "loss_avoided_high", "score_high"]].isna().all(axis=None)
    assert "not known (fewer than 10 days, or all alike)" in repr(nothing)
    assert nothing.frame["chosen_share"].tolist() == [1.0, 0.0]
    everything = calibrate(small(*TWO_DAYS), SMALL, {"size.limit": [1, 0]}, **TINY)
    assert everything.frame["rejected_share"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"resamples": 5}, "is no|is not a numpy Generator"),
        ({"resamples": 5, "rng": 3}, "rng=3 is not a numpy Generator"),
        ({"resamples": -1}, "resamples=-1"),
        ({"resamples": 5, "rng": np.random.default_rng(0), "block": 3}, "block=3 is not between 1 and the 2 rows"),
        ({"resamples": 5, "rng": np.random.default_rng(0), "kind": "moving"}, "kind='moving'"),
        ({"train_days": 1}, "go together"),
        ({"train_days": 1, "test_days": 1, "horizon_ns": None}, "needs horizon_ns"),
        ({"train_days": 2, "test_days": 1}, "leaves no day to test on"),
        ({"train_days": 1, "test_days": 1, "horizon_ns": 3 * DAY}, "train_days=1 is too short"),
        ({"train_days": 2, "test_days": 1, "embargo_days": -1}, "embargo_days=-1"),
        ({"embargo_days": 1}, "embargo_days=1 is for a walk-forward"),
        ({"train_days": 1, "test_days": 1, "embargo_days": 1}, "ends a horizon and embargo_days=1 before it"),
        ({"train_days": 1, "test_days": 1, "window": "sliding"}, "window='sliding'"),
        ({"objective": -1.0}, "must not be negative"),
        ({"objective": "losses"}, "'losses' is not a column"),
        ({"objective": lambda frame: [1.0]}, "1 scores for 2 settings"),
        ({"objective": lambda frame: [1.0, float("nan")]}, "objective holds nan"),
        ({"cost": "flow"}, "cost='flow'"),
        ({"coverage": 90}, "coverage=90"),
        ({"threads": 0}, "threads=0"),
        ({"orphans": "lose"}, "orphans='lose'"),
    ],
)
def test_what_is_refused(wanted, sentence):
    with pytest.raises(InputError, match=sentence):
        calibrate(small(*TWO_DAYS), SMALL, {"size.limit": [4, 9]}, **{**TINY, **wanted})


@pytest.mark.parametrize(
    "wanted", [{"objective": "losses"}, {"objective": -1}, {"constraints": {"good_rejections": 5}}]
)
def test_what_is_wrong_is_said_before_the_first_replay(wanted, monkeypatch):
    monkeypatch.setattr("riskkit.replay.sweeps.many.daily.DailyRunner.run", lambda *_: pytest.fail("it began"))
    with pytest.raises(InputError):
        calibrate(small(*TWO_DAYS), SMALL, {"size.limit": [4, 9]}, **{**TINY, **wanted})


def test_an_interrupt_leaves_no_thread(monkeypatch):
    def interrupted(steps, *_, **__):
        yield next(steps)
        yield next(steps)  # the second one comes from a thread
        raise KeyboardInterrupt

    monkeypatch.setattr("riskkit.replay.sweeps.calibration.calibrate.with_bar", interrupted)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt) as held:  # the traceback keeps the iterator alive
        calibrate(small(*TWO_DAYS), SMALL, {"size.limit": [1, 4, 6, 9]}, threads=2, **TINY)
    assert held and threading.active_count() == before


def test_one_day_is_not_resampled():
    with pytest.raises(InputError, match="one trading day"):
        calibrate(small((0, 9, 8)), SMALL, {"size.limit": [4]}, rng=np.random.default_rng(0), compiled=False)
    with pytest.raises(InputError, match="no walk-forward evaluation"):
        calibrate(small((0, 9, 8)), SMALL, {"size.limit": [4]}, **TINY).out_of_sample()


def test_the_trading_day_is_that_of_the_time_zone():
    log = small((0, 9, 8), (1, 5, 13))  # midnight in UTC
    frame = calibrate(log, SMALL, {"size.limit": [4]}, tz="America/New_York", roll_hour=12, **TINY)
    assert len(frame.figures.days.starts) == 2 and frame.figures.days.starts[0] % DAY == 17 * 3_600_000_000_000


# ---------------------------------------------------------------------- what is seen


def test_it_prints_and_draws(found):
    text = repr(found)
    for part in (
        "selected size.limit",
        "90% interval",
        "selected again in",
        "corrected for choosing among 8",
        "not corrected for choosing",
        "p-value, White's reality check",
        "p-value, Hansen's SPA test",
        "probability of overfitting",
        "do not show what is rarer",
        "chosen before, so not corrected",
        "best possible",
        "score without limits",
    ):
        assert part in text
    import matplotlib.pyplot as plt

    ax = found.plot()
    assert ax.get_title(loc="left").startswith("Selected: size.limit =")
    labels = [line.get_label() for line in ax.lines]
    assert {"Pareto front", "selected", "90% intervals of the selected setting, not corrected for choosing"} <= set(
        labels
    )
    front = found.frame[found.frame["on_front"]]
    assert len(ax.lines[0].get_xdata()) == len(front)
    plt.close(ax.figure)
