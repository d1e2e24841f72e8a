"""Detection: equal to plain loops over the whole log, and to what its document says case by case."""

from __future__ import annotations

import numpy as np
import pytest
from naive.detection import LossLatch, RateLimit, SizeLatch, naive_outcome, naive_replay, with_probes
from streams import log_of_rows, universe

from riskkit import InputError
from riskkit.replay.incidents.detection import detection
from riskkit.replay.incidents.inject import inject
from riskkit.replay.incidents.rates import daily_interval, share_interval
from riskkit.replay.log.tiny_log import tiny_log
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import EventKind
from riskkit.rules import DailyLoss, MaxOrderQty, OrderRate

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
INCIDENTS = ["infinium", "flash", "goldman"]
LIMITS = {
    "rate": (Rule("rate", OrderRate(limit=1, window_ns="1s")), [3, 20, 500], lambda limit: RateLimit(limit, SECOND)),
    "all": (Rule("all", OrderRate(limit=1, window_ns="1s"), scope="global"), [3, 20, 500],
            lambda limit: RateLimit(limit, SECOND, shared=True)),
    "latch": (Rule("latch", MaxOrderQty(limit=1), action="HALT"), [1, 4, 40], SizeLatch),
    "loss": (Rule("loss", DailyLoss(limit=1), hold="reset"), [2, 300, 20_000], LossLatch),
}  # fmt: skip


def quiet_log(seed: int, turns: int = 60):
    """Orders of three accounts over two days, each filled at once, and prices."""
    draw = np.random.default_rng(seed)
    rows: list[dict[str, int]] = []
    ts = 1_709_600_400 * SECOND
    for turn in range(turns):
        ts += int(draw.choice([0, 1, 100])) * SECOND // 4 + (DAY if turn == turns // 2 else 0)
        row = {"ts": ts, "account": int(draw.integers(3)), "instrument": int(draw.integers(2)), "side": 1}
        row["price"] = int(draw.integers(95, 106))
        if draw.random() < 0.3:
            rows.append({**row, "kind": EventKind.PRICE, "account": -1, "side": 0, "qty": 0, "order": -1})
            continue
        row |= {"side": int(draw.choice([-1, 1])), "qty": int(draw.integers(1, 8)), "order": len(rows)}
        rows += [{**row, "kind": EventKind.ORDER}, {**row, "kind": EventKind.FILL}]
    return log_of_rows(rows, universe(cash=0))


def events_of(log) -> list[dict]:
    names = ("ts", "account", "instrument", "side", "qty", "price", "order")
    columns = [log.columns[name].tolist() for name in names]
    kinds = [EventKind(kind).name for kind in log.columns["kind"].tolist()]
    return [dict(zip(("kind", *names), row, strict=True)) for row in zip(kinds, *columns, strict=True)]


def units_of(log):
    return [one.price_step * one.qty_step * one.multiplier for one in log.universe.instruments]


