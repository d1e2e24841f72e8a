"""Files of several formats read together: nothing is lost, the order is that of time, and what cannot be one is refused."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import pytest
from refusing import refusal

import riskkit as rk
from riskkit.read.join import joined

FORMATS = Path(__file__).parents[1] / "data" / "formats"
READINGS = {
    "binance": lambda: rk.read.binance(FORMATS / "binance" / "Binance-Spot-Trade-History.csv"),
    "kraken": lambda: rk.read.kraken(FORMATS / "kraken" / "trades.csv"),
    "coinbase": lambda: rk.read.coinbase(FORMATS / "coinbase" / "fills.csv"),
    "bitstamp": lambda: rk.read.bitstamp(FORMATS / "bitstamp" / "Transactions_rfc4180.csv"),
    "quantconnect": lambda: rk.read.quantconnect(FORMATS / "quantconnect" / "orders.csv"),
}


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(READINGS, 2)))
def test_what_two_files_state_is_stated_once(one, other):
    parts = [READINGS[name]() for name in (one, other)]
    found = joined(parts)
    assert Counter(found.events) == Counter(parts[0].events) + Counter(parts[1].events)
    assert Counter(found.derived) == Counter(parts[0].derived) + Counter(parts[1].derived)
    assert len(found.frame) == len(found.places) == sum(len(part.frame) for part in parts)
    assert found.frame["ts"].is_monotonic_increasing
    for file in found.files:
        rows = [place == file for place, _ in found.places]
        alone = next(part for part in parts if file in part.files)
        assert found.frame.loc[rows, "price"].tolist() == alone.frame["price"].tolist()
    assert set(found.fees) == {*parts[0].fees, *parts[1].fees}


def test_two_exchanges_become_one_log_at_one_call():
    files = [FORMATS / "binance" / "Binance-Spot-Trade-History.csv", FORMATS / "kraken" / "trades.csv"]
    log = rk.read_log(files, rounding="nearest")
    alone = [rk.read_log(file, rounding="nearest").counts() for file in files]
    assert log.counts() == Counter(alone[0]) + Counter(alone[1])
    assert log.about["read as"] == "binance, kraken"
    assert {account.id for account in log.universe.accounts} == {"binance", "kraken"}
    said = refusal(rk.read_log, files, account="mine")
    assert said == "account= is of one format, and the files are of binance, kraken; read each alone"


def test_one_account_in_two_formats_is_refused():
    one = rk.read.kraken(FORMATS / "kraken" / "trades.csv", account="A")
    other = rk.read.binance(FORMATS / "binance" / "Binance-Spot-Trade-History.csv", account="A")
    assert refusal(joined, [one, other]) == (
        "account 'A' is in files of kraken and of binance; read each with its own account=, or in logs of their own"
    )


def test_a_row_that_does_not_fit_is_named_by_its_file(tmp_path):
    head = '"txid","ordertxid","pair","time","type","ordertype","price","cost","fee","vol","margin","misc","ledgers"'
    row = '"T{0}","O{0}","XBTUSD","2024-05-06 00:00:0{0}","buy","limit","{1}","1.0","0.1","{2}","0.0","",""'
    rows = [row.format(1, "60000.1234567891", "1.00000001"), row.format(2, "60000.5", "2")]
    (tmp_path / "trades.csv").write_text("\n".join([head, *rows]) + "\n")
    with pytest.raises(rk.InputError) as refused:
        rk.read_log(tmp_path / "trades.csv")
    assert str(refused.value).startswith("trades.csv, line 2: quantity 100000001 x price"), str(refused.value)
