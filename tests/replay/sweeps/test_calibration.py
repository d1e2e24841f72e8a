"""A calibration: exact front, plain choice, no look-ahead, and the same answer from the same chance."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import calibration as naive
from replay.sweeps.test_utilization import single
from streams import random_log

from riskkit import Account, EventLog, InputError, Instrument, Rule, RuleSet, calibrate, sweep
from riskkit.replay.schema.columns import MISSING, EventKind
from riskkit.replay.sweeps.calibration.block_bootstrap import resampled_days, resampled_means
from riskkit.replay.sweeps.calibration.choice_tests import overfitting, superiority
from riskkit.replay.sweeps.calibration.mean_interval import mean_intervals
from riskkit.replay.sweeps.calibration.walk_forward import windows
from riskkit.replay.sweeps.many.days import SUMS
from riskkit.replay.sweeps.many.figures import ENFORCED, GAINS, PER_DAY
from riskkit.rules import DailyLoss, DrawdownLimit, MaxOrderQty, OrderRate, PositionLimit
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


def rows_of(orders: list[tuple[int, int, int]]) -> list[dict]:
    """Orders to buy at 10 of (day, quantity, price after it), each filled."""
    rows = []
    for number, (day, qty, after) in enumerate(orders):
        ts = day * DAY + 10 * number
        side = {"instrument": "X", "account": "A", "side": "B", "qty": qty, "price": 10, "order_id": str(number)}
        rows += [{"ts": ts, "kind": "order", **side}, {"ts": ts + 1, "kind": "fill", **side}]
        rows += [{"ts": ts + 2, "kind": "price", "instrument": "X", "price": after}]
    return rows


def small(*orders: tuple[int, int, int]) -> EventLog:
    return EventLog.from_frame(pd.DataFrame(rows_of(list(orders))))


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


def test_the_choice_and_the_front_equal_the_naive_twin(found):
    frame = found.frame
    assert frame["on_front"].tolist() == naive.front(frame["profit_change"].tolist(), frame["drawdown"].tolist())
    columns = [frame[name].tolist() for name in ("score", "drawdown", "orders_rejected")]
    assert found.row == naive.best(*columns) and frame["score"].tolist() == frame["profit_change"].tolist()
    for split in found.splits:  # the training window again
        train = found.figures.frame(split.window.train_from, split.window.known_to)
        columns = [train[name].tolist() for name in ("profit_change", "drawdown", "orders_rejected")]
        assert split.row == naive.best(*columns)


def test_totals_equal_those_of_a_sweep(log, found):
    swept = sweep(log, RULES, GRID, horizon_ns=2 * DAY, compiled=False).frame
    n_days = found.figures.n_days
    for name in (*ENFORCED, "loss_avoided", "good_flow_blocked"):
        total = found.frame[name] * (n_days if name in PER_DAY else 1)
        np.testing.assert_allclose(total, swept[name], rtol=1e-9, atol=1e-9)
    for policy in ("keep", "clip", "drop"):
        np.testing.assert_allclose(found.frame[f"profit_change_{policy}"] * n_days, swept[f"profit_change_{policy}"])
    assert (found.frame.index == swept.index).all() and found.frame["orphans"].eq("clip").all()
    assert found.rules()["size"].parameters.limit == found.chosen["size.limit"]


def test_every_policy_has_its_rows(found):
    table = found.policies
    assert table.index.names == ["size.limit", "rate.limit", "orphans"] and len(table) == 3 * len(found.settings)
    kept = table.xs("clip", level="orphans")[list(ENFORCED)]
    pd.testing.assert_frame_equal(kept, found.frame[list(ENFORCED)])
    assert "orphan exits" in repr(found) and found.by_day()["profit"].sum() == pytest.approx(
        found.frame["profit"].iloc[found.row] * found.figures.n_days
    )


@pytest.mark.parametrize(
    "name", ["orders_rejected", "profit", "profit_change", "hours_halted_calendar", "loss_avoided"]
)
def test_what_adds_up_over_days_is_there_by_day(found, name):
    daily = found.figures.daily(name)
    assert daily.shape == (len(found.settings), found.figures.n_days)
    np.testing.assert_allclose(daily.mean(axis=1), found.frame[name], rtol=1e-9, atol=1e-9)
    with pytest.raises(InputError, match="'drawdown' does not add up over days"):
        found.figures.daily("drawdown")


def test_figures_over_any_days_are_those_of_one_path_after_the_other(found):
    """A drawdown over drawn days is that of their paths end to end."""
    figures, quantum = found.figures, found.figures.record.quantum
    for order in np.random.default_rng(3).integers(0, figures.n_days, (5, figures.n_days)):
        drawdown = figures.frame_over(order)["drawdown"].to_numpy()
        for place in range(len(found.settings)):
            level = peak = deepest = 0
            for day in order.tolist():
                high, low, fall = figures.path[place, day].tolist()
                deepest = max(deepest, fall, peak - (level + low))
                peak = max(peak, level + high)
                level += int(figures.sums[place, day, SUMS.index("profit")])
            assert drawdown[place] == pytest.approx(deepest * quantum)


def test_objectives():
    log, grid = closing(*TWO_DAYS), {"size.limit": [1, 4, 6, 8, 9]}
    # 9 loses 18, 7 loses 28, 5 earns 15, 2 earns 4; two days
    found = calibrate(log, SMALL, grid, **TINY)
    assert found.chosen == {"size.limit": 6}
    assert found.frame["profit_change"].tolist() == [13.5, 15.5, 23.0, 9.0, 0.0]
    assert found.frame["rejected_share"].tolist() == [0.5, 0.375, 0.25, 0.125, 0.0]  # the exits are orphans
    assert found.frame["good_flow_blocked"].tolist() == [1.0, 50 / 70, 0.0, 0.0, 0.0]
    assert calibrate(log, SMALL, grid, "-orders_rejected", **TINY).chosen == {"size.limit": 9}
    assert calibrate(log, SMALL, grid, "-drawdown", **TINY).chosen == {"size.limit": 1}
    assert calibrate(log, SMALL, grid, "worst_day", **TINY).chosen == {"size.limit": 6}
    by_function = calibrate(log, SMALL, grid, lambda frame: -((frame["loss_avoided"] - 9) ** 2), **TINY)
    assert by_function.chosen["size.limit"] == 8


def test_constraints():
    log, grid = closing(*TWO_DAYS), {"size.limit": [1, 4, 6, 8, 9]}

    def chosen(objective="profit_change", **constraints):
        return calibrate(log, SMALL, grid, objective, constraints, **TINY).chosen["size.limit"]

    assert chosen(rejected_share=(None, 0.125)) == 8
    assert chosen(rejected_share=(0.125, 0.125)) == 8
    assert chosen(rejected_share=(0.3, None)) == 4
    assert chosen(orders_rejected=lambda column: column == 2.0) == 1
    assert chosen(some=lambda frame: (frame["orders_rejected"] < 1).to_numpy()) == 8
    assert chosen("-drawdown", good_flow_blocked=(None, 0.005)) == 6  # at most 0.5 % of good flow blocked


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
    drawn = list(resampled_days(7, np.random.default_rng(2), 9, block=block))
    uniforms = np.random.default_rng(2).random((9, 13))
    for days, draw in zip(drawn, uniforms, strict=True):
        assert days.tolist() == naive.stationary(7, block, draw.tolist())


def test_a_circular_block_as_long_as_the_record_is_the_record():
    drawn = list(resampled_days(7, np.random.default_rng(2), 5, block=7, kind="circular"))
    assert all(sorted(days.tolist()) == list(range(7)) for days in drawn)


def test_batches_do_not_change_what_is_drawn(monkeypatch):
    whole = list(resampled_days(6, np.random.default_rng(1), 8, block=2))
    monkeypatch.setattr("riskkit.replay.sweeps.calibration.block_bootstrap.BATCH", 25)
    parts = list(resampled_days(6, np.random.default_rng(1), 8, block=2))
    assert np.array(parts).tolist() == np.array(whole).tolist()


def test_shares_intervals_and_tests_are_those_of_the_resamples(found):
    frame, figures, chance = found.frame, found.figures, np.random.default_rng(5)
    drawn = list(resampled_days(figures.n_days, chance, 40, block=found.block))
    change = figures.daily("profit_change")
    scores = np.array([change[:, days].mean(axis=1) for days in drawn])
    assert (scores[np.arange(40), found.resamples.chosen] >= scores.max(axis=1) - 1e-9).all()
    assert frame["chosen_share"].sum() == pytest.approx(1.0)
    for name in ("profit_change", "score"):
        expected = mean_intervals(change, chance, 40, 0.90)
        np.testing.assert_allclose(frame[f"{name}_low"], expected.chosen_low if name == "score" else expected.low)
        np.testing.assert_allclose(frame[f"{name}_high"], expected.high)
        assert ("not corrected for choosing" in frame.attrs[f"{name}_low"]) == (name != "score")
    means = resampled_means(change, chance, 40, block=found.block)
    assert found.evidence.superiority == superiority(change, means, found.block)
    assert found.evidence.overfitting == overfitting(change)
    days = np.concatenate([change[one.row, one.window.test_from : one.window.test_to] for one in found.splits])
    expected = mean_intervals(days[None], chance, 40, 0.90)
    assert found.evidence.out_of_sample == pytest.approx((expected.low[0], expected.high[0]))


@pytest.mark.lengthy
def test_an_interval_is_corrected_for_the_settings_that_could_be_chosen(log):
    def evidence(**wanted):
        return calibrate(log, RULES, GRID, rng=np.random.default_rng(5), resamples=40, **PLAIN, **wanted)

    shares = evidence().frame["rejected_share"]
    bound = float(shares.sort_values().iloc[2])
    few = evidence(constraints={"rejected_share": (None, bound)})
    assert few.evidence.n_candidates == (shares <= bound).sum() < len(shares)
    assert "corrected for choosing among 3" in repr(few)
    for objective in ("-drawdown", lambda frame: frame["profit"] ** 2):  # no sums over days
        found = evidence(objective=objective)
        assert "score_low" not in found.frame and found.evidence.overfitting is found.evidence.superiority is None
        assert "profit_change_low" in found.frame and "reality check" not in repr(found)
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
    starts = found.figures.record.days.starts
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
    """Each order is valued at the price after it, and its day's profit is all that the limit changes."""
    losing = [(day, 9, 8) for day in range(4)]
    winning = [(day, 9, 12) for day in range(4, 8)]
    log = closing(*losing, *winning)
    found = calibrate(log, SMALL, {"size.limit": [8, 9]}, train_days=4, test_days=4, **TINY)
    table = found.out_of_sample()
    assert table["size.limit"].tolist() == [8] and table["state"].tolist() == ["carried"]
    assert table["train_score"].tolist() == [18.0] and table["test_score"].tolist() == [-18.0]
    assert table["best_score"].tolist() == [0.0]
    assert table["train_rejected_share"].tolist() == table["test_rejected_share"].tolist() == [0.5]
    assert str(found.by_day().index[7]) == "1970-01-08 00:00:00+00:00"
    assert "out of sample" in repr(found)


