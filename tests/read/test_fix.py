"""FIX logs: the same messages however they are separated and prefixed, and traps that the samples do not have."""

from __future__ import annotations

import io

import pytest

import riskkit as rk

ORDER = "35=D|34=2|49=ME|52=20240308-14:30:01|56=BROKER|1=A|11=C1|55=X|54=1|38=5|40=2|44=20.15|"
FILL = "35=8|34={0}|49=BROKER|52=20240308-14:30:02|56=ME|37=X1|11={1}|17=E{0}|150=F|39=1|55=X|54=1|38=5|32=2|31=20.1|151=3|14=2|"


def message(body, version="4.4"):
    """A whole message with SOH between its fields."""
    text = f"8=FIX.{version}|9={len(body)}|{body}".replace("|", "\x01")
    return f"{text}10={sum(text.encode()) % 256:03d}\x01"


def read(*lines, end="\n", **arguments):
    return rk.read.fix(io.StringIO(end.join(lines)), **arguments)


@pytest.mark.parametrize("separator", ["\x01", "|", "^A", ";", "<SOH>"])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_separators_prefixes_and_line_ends_change_nothing(separator, end):
    lines = [message(ORDER), message(FILL.format(3, "C1"))]
    reading = read(*(f"09:30:00.000 In : {line}".replace("\x01", separator) for line in lines), end=end)
    assert reading.events == {"order": 1, "fill": 1}
    assert reading.frame.drop(columns="ts").equals(read(*lines).frame.drop(columns="ts"))


def test_an_order_is_one_through_its_client_ids_and_its_venue_id():
    replace = ORDER.replace("35=D|34=2", "35=G|34=3").replace("11=C1", "11=C2|41=C1").replace("38=5", "38=9")
    by_venue = FILL.format(7, "OTHER").replace("11=OTHER|", "")
    reading = read(*map(message, (ORDER, FILL.format(4, "C1"), replace, FILL.format(5, "C2"), by_venue)))
    assert reading.derived == {}
    assert reading.frame["order_id"].nunique() == 1
    assert reading.standing()["qty"].sum() == 6


def test_a_fill_that_comes_again_counts_once_and_another_day_has_its_ids_anew():
    again = FILL.format(3, "C1").replace("34=3|", "34=9|43=Y|122=20240308-14:30:02|")
    next_day = [body.replace("20240308", "20240311") for body in (ORDER, FILL.format(3, "C1"))]
    reading = read(*map(message, (ORDER, FILL.format(3, "C1"), again, *next_day)))
    assert reading.events == {"order": 2, "fill": 2}
    assert reading.left_out["reason"].tolist() == ["sent again (PossDup or PossResend), already read"]
    assert reading.frame["order_id"].nunique() == 2


def test_commissions_by_unit_and_by_cent_and_other_fees():
    fees = [
        f"{FILL.format(number, 'C1')}{tail}"
        for number, tail in ((3, "12=0.5|13=1|"), (4, "12=1|13=2|"), (5, "136=1|137=0.07|"))
    ]
    assert str(read(*map(message, (ORDER, *fees))).fees["USD"]) == "1.472"


def test_a_bust_of_a_correction_leaves_nothing():
    correct = FILL.format(4, "C1").replace("150=F", "150=G|19=E3").replace("31=20.1|", "31=20.2|")
    bust = FILL.format(5, "C1").replace("150=F", "150=H|19=E4")
    reading = read(*map(message, (ORDER, FILL.format(3, "C1"), correct)))
    assert [str(price) for price in reading.standing()["price"]] == ["20.2"]
    whole = read(*map(message, (ORDER, FILL.format(3, "C1"), correct, bust)))
    assert whole.standing().empty
    assert whole.log().counts() == {"ORDER": 1, "FILL": 1, "BUST": 1, "CORRECT": 1}


def test_a_future_asks_for_its_size():
    future = ORDER.replace("55=X|", "55=ES|167=FUT|200=202406|")
    with pytest.raises(rk.InputError, match=r"multipliers=\{'ES 202406': \.\.\.\}"):
        read(message(future))
    assert read(message(future), multipliers={"ES 202406": 50}).instruments[0].multiplier == 50


def test_a_damaged_message_is_left_out_and_named():
    damaged = message(FILL.format(3, "C1")).replace("31=20.1", "31=20.7")
    reading = read(message(ORDER), damaged, message(FILL.format(4, "C1"))[:60])
    assert reading.events == {"order": 1}
    assert reading.left_out["row"].tolist() == ["line 2", "line 3"]


def test_the_orders_of_a_list_are_orders():
    group = "11=W1|67=1|1=A|55=X|54=1|38=5|40=1|11=W2|67=2|1=B|55=Y|54=2|38=6|40=2|44=7|"
    listed = f"35=E|34=2|49=ME|52=20240308-14:30:01|56=BROKER|66=L|394=1|68=2|73=2|{group}"
    reading = read(*map(message, (listed, FILL.format(3, "W1"))))
    assert reading.derived == {} and reading.events == {"order": 2, "fill": 1}
    orders = reading.frame[reading.frame["kind"] == "order"]
    assert orders[["account", "instrument", "side", "qty"]].to_numpy().tolist() == [
        ["A", "X", "B", 5],
        ["B", "Y", "S", 6],
    ]


def test_a_stop_order_with_an_empty_limit_has_no_price():
    assert read(message(ORDER.replace("40=2|44=20.15", "40=3|99=19|44=0"))).frame["type"].tolist() == ["market"]
