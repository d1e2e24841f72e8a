"""Flex queries: what a cancel names, sections that are not read, times in two attributes."""

from __future__ import annotations

import io

import pytest
from refusing import refusal

import riskkit as rk


def trade(**changed: str) -> str:
    known = dict(
        accountId="U1", currency="USD", symbol="X", multiplier="1", dateTime="20240308;122215", quantity="10", tradePrice="50",
        ibCommission="-1", buySell="BUY", ibOrderID="7", ibExecID="e1", tradeID="100", transactionType="ExchTrade",
    )  # fmt: skip
    return "<Trade " + " ".join(f'{name}="{value}"' for name, value in {**known, **changed}.items()) + " />"


def read(*trades: str, others: str = "") -> rk.read.Reading:
    sections = f"<Trades>{''.join(trades)}</Trades>{others}"
    return rk.read.ib_flex(
        io.StringIO(f"<FlexQueryResponse><FlexStatement>{sections}</FlexStatement></FlexQueryResponse>")
    )


CANCEL = {"transactionType": "TradeCancel", "buySell": "BUY (Ca.)", "quantity": "-10", "tradeID": "200"}


@pytest.mark.parametrize("names", [{}, {"ibExecID": "", "origTradeID": "100"}])
def test_a_cancel_takes_away_the_trade_that_it_names(names):
    found = read(trade(), trade(ibExecID="e2", tradeID="101", quantity="4"), trade(**CANCEL, **names))
    assert found.standing()["qty"].tolist() == [4] and str(found.fees["USD"]) == "1"
    assert found.left_out["reason"].str.startswith("cancelled trade: takes the execution with").all()


def test_a_cancel_that_names_no_trade_is_refused():
    """It would be left out, and the trade that it cancels would stand."""
    said = refusal(read, trade(ibExecID=""), trade(**CANCEL, ibExecID=""))
    assert said == "file, Trade 2: cancels a trade and does not name it; take a query with ibExecID or origTradeID"


def test_sections_that_move_positions_are_named():
    others = (
        '<CorporateActions><CorporateAction type="FS" quantity="10"/></CorporateActions><Transfers/><OpenPositions />'
    )
    assert "sections that are not read: CorporateActions" in read(trade(), others=others).assumed


def test_a_day_and_a_time_apart_are_one_time():
    apart = trade(dateTime="", tradeDate="20240308", tradeTime="122215")
    assert read(apart).frame["ts"].tolist() == read(trade()).frame["ts"].tolist()
