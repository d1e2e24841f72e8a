"""Records that a user-defined rule reaches by `at`: by links of the book only, because a compiled table has no length."""

from __future__ import annotations

import pytest
from cells import execute
from refusing import refusal

from riskkit import Account, Instrument, RuleSet, Session
from riskkit.replay.rules.custom_links import LINKS

CELL = (
    "from typing import NamedTuple\nfrom riskkit.replay.kernels.records import at\n"
    "from riskkit.replay.rules.custom import *\n"
    "class P(NamedTuple):\n    limit: Count\n"
    "def reached(orders, slot):\n    return at(orders, slot).qty\n"
    "def check(state, params, book, event, orders, positions):\n    {body}\n"
    "    return Verdict(OBJECT if found > params.limit else PASS, found, params.limit)\n"
    "kind = custom('linked', P, state=['first_buy'], check=check, checks_on='order')"
)


def declared(body):
    """The rule type of a cell whose check has these lines."""
    text, name = CELL.format(body="\n    ".join(body)), f"<link {body}>"
    if "reached" not in " ".join(body):
        text = text.replace("def reached(orders, slot):\n    return at(orders, slot).qty\n", "")
    return execute(text, name)["kind"]


NO_LINK = {
    "at(orders, 50_000_000).qty": "50000000",
    "at(orders, event.qty).qty": "event.qty",
    "at(orders, params.limit).qty": "params.limit",
    "at(orders, state.first_buy).qty": "state.first_buy",
    "at(orders, book.position.first_buy + 1).qty": "book.position.first_buy + 1",
    "at(orders, book.account.first_position).qty": "book.account.first_position",
    "at(positions, book.position.first_buy).qty": "book.position.first_buy",
    "at(orders, event.pair).qty": "event.pair",
    "reached(orders, 7)": "slot",
}
ASTRAY = {
    "state as a record": ["other = state", "found = at(orders, other.first_buy).qty"],
    "a link that is counted on": ["slot = book.position.first_buy", "slot += 1", "found = at(orders, slot).qty"],
    "a number of a loop": ["found = 0", "for slot in range(9):", "    found += at(orders, slot).qty"],
    "another table": [
        "slot = book.position.first_buy",
        "slot = book.account.first_position",
        "found = at(orders, slot).qty",
    ],
    "one of two": ["slot = -1 if event.qty > 1 else event.qty", "found = at(orders, slot).qty"],
}


@pytest.mark.parametrize("call", NO_LINK)
def test_an_index_that_is_no_link_is_refused_where_it_is_declared(call):
    said = refusal(declared, [f"found = {call}"])
    assert (
        f"reaches a record by {NO_LINK[call]!r}, which is no link of the book: at(orders, ...) takes first_buy," in said
    )


@pytest.mark.parametrize("body", ASTRAY)
def test_a_name_that_may_hold_another_number_is_no_link(body):
    assert "which is no link of the book" in refusal(declared, ASTRAY[body])


def test_a_table_keeps_its_name_in_a_function_of_the_cell():
    said = refusal(declared, ["found = reached(positions, book.position.first_buy)"])
    assert "no link of the book" in said or "orders and positions keep their names" in said


def test_links_lead_along_the_working_orders_and_positions():
    body = ["found = event.qty", "slot = book.position.first_buy", "for _ in range(9):"]
    body += [
        "    other = at(orders, slot)",
        "    found += other.qty",
        "    slot = other.next_order if slot >= 0 else -1",
    ]
    body += ["found += 0 * at(positions, book.account.first_position).qty + 0 * at(orders, event.order).qty"]
    rules = RuleSet([declared(body)("few", limit=3)])
    made = Session.create(rules, [Instrument("X")], [Account("A")], mode="enforce", compiled=False)
    for n in range(5):
        order = {"account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10, "order_id": n}
        actions = made.process_order(ts=n, **order)
        assert bool(actions) == (n >= 3)
    assert made.result().rejections().size == 2


def test_every_link_is_a_field_of_the_book():
    from riskkit.replay.kernels.book import ACCOUNT, INSTRUMENT, ORDER, POSITION

    fields = ACCOUNT.keys() | INSTRUMENT.keys() | ORDER.keys() | POSITION.keys()
    assert {name for names in LINKS.values() for name in names} <= fields