def closing(*orders: tuple[int, int, int]) -> EventLog:
    """The orders of `small`, each sold in parts on its day at the price after it."""
    rows = []
    for number, (day, qty, after) in enumerate(orders):
        ts = day * DAY + 10 * number
        one = {"ts": ts, "instrument": "X", "account": "A"}
        buy, sell = ({**one, "side": side, "order_id": f"{side}{number}"} for side in "BS")
        rows += [{**buy, "kind": kind, "qty": qty, "price": 10} for kind in ("order", "fill")]
        rows.append({"ts": ts + 1, "kind": "price", "instrument": "X", "price": after})
        rows += [{**sell, "ts": ts + 2, "kind": k, "qty": qty, "price": after} for k in ("order", "fill")]
    return EventLog.from_frame(pd.DataFrame(rows))


LATCH = RuleSet([Rule("fall", DrawdownLimit(money=9), action="HALT")])
FALLS = [(0, 9, 8), *((day, 9, 12) for day in range(1, 8))]  # it trips on the first day, and the others would earn


@pytest.mark.parametrize(("state", "window"), [("carried", "expanding"), ("fresh", "expanding"), ("fresh", "rolling")])
def test_a_latch_that_tripped_in_training_refuses_later_only_if_its_state_is_carried(state, window):
    log, grid = closing(*FALLS), {"fall.money": [9, 10]}
    options = {**TINY, "train_days": 2, "test_days": 3, "state": state, "window": window}
    table = calibrate(log, LATCH, grid, **options).out_of_sample()
    assert table["state"].eq(state).all() and len(table) == 2
    assert table["test_rejected_share"].tolist() == ([1.0, 1.0] if state == "carried" else [0.0, 0.0])
    assert table["test_profit_change"].tolist() == ([-18.0, -18.0] if state == "carried" else [0.0, 0.0])


