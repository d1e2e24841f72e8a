"""Orders and fills in files of their own, without a column that says which: told apart, or asked for, never counted twice."""

import io

import pytest
from refusing import refusal

import riskkit as rk

ORDERS = "time,order id,symbol,side,quantity,price\n09:30,o1,X,buy,10,5\n09:31,o2,X,sell,4,6\n09:32,o3,X,buy,7,6\n"
FILLS = "time,order id,symbol,side,quantity,price{more}\n09:30,o1,X,buy,6,5{a}\n09:33,o1,X,buy,4,5{b}\n09:34,o2,X,sell,4,6{c}\n"


def read(*texts: str, **arguments):
    files = [io.StringIO(text.replace(",o", ",o").replace("\n09", "\n2024-03-05 09")) for text in texts]
    for number, file in enumerate(files):
        file.name = f"{number}.csv"
    return rk.read.generic_csv(files, currency="USD", **arguments)


def fills(more: str, *cells: str) -> str:
    return FILLS.format(more=f",{more}", **{name: f",{cell}" for name, cell in zip("abc", cells, strict=True)})


@pytest.mark.parametrize(
    "text", [fills("trade id", "t1", "t2", "t3"), fills("fee", "0.1", "0.2", ""), fills("commission", "0", "0", "0")]
)
@pytest.mark.parametrize("turned", [False, True])
def test_orders_are_those_that_another_file_has_the_fills_of(text, turned):
    reading = read(*((text, ORDERS) if turned else (ORDERS, text)))
    kinds = reading.frame["kind"].value_counts().to_dict()
    assert kinds == {"order": 3, "fill": 3} and not reading.derived.get("order")
    assert f"{int(turned)}.csv: its rows are orders" in reading.assumed


def test_a_price_that_is_a_limit_is_of_an_order():
    reading = read(ORDERS.replace("price", "limit price"))
    assert set(reading.frame["kind"]) == {"order"}


def test_what_may_be_orders_or_fills_is_asked_for():
    bare = FILLS.format(more="", a="", b="", c="")
    assert "1.csv: has the orders of 0.csv, and nothing tells orders from fills" in refusal(read, ORDERS, bare)


def test_fills_of_two_days_stay_fills():
    later = "time,order id,symbol,side,quantity,price\n09:40,o8,X,buy,10,5\n"
    assert set(read(ORDERS, later).frame["kind"]) == {"order", "fill"} and len(read(ORDERS, later).frame) == 8
