"""Age of the marks at which exposures are valued: of the order's instrument, and of all that its book holds."""

from __future__ import annotations

import pytest
from rows import load

from riskkit import Account, Instrument, Rule, RuleSet, Session, replay_log
from riskkit.rules import ConcentrationLimit, Leverage, MaxExposure

ACCOUNTS = [Account("T1", desk="D", cash={"USD": 1000}), Account("T2", desk="D", cash={"USD": 1000})]
TRADED = [Instrument("X"), Instrument("Y")]
AGED = [MaxExposure(1000, max_mark_age_ns=3), Leverage(5, max_mark_age_ns=3), ConcentrationLimit(1, max_mark_age_ns=3)]


def price(instrument="X"):
    return {"kind": "price", "instrument": instrument, "price": 10}


def row(kind="order", account="T1", instrument="X", side="B", qty=1, **more):
    return {"kind": kind, "account": account, "instrument": instrument, "side": side, "qty": qty, "price": 10, **more}


def fill(**more):
    return row("fill", **{"instrument": "Y", "qty": 5, **more})


def refused(rows, parameters, **options):
    rows = [
        {"ts": ts, **({"order_id": f"o{ts}"} if one["kind"] == "order" else {}), **one} for ts, one in enumerate(rows)
    ]
    log = load(*rows, instruments=TRADED, accounts=ACCOUNTS, unit="ns")
    return replay_log(log, RuleSet([Rule("r", parameters, **options)]), compiled=False).rejections()["seq"].tolist()


LATER = [row(), row(), price(), row(), price("Y"), row()]


@pytest.mark.parametrize("parameters", AGED, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    ("rows", "scope", "expected"),
    [
        ([price(), price("Y"), fill(), *LATER], "account", [4, 6]),  # of X, then of Y; exactly three is fresh
        ([price(), price("Y"), fill(account="T2"), *LATER], "account", [4]),  # Y is another account's
        ([price(), price("Y"), fill(account="T2"), *LATER], "desk", [4, 6]),
        ([price(), price("Y"), fill(), fill(side="S"), price(), row(), row(), row()], "account", []),  # Y is closed
        ([price(), price("Y"), row(instrument="Y"), price(), price(), row()], "account", [5]),  # Y works
        ([price(), price("Y"), fill(), row(), row(), row(instrument="Y", side="S", qty=5)], "account", [4]),  # reduces
        ([fill(instrument="X"), row(), row(), row(), row()], "account", [4]),  # the mark is that of the fill
        ([row()] * 6, "account", []),  # valued at the prices of the orders
    ],
)  # fmt: skip
def test_an_exposure_at_an_old_mark_is_refused(parameters, rows, scope, expected):
    assert refused(rows, parameters, scope=scope) == expected
    assert refused(rows, parameters._replace(on_missing_price="allow"), scope=scope) == []
    assert refused(rows, parameters._replace(max_mark_age_ns=None), scope=scope) == []


def test_accounts_that_are_not_netted_have_marks_of_their_own():
    rows = [price(), price("Y"), fill(), fill(account="T2", side="S"), price(), row(), row()]
    assert refused(rows, AGED[0], scope="desk") == []
    assert refused(rows, AGED[0], scope="desk", netting="none") == [5, 6]


def test_orders_that_do_not_count_are_not_valued():
    rows = [price(), price("Y"), row(instrument="Y"), price(), price(), row()]
    assert refused(rows, AGED[0]._replace(working=False)) == []


CURRENCIES = [Instrument("X", currency="USD"), Instrument("Y", currency="EUR"), Instrument("Z", currency="USD")]
RATE = {"kind": "fx", "pair": "EURUSD", "price": "1.25"}
CALLS = {"fill": "trade"}  # of a session, where they are not called as kinds


@pytest.mark.parametrize("parameters", AGED[:2], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"scope": "account"}, [6, 7]),  # the mark of Y is as of 2
        ({"scope": "desk"}, [6, 7]),
        ({"scope": "desk", "netting": "none"}, [6, 7]),
        ({"scope": "desk", "parameters": {"on_missing_price": "allow"}}, []),
        ({"scope": "desk", "parameters": {"max_mark_age_ns": 5}}, []),
    ],
)
@pytest.mark.parametrize("live", [False, True])
def test_marks_of_positions_in_other_currencies_may_not_be_old(parameters, options, expected, live):
    """Of positions in several currencies, whether their accounts are known before or come one after the other."""
    options = {"currency": "USD", **options}
    parameters = parameters._replace(**options.pop("parameters", {}))
    rows = [
        RATE,
        price(),
        price("Y"),
        fill(account="T2" if options["scope"] == "desk" else "T1"),
        price(),
        row(),
        row(),
        row(),
    ]
    rows = [
        {"ts": ts, **({"order_id": f"o{ts}"} if one["kind"] == "order" else {}), **one} for ts, one in enumerate(rows)
    ]
    rules = RuleSet([Rule("r", parameters, **options)])
    if live:
        session = Session.create(rules, CURRENCIES, ACCOUNTS, currencies="many", compiled=False)
        found = [_processed(session, **one) for one in rows]
        assert [n for n, actions in enumerate(found) if actions] == expected
    else:
        log = load(*rows, instruments=CURRENCIES, accounts=ACCOUNTS, unit="ns", currencies="many")
        assert replay_log(log, rules, compiled=False).rejections()["seq"].tolist() == expected


def _processed(session, kind, **fields):
    return getattr(session, f"process_{CALLS.get(kind, kind)}")(**fields)


@pytest.mark.parametrize("parameters", AGED, ids=lambda one: type(one).__name__)
def test_the_age_is_in_the_sentence_and_holds_in_a_session(parameters):
    rule = Rule("r", parameters)
    assert ", at marks no older than 3 ns, " in str(rule).replace("\n", " ")
    session = Session.create(RuleSet([rule]), TRADED, ACCOUNTS, compiled=False)
    session.process_price(ts=0, instrument="X", price=10)
    assert session.process_order(ts=3, account="T1", instrument="X", side="B", qty=1, price=10) == []
    (decision,) = session.process_order(ts=4, account="T1", instrument="X", side="B", qty=1, price=10)
    assert decision.rule == "r" and "no fresh price is known" in decision.reason