def test_a_fresh_window_begins_with_the_recorded_book():
    """Figures of a window equal those of its own log, whose accounts begin with what they held."""
    rules = RuleSet([Rule("size", PositionLimit(limit=8)), Rule("fall", DrawdownLimit(money=30))])
    rows = [(day, 1 + day % 5, 8 + 3 * (day % 3)) for day in range(9)]
    log, whole = small(*rows), {"size.limit": [3, 8, 20]}
    options = {**TINY, "train_days": 4, "test_days": 3}
    found = calibrate(log, rules, whole, state="fresh", **options)
    for split in found.splits:
        first, last = split.window.test_from, split.window.test_to
        held = sum(qty for day, qty, _ in rows[:first])
        mark = rows[first - 1][2]
        part = [row for row in rows_of(rows) if first <= row["ts"] // DAY < last]
        opening = {"kind": "price", "instrument": "X", "price": mark, "ts": first * DAY}
        account = Account("A", {"USD": 0}, {"X": held})
        alone = EventLog.from_frame(pd.DataFrame([opening, *part]), instruments=[Instrument("X")], accounts=[account])
        swept = sweep(alone, rules, {"size.limit": [found.settings[split.row]["size.limit"]]}, compiled=False).frame
        n_days = last - first
        assert split.test.profit_change * n_days == pytest.approx(swept["profit_change"].iloc[0])
        assert split.test.drawdown == pytest.approx(swept["drawdown"].iloc[0])
        assert split.test.rejected_share == pytest.approx(swept["rejected_share"].iloc[0])


def test_the_best_afterwards_is_of_those_that_fit():
    wanted = {"rejected_share": (None, 0.25)}
    log = closing((0, 9, 8), (0, 2, 12), (1, 2, 12), (2, 9, 8), (2, 7, 8), (2, 6, 8))
    run = {**TINY, "train_days": 2, "test_days": 1}
    found = calibrate(log, SMALL, {"size.limit": [1, 8, 9]}, constraints=wanted, **run)
    table = found.out_of_sample()
    assert table["size.limit"].tolist() == [8] and table["test_rejected_share"].tolist() == [1 / 6]
    assert table["best_score"].tolist() == table["test_score"].tolist() == [18.0]  # the limit of 1 would refuse more


def test_where_nothing_fits_in_a_training_window_no_limit_is_in_force():
    orders = [(day, 9 if day >= 4 else 2, 8) for day in range(8)]
    wanted = {"orders_rejected": (0.4, None)}
    found = calibrate(small(*orders), SMALL, {"size.limit": [8]}, constraints=wanted, train_days=3, test_days=5, **TINY)
    table = found.out_of_sample()
    assert table["feasible"].tolist() == [False] and table["test_score"].tolist() == [0.0]
    assert table["test_drawdown"].tolist() == [found.figures.record_frame(3, 8)["drawdown"].iloc[0]]
    assert table["size.limit"].isna().all() and found.chosen == {"size.limit": 8}


# ---------------------------------------------------------------------- what is degenerate, and what is refused


def test_one_day_one_setting_all_or_nothing_refused():
    one_day = calibrate(small((0, 9, 8), (0, 2, 12)), SMALL, {"size.limit": [5]}, **TINY)
    assert one_day.chosen == {"size.limit": 5} and one_day.frame["on_front"].tolist() == [True]
    nothing = calibrate(
        small(*TWO_DAYS), SMALL, {"size.limit": [50, 60]}, **{**TINY, "resamples": 8}, rng=np.random.default_rng(0)
    )
    assert nothing.chosen == {"size.limit": 50} and nothing.frame["on_front"].all()
    assert nothing.frame[["profit_change_low", "profit_change_high", "score_high"]].isna().all(axis=None)
    assert "not known (fewer than 10 days, or all alike)" in repr(nothing)
    assert nothing.frame["chosen_share"].tolist() == [1.0, 0.0]
    everything = calibrate(small(*TWO_DAYS), SMALL, {"size.limit": [1, 0]}, **TINY)
    assert everything.frame["rejected_share"].tolist() == [1.0, 1.0]


GOOD_FLOW = {"good_flow_blocked": (None, 0.005)}


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"resamples": 5}, "is no|is not a numpy Generator"),
        ({"resamples": 5, "rng": 3}, "rng=3 is not a numpy Generator"),
        ({"resamples": -1}, "resamples=-1"),
        ({"resamples": 5, "rng": np.random.default_rng(0), "block": 3}, "block=3 is not between 1 and the 2 rows"),
        ({"resamples": 5, "rng": np.random.default_rng(0), "kind": "moving"}, "kind='moving'"),
        ({"train_days": 1}, "go together"),
        ({"train_days": 1, "test_days": 1, "horizon_ns": None, "constraints": GOOD_FLOW}, "needs horizon_ns"),
        ({"train_days": 1, "test_days": 1, "state": "kept"}, "state='kept'"),
        ({"train_days": 2, "test_days": 1}, "leaves no day to test on"),
        ({"train_days": 1, "test_days": 1, "horizon_ns": 3 * DAY}, "train_days=1 is too short"),
        ({"train_days": 2, "test_days": 1, "embargo_days": -1}, "embargo_days=-1"),
        ({"embargo_days": 1}, "embargo_days=1 is for a walk-forward"),
        ({"train_days": 1, "test_days": 1, "embargo_days": 1}, "ends a horizon and embargo_days=1 before it"),
        ({"train_days": 1, "test_days": 1, "window": "sliding"}, "window='sliding'"),
        (
            {"objective": 1.0},
            "objective=1.0 is a price of profit forgone in hindsight, which is no objective any more; name",
        ),
        (
            {"objective": "loss_avoided"},
            "objective='loss_avoided' is hindsight, order by order; name a figure of the enf",
        ),
        ({"objective": "losses"}, "'losses' is not a column"),
        *(
            ({"objective": wrong}, f"objective='{wrong}' would select the setting with the .*; use '{right}', or")
            for wrong, right in ((f"-{name}", name) if name in GAINS else (name, f"-{name}") for name in ENFORCED)
        ),
        ({"objective": lambda frame: [1.0]}, "1 scores for 2 settings"),
        ({"objective": lambda frame: [1.0, float("nan")]}, "objective holds nan"),
        ({"coverage": 90}, "coverage=90"),
        ({"threads": 0}, "threads=0"),
        ({"orphans": "lose"}, "orphans='lose'"),
    ],
)
def test_what_is_refused(wanted, sentence):
    with pytest.raises(InputError, match=sentence):
        calibrate(small(*TWO_DAYS), SMALL, {"size.limit": [4, 9]}, **{**TINY, **wanted})


