"""Probability of a breach: what is learned of flow, what is refused, and that nothing looks ahead."""

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit._check import InputError
from riskkit.learn import breach_probability
from riskkit.learn.breach import NAMES, flow_of

START = pd.Timestamp("2024-01-01", tz="UTC")
HOUR = 3_600_000_000_000


def flow(n=2_000, memory=0.9, seed=2):
    """Messages of two accounts every ten minutes: a breach has the better chance the busier the account has been."""
    rng = np.random.default_rng(seed)
    parts = []
    for key in ("A", "B"):
        level = np.zeros(n)
        for i in range(1, n):
            level[i] = memory * level[i - 1] + rng.standard_normal() * np.sqrt(1.0 - memory**2)
        share = 0.65 + 0.25 * level + 0.02 * rng.standard_normal(n)
        parts.append(
            pd.DataFrame({"ts": START + pd.to_timedelta(10 * np.arange(n), "min"), "key": key, "share": share})
        )
    table = pd.concat(parts).sort_values(["ts", "key"], kind="stable", ignore_index=True)
    return table.assign(share=table["share"].clip(lower=0.0))


@pytest.fixture(scope="module")
def found():
    return breach_probability(flow(), "1h", every="30min", n_trees=20)


@pytest.mark.lengthy
def test_probabilities_are_calibrated(found):
    frame = found.reliability()
    assert frame["forecasts"].sum() == len(found.forecasts)
    busy = frame[frame["forecasts"] >= 80]
    assert len(busy) >= 2
    assert (busy["mean forecast"] - busy["observed"]).abs().max() < 0.12
    assert found.forecasts["learned"].between(0.0, 1.0).all()
    assert found.scores["learned"].mean() < 0.85 * found.scores["base rate"].mean()


@pytest.mark.lengthy
def test_what_is_no_better_than_the_last_share_is_refused():
    rng = np.random.default_rng(1)
    used = pd.Series(rng.uniform(0.0, 1.05, 2_000), pd.date_range(START, periods=2_000, freq="10min"))
    found = breach_probability(used, "1h", every="1h", n_trees=10)
    assert found.verdict.startswith("refused: it is no")
    with pytest.raises(InputError, match="the learned model is refused"):
        found.next_probability()
    assert found.next_probability(refused_too=True).between(0.0, 1.0).all()


@pytest.mark.lengthy
def test_flow_whose_trend_tells_is_accepted():
    """Use climbs to a breach, or falls back, from the same last share: only the way there tells."""
    rng = np.random.default_rng(4)
    rows = []
    for day in range(300):
        up = rng.random() < 0.5
        shares = np.linspace(0.3, 0.7, 6) if up else np.linspace(0.9, 0.7, 6)
        after = 1.2 if up else 0.4
        times = START + pd.Timedelta(days=day) + pd.to_timedelta([*range(0, 60, 10), 75], "min")
        rows.append(pd.DataFrame({"ts": times, "key": "A", "share": [*shares, after]}))
    found = breach_probability(pd.concat(rows, ignore_index=True), "30min", every="30min", n_trees=20)
    assert found.accepted, found.objection
    assert found.next_probability().index.tolist() == ["A"]
    assert found.card()["text"].iloc[0].startswith("accepted")


@pytest.mark.lengthy
def test_what_comes_later_changes_no_forecast(found):
    table = flow()
    turn = found.forecasts.index.get_level_values("ts")[len(found.forecasts) // 2]
    later = table["ts"] > turn
    other = breach_probability(
        table.assign(share=table["share"].where(~later, (1.3 - table["share"]).clip(lower=0.0))),
        "1h",
        every="30min",
        n_trees=20,
    )
    first = found.forecasts.index.get_level_values("ts").unique()[: len(found.scores) // 4]  # of the first training
    pd.testing.assert_frame_equal(
        other.forecasts.loc[first].drop(columns="breached"), found.forecasts.loc[first].drop(columns="breached")
    )


def test_features_and_outcomes_are_those_of_a_plain_count():
    table = flow(200)
    ts, share = table["ts"].dt.as_unit("ns").astype("int64").to_numpy(), table["share"].to_numpy()
    keys = table["key"].to_numpy()
    found = flow_of(ts, keys, share, HOUR, HOUR // 2)
    for i in range(0, len(found.ts), 7):
        now, own = found.ts[i], keys == found.key[i]
        recent = share[own & (ts > now - HOUR) & (ts <= now)]
        long = share[own & (ts > now - 8 * HOUR) & (ts <= now)]
        row = dict(zip(NAMES, found.features[i], strict=True))
        assert row["last"] == pytest.approx(recent[-1]) and row["mean"] == pytest.approx(recent.mean())
        assert row["highest"] == pytest.approx(recent.max()) and row["messages"] == len(recent)
        assert row["highest of 8 times that"] == pytest.approx(long.max())
        assert row["breached"] == float((recent > 1.0).any())
        came = share[own & (ts > now) & (ts <= now + HOUR)]
        if now + HOUR > ts[-1]:
            assert np.isnan(found.breached[i])
        else:
            assert found.breached[i] == float((came > 1.0).any())


def test_the_path_of_a_rule_is_the_flow():
    frame = pd.DataFrame({"ts": np.arange(4) * 10**9, "kind": "order", "account": list("ABAB"), "instrument": "X",
                          "side": "B", "qty": [1, 9, 2, 4], "price": 10})  # fmt: skip
    rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=4))])
    path = rk.sweeps.utilization(rk.EventLog.from_frame(frame, unit="ns"), rules, compiled=False).path("size")
    assert path["share"].tolist() == [0.25, 2.25, 0.5, 1.0]
    assert path["key"].tolist() == list("ABAB") and path["ts"].iloc[1] == pd.Timestamp(1, unit="s", tz="UTC")


def test_the_card_and_plot(found, tmp_path):
    text = found.write_card(tmp_path / "card.html").read_text(encoding="utf-8")
    assert "Reliability" in text and "probability of a breach within 1 h" in text
    assert found.plot().get_xlabel() == "forecast probability"
