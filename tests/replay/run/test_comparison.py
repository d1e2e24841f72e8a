"""Without limits and with them: the numbers of the table against a plain walk over the events, and its refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from naive.curves import deepest_fall, profits_after, profits_at, worst_day
from refusing import refusal

from riskkit import plot
from riskkit._check import InputError
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.timeline import DAY
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.compare import compare
from riskkit.replay.run.comparison import WITHOUT, ReplayComparison
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.provenance import data_sentence
from riskkit.rules import DailyLoss, DrawdownLimit, OrderRate, PositionLimit

HOUR = DAY // 24
RULES = RuleSet([Rule("size", PositionLimit(limit=6)), Rule("rate", OrderRate(limit=2, window_ns=3 * HOUR))])


def frame_of(seed: int, size: int = 120) -> pd.DataFrame:
    """Orders that are filled at once, prices and deposits, a few hours apart."""
    draw = np.random.default_rng(seed)
    rows, ts = [], pd.Timestamp("2024-03-04", tz="UTC").value
    for number in range(size):
        ts += int(draw.integers(0, 5)) * HOUR
        row = {"ts": ts, "account": f"A{draw.integers(2)}", "instrument": f"I{draw.integers(2)}"}
        price = float(100 + draw.integers(-40, 40) / 4)
        if draw.random() < 0.4:
            rows.append({**row, "kind": "price", "account": None, "price": price})
        elif draw.random() < 0.1:
            rows.append({**row, "kind": "cash", "instrument": None, "amount": float(draw.integers(-500, 500))})
        else:
            row |= {"side": "B" if draw.random() < 0.5 else "S", "qty": int(draw.integers(1, 5)), "price": price}
            rows += [{**row, "kind": kind, "order_id": f"o{number}"} for kind in ("order", "fill")]
    return with_trades(pd.DataFrame(rows))


def with_trades(frame: pd.DataFrame) -> pd.DataFrame:
    """Let two fills in a row be the sides of one trade: of two accounts, in one instrument on one day."""
    fills = frame.index[frame["kind"] == "fill"].to_numpy()
    frame["trade_id"] = None
    for place in range(0, len(fills) - 1, 2):
        sides = fills[place : place + 2]
        two = frame.loc[sides]
        if two["account"].nunique() == 2 and two["instrument"].nunique() == (two["ts"] // DAY).nunique() == 1:
            frame.loc[sides, "trade_id"] = f"t{place}"
    return frame


@pytest.fixture(scope="module", params=[1, 2])
def frame(request):
    return frame_of(request.param)


@pytest.fixture(scope="module")
def found(frame):
    log = EventLog.from_frame(frame, about={"title": "random events", "kind": "synthetic"})
    return compare(log, RULES, sample_ns=HOUR, orphans="keep", compiled=False)


def test_curves_of_the_record_are_those_of_a_plain_walk(frame, found):
    samples = found.without.sample_times.tolist()
    plain = profits_at(frame.to_dict("records"), samples)
    table = found.without.profits()
    for account in table:
        assert table[account].tolist() == [float(profits[account]) for profits in plain]
    total = [sum(profits.values()) for profits in plain]
    curve = found.curves[WITHOUT]
    assert curve.profit.tolist() == [float(value) for value in total]
    events = profits_after(frame.to_dict("records"))
    assert curve.deepest == float(deepest_fall([sum(profits.values()) for profits in events]))
    gain, day = worst_day(samples, total, DAY)
    assert (curve.worst_day, curve.worst_date) == (float(gain), str(np.datetime64(day, "D")))


def test_an_enforced_curve_is_the_walk_over_what_is_left(frame, found):
    refused = set(found.enforce.rejections()["seq"].tolist())
    gone = {frame.loc[seq, "order_id"] for seq in refused}
    left = [event for event in frame.to_dict("records") if event.get("order_id") not in gone]
    everybody = [{**event, "qty": 0} for event in frame.to_dict("records") if event["kind"] == "fill"]
    samples = found.without.sample_times.tolist()
    names = {event["account"] for event in everybody}
    plain = profits_at(left, samples)
    total = [sum(profits[name] for name in names & set(profits)) for profits in plain]
    assert refused
    assert found.curves["enforce"].profit.tolist() == [float(value) for value in total]


def test_shadow_changes_no_money(found):
    assert found.curves["shadow"].profit.tolist() == found.curves[WITHOUT].profit.tolist()
    table = found.to_frame()
    assert table.loc["profit", "shadow"] == table.loc["profit", WITHOUT]
    assert table.loc["refused", WITHOUT] == 0


def test_the_table_adds_up(found):
    table = found.to_frame()
    for mode, result in found.limited.items():
        assert sum(table.loc[f"by {rule.id}", mode] for rule in RULES) == table.loc["refused", mode]
        assert table.loc["digest", mode] == result.digest
    accounts = found.accounts()
    assert accounts["refused", "enforce"].sum() == table.loc["refused", "enforce"]
    assert accounts["", "orders"].sum() == table.loc["orders", "enforce"]
    for name in (WITHOUT, "enforce"):
        assert accounts["profit", name].sum() == pytest.approx(table.loc["profit", name])
        assert accounts["maximum drawdown", name].max() == table.loc["max drawdown of one account", name]


def test_labels_of_the_table_are_unique(found):
    assert found.to_frame().index.is_unique


def test_fills_of_orders_left_out_are_counted_with_those_of_refused_ones_under_a_name_that_fits_both():
    told = {"account": "A", "instrument": "X", "price": 10.0}
    rows = []
    for name, side, qty in (("entry", "B", 10), ("exit", "S", 10)):  # the exit of what was refused is an orphan
        rows += [{**told, "kind": kind, "side": side, "qty": qty, "order_id": name} for kind in ("order", "fill")]
    log = EventLog.from_frame(pd.DataFrame(rows).assign(ts=range(4)))
    found = compare(log, RuleSet([Rule("size", PositionLimit(limit=6))]), compiled=False)
    table = {line.split("  ")[0]: line.split()[-1] for line in repr(found).splitlines() if line[:1].isalpha()}
    assert (table["fills of dropped orders"], table["refused"], table["orphan exits"]) == ("2", "1", "1")
    assert found.enforce.explain(3).endswith("vanished with its order.")
    assert "its order was refused or left out" in found.enforce.explain(order_id="exit")


def test_worst_day_of_one_account(frame, found):
    samples = found.without.sample_times.tolist()
    plain = profits_at(frame.to_dict("records"), samples)
    worst = min((worst_day(samples, [p[a] for p in plain], DAY)[0], a) for a in plain[0])
    table = found.to_frame()
    assert table.loc["worst day of one account", WITHOUT] == float(worst[0])
    assert table.loc["whose worst day", WITHOUT] == worst[1]


def test_unmatched_trades_are_those_with_one_side_gone(frame, found):
    fills = frame[frame["kind"] == "fill"]
    gone = {frame.loc[seq, "order_id"] for seq in found.enforce.rejections()["seq"]}
    trades, quantity = 0, 0
    for _, sides in fills.groupby("trade_id"):
        assert len(sides) == 2
        net = sum((1 if s == "B" else -1) * q for s, q, o in sides[["side", "qty", "order_id"]].values if o not in gone)
        trades += net != 0
        quantity += abs(net)
    assert found.enforce.unmatched() == (trades, quantity)
    assert found.without.unmatched()[0] > 0  # sides of these random trades do not match from the start


def test_what_is_printed_says_what_the_data_are(found):
    text, html = repr(found), found._repr_html_()
    for part in (text, html):
        assert "Data: synthetic." in part
        assert "Neither the market nor the strategies react" in part
    assert text.splitlines()[0] == "random events"


def test_sentences_are_made_of_the_table(found):
    text = " ".join(found.sentences())
    table = found.to_frame()
    for number in (table.loc["refused", "shadow"], table.loc["refused", "enforce"]):
        assert f" {number:,} " in text
    assert f"{table.loc['profit', 'enforce']:,.0f}" in text


def test_a_rule_that_is_never_met_is_named():
    log = EventLog.from_frame(frame_of(3, 40))
    found = compare(log, RuleSet([Rule("far", PositionLimit(limit=10_000))]), compiled=False)
    assert "Never met: far." in found.sentences()
    assert found.enforce.digest != found.shadow.digest
    assert found.curves["enforce"].final == found.curves[WITHOUT].final


def test_holds_are_what_a_walk_over_the_trips_says():
    frame = pd.DataFrame(
        {
            "ts": np.arange(6) * HOUR,
            "kind": ["order", "fill", "price", "price", "price", "price"],
            "account": ["A", "A", None, None, None, None],
            "instrument": "X",
            "side": ["B", "B", None, None, None, None],
            "qty": [10, 10, None, None, None, None],
            "price": [10.0, 10.0, 8.0, 12.0, 9.0, 9.0],
            "order_id": ["a", "a", None, None, None, None],
        }
    )
    rules = RuleSet([Rule("fall", DrawdownLimit(money=5), hold="90min")])
    result = replay_log(EventLog.from_frame(frame), rules, compiled=False)
    halts = result.halts()
    assert halts["rule"].tolist() == ["fall"] * len(halts)
    assert halts["key"].tolist() == ["A"] * len(halts)
    trips = result.transitions()
    assert len(halts) == len(trips) > 0
    last = 5 * HOUR
    total, open_until, begun = 0, None, None
    for row in trips:
        now = int(row["seq"]) * HOUR
        if begun is not None:
            total += min(open_until, now) - begun
        begun, open_until = now, int(row["until"])
    total += max(min(open_until, last) - begun, 0)
    assert result.halted_time() == {"fall": total}
    assert result.halted_time(trading=True) == {"fall": total}
    assert result.halted_between(np.arange(7) * HOUR).sum() == total
    assert result.silent() == []
    quiet = replay_log(EventLog.from_frame(frame), RuleSet([Rule("fall", DrawdownLimit(money=500))]), compiled=False)
    assert quiet.silent() == ["fall"] and not quiet.halted_between(np.arange(7) * HOUR).any()


def test_a_fall_between_two_samples_is_seen_and_days_are_those_of_the_rules():
    new_york = {"tz": "America/New_York", "roll_hour": 17}
    fill = {"kind": "fill", "account": "A", "instrument": "X", "side": "B", "qty": 100, "price": 100.0}
    times = [("2024-01-01 12:00", fill)]
    times += [(f"2024-06-03 {at}", {"kind": "price", "instrument": "X", "price": p}) for at, p in PRICES]
    times += [("2025-02-01 12:00", {"kind": "price", "instrument": "X", "price": 100.0})]
    frame = pd.DataFrame([{"ts": pd.Timestamp(at, tz="UTC").value, **row} for at, row in times])
    found = compare(
        EventLog.from_frame(frame), RuleSet([Rule("loss", DailyLoss(limit=10**6, **new_york))]), compiled=False
    )
    table = found.to_frame()
    assert found.spacing_text == "samples at most 22 h apart"
    assert found.curves[WITHOUT].fall.max() == 2_000 and table.loc["max drawdown", WITHOUT] == 5_000
    assert found.without.accounts()["drawdown"].tolist() == [5_000.0]  # of the account and of the total
    assert table.loc["worst day", WITHOUT] == -2_000  # to 21:00 UTC; at midnight in UTC it is -1,000
    assert table.loc["on (trading day from 17:00 America/New_York)", WITHOUT] == "2024-06-03"
    assert "5.00 thousand USD" in found.plot_drawdown().get_title(loc="left")


PRICES = [("14:00", 50.0), ("15:00", 80.0), ("21:30", 90.0)]


def test_replays_that_do_not_belong_together_are_refused():
    one, two = EventLog.from_frame(frame_of(4, 20)), EventLog.from_frame(frame_of(5, 20))
    none = RuleSet([])

    def run(log, rules, mode="shadow", sample_ns=HOUR):
        return replay_log(log, rules, mode, sample_ns=sample_ns, compiled=False)

    without, shadow = run(one, none), run(one, RULES)
    with pytest.raises(InputError, match="without: it has 2 rules"):
        ReplayComparison(shadow, shadow)
    with pytest.raises(InputError, match="needs a replay in shadow or enforce"):
        ReplayComparison(without)
    with pytest.raises(InputError, match="enforce: it is a replay in shadow mode"):
        ReplayComparison(without, enforce=shadow)
    with pytest.raises(InputError, match="shadow: it is a replay of another log"):
        ReplayComparison(without, run(two, RULES))
    with pytest.raises(InputError, match="enforce: it is a replay of other rules"):
        ReplayComparison(without, shadow, run(one, RuleSet(RULES.rules[:1]), "enforce"))
    with pytest.raises(InputError, match="sampled at other times"):
        ReplayComparison(without, run(one, RULES, sample_ns=DAY))
    with pytest.raises(InputError, match="has no samples"):
        ReplayComparison(run(one, none, sample_ns=None), run(one, RULES, sample_ns=None))
    with pytest.raises(InputError, match="modes='live'"):
        compare(one, RULES, modes=["live"])


def test_a_log_without_events_compares():
    empty = EventLog.from_frame(frame_of(1, 5).iloc[:0])
    found = compare(empty, RULES, compiled=False)
    assert found.curves["enforce"].final == 0.0
    assert found.to_frame().loc["orders", "enforce"] == 0
    assert "digest" in repr(found)


def test_what_the_data_are_in_one_sentence():
    real = {"kind": "real", "adjusted": "no: a price index", "survivors_only": False, "orders": "mine"}
    assert data_sentence(real) == "Data: real, not adjusted, not only survivors; orders: mine."
    assert data_sentence({"kind": "real"}) == (
        "Data: real, adjusted or not is not declared, survivors only or not is not declared."
    )
    assert data_sentence({"kind": "synthetic"}) == "Data: synthetic."


# ---------------------------------------------------------------------- the plot of one result


@pytest.mark.parametrize("of_one", [False, True])
def test_plot_equity_draws_the_profit_curve(found, of_one):
    result = found.enforce
    account = result.log.universe.accounts[0].id if of_one else None
    ax = result.plot_equity(account=account)
    profit = np.concatenate([[0.0], result.profit_curve(account)])
    scale, unit = plot.money_scale(profit, result.log.universe.currency)
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), profit / scale, rtol=1e-12)
    assert np.any(profit != 0.0) and f"profit, {unit}" in ax.get_ylabel()
    assert ("all accounts together" if account is None else account) in ax.get_title(loc="left")


def test_plot_equity_needs_samples_and_a_known_account(frame, found):
    result = replay_log(EventLog.from_frame(frame), RULES, compiled=False)
    assert refusal(result.plot_equity) == "this replay was not sampled; replay the log with sample_ns='1d'"
    with pytest.raises(InputError, match="account='nobody' is not in this log"):
        found.enforce.plot_equity(account="nobody")


def test_the_account_with_the_most_refused_orders(frame):
    compared = compare(EventLog.from_frame(frame), RULES, compiled=False)
    counted = {}
    log = compared.log
    for seq in compared.enforce.rejections()["seq"]:
        account = log.universe.accounts[log.columns["account"][seq]].id
        counted[account] = counted.get(account, 0) + 1
    assert counted[compared.most_refused()] == max(counted.values())


def test_the_notes_of_a_table_begin_with_its_data(frame):
    compared = compare(EventLog.from_frame(frame), RULES, compiled=False)
    notes = compared.notes()
    assert notes[0] == data_sentence(compared.log.about)
    assert all(note in repr(compared) for note in notes[:1])