@pytest.mark.parametrize("wanted", [{"objective": "losses"}, {"objective": 1}, {"constraints": {"good_rejections": 5}}])
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


def test_the_trading_day_is_that_of_the_rules_or_as_given():
    log = small((0, 9, 8), (1, 5, 13))  # midnight in UTC
    own = RuleSet([*SMALL, Rule("loss", DailyLoss(limit=10**6, tz="America/New_York", roll_hour=12))])
    for found in (
        calibrate(log, SMALL, {"size.limit": [4]}, tz="America/New_York", roll_hour=12, **TINY),
        calibrate(log, own, {"size.limit": [4]}, **TINY),
    ):
        starts = found.figures.record.days.starts
        assert len(starts) == 2 and starts[0] % DAY == 17 * 3_600_000_000_000
        assert "from 12:00 America/New_York" in repr(found)


# ---------------------------------------------------------------------- what is seen


def test_it_prints_and_draws(found):
    text = repr(found)
    for part in (
        "selected size.limit",
        "most profit change",
        "of the record",
        "90% interval",
        "corrected for choosing among 8",
        "not corrected for choosing",
        "p-value, White's reality check",
        "p-value, Hansen's SPA test",
        "probability of overfitting",
        "do not show what is rarer",
        "chosen before, so not corrected",
        "selected again in",
        "best possible",
        "USD, after any event",
        "hours halted trading",
    ):
        assert part in text

    ax = found.plot()
    assert ax.get_title(loc="left").startswith("Selected: size.limit =")
    assert "clipped to flat" in ax.get_title(loc="left")
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    ends = found.comparison.curves
    assert lines["enforce"][-1] / lines["without limits"][-1] == pytest.approx(
        ends["enforce"].final / ends["without limits"].final
    )
    assert ends["enforce"].final == pytest.approx(found.frame["profit"].iloc[found.row] * found.figures.n_days)
    ax = found.plot_front()
    assert {"Pareto front", "selected"} <= {line.get_label() for line in ax.lines}
    assert len(ax.lines[0].get_xdata()) == found.frame["on_front"].sum()