@pytest.mark.lengthy
@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize(("seed", "account"), [(0, ""), (1, "A1"), (2, "")])
def test_every_count_is_that_of_plain_loops(name, seed, account):
    rule, limits, naive = LIMITS[name]
    log, lasting = quiet_log(seed), (2 + 40 * (seed % 2)) * SECOND
    found = detection(log, RuleSet([rule]), INCIDENTS, {f"{name}.limit": limits}, rng=np.random.default_rng(seed), moments=1,
                      scales=[0.002, 0.006], lasting_ns=lasting, account=account, compiled=False)  # fmt: skip
    assert len(found.runs) == len(limits) * len(INCIDENTS) * 2
    base = len(log.universe.instruments)
    for limit in limits:
        judged = naive_replay(events_of(log), naive(limit), units_of(log))
        refused = [sum(event["refused"] for event in judged if event["ts"] // DAY == day) for day in (19_787, 19_788)]
        one = found.frame.loc[limit]
        assert one["refused"] == sum(refused) and one["false_alarms"] == pytest.approx(sum(refused) / 2)
        assert one["alarm_days"] == sum(count > 0 for count in refused) / 2
        caught = 0
        for run in found.runs.loc[[limit]].itertuples():
            both = inject(log, run.incident, at=run.at.value, seed=run.seed, scale=run.scale, account=account)
            own = set(range(base, len(both.universe.instruments)))
            judged = naive_replay(with_probes(events_of(both), own, lasting), naive(limit), units_of(both))
            stopped, time, loss, passed, at_end = naive_outcome(judged, own, lasting, both.about["incident"]["end"])
            assert run.stopped == stopped and run.passed == pytest.approx(passed)
            if account == "":  # else the account's own book is in the loss of the plain loops
                assert run.loss_with_limits == pytest.approx(at_end)
                assert loss is None or run.loss_at_stop == pytest.approx(loss)
            assert time is None or run.time_to_stop == pytest.approx(time)
            caught += stopped
        assert one["caught"] == caught and one["catch_rate"] == caught / one["runs"]


def test_the_cases_of_the_property_have_stops_throttles_and_misses():
    kinds = set()
    for name, (rule, limits, _) in LIMITS.items():
        found = detection(quiet_log(0), RuleSet([rule]), INCIDENTS, {f"{name}.limit": limits}, moments=1, scales=[0.01],
                          rng=np.random.default_rng(1), lasting_ns="2s", compiled=False)  # fmt: skip
        for run in found.runs.itertuples():
            kinds.add((name, "stopped" if run.stopped else "throttled" if run.passed < 1 else "missed"))
    assert {
        ("rate", "throttled"),
        ("rate", "missed"),
        ("latch", "stopped"),
        ("loss", "stopped"),
        ("loss", "missed"),
    } <= kinds


@pytest.mark.parametrize("size", [59, 60, 61, 62])
def test_a_rate_limit_throttles_whatever_the_parity_of_the_last_order(size):
    """Every second order passes; the last refusal of a burst is not a stop."""
    found = detection(tiny_log(), RuleSet([Rule("rate", OrderRate(limit=20, window_ns="1s"))]), ["infinium"],
                      {"rate.limit": [20]}, moments=1, scales=[size / 6_767], rng=np.random.default_rng(1), compiled=False)  # fmt: skip
    run = found.runs.iloc[0]
    assert not run["stopped"] and run["passed"] == pytest.approx(20 / size) and run["first_rejection"] is not None
    assert f"{100 * 20 / size:.3g} % through" in repr(found)


def test_a_closed_position_ends_the_loss():
    loss = RuleSet([Rule("loss", DailyLoss(limit=1))])
    options = {"moments": 1, "scales": [0.02], "compiled": False}
    stays, closed = (
        detection(tiny_log(marks=9), loss, ["everbright"], {"loss.limit": [100_000]}, rng=np.random.default_rng(4),
                  rates={"CNY": "0.1"}, on_trip=on_trip, **options).runs.iloc[0]
        for on_trip in ("cancel_working", "flatten")
    )  # fmt: skip
    assert stays["loss"] == closed["loss"] and closed["stopped"] and stays["time_to_stop"] == closed["time_to_stop"]
    assert closed["loss_with_limits"] != stays["loss_with_limits"]


@pytest.mark.lengthy
def test_children_that_fall_with_their_cancelled_parents_are_a_stop():
    loss = RuleSet([Rule("loss", DailyLoss(limit=1), hold="reset")])
    refused, dropped = (
        detection(tiny_log(marks=9), loss, ["citi"], {"loss.limit": [10_000]}, rng=np.random.default_rng(4), moments=1,
                  on_trip=on_trip, compiled=False).runs.iloc[0]
        for on_trip in ("leave", "cancel_working")
    )  # fmt: skip
    assert refused["stopped"] and dropped["stopped"] and refused["rule"] == dropped["rule"] == "loss"
    assert refused["time_to_stop"] == dropped["time_to_stop"]


def test_the_same_generator_gives_the_same_runs_to_every_setting():
    rules, grid = RuleSet([LIMITS["loss"][0]]), {"loss.limit": [2, 300]}
    one, two, other = (
        detection(quiet_log(1), rules, ["infinium"], grid, moments=3, rng=np.random.default_rng(seed), compiled=False)
        for seed in (5, 5, 6)
    )
    assert one.runs.equals(two.runs) and one.frame.equals(two.frame) and not one.runs.equals(other.runs)
    assert one.runs.loc[2, "seed"].tolist() == one.runs.loc[300, "seed"].tolist()
    assert one.runs["seed"].nunique() == 3


def test_best_catches_most_within_the_false_alarms_that_are_allowed():
    rule, limits, _ = LIMITS["latch"]
    found = detection(quiet_log(2), RuleSet([rule]), ["flash", "goldman"], {"latch.limit": [*limits, 10_000]}, moments=2,
                      rng=np.random.default_rng(1), compiled=False)  # fmt: skip
    frame = found.frame
    assert frame["false_alarms"].iloc[0] > frame["false_alarms"].iloc[-1] == 0
    chosen = found.best(at_most_false_alarms=0)["latch.limit"]
    silent = frame[frame["false_alarms"] == 0]
    assert frame.loc[chosen, "caught"] == silent["caught"].max() and chosen != 10_000
    assert found.rules_of({"latch.limit": 4})["latch"].parameters.limit == 4
    assert (frame["catch_rate_low"] <= frame["catch_rate"]).all() and (
        frame["catch_rate"] <= frame["catch_rate_high"]
    ).all()
    ax = found.plot()
    assert {text.get_text() for text in ax.texts} == {"1", "4", "40", "10,000"}
    assert "false alarms" in ax.get_xlabel() and found.to_frame() is frame
    by = found.by_incident()
    assert by["runs"].sum() == len(found.runs) and by.index.names == ["latch.limit", "incident", "scale"]


def test_intervals_cover():
    draw = np.random.default_rng(3)
    for share in (0.05, 0.5, 0.9):
        ends = [share_interval(int(count), 30, 0.9) for count in draw.binomial(30, share, 2_000)]
        assert np.mean([low <= share <= high for low, high in ends]) > 0.86
    for mean in (0.2, 3.0):
        ends = [daily_interval(draw.poisson(mean, 20), 0.9) for _ in range(1_000)]
        assert np.mean([low <= mean <= high for low, high in ends]) > 0.87
    bursts = [daily_interval(25 * draw.poisson(0.5, 60), 0.9) for _ in range(1_000)]  # in clusters of 25
    assert np.mean([low <= 12.5 <= high for low, high in bursts]) > 0.87


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"incidents": []}, "incidents is empty; name at least one"),
        ({"scales": []}, "scales is empty; name at least one"),
        ({"moments": 0}, "moments=0 is not an integer of at least 1"),
        ({"lasting_ns": 0}, "lasting_ns=0 is not above zero"),
        ({"incidents": ["nobody"]}, "incident='nobody' is not one of knight"),
        ({"settings": {"size.limit": [1]}}, "'size.limit' is not a 'rule_id.parameter' of these rules"),
        (
            {"incidents": ["emkay"]},
            "rates has no 'INR': the log is in USD and the incident 'emkay-2012-10-05' is not; give rates=",
        ),
        ({"rng": 7}, "rng=7 is not a numpy Generator"),
        ({"coverage": 90}, "coverage=90 is not between 0 and 1"),
    ],
)
def test_what_does_not_fit_is_refused(change, says):
    given = {"incidents": ["infinium"], "settings": {"latch.limit": [1]}, "rng": np.random.default_rng(1)} | change
    with pytest.raises(InputError, match=says):
        detection(quiet_log(0, 6), RuleSet([LIMITS["latch"][0]]), compiled=False, **given)


def test_more_false_alarms_than_allowed_are_refused():
    found = detection(quiet_log(0), RuleSet([LIMITS["latch"][0]]), ["infinium"], {"latch.limit": [1]}, moments=1,
                      rng=np.random.default_rng(1), compiled=False)  # fmt: skip
    with pytest.raises(InputError, match="at_most_false_alarms=1: no setting has so few; the fewest are"):
        found.best(at_most_false_alarms=1)
