"""Tasks of a developer of trading programs, each in at most five lines and from files that are built here."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import riskkit as rk
from riskkit.replay.rules.custom import OBJECT, PASS, Quantity, Verdict, custom

HEADS = {
    "binance.csv": '"Date(UTC)","Pair","Side","Price","Executed","Amount","Fee"',
    "kraken.csv": '"txid","ordertxid","pair","time","type","ordertype","price","cost","fee","vol","margin","misc","ledgers"',
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Trades of one night at two exchanges, in the forms in which these export them."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(8)
    rows: dict[str, list[str]] = {name: [head] for name, head in HEADS.items()}
    for k in range(60):
        side, qty, price = (
            rng.choice(["BUY", "SELL"]),
            int(rng.integers(1, 40)) / 10,
            int(rng.integers(30_000, 31_000)) / 10,
        )
        clock = f"2024-05-06 {k // 20:02}:{k % 20:02}:{k % 50:02}"
        rows["binance.csv"].append(
            f'"{clock}","ETHUSDT","{side}","{price}","{qty}ETH","{qty * price:.2f}USDT","1.00USDT"'
        )
        cells = (
            f"T{k:05}",
            f"O{k // 2:05}",
            "SOLUSD",
            f"{clock}.5",
            side.lower(),
            "limit",
            f"{price / 20:.5f}",
            1.0,
            0.1,
            qty,
            0.0,
            "",
            "",
        )
        rows["kraken.csv"].append(",".join(f'"{cell}"' for cell in cells))
    for name, lines in rows.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path


def limits() -> rk.RuleSet:
    R = rk.rules
    rate = rk.Rule("rate", R.OrderRate(limit=3, window_ns="2min"))
    size = rk.Rule("size", R.MaxOrderQty(limit="2.5"))
    return rk.RuleSet([size, rate, rk.Rule("book", R.PositionLimit(limit=8))])


@pytest.mark.slow
def test_two_exchange_files_through_three_limits(folder):
    log = rk.read_log(["binance.csv", "kraken.csv"])
    result = rk.replay_log(log, limits(), mode="enforce", compiled=False)
    assert log.about["read as"] == "binance, kraken" and len(log.universe.accounts) == 2
    assert sum(result.refusals_by_rule().values()) > 10


def test_why_was_one_order_refused(folder):
    result = rk.replay_log(rk.read_log("kraken.csv"), limits(), compiled=False)
    order = result.refused()["order_id"].iloc[0]
    said = str(result.explain(order_id=order, tz="Europe/Berlin"))
    assert said.startswith(f"Order {order} (") and "was refused by size: observed" in said and "CEST" in said


@pytest.mark.slow
def test_a_sweep_of_one_limit_and_its_picture(folder):
    log = rk.read_log("binance.csv")
    found = rk.sweep(log, limits(), {"size.limit": [1, 2, "2.5", 3, 4]}, compiled=False)
    ax = found.plot()
    assert ax.get_xlabel() == "size.limit, quantity" and "now: 2.5" in {text.get_text().strip() for text in ax.texts}
    assert found.frame["orders_rejected"].is_monotonic_decreasing


def test_a_rule_of_ones_own(folder):
    Params = NamedTuple("Params", [("limit", Quantity)])  # noqa: UP014, N806

    def check(params, event):
        return Verdict(OBJECT if event.side < 0 and event.qty > params.limit else PASS, event.qty, params.limit)

    own = custom("large_sell", Params, check=check)
    result = rk.replay_log(rk.read_log("binance.csv"), rk.RuleSet([own("sells", limit="2.5")]), compiled=False)
    assert result.refusals_by_rule()["sells"] > 3


@pytest.mark.slow
def test_a_report_to_send(folder):
    found = rk.compare(rk.read_log(["binance.csv", "kraken.csv"]), limits(), compiled=False)
    page = rk.report.limits(found, "limits.html", tz="Europe/Berlin")
    assert 5_000 < page.stat().st_size < 1_000_000
